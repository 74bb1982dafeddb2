"""Rules of a mapping and clauses of a scope, as sync.yaml states them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from .values import (
    MEMBER_OF,
    Json,
)


class Edited(StrEnum):
    """What becomes of an attribute that somebody edited in the target."""

    REPORT = "report"  # it is listed, and stays as it is until the source changes
    ENFORCE = "enforce"  # it is written again
    LEAVE = "leave"  # nobody is told


class Apply(StrEnum):
    ALWAYS = "always"
    ON_CREATE = "on_create"


class WhenNull(StrEnum):
    CLEAR = "clear"
    KEEP = "keep"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of a mapping: `target` takes the value of `source`, of `expression`, or `constant` without either.

    `default` stands in for null: on create, as Entra does, or always with `when_null: default`. A rule of nothing but
    a target and a default is Entra's mapping type None.
    """

    target: str
    source: str | None = None
    constant: Json = None
    expression: str | None = None
    default: Json = None
    apply: Apply = Apply.ALWAYS
    when_null: WhenNull = WhenNull.CLEAR
    drift: Edited | None = field(default=None, repr=False)  # in place of the sync's policy


class Operator(StrEnum):
    """The question of a clause of a scoping filter, in Entra's spelling; those after NOT_WITHIN are ours."""

    EQUALS = "EQUALS"
    NOT_EQUALS = "NOT EQUALS"
    IS_TRUE = "IS TRUE"
    IS_FALSE = "IS FALSE"
    IS_NULL = "IS NULL"
    IS_NOT_NULL = "IS NOT NULL"
    REGEX_MATCH = "REGEX MATCH"
    NOT_REGEX_MATCH = "NOT REGEX MATCH"
    GREATER_THAN = "Greater_Than"
    GREATER_THAN_OR_EQUALS = "Greater_Than_OR_EQUALS"
    INCLUDES = "Includes"
    ENDS_WITH = "ENDS_WITH"
    WITHIN = "&"
    NOT_WITHIN = "!&"
    LESS_THAN = "Less_Than"
    LESS_THAN_OR_EQUALS = "Less_Than_OR_EQUALS"
    IN = "IN"
    NOT_IN = "NOT IN"
    BEFORE = "BEFORE"
    AFTER = "AFTER"


class RegexMode(StrEnum):
    FULL = "full"
    SEARCH = "search"


class Several(StrEnum):
    """How many values of a multi-valued attribute a clause asks for."""

    ANY = "any"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    attribute: str
    operator: Operator
    value: str | tuple[str, ...] = ""  # a tuple for IN and NOT IN
    mode: RegexMode = RegexMode.FULL
    match: Several = Several.ALL

    @property
    def groups(self) -> frozenset[str]:
        """Those of a clause about memberships: object ids, lower case. No other clause has any."""
        if self.attribute != MEMBER_OF:
            return frozenset()
        return frozenset({self.value} if isinstance(self.value, str) else self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A scoping filter: every clause must hold. https://learn.microsoft.com/graph/api/resources/synchronization-filter"""

    name: str
    clauses: Sequence[Clause]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """The users assigned to a sync: members of these groups, at any depth, and these users. Object ids, lower case."""

    groups: frozenset[str] = frozenset()
    members: frozenset[str] = frozenset()
