"""Evaluates a mapping for one user.

Never fails: an attribute whose expression does not fit this user, or whose value Graph would refuse, is left out and
named. Cutting or replacing such a value would change data without a trace. Refusing the user would hold back all other
attributes for the sake of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from random import Random

from ..model import Apply, Attributes, Desired, Json, Rule, WhenNull
from .attributes import EXTENSION_ATTRIBUTES, EXTENSION_PARENT, TargetAttribute, UnfitError, target_attribute
from .expressions import Context, EvaluationError, Expression, Flow, compile as compile_expression
from .sources import flat, nothing, selected

_ANY_TEXT = TargetAttribute()
# For an evaluation that was given no time: expressions that ask for the time are left out then.
_NO_TIME = datetime(2000, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=1024)
def compiled(text: str) -> Expression:
    """Raises CompileError."""
    return compile_expression(text)


def apply_mapping(
    rules: Sequence[Rule], source: Attributes, *, now: datetime | None = None, seed: str | None = None
) -> Desired:
    """The attributes that the target user should have. An attribute that `source` lacks counts as null.

    `now` is for expressions that ask for the time; without it they are left out. `seed` is for those that ask for
    chance: equal seeds give equal values, so that a retry repeats itself. By default it is the user's own id.
    """
    mapping = _Mapping(source=flat(source), now=now, seed=seed)
    for rule in rules:
        try:
            mapping.take(rule)
        except (EvaluationError, UnfitError) as error:
            mapping.left_out[rule.target] = str(error)
        if mapping.ignored:
            return Desired(always={}, ignored=True)
    return mapping.desired()


def source_attributes(rules: Iterable[Rule]) -> set[str]:
    """The source attributes that a mapping reads: what the feed and every fresh read must select."""
    names: set[str] = set()
    for rule in rules:
        if rule.source is not None:
            names.add(rule.source)
        if rule.expression is not None:
            names |= compiled(rule.expression).attributes
    return selected(names)


@dataclass(slots=True, kw_only=True)
class _Mapping:
    """One user on the way from source to target."""

    source: Attributes
    now: datetime | None
    seed: str | None
    always: dict[str, Json] = field(default_factory=dict)
    on_create: dict[str, Json] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    ignored: bool = False

    def take(self, rule: Rule) -> None:
        known = target_attribute(rule.target) or _ANY_TEXT
        value = self._value(rule)
        if isinstance(value, Flow):
            self.ignored = value is Flow.IGNORE_OBJECT
            return
        if known.type is not list and isinstance(value, list) and len(value) == 1:
            value = value[0]  # Entra's single-valued attribute is Graph's list of one: businessPhones
        if nothing(value):
            self._take_nothing(rule, known)
        else:
            self._put(rule.target, known.fit(value), on_create=rule.apply is Apply.ON_CREATE)

    def _value(self, rule: Rule) -> Json | Flow:
        if rule.source is not None:
            return self.source.get(rule.source)
        if rule.expression is not None:
            return self._evaluated(rule)
        return rule.constant

    def _evaluated(self, rule: Rule) -> Json | Flow:
        expression = compiled(rule.expression or "")
        if not expression.volatile:
            return expression.evaluate(self.source, Context(now=self.now or _NO_TIME, random=_NO_CHANCE))
        if self.now is None:
            raise UnfitError("needs the time, which was not passed in")
        seed = self.seed or str(self.source.get("id"))
        return expression.evaluate(self.source, Context(now=self.now, random=Random(f"{seed}/{rule.target}")))

    def _take_nothing(self, rule: Rule, known: TargetAttribute) -> None:
        first = rule.apply is Apply.ON_CREATE
        if rule.default is not None:
            # Only `when_null: default` goes on writing it; Entra's default is for new users.
            always = rule.when_null is WhenNull.DEFAULT and not first
            self._put(rule.target, known.fit(rule.default), on_create=not always)
        elif rule.when_null is WhenNull.CLEAR and known.clearable and not first:
            # Not on create: a new user has nothing to clear, and Graph may refuse the null.
            self._put(rule.target, known.cleared, on_create=False)

    def _put(self, name: str, value: Json, *, on_create: bool) -> None:
        into = self.on_create if on_create else self.always
        if name in EXTENSION_ATTRIBUTES:
            members = into.setdefault(EXTENSION_PARENT, {})
            assert isinstance(members, dict)
            members[name] = value
        else:
            into[name] = value

    def desired(self) -> Desired:
        first, steady = self.on_create.get(EXTENSION_PARENT), self.always.get(EXTENSION_PARENT)
        if isinstance(first, dict) and isinstance(steady, dict):
            # One value for the whole parent takes the place of the other, so the first write carries both.
            self.on_create[EXTENSION_PARENT] = {**steady, **first}
        return Desired(always=self.always, on_create=self.on_create, left_out=self.left_out)


# Expressions that are not volatile never draw from it.
_NO_CHANCE = Random(0)
