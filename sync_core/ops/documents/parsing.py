"""A document from its JSON: the way back from `as_json`, for a caller who reads what another version may have written.

Fields that this version does not know are passed over. A field that it needs, and a value that it does not know, raise
ValueError.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Any, Literal, TypeAliasType, Union, get_args, get_origin, get_type_hints

from ...model.messages import parse_time
from .rendering import INLINE, Absent


def read_json[T](document: type[T], said: object) -> T:
    """Raises ValueError, which names the document and the field, and quotes no value."""
    read: T = _object(document, said)
    return read


def _object(document: type, said: object) -> Any:
    if not isinstance(said, Mapping):
        raise ValueError(f"{document.__name__} is no object")  # noqa: TRY004 - of what came from outside
    hints, values = _hints(document), {}
    for each in fields(document):
        try:
            if each.metadata == INLINE:
                values[each.name] = _value(hints[each.name], said)
            elif each.name in said:
                values[each.name] = _value(hints[each.name], said[each.name])
            elif each.default is MISSING and each.default_factory is MISSING:
                raise ValueError("is missing")  # noqa: TRY301
        except ValueError as error:
            raise ValueError(f"{document.__name__}.{each.name}: {error}") from None
    return document(**values)


@cache
def _hints(document: type) -> Mapping[str, Any]:
    return get_type_hints(document)


def _value(kind: Any, said: object) -> Any:
    if isinstance(kind, TypeAliasType):
        return said if kind.__name__ == "Json" else _value(kind.__value__, said)
    origin, parts = get_origin(kind), get_args(kind)
    if origin in {Union, UnionType}:
        return _any_of(parts, said)
    if origin is Literal:
        return _known(said, said in parts)
    if origin is Sequence:
        return [_value(parts[0], each) for each in _known(said, isinstance(said, list))]
    if origin is Mapping:
        return {_value(parts[0], k): _value(parts[1], v) for k, v in _known(said, isinstance(said, dict)).items()}
    if isinstance(kind, type) and is_dataclass(kind):
        return _object(kind, said)
    return _plain(kind, said)


def _plain(kind: Any, said: object) -> Any:
    if kind is datetime:
        return parse_time(_known(said, isinstance(said, str)))
    if issubclass(kind, StrEnum):
        return kind(_known(said, isinstance(said, str)))
    if kind is float:
        return float(_known(said, isinstance(said, int | float) and not isinstance(said, bool)))
    return _known(said, type(said) is kind)


def _any_of(kinds: Sequence[Any], said: object) -> Any:
    """The first that fits. A change is told by its literal, a user by theirs."""
    for kind in kinds:
        if kind is Absent:
            continue
        try:
            return _value(kind, said)
        except ValueError:
            continue
    raise ValueError("is of no known kind")


def _known(said: object, is_known: bool) -> Any:
    if not is_known:
        raise ValueError("is of another type")
    return said
