"""Faults of a mapping, found when it is loaded instead of at its first user.

A finding names the key of the rule that it is about, and the line within a long expression.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from ..model import ENABLED, MANAGER, Apply, Rule, WhenNull
from .attributes import ENTRA_NAMES, EXTENSION_ATTRIBUTES, TARGET_ATTRIBUTES, UNWRITABLE, target_attribute
from .expressions import CompileError, Position
from .rules import compiled
from .sources import SOURCE_ATTRIBUTES, readable

_SECRETS = ("password", "secret", "passcode", "credential")
_CHANCE = re.compile(r"\b(RandomString|Guid)\s*\(", re.IGNORECASE)
_VALUES = ("source", "constant", "expression")
_AS_REFERENCE = (
    f"{MANAGER} is a reference to another user: say `{{ target: {MANAGER}, source: {MANAGER} }}`, nothing else"
)


@dataclass(frozen=True, slots=True)
class Finding:
    key: str | None  # None: the rule as a whole
    message: str
    line: int = 0  # within the value, counted from 1; 0 when it has one line only


def mapping_faults(rules: Iterable[tuple[Rule, Collection[str]]]) -> Iterator[tuple[int, Finding]]:
    """`rules` come with the keys that were given, in the order of the file."""
    targets: set[str] = set()
    together: Rule | None = None  # the first of those that are written and compared as one property
    for i, (rule, given) in enumerate(rules):
        yield from ((i, finding) for finding in rule_faults(rule, given))
        if rule.target in targets:
            yield i, Finding("target", f"'{rule.target}' is mapped twice")
        targets.add(rule.target)
        if rule.target in EXTENSION_ATTRIBUTES and rule.apply is Apply.ALWAYS:
            together = together or rule
            if rule.drift is not together.drift:
                message = f"{together.target} has another one, and both are one property: give both the same"
                yield i, Finding("drift", message)


def rule_faults(rule: Rule, given: Collection[str]) -> Iterator[Finding]:
    if rule.drift is not None and (why := _not_compared(rule)) is not None:
        yield Finding("drift", f"is of no use here: {why}")
    if MANAGER in (rule.target, rule.source):
        yield from _reference_faults(rule, given)
        return
    if target_attribute(rule.target) is None:
        yield Finding("target", _unwritable(rule.target))
    values = [key for key in _VALUES if key in given and (key == "constant" or getattr(rule, key) is not None)]
    if len(values) > 1:
        yield Finding(None, f"has both a {values[0]} and {_article(values[1])}")
    elif not values and "default" not in given:
        yield Finding(None, "has neither a source nor a constant nor an expression")
    if rule.source is not None:
        yield from _source_faults("source", rule.source)
    if rule.expression is not None:
        yield from _expression_faults(rule)
    if values == ["constant"]:
        yield from _constant_faults(rule, "constant")
    if "default" in given:
        yield from _default_faults(rule, values)
    elif rule.when_null is WhenNull.DEFAULT:
        yield Finding("when_null", "needs a default")


def _not_compared(rule: Rule) -> str | None:
    """The reason why nobody looks for edits of this rule's attribute."""
    if rule.target == MANAGER:
        return "no listing shows who is somebody's manager"
    if rule.target == ENABLED:
        return "say `blocked_in_target` in the sync's `drift`"
    return "edits of what is written once are left" if rule.apply is Apply.ON_CREATE else None


def rule_warnings(rule: Rule) -> Iterator[Finding]:
    """Forms that work here although Microsoft calls them unsupported."""
    if rule.expression is not None:
        for position, message in compiled(rule.expression).warnings:
            yield _placed(rule.expression, position, message)


