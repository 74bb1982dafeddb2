"""The part of data that is sound, so that one run names the faults of values and those between values.

A value with a fault is left out, and so is what cannot be without it. What stays is checked as if it were the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel, ValidationError

from .yaml_lines import Path_


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound[S: BaseModel]:
    """`shape` is None if too little is sound. `touched` are paths in the file: of what was left out, and all around it.

    `positions` has, for a list at its path in the file, which elements stay.
    """

    shape: S | None
    touched: frozenset[Path_]
    positions: Mapping[Path_, Sequence[int]] = field(default_factory=dict)

    def in_file(self, path: Path_) -> Path_:
        """The path in the file of a path in what stays: lists are shorter there."""
        found: Path_ = ()
        for part in path:
            kept = self.positions.get(found)
            found = (*found, kept[part] if kept is not None and isinstance(part, int) else part)
        return found

    def may_follow(self, path: Path_) -> bool:
        """Whether a fault between values may be there only because one beside this path was left out."""
        return (path if isinstance(path[-1], int) else path[:-1]) in self.touched


def sound[S: BaseModel](shape: type[S], data: Any) -> Sound[S]:
    """Each turn leaves out what has a fault in what stayed, until nothing has."""
    left_out: frozenset[Path_] = frozenset()
    while () not in left_out:
        positions: dict[Path_, list[int]] = {}
        # Looked up and never searched: a file of a caller may have a fault in each of twenty thousand values.
        touched = frozenset(path[:n] for path in left_out for n in range(len(path)))
        stays = _without(data, (), left_out, touched, positions)
        so_far = Sound[S](shape=None, touched=touched | left_out, positions=positions)
        try:
            return replace(so_far, shape=shape.model_validate(stays))
        except ValidationError as error:
            left_out |= {so_far.in_file(_there(stays, each["loc"])) for each in error.errors()}
    return Sound(shape=None, touched=left_out)


def _without(
    value: Any, at: Path_, left_out: Set[Path_], touched: Set[Path_], positions: dict[Path_, list[int]]
) -> Any:
    """A copy along these paths alone: an alias of YAML may lead to a value that contains itself."""
    if at in touched and isinstance(value, dict):
        kept = [key for key in value if (*at, key) not in left_out]
        return {key: _without(value[key], (*at, key), left_out, touched, positions) for key in kept}
    if at in touched and isinstance(value, list):
        positions[at] = [n for n in range(len(value)) if (*at, n) not in left_out]
        return [_without(value[n], (*at, n), left_out, touched, positions) for n in positions[at]]
    return value


def _there(value: Any, loc: Path_) -> Path_:
    """The innermost value on the way to `loc` that is there: what misses something has the fault."""
    for n, part in enumerate(loc):
        if not (part in value if isinstance(value, dict) else isinstance(value, list) and isinstance(part, int)):
            return loc[:n]
        value = value[part]
    return loc
