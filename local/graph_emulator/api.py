"""`/v1.0`: which request goes where, what it costs and who may make it."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from local.graph_emulator import api_batch, api_delta, api_others, api_users
from local.graph_emulator.call import Call
from local.graph_emulator.errors import GraphError, unknown_segment
from local.graph_emulator.messages import Request, Response
from local.graph_emulator.throttle import Cost

type Handler = Callable[[Call], Awaitable[Response]]


class Traffic(StrEnum):
    """The kinds by which the request log counts."""

    READ = "read"
    WRITE = "write"
    DELTA = "delta"
    INVITE = "invite"
    SUBSCRIPTION = "subscription"
    BATCH = "batch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """`path` has `{}` for an open segment; any of `roles` suffices, none is needed where there are none."""

    method: str
    path: str
    handler: Handler
    roles: tuple[str, ...]
    kind: Traffic
    units: int = 1
    writes: int = 0

    @property
    def pattern(self) -> tuple[str, ...]:
        return tuple(self.path.split("/"))

    def cost(self, request: Request) -> Cost:
        """https://learn.microsoft.com/graph/throttling-limits, "Resource unit cost", with its modifiers."""
        top = request.query.get("$top", "")
        units = self.units - ("$select" in request.query) + ("$expand" in request.query)
        units -= top.isdecimal() and int(top) < 20
        return Cost(units=max(min(1, self.units), units), writes=self.writes)


_READ: Final = ("User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All")
_WRITE: Final = ("User.ReadWrite.All", "Directory.ReadWrite.All")
# What each property needs is checked where the properties are known.
_UPDATE: Final = (
    *_WRITE,
    "User.ReadUpdate.All",
    "User-Mail.ReadWrite.All",
    "User-Phone.ReadWrite.All",
    "User.EnableDisableAccount.All",
    "User-PasswordProfile.ReadWrite.All",
    "User.ManageIdentities.All",
    "User-LifeCycleInfo.ReadWrite.All",
    "CustomSecAttributeAssignment.ReadWrite.All",
)
_DELETE: Final = ("User.DeleteRestore.All", "User.ReadWrite.All", "Directory.ReadWrite.All")
_RESTORE: Final = ("User.DeleteRestore.All",)
_INVITE: Final = ("User.Invite.All", *_WRITE)
_SUBSCRIBE: Final = ("User.Read.All",)
_ORGANIZATION: Final = ("Organization.Read.All", *_READ)


def _reads(path: str, handler: Handler, roles: tuple[str, ...] = _READ, units: int = 1, method: str = "GET") -> Route:
    return Route(method=method, path=path, handler=handler, roles=roles, kind=Traffic.READ, units=units)


def _writes(method: str, path: str, handler: Handler, roles: tuple[str, ...] = _WRITE) -> Route:
    return Route(method=method, path=path, handler=handler, roles=roles, kind=Traffic.WRITE, writes=1)


def _subscribes(method: str, path: str, handler: Handler) -> Route:
    writes = int(method != "GET")
    return Route(method=method, path=path, handler=handler, roles=_SUBSCRIBE, kind=Traffic.SUBSCRIPTION, writes=writes)


