"""Requests as probes make them, and the evidence that stays of each: no token, no address, no id, no name of others."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

_BUSY: Final = frozenset({429, 503, 504})
_TRIES: Final = 4
_LONGEST_WAIT_S: Final = 120.0
_OF_INTEREST: Final = ("Retry-After", "x-ms-throttle-limit-percentage", "x-ms-resource-unit", "Preference-Applied")
_HIDDEN: Final = (
    (re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"), "{id}"),
    (re.compile(r"[^\s'\"<>:/?&=]+(?:@|%40)[^\s'\"<>/?&=]+"), "{address}"),
    (re.compile(r"(token=)[^&\s'\"]+"), r"\1{token}"),
    (re.compile(r"extension_[0-9a-f]{32}_"), "extension_{app}_"),
)

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class Seen:
    """One answer. `body` is None where it is no JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def code(self) -> str:
        return str(self._error.get("code", ""))

    @property
    def text(self) -> str:
        return str(self._error.get("message", ""))

    @property
    def value(self) -> list[dict[str, Any]]:
        """The entries of a page; none of an error."""
        return list(self.body.get("value", [])) if isinstance(self.body, dict) else []

    @property
    def _error(self) -> Mapping[str, Any]:
        error = self.body.get("error") if isinstance(self.body, dict) else None
        return error if isinstance(error, dict) else {}


class Asking:
    """`base` ends in a version, such as https://graph.microsoft.com/v1.0. Busy answers are waited for, not provoked."""

    def __init__(self, http: httpx.AsyncClient, base: str, token: str, *, sleep: Sleep = asyncio.sleep) -> None:
        self._http, self._base, self._token, self.sleep = http, base.rstrip("/"), token, sleep
        self.evidence: list[dict[str, Any]] = []
        self.requests = 0

    async def get(self, path: str, *, headers: Mapping[str, str] | None = None, anonymous: bool = False) -> Seen:
        return await self.send("GET", path, headers=headers, anonymous=anonymous)

    async def post(self, path: str, body: Any) -> Seen:
        return await self.send("POST", path, body=body)

    async def patch(self, path: str, body: Any, *, headers: Mapping[str, str] | None = None) -> Seen:
        return await self.send("PATCH", path, body=body, headers=headers)

    async def delete(self, path: str) -> Seen:
        return await self.send("DELETE", path)

    async def send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        anonymous: bool = False,
    ) -> Seen:
        """`path` begins behind the version; a link that Graph gave is taken as it is."""
        url = path if path.startswith("http") else f"{self._base}{path}"
        who = {} if anonymous else {"Authorization": f"Bearer {self._token}"}
        for attempt in range(_TRIES):
            answer = await self._http.request(method, url, json=body, headers={**who, **(headers or {})})
            self.requests += 1
            seen = Seen(status=answer.status_code, headers=answer.headers, body=_body(answer))
            self._note(method, url, seen)
            if answer.status_code not in _BUSY or attempt == _TRIES - 1:
                break
            await self.sleep(min(_seconds(answer.headers.get("Retry-After")), _LONGEST_WAIT_S))
        return seen

    def _note(self, method: str, url: str, seen: Seen) -> None:
        note = {
            "method": method,
            "path": hidden(url.removeprefix(self._base)),
            "status": seen.status,
            "code": seen.code,
            "text": hidden(seen.text),
            "request_id": seen.headers.get("request-id", ""),
            "headers": {name: seen.headers[name] for name in _OF_INTEREST if name in seen.headers},
        }
        self.evidence.append({name: value for name, value in note.items() if value})


def hidden(text: str) -> str:
    for pattern, word in _HIDDEN:
        text = pattern.sub(word, text)
    return text


def _body(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _seconds(text: str | None) -> float:
    try:
        return max(1.0, float(text or "10"))
    except ValueError:
        return 10.0
