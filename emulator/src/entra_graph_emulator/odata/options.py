"""Query options as Graph reads them: with or without `$`, in any case, each at most once, unknown ones refused.

https://learn.microsoft.com/graph/query-parameters
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from entra_graph_emulator.wire.errors import GraphError, bad_request, unsupported_query
from entra_graph_emulator.wire.messages import Response, json_response
from entra_graph_emulator.wire.words import words

_KNOWN: Final = frozenset(
    words("$select $filter $expand $orderby $top $skip $count $search $skiptoken $deltatoken $format")
)
_JSON: Final = "application/json"


def normal(query: Mapping[str, str], repeated: Iterable[str] = ()) -> dict[str, str]:
    """System options under their `$` names, the rest as sent. Raises 400 for unknown and repeated system options."""
    options: dict[str, str] = {}
    seen = {_name(name) for name in repeated}
    for name, value in query.items():
        official = _name(name)
        if official.startswith("$") and (official in options or official in seen):
            raise GraphError(
                400,
                "BadRequest",
                f"Query option '{official}' was specified more than once, but it must be specified at most once.",
            )
        if official.startswith("$") and official not in _KNOWN:
            raise GraphError(400, "BadRequest", f"The query parameter '{name}' is not supported.")
        options[official] = value
    _check(options)
    return options


def allow(options: Mapping[str, str], *allowed: str) -> None:
    """Raise 400 for a system option that this collection does not take."""
    for name in options:
        if not name.startswith("$") or name in allowed or name == "$format":
            continue
        if name == "$skip":
            raise bad_request("'$skip' is not supported by the service.")
        raise unsupported_query(f"The query option '{name}' is not supported here.")


def metadata_level(options: Mapping[str, str], accept: str) -> str:
    """`minimal` unless `$format` or the Accept header asks for none: https://learn.microsoft.com/graph/use-the-api"""
    wanted = (options.get("$format") or accept).lower().replace(" ", "")
    return "none" if "odata.metadata=none" in wanted else "minimal"


def plain(response: Response, options: Mapping[str, str], accept: str) -> Response:
    """The answer, without its context if no metadata was asked for. Links and counts stay."""
    kind = response.headers.get("Content-Type", "")
    if "odata.metadata=minimal" not in kind or metadata_level(options, accept) == "minimal":
        return response
    body = response.json()
    body.pop("@odata.context", None)
    headers = {**response.headers, "Content-Type": kind.replace("metadata=minimal", "metadata=none")}
    return replace(json_response(response.status, body), headers=headers)


def _name(name: str) -> str:
    lowered = name.lower()
    if lowered.startswith("$"):
        return lowered
    return f"${lowered}" if f"${lowered}" in _KNOWN else name


def _check(options: Mapping[str, str]) -> None:
    if options.get("$count", "true").lower() not in {"true", "false"}:
        raise GraphError(
            400,
            "BadRequest",
            f"Invalid value '{options['$count']}' for $count query option found. Valid are true, false.",
        )
    for name in ("$top", "$skip"):
        value = options.get(name, "0")
        if not (value.isascii() and value.isdecimal()):
            raise GraphError(
                400,
                "BadRequest",
                f"Invalid value '{value}' for {name} query option found. The {name} query option requires a "
                "non-negative integer value.",
            )
    wanted = options.get("$format", "json").lower()
    if wanted != "json" and not wanted.startswith(_JSON):
        raise GraphError(
            400,
            "BadRequest",
            f"A supported MIME type could not be found that matches the $format '{options['$format']}'.",
        )
