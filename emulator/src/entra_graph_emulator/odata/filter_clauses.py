"""Clauses of a `$filter` as functions of an object, with the keys by which an index finds the objects that pass.

Text is compared without regard to case, as in the directory.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from entra_graph_emulator.wire.clock import parse_instant

Getter: TypeAlias = Callable[[str], Any]
Keys: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A parsed clause. `keys`, if not None, are (property, lower-case value) pairs; every match has one of them."""

    test: Callable[[Getter], bool]
    keys: Keys | None = None


class Moment(str):
    """A point in time as the clause has it, which is compared as a time and not as text."""

    __slots__ = ()


def item_getter(variable: str, item: Any) -> Getter:
    def get(path: str) -> Any:
        if path == variable:
            return item
        return item.get(path.partition("/")[2]) if isinstance(item, dict) else None

    return get


def any_of(clauses: list[Filter]) -> Filter:
    keys: list[tuple[str, str]] = []
    for clause in clauses:
        if clause.keys is None:
            return Filter(test=lambda get: any(each.test(get) for each in clauses))
        keys += clause.keys
    return Filter(test=lambda get: any(each.test(get) for each in clauses), keys=tuple(keys))


def all_of(clauses: list[Filter]) -> Filter:
    keys = next((each.keys for each in clauses if each.keys is not None), None)
    return Filter(test=lambda get: all(each.test(get) for each in clauses), keys=keys)


def _folded(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _seconds(text: Any) -> Any:
    """Seconds since 1970; None for no time. Objects have whole seconds, clauses may have fractions and offsets."""
    try:
        return parse_instant(text).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def comparison(path: str, operator: str, literal: Any) -> Filter:
    fold = _seconds if isinstance(literal, Moment) else _folded
    wanted = fold(literal)
    if operator == "eq":
        keys = ((path, wanted),) if isinstance(wanted, str) else None
        return Filter(test=lambda get: bool(fold(get(path)) == wanted), keys=keys)
    if operator == "ne":
        return Filter(test=lambda get: bool(fold(get(path)) != wanted))

    def ordered(get: Getter) -> bool:
        value = fold(get(path))
        if type(value) is not type(wanted) or value is None:
            return False
        if operator in {"ge", "le"} and value == wanted:
            return True
        return bool(value > wanted) if operator in {"ge", "gt"} else bool(value < wanted)

    return Filter(test=ordered)
