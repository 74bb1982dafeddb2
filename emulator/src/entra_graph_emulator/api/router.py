"""The route of a request to `/v1.0`, or the error for a request that has none."""

from typing import Final, TypeAlias

from entra_graph_emulator.api.routes import ROUTES, Route
from entra_graph_emulator.wire.errors import GraphError, unknown_segment

Pattern: TypeAlias = tuple[str, ...]


def _rank(pattern: Pattern) -> tuple[bool, ...]:
    """Fixed segments go before open ones, so that `users/delta` is not read as a user named delta."""
    return tuple(part == "{}" for part in pattern)


_BY_SHAPE: Final[dict[tuple[str, int, str], list[tuple[Pattern, Route]]]] = {}
for _route in sorted(ROUTES, key=lambda each: _rank(each.pattern)):
    _pattern = _route.pattern
    _BY_SHAPE.setdefault((_route.method, len(_pattern), _pattern[0]), []).append((_pattern, _route))
_PATTERNS: Final = tuple(dict.fromkeys(route.pattern for route in ROUTES))


def find(method: str, segments: list[str]) -> tuple[Route, tuple[str, ...]]:
    """The route of normal segments after `/v1.0`, and the values of its open ones.

    Raises 405 for a known path with another method and 400 naming the segment that leads nowhere.
    """
    if not segments:
        raise GraphError(404, "ResourceNotFound", "Resource not found.")
    lowered = tuple(segment.lower() for segment in segments)
    for pattern, route in _BY_SHAPE.get((method, len(lowered), lowered[0]), ()):
        if _fits(pattern, lowered):
            return route, tuple(_value(p, s) for p, s in zip(pattern, segments, strict=True) if p[0] == "{")
    if lowered[0] == "me":
        raise GraphError(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
    if any(len(pattern) == len(lowered) and _fits(pattern, lowered) for pattern in _PATTERNS):
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
    return all(p == "{}" or p.strip("{}") == s for p, s in zip(pattern, segments, strict=False))


def _value(part: str, segment: str) -> str:
    """A fixed segment that the handler sees comes in its official spelling."""
    return segment if part == "{}" else _OFFICIAL[part]


_OFFICIAL: Final = {
    part.lower(): part.strip("{}")
    for route in ROUTES
    for part in route.path.split("/")
    if part.startswith("{") and part != "{}"
}


def _astray(segments: list[str]) -> str:
    for length, segment in enumerate(segments, start=1):
        part = tuple(each.lower() for each in segments[:length])
        if not any(len(pattern) >= length and _fits(pattern, part) for pattern in _PATTERNS):
            return segment
    return segments[-1]