def recorded_faults(names: Iterable[str], rules: Iterable[Rule]) -> Iterator[tuple[int, str]]:
    """Of attributes whose written values are to be kept; each with its place. A secret is never kept."""
    written = {rule.target: rule for rule in rules}
    for n, name in enumerate(names):
        if name not in written:
            yield n, f"the mapping does not write '{name}'{nearest(name, written)}"
        elif any(word in name.lower() for word in _SECRETS):
            yield n, f"'{name}' may be a secret by its name, and its values are never kept: take it out"
        elif _drawn(written[name]):
            yield n, f"'{name}' is drawn at random and may be a secret, so its values are never kept: take it out"


def _drawn(rule: Rule) -> bool:
    """Whether an expression uses chance. One that does not compile has a fault of its own."""
    return rule.expression is not None and _CHANCE.search(rule.expression) is not None


def unreadable(name: str) -> str:
    """The reason why this source attribute cannot be read, and the name that may be meant."""
    if name == MANAGER:
        return _AS_REFERENCE
    if name in ENTRA_NAMES:
        return f"'{name}' is called '{ENTRA_NAMES[name]}' by Graph"
    return f"no user has '{name}'{nearest(name, SOURCE_ATTRIBUTES)}"


def nearest(name: str, known: Iterable[str]) -> str:
    known = list(known)
    by_case = {each.lower(): each for each in known}
    close = [by_case[name.lower()]] if name.lower() in by_case else get_close_matches(name, known, n=1)
    return f" (did you mean '{close[0]}'?)" if close else f" (known: {', '.join(sorted(known, key=str.lower))})"


def _article(key: str) -> str:
    return f"an {key}" if key == "expression" else f"a {key}"


def _unwritable(name: str) -> str:
    if name in UNWRITABLE:
        return f"'{name}' cannot be written: {UNWRITABLE[name]}"
    if name in ENTRA_NAMES:
        return f"'{name}' is called '{ENTRA_NAMES[name]}' by Graph"
    return f"'{name}' cannot be written{nearest(name, TARGET_ATTRIBUTES)}"


def _source_faults(key: str, name: str) -> Iterator[Finding]:
    if not readable(name):
        yield Finding(key, unreadable(name))


def _reference_faults(rule: Rule, given: Collection[str]) -> Iterator[Finding]:
    """A manager is another user's target user, which only links know: no rule can compute or replace it."""
    others = {"constant", "expression", "default"} & set(given)
    if (rule.target, rule.source) != (MANAGER, MANAGER) or others or rule.when_null is WhenNull.DEFAULT:
        yield Finding(None, _AS_REFERENCE)
    elif rule.apply is not Apply.ALWAYS:
        yield Finding("apply", f"{MANAGER} is always applied: the manager may be linked later than the user")


def _expression_faults(rule: Rule) -> Iterator[Finding]:
    text = rule.expression or ""
    try:
        expression = compiled(text)
    except CompileError as error:
        yield _placed(text, error.position, error.message)
        return
    for name in sorted(expression.attributes):
        yield from _source_faults("expression", name)
    if expression.volatile and rule.apply is not Apply.ON_CREATE:
        message = "gives another value at every look (Now, Guid, RandomString); say `apply: on_create`"
        yield Finding("expression", message)


def _placed(text: str, position: Position | None, message: str) -> Finding:
    assert position is not None  # always there once an error has left the compiler
    lines = "\n" in text.strip()
    return Finding("expression", f"column {position.column}: {message}", position.line if lines else 0)


def _constant_faults(rule: Rule, key: str) -> Iterator[Finding]:
    known = target_attribute(rule.target)
    fault = known.fault(rule.constant if key == "constant" else rule.default) if known else None
    if fault:
        yield Finding(key, fault)


def _default_faults(rule: Rule, values: Collection[str]) -> Iterator[Finding]:
    if rule.default is None:
        yield Finding("default", "must have a value")
    elif "constant" in values:
        yield Finding("default", "is of no use beside a constant")
    elif rule.when_null is WhenNull.CLEAR:
        yield Finding("when_null", "clear would take the default away again; say keep, or default to keep writing it")
    else:
        yield from _constant_faults(rule, "default")