_DELETED: Final = "directory/deletedItems"
ROUTES: Final = (
    # A batch costs nothing itself, and who may make it shows with its items.
    Route(method="POST", path="$batch", handler=api_batch.batch, roles=(), kind=Traffic.BATCH, units=0),
    _reads("users", api_users.list_users, units=2),
    _reads("users/$count", api_users.count_users, units=2),
    Route(method="GET", path="users/delta", handler=api_delta.users_delta, roles=_READ, kind=Traffic.DELTA, units=2),
    _reads("users/{}", api_users.get_user),
    _writes("POST", "users", api_users.create_user),
    _writes("PATCH", "users/{}", api_users.update_user, _UPDATE),
    _writes("DELETE", "users/{}", api_users.delete_user, _DELETE),
    _reads("users/{}/manager", api_users.get_manager),
    _reads("users/{}/manager/$ref", api_users.get_manager_reference),
    _writes("PUT", "users/{}/manager/$ref", api_users.set_manager),
    _writes("DELETE", "users/{}/manager/$ref", api_users.remove_manager),
    _reads("directoryObjects/getByIds", api_users.get_by_ids, units=5, method="POST"),
    _reads("users/getByIds", api_users.get_by_ids, units=5, method="POST"),
    _reads(_DELETED, api_users.list_deleted_of_any_kind),
    _reads(f"{_DELETED}/microsoft.graph.user", api_users.list_deleted),
    _reads(f"{_DELETED}/{{}}", api_users.get_deleted),
    _reads(f"{_DELETED}/{{}}/microsoft.graph.user", api_users.get_deleted),
    _writes("POST", f"{_DELETED}/{{}}/restore", api_users.restore, _RESTORE),
    _writes("DELETE", f"{_DELETED}/{{}}", api_users.purge, _RESTORE),
    _reads("organization", api_others.organization, _ORGANIZATION),
    Route(method="POST", path="invitations", handler=api_others.invite, roles=_INVITE, kind=Traffic.INVITE, writes=1),
    _subscribes("GET", "subscriptions", api_others.list_subscriptions),
    _subscribes("POST", "subscriptions", api_others.create_subscription),
    _subscribes("GET", "subscriptions/{}", api_others.get_subscription),
    _subscribes("PATCH", "subscriptions/{}", api_others.update_subscription),
    _subscribes("DELETE", "subscriptions/{}", api_others.delete_subscription),
    _subscribes("POST", "subscriptions/{}/reauthorize", api_others.reauthorize_subscription),
)
_BY_SHAPE: dict[tuple[str, int], list[Route]] = {}
for _route in ROUTES:
    _BY_SHAPE.setdefault((_route.method, len(_route.pattern)), []).append(_route)

# OData lets functions, actions and casts be written with or without namespace and parentheses; SDKs do all of it.
_SPELLINGS: Final = {
    "delta()": "delta",
    "microsoft.graph.delta": "delta",
    "microsoft.graph.delta()": "delta",
    "microsoft.graph.getbyids": "getByIds",
    "getbyids": "getByIds",
    "microsoft.graph.restore": "restore",
    "microsoft.graph.reauthorize": "reauthorize",
    "graph.user": "microsoft.graph.user",
    "deleteditems": "deletedItems",
    "directoryobjects": "directoryObjects",
}


def normal(segments: Iterable[str]) -> list[str]:
    return [_SPELLINGS.get(each.lower(), each) for each in segments]


def find(method: str, segments: list[str]) -> tuple[Route, tuple[str, ...]]:
    """The route of normal segments after `/v1.0`, and the values of its open ones.

    Raises 405 for a known path with another method and 400 naming the segment that leads nowhere.
    """
    for route in _BY_SHAPE.get((method, len(segments)), ()):
        if _fits(route.pattern, segments):
            return route, tuple(s for p, s in zip(route.pattern, segments, strict=True) if p == "{}")
    if any(len(route.pattern) == len(segments) and _fits(route.pattern, segments) for route in ROUTES):
        raise GraphError(
            405, "Request_BadRequest", f"Specified HTTP method is not allowed for the request target: {method}."
        )
    if not segments:
        raise GraphError(404, "ResourceNotFound", "Resource not found.")
    raise unknown_segment(_astray(segments))


def _fits(pattern: tuple[str, ...], segments: list[str]) -> bool:
    """Shorter than or as long as the pattern."""
    return all(p in {"{}", s} for p, s in zip(pattern, segments, strict=False))


def _astray(segments: list[str]) -> str:
    for length, segment in enumerate(segments, start=1):
        part = segments[:length]
        if not any(len(route.pattern) >= length and _fits(route.pattern, part) for route in ROUTES):
            return segment
    return segments[-1]
