"""Rows of the table `activity`: an event as columns, and the events of a row, also of one that version 0.1 wrote.

Version 0.1 wrote a row for each look, with the names of all its changes. It reads `changes`, `error`, `again`, `why`,
`latency_ms` and `done_at` of every row. So each row has them, and a look of today has one row for each event.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta

from ..model import Event, InScope, Json, Kind, Reason, Written
from .columns import check_version, columns, flag, number, time, time_or_none
from .table import Row, Value

_MAX_TEXT = 256  # characters of a reason
_MAX_IDS = 50
_MAX_VALUE = 1024  # characters: the longest text of one attribute that Graph takes of us, a street
# Bytes of UTF-16. A value that has no room is left out, and its name stays. With fifty names, which a sync may give at
# most, the column stays below the 64 KiB of a table's property.
# https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
_MAX_VALUES = 32 * 1024

# The name under which version 0.1 counts an event as a change. Whatever a rule refused is no change.
_CHANGES: Mapping[Kind, str] = {
    Kind.INVITED: "Invite",
    Kind.LINKED: "Adopt",
    Kind.ADOPTED: "Adopt",
    Kind.UPDATED: "Update",
    Kind.ENABLED: "Update",
    Kind.DISABLED: "Disable",
    Kind.RESTORED: "Restore",
    Kind.SOFT_DELETED: "SoftDelete",
    Kind.UNLINKED: "Forget",
    Kind.HELD: "Hold",
}
_KINDS: Mapping[str, Kind] = {
    "Invite": Kind.INVITED,
    "Adopt": Kind.ADOPTED,
    "Update": Kind.UPDATED,
    "Disable": Kind.DISABLED,
    "Restore": Kind.RESTORED,
    "SoftDelete": Kind.SOFT_DELETED,
    "Forget": Kind.UNLINKED,
    "LetGo": Kind.UNLINKED,
    "HandOver": Kind.UNLINKED,
    "Hold": Kind.HELD,
    "Refuse": Kind.REFUSED,
}
_SET_ASIDE = frozenset({Kind.REFUSED, Kind.PARKED})


def columns_of(event: Event) -> dict[str, Value]:
    began = event.nominated_at
    wait = None if event.next_try_at is None else (event.next_try_at - event.at).total_seconds()
    return columns(
        {
            "sync": event.sync,
            "user": event.user,
            "kind": event.kind.value,
            "target_id": event.target_id or None,
            "changes": _CHANGES.get(event.kind, ""),
            "attributes": ",".join(event.attributes),
            "written": _written_text(event.values),
            "reason": event.reason[:_MAX_TEXT],
            "scope": event.scope.value if event.scope else None,
            "scope_reason": event.scope_reason[:_MAX_TEXT] or None,
            "why": str(event.why),
            "refused": ",".join(event.refused),
            "error": event.reason[:_MAX_TEXT] if event.kind in _SET_ASIDE else "",
            "again": True if event.again else None,
            "retry_after": wait,
            "request_ids": ",".join(event.graph_request_ids[:_MAX_IDS]) or None,
            "operator": event.operator[:_MAX_TEXT] or None,
            "attempt": event.attempt or None,
            "nominated_at": began,
            "done_at": event.at,
            "latency_ms": 0 if began is None else max(0, (event.at - began) // timedelta(milliseconds=1)),
        }
    )


def events_of(row: Row) -> list[Event]:
    """One event; of a row of version 0.1 one for what was changed and one for what set the user aside."""
    check_version(row, "activity")
    return [_event(row, kind) for kind in kinds_of(row)]


def kinds_of(row: Row) -> Sequence[Kind]:
    """The kinds of `events_of`, without the rest."""
    if "kind" in row.values:
        return [Kind(row.text("kind")) if row.text("kind") in set(Kind) else Kind.OTHER]
    changes, error = [name for name in row.text("changes").split(",") if name in _KINDS], row.text("error")
    kinds = [_main(changes)] if changes else []
    if error and Kind.REFUSED not in kinds:
        kinds.append(Kind.REFUSED if error in set(Reason) else Kind.PARKED)
    return kinds


def _main(changes: Sequence[str]) -> Kind:
    """What the look came to. Attributes are written with most changes, and the guest of an invitation is adopted."""
    telling = [name for name in changes if name != "Update"] or ["Update"]
    return Kind.INVITED if telling[-1] == "Adopt" and "Invite" in telling else _KINDS[telling[-1]]


def _event(row: Row, kind: Kind) -> Event:
    at, scope = time(row, "done_at"), row.text("scope")
    wait = row.values.get("retry_after")
    return Event(
        at=at,
        sync=row.text("sync"),
        user=row.text("user"),
        kind=kind,
        why=row.text("why"),
        reason=_reason(row, kind),
        scope=InScope(scope) if scope else None,
        scope_reason=row.text("scope_reason"),
        attributes=_names(row, "attributes"),
        values=_written(row),
        refused=_names(row, "refused"),
        target_id=row.text("target_id"),
        graph_request_ids=_names(row, "request_ids"),
        operator=row.text("operator"),
        nominated_at=time_or_none(row, "nominated_at"),
        attempt=number(row, "attempt"),
        next_try_at=None if wait is None else at + timedelta(seconds=float(wait)),
        again=flag(row, "again"),
    )


def _reason(row: Row, kind: Kind) -> str:
    if kind is Kind.OTHER:
        return f"{row.text('kind')}: {row.text('reason')}"
    return row.text("error") if kind in _SET_ASIDE else row.text("reason")


def _names(row: Row, column: str) -> tuple[str, ...]:
    return tuple(name for name in row.text(column).split(",") if name)


def _written_text(values: Sequence[Written]) -> str | None:
    """Value and value before by attribute, as JSON. A version before this one passes the column over."""
    left, kept = _MAX_VALUES, dict[str, Json]()
    for each in values:
        shown: dict[str, Json] = {"value": _short(each.value)}
        if each.before_known:
            shown["before"] = _short(each.before)
        if each.cut or (shown["value"], shown.get("before")) != (each.value, each.before):
            shown["cut"] = True
        left -= len(json.dumps([each.attribute, shown], ensure_ascii=False).encode("utf-16-le"))
        kept[each.attribute] = shown if left >= 0 else {"value": None, "cut": True}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")) if kept else None


def _short(text: str | None) -> str | None:
    return None if text is None else text[:_MAX_VALUE]


def _written(row: Row) -> tuple[Written, ...]:
    found = json.loads(row.text("written") or "{}")
    return tuple(
        Written(
            attribute=name,
            value=each["value"],
            before=each.get("before"),
            before_known="before" in each,
            cut=each.get("cut", False),
        )
        for name, each in found.items()
    )
