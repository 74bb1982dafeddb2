"""The route of a request to `/v1.0`, or the error for a request that has none."""

from collections.abc import Sequence
from typing import Final, TypeAlias

from entra_graph_emulator.api import operations
from entra_graph_emulator.api.routes import ROUTES, Route
from entra_graph_emulator.wire.errors import GraphError, unknown_segment

Pattern: TypeAlias = tuple[str, ...]
_CAST: Final = "{cast}"  # an open segment that names a type


def _rank(pattern: Pattern) -> tuple[bool, ...]:
    """Fixed segments go before open ones, so that `users/delta` is not read as a user named delta."""
    return tuple(part in {"{}", _CAST} for part in pattern)


_BY_SHAPE: Final[dict[tuple[str, int, str], list[tuple[Pattern, Route]]]] = {}
for _route in sorted(ROUTES, key=lambda each: _rank(each.pattern)):
    _pattern = _route.pattern
    _BY_SHAPE.setdefault((_route.method, len(_pattern), _pattern[0].strip("{}")), []).append((_pattern, _route))
_PATTERNS: Final = tuple(dict.fromkeys(route.pattern for route in ROUTES))


def find(method: str, segments: list[str]) -> tuple[Route, tuple[str, ...]]:
    """The route of normal segments after `/v1.0`, and the values of its open ones.

    Raises 501 for what Graph has and the emulator has not, 405 for a known path with another method, and 400 naming the
    segment that leads nowhere.
    """
    if not segments:
        raise GraphError(404, "ResourceNotFound", "Resource not found.")
    lowered = tuple(segment.lower() for segment in segments)
    for pattern, route in _BY_SHAPE.get((method, len(lowered), lowered[0]), ()):
        if _fits(pattern, lowered):
            return route, tuple(_value(p, s) for p, s in zip(pattern, segments, strict=True) if p[0] == "{")
    if lowered[0] == "me":
        raise GraphError(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
    if method in (known := operations.methods_of(segments) or ()):
        raise not_emulated(method, segments)
    if known or any(len(pattern) == len(lowered) and _fits(pattern, lowered) for pattern in _PATTERNS):
        raise GraphError(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
    if (
        method == "POST"
        and len(lowered) > 2
        and any(len(p) == len(lowered) - 1 and _fits(p, lowered) for p in _PATTERNS)
    ):
        # An action that an object does not have, as json-batching tells it.
        raise GraphError(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
    raise unknown_segment(_astray(segments))


def _fits(pattern: Pattern, segments: tuple[str, ...]) -> bool:
    """Whether the segments fit the pattern, or its beginning."""
    return all(
        p == "{}" or p.strip("{}") == s or (p == _CAST and s.startswith("microsoft.graph."))
        for p, s in zip(pattern, segments, strict=False)
    )


def _value(part: str, segment: str) -> str:
    """A fixed segment that the handler sees comes in its official spelling."""
    return segment if part in {"{}", _CAST} else _OFFICIAL[part]


_OFFICIAL: Final = {
    part.lower(): part.strip("{}")
    for route in ROUTES
    for part in route.path.split("/")
    if part.startswith("{") and part not in {"{}", _CAST}
}


def not_emulated(method: str, segments: Sequence[str]) -> GraphError:
    """No error of Graph's: it names the operation, and the page that lists what there is."""
    path = "/".join(segments)
    return GraphError(
        501,
        "NotImplemented",
        f"{method} /{path} is an operation of Graph v1.0 that this emulator does not have. {operations.COVERAGE} lists "
        "those that it has.",
    )


def _astray(segments: list[str]) -> str:
    for length, segment in enumerate(segments, start=1):
        part = tuple(each.lower() for each in segments[:length])
        here = any(len(pattern) >= length and _fits(pattern, part) for pattern in _PATTERNS)
        if not here and operations.methods_of(segments[:length]) is None:
            return segment
    return segments[-1]
