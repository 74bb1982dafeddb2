"""The one place where a document becomes JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum, StrEnum

from ...model import Json
from ...model.messages import format_time


class Absent(Enum):
    """The value of a field that is left out of the JSON. `None` is there, as null."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT
# A field with this metadata lends its own fields to the object around it.
INLINE = {"inline": True}


def as_json(document: object) -> Json:
    """Fields by their names, times as ISO 8601 in UTC, enums by their values.

    Raises TypeError for a value of any type that documents do not have.
    """
    match document:
        case StrEnum():
            return document.value
        case None | bool() | int() | float() | str():
            return document
        case datetime():
            return format_time(document)
        case Mapping():
            return {str(name): as_json(value) for name, value in document.items()}
        case Sequence():
            return [as_json(each) for each in document]
    return _object(document)


def _object(document: object) -> dict[str, Json]:
    if not is_dataclass(document):
        raise TypeError(f"no document has a {type(document).__name__}")
    shown: dict[str, Json] = {}
    for field in fields(document):
        value = getattr(document, field.name)
        if field.metadata == INLINE:
            shown |= _object(value)
        elif value is not ABSENT:
            shown[field.name] = as_json(value)
    return shown
