"""Requests and answers as plain values, independent of any socket, event loop or library."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias
from urllib.parse import parse_qsl, unquote

JsonObject: TypeAlias = dict[str, Any]

GRAPH_ORIGIN = "https://graph.microsoft.com"


class ConnectionLost(Exception):  # noqa: N818 - an event on the wire, not an answer of the service
    """The emulated service breaks the connection instead of answering (fault mode `reset`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request. `path` is as sent (percent-encoded), `query` decoded, header names in lower case.

    `repeated` are the query options that came more than once.

    `origin` is the scheme, host and port that the caller used; links and contexts in answers start with it.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    origin: str = GRAPH_ORIGIN
    repeated: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        origin: str = GRAPH_ORIGIN,
    ) -> Self:
        """From a request target such as `/v1.0/users?$top=5`."""
        path, _, query = target.partition("?")
        pairs = parse_qsl(query, keep_blank_values=True) if query else []
        options = dict(pairs)
        names = [name for name, _ in pairs] if len(options) < len(pairs) else []
        return cls(
            method=method.upper(),
            path=path,
            query=options,
            repeated=tuple(name for name in options if names.count(name) > 1),
            headers={name.lower(): value for name, value in (headers or {}).items()},
            body=body,
            origin=origin,
        )

    @property
    def segments(self) -> list[str]:
        return [unquote(part) for part in self.path.split("/") if part]


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Any:
        return json.loads(self.body)


JSON_TYPE = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"


def json_response(status: int, body: Mapping[str, Any] | Sequence[Any], **headers: str) -> Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(status=status, headers={"Content-Type": JSON_TYPE, **headers}, body=text.encode())


def header_safe(text: str) -> str:
    """The printable part of a text, at most 256 characters: a line break would let a caller write more headers."""
    return "".join(each for each in text if " " <= each <= "~")[:256]


def no_content() -> Response:
    return Response(status=204)
