"""Lists of people by what they have in common: most often one cause is one mistake."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from ..ops.words import many
from .screen import Cell, Screen


def grouped[T](items: Iterable[T], of: Callable[[T], str]) -> Mapping[str, Sequence[T]]:
    """The items by their group, groups and items in the order in which they come."""
    groups: dict[str, list[T]] = {}
    for each in items:
        groups.setdefault(of(each), []).append(each)
    return groups


def show_groups[T](
    screen: Screen,
    groups: Mapping[str, Sequence[T]],
    headers: Sequence[str],
    cells: Callable[[T], Sequence[Cell]],
) -> None:
    """A table of users for each group, the largest first."""
    for name, items in sorted(groups.items(), key=lambda each: -len(each[1])):
        screen.heading(f"{name}: {many(len(items), 'user')}")
        screen.table(headers, [cells(each) for each in items])
        screen.line()
