"""The one place where a document becomes JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from enum import Enum, StrEnum
from typing import dataclass_transform

from ...model import Json
from ...model.messages import format_time


class Absent(Enum):
    """The value of a field that is left out of the JSON. `None` is there, as null."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def document[T](cls: type[T]) -> type[T]:
    """A frozen, slotted, keyword-only dataclass. Its docstring is its description in docs/openapi.json."""
    return dataclass(frozen=True, slots=True, kw_only=True)(cls)


# A field with this metadata lends its own fields to the object around it.
INLINE = {"inline": True}


def as_json(said: object) -> Json:
    """Fields by their names, times as ISO 8601 in UTC, enums by their values.

    Raises TypeError for a value of any type that documents do not have.
    """
    match said:
        case StrEnum():
            return said.value
        case None | bool() | int() | float() | str():
            return said
        case datetime():
            return format_time(said)
        case Mapping():
            return {str(name): as_json(value) for name, value in said.items()}
        case Sequence():
            return [as_json(each) for each in said]
    return _object(said)


def _object(said: object) -> dict[str, Json]:
    if not is_dataclass(said):
        raise TypeError(f"no document has a {type(said).__name__}")
    shown: dict[str, Json] = {}
    for each in fields(said):
        value = getattr(said, each.name)
        if each.metadata == INLINE:
            shown |= _object(value)
        elif value is not ABSENT:
            shown[each.name] = as_json(value)
    return shown
