"""The form of values in columns, for all repositories: one schema version, times as text, no nulls."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from ..model.errors import NewerSchemaError
from ..model.messages import format_time, parse_time
from .table import Row, Value

VERSION = 1
# The newest that this release reads. It writes a row of the second one only where an earlier release must not touch it.
NEWEST = 2

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FAR = 10**16  # microseconds after the epoch: the year 2286


def columns(values: Mapping[str, Value | datetime | None]) -> dict[str, Value]:
    """The columns of a row: the schema version, and every value that is not None."""
    written: dict[str, Value] = {"v": VERSION}
    for name, value in values.items():
        if value is not None:
            written[name] = format_time(value) if isinstance(value, datetime) else value
    return written


def check_version(row: Row, kind: str) -> None:
    """Raises NewerSchemaError for a row of a newer release: the meaning of its columns may have changed."""
    if is_newer(row):
        raise NewerSchemaError(kind=kind, version=row.values["v"])


def is_newer(row: Row) -> bool:
    version = row.values.get("v", VERSION)
    return not isinstance(version, int) or version > NEWEST


def time_or_none(row: Row, name: str) -> datetime | None:
    text = row.text(name)
    return parse_time(text) if text else None


def pair_or_none(row: Row, name: str) -> tuple[str, str] | None:
    first, _, second = row.text(name).partition(" ")
    return (first, second) if second else None


def time(row: Row, name: str) -> datetime:
    return parse_time(row.text(name))


def newest_first(at: datetime) -> str:
    """A part of a row key by which later rows come first."""
    return f"{_FAR - (at - _EPOCH) // timedelta(microseconds=1):017d}"


def moment_of(key: str) -> datetime:
    """The time in a row key that begins with `newest_first`."""
    return _EPOCH + timedelta(microseconds=_FAR - int(key[:17]))


def flag(row: Row, name: str) -> bool:
    return row.values.get(name) is True


def number(row: Row, name: str) -> int:
    return int(row.values.get(name, 0))


def mapping_text(values: Mapping[str, str] | Mapping[str, int]) -> str:
    return json.dumps(dict(values), sort_keys=True, separators=(",", ":"))
