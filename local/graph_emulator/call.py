"""One authenticated Graph request on its way to a handler, and what handlers commonly ask of it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from local.graph_emulator.directory import Tenant
from local.graph_emulator.errors import GraphError, not_found, not_replicated, unsupported_query
from local.graph_emulator.messages import Request
from local.graph_emulator.schema import parse_select
from local.graph_emulator.shelf import User
from local.graph_emulator.tokens import Caller

if TYPE_CHECKING:
    from local.graph_emulator.emulator import Emulator

_EXPAND: Final = re.compile(r"manager(?:\(\$select=(?P<select>[^)]*)\))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """`parameters` are the path segments that the route left open, decoded."""

    request: Request
    emulator: "Emulator"
    tenant: Tenant
    caller: Caller
    parameters: tuple[str, ...]
    now: datetime

    @property
    def origin(self) -> str:
        return self.request.origin

    @property
    def select(self) -> tuple[str, ...] | None:
        return parse_select(self.request.query.get("$select"))

    @property
    def advanced(self) -> bool:
        """https://learn.microsoft.com/graph/aad-advanced-queries: both are needed."""
        level = self.request.headers.get("consistencylevel", "")
        return level.lower() == "eventual" and self.request.query.get("$count", "").lower() == "true"

    def allow(self, *options: str) -> None:
        """Refuse system query options that the emulator would otherwise pass over in silence."""
        for name in self.request.query:
            if name.startswith("$") and name not in options:
                raise unsupported_query(f"The query option '{name}' is not supported here.")

    def expand_manager(self) -> tuple[bool, tuple[str, ...] | None]:
        """Whether the manager is wanted within the user, and its `$select`."""
        text = self.request.query.get("$expand")
        if text is None:
            return False, None
        match = _EXPAND.fullmatch(text)
        if match is None:
            raise unsupported_query(f"The expand clause '{text}' is not supported.")
        return True, parse_select(match["select"])

    def body(self, *, optional: bool = False) -> dict[str, Any]:
        """The JSON object sent. Raises 415 for another content type and 400 for anything but an object."""
        if optional and not self.request.body.strip():
            return {}
        if not self.request.headers.get("content-type", "").lower().startswith("application/json"):
            raise GraphError(415, "UnsupportedMediaType", "A supported media type is required: application/json.")
        try:
            value = json.loads(self.request.body)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise GraphError(
                400,
                "BadRequest",
                "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid "
                "JSON format.",
            )
        return value

    def user(self, *, writing: bool = False) -> User:
        """The user that the path names. One created a moment ago is not there yet for everybody."""
        key = self.parameters[0]
        user = self.tenant.user(key)
        if self.visible(user):
            return user
        raise not_replicated() if writing else not_found(key)

    def visible(self, user: User) -> bool:
        return user.visible_at <= self.now


def link(origin: str, path: str, query: Mapping[str, str]) -> str:
    """An absolute URL; `$`, `,` and the marks of filters stay readable, as in Graph's own links."""
    text = "&".join(f"{name}={quote(value, safe="$,'()/:=-_.~")}" for name, value in query.items())
    return f"{origin}/v1.0/{path}?{text}"
