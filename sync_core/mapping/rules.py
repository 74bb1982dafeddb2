"""Evaluates a mapping for one user."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..model import Apply, Attributes, Desired, Json, Rule, WhenNull
from .attributes import TARGET_ATTRIBUTES, TargetAttribute

# An absent value leaves the attribute out of the write; the type keeps it apart from null, which clears.
_ABSENT = object()


def apply_mapping(rules: Sequence[Rule], source: Attributes) -> Desired:
    """What the target user should have. An attribute that `source` lacks counts as null."""
    always: dict[str, Json] = {}
    on_create: dict[str, Json] = {}
    for rule in rules:
        value = _value(rule, source)
        if value is not _ABSENT:
            (on_create if rule.apply is Apply.ON_CREATE else always)[rule.target] = value  # type: ignore[assignment]
    return Desired(always=always, on_create=on_create)


def source_attributes(rules: Iterable[Rule]) -> set[str]:
    """The source attributes that a mapping reads: what the feed and every fresh read must select."""
    return {rule.source for rule in rules if rule.source is not None}


def _value(rule: Rule, source: Attributes) -> Json | object:
    value = rule.constant if rule.source is None else source.get(rule.source)
    if value not in (None, "", []):
        return value
    known = TARGET_ATTRIBUTES.get(rule.target, TargetAttribute())
    # Nothing is written on create either: a new user has nothing to clear, and Graph may refuse the null.
    if rule.when_null is WhenNull.KEEP or not known.clearable or rule.apply is Apply.ON_CREATE:
        return _ABSENT
    return known.cleared
