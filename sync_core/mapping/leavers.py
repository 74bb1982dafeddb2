"""Warnings of mappings by which a disabled person keeps access, or by which an address stays an old one. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..model import ENABLED, Apply, Attributes, Rule
from .checks import Finding
from .rules import apply_mapping, source_attributes

_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
_NEITHER = "has no standing rule for {0}: {1}. Add {{ target: {0}, source: {0} }}"


def leaver_warnings(rules: Sequence[Rule], *, disabled_users: bool) -> Iterator[tuple[int | None, Finding]]:
    """Findings by the number of their rule; None: the mapping as a whole.

    `disabled_users`: the scope may have users who are disabled in the source, or the policy leaves those who are out.
    """
    standing = {rule.target: number for number, rule in enumerate(rules) if rule.apply is Apply.ALWAYS}
    if disabled_users and ENABLED not in standing:
        keeps = "a user who is disabled in the source keeps access"
        yield None, Finding(None, _NEITHER.format(ENABLED, keeps))
    elif disabled_users and not _disables(rules[standing[ENABLED]]):
        message = f"does not disable a user who is disabled in the source: say `source: {ENABLED}`, or make sure that"
        yield standing[ENABLED], Finding(None, f"{message} the value is false whenever [{ENABLED}] is")
    if "mail" not in standing:
        stays = "an address that changes in the source stays the old one"
        yield None, Finding(None, _NEITHER.format("mail", stays))


def _disables(rule: Rule) -> bool:
    """Whether no disabled user was found whom this rule leaves enabled.

    Besides null, the other attributes are tried with each text that the expression compares with.
    """
    if rule.constant is False:
        return True
    if ENABLED not in source_attributes([rule]):
        return False
    others = source_attributes([rule]) - {ENABLED}
    texts = _TEXT.findall(rule.expression or "") if others else []
    people: list[Attributes] = [{}, *(dict.fromkeys(others, text) for text in texts)]
    return all(apply_mapping([rule], {**person, ENABLED: False}).always.get(ENABLED) is False for person in people)
