"""One authenticated Graph request on its way to a handler, with the questions that most handlers ask of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final, Protocol
from urllib.parse import quote

from entra_graph_emulator.directory.invitations import Invitations
from entra_graph_emulator.directory.objects import DirectoryObject, Group, User
from entra_graph_emulator.directory.tenant import Tenant
from entra_graph_emulator.notifications.delivery import Delivery, Poster
from entra_graph_emulator.notifications.subscriptions import Subscriptions
from entra_graph_emulator.odata.entities import USER
from entra_graph_emulator.odata.options import allow
from entra_graph_emulator.wire.errors import GraphError, not_found, not_replicated
from entra_graph_emulator.wire.messages import Request, Response, json_response
from entra_graph_emulator.wire.tokens import Caller

_SAFE: Final = "$,'()/:=-_.~"


class Service(Protocol):
    """The parts of the emulator that a handler may use besides the caller's tenant.

    `Emulator` fulfils it. Handlers do not import `Emulator`, because it is assembled from them.
    """

    ids: Random
    invitations: Invitations
    subscriptions: Subscriptions
    delivery: Delivery
    poster: Poster | None

    async def handle(self, request: Request) -> Response: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """`parameters` are the path segments that the route left open, decoded."""

    request: Request
    service: Service
    tenant: Tenant
    caller: Caller
    parameters: tuple[str, ...]
    now: datetime

    @property
    def origin(self) -> str:
        return self.request.origin

    @property
    def options(self) -> Mapping[str, str]:
        """Query options under their official names, as `Emulator` normalised them."""
        return self.request.query

    @property
    def select(self) -> tuple[str, ...] | None:
        return USER.parse_select(self.options.get("$select"))

    @property
    def eventual(self) -> bool:
        return self.request.headers.get("consistencylevel", "").lower() == "eventual"

    @property
    def advanced(self) -> bool:
        """https://learn.microsoft.com/graph/aad-advanced-queries: the header and `$count=true` are needed."""
        return self.eventual and self.options.get("$count", "").lower() == "true"

    def allow(self, *options: str) -> None:
        """Raise 400 for a system query option that is not among `options`, instead of ignoring it."""
        allow(self.options, *options)

    @property
    def privileged(self) -> bool:
        """Whether the app has a directory role, which sensitive actions on administrators need."""
        return self.caller.app in self.tenant.role_holders

    @property
    def sees_hidden(self) -> bool:
        """Whether the app may see hidden memberships. https://learn.microsoft.com/graph/api/group-list-members"""
        return self.caller.may(("Member.Read.Hidden",))

    def body(self, *, optional: bool = False) -> dict[str, Any]:
        """The JSON object sent. Raises 415 for another content type and 400 for anything but an object."""
        if optional and not self.request.body.strip():
            return {}
        if not self.request.headers.get("content-type", "").lower().startswith("application/json"):
            raise GraphError(415, "UnsupportedMediaType", "A supported media type is required: application/json.")
        try:
            value = json.loads(
                self.request.body.decode("utf-8-sig"), parse_constant=_no_number, object_pairs_hook=_each_once
            )
            if b"\\u" in self.request.body:
                # Python accepts half of a surrogate pair as text, which no answer could send back as UTF-8.
                json.dumps(value, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise GraphError(
                400,
                "BadRequest",
                "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid "
                "JSON format.",
            )
        if not value and self.request.method == "PATCH":
            raise GraphError(400, "BadRequest", "Empty Payload. JSON content expected.")
        return value

    def user(self, *, writing: bool = False) -> User:
        """The user that the path names. Raises 404, also for a user younger than the setting `visibility_s`."""
        key = self.parameters[0]
        user = self.tenant.user(key)
        if self.visible(user):
            return user
        raise not_replicated() if writing else not_found(key)

    def user_then(self) -> User:
        """As `user`, but from a replica that may be behind: setting `read_lag_s`."""
        lag = self.tenant.settings.read_lag_s
        if not lag:
            return self.user()
        key, behind = self.parameters[0], timedelta(seconds=self.service.ids.uniform(0, lag))
        user = self.tenant.find_then(key, self.now - behind)
        if user is None or not self.visible(user):
            raise not_found(key)
        return user

    def group(self, *, writing: bool = False) -> Group:
        key = self.parameters[0]
        group = self.tenant.groups.get(key)
        if self.visible(group):
            return group
        raise not_replicated() if writing else not_found(key)

    def anything(self, key: str) -> DirectoryObject:
        """A live object of any kind, by id. Raises 404."""
        found = self.tenant.object(key)
        if found is None or not self.visible(found):
            raise not_found(key)
        return found

    def visible(self, item: DirectoryObject) -> bool:
        return item.visible_at <= self.now

    def created(self, path: str, body: Mapping[str, Any]) -> Response:
        """201 with a Location. No page says which form its URL has: the setting `location_form` has both forms seen."""
        location = f"{self.origin}/v1.0/{path}"
        if self.tenant.settings.location_form == "v2":
            location = f"{self.origin}/v2/{self.tenant.id}/directoryObjects/{path.rpartition('/')[2]}"
        return json_response(201, body, Location=location)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these pairs. Raises ValueError for a name that comes twice, as the OData library refuses it."""
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a name came twice")
    return value


def _no_number(text: str) -> None:
    """Raises ValueError: NaN and Infinity are not JSON."""
    raise ValueError(text)


def link(origin: str, path: str, query: Mapping[str, str]) -> str:
    """An absolute URL. `$`, `,` and the characters of filters are not escaped, as in Graph's own links."""
    text = "&".join(f"{name}={quote(value, safe=_SAFE)}" for name, value in query.items())
    return f"{origin}/v1.0/{path}?{text}"
