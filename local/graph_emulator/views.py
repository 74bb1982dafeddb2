"""Users as JSON: what a read shows of a stored user."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from local.graph_emulator.schema import COLLECTIONS, DEFAULT_SELECT, is_extension
from local.graph_emulator.shelf import User


def shown(user: User, select: Sequence[str] | None) -> dict[str, Any]:
    """Every selected property, unset ones as null or []; only directory extensions are left out when unset."""
    stored = user.properties
    body: dict[str, Any] = {}
    for name in select if select is not None else DEFAULT_SELECT:
        value = stored.get(name)
        if value is not None:
            body[name] = value
        elif name in COLLECTIONS:
            body[name] = []
        elif name != "manager" and not is_extension(name):
            body[name] = None
    body["id"] = user.id
    return body


def changed(user: User, select: Iterable[str], *, since: frozenset[str], only: frozenset[str] | None) -> dict[str, Any]:
    """As delta shows it: never-set properties are left out, and one cleared since the last round is null.

    `only` limits it to the properties that changed (`Prefer: return=minimal`).
    """
    body: dict[str, Any] = {"id": user.id}
    for name in select:
        if name == "id" or (only is not None and name not in only):
            continue
        value = user.properties.get(name)
        if value is not None or (name in since and name in user.properties):
            body[name] = value
    return body


def context(origin: str, collection: str, select: Sequence[str] | None, *, entity: bool = False) -> str:
    picked = f"({','.join(select)})" if select else ""
    return f"{origin}/v1.0/$metadata#{collection}{picked}{'/$entity' if entity else ''}"


def typed(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """For collections of mixed type: the annotation comes first."""
    return {"@odata.type": f"#microsoft.graph.{kind}", **body}
