"""Warnings of mappings by which a disabled person keeps access, or by which an address stays an old one."""

from __future__ import annotations

import pytest

from sync_core.config.file import parse_config

MAIL = "{ target: mail, source: mail }"
ENABLED = "{ target: accountEnabled, source: accountEnabled }"


def warnings(*rules: str, more: str = "") -> list[str]:
    text = """\
tenants:
  contoso: { id: 11111111-1111-1111-1111-111111111111 }
  fabrikam: { id: 22222222-2222-2222-2222-222222222222 }
syncs:
  - name: a-to-b
    source: contoso
    target: fabrikam
"""
    text += more + "".join(f"      - {each}\n" for each in ("mapping:", *rules)).replace(
        "      - mapping", "    mapping", 1
    )
    return [str(each) for each in parse_config(text).warnings]


@pytest.mark.parametrize(
    "rule",
    [
        "{ target: displayName, source: displayName }",
        "{ target: accountEnabled, source: accountEnabled, apply: on_create }",
    ],
)
def test_no_standing_rule_for_account_enabled(rule: str) -> None:
    """A user who is disabled in the source stays enabled in the target."""
    [warning] = warnings(MAIL, rule)
    assert warning == (
        "sync.yaml:8 syncs[0].mapping: has no standing rule for accountEnabled: a user who is disabled in the source"
        " keeps access. Add { target: accountEnabled, source: accountEnabled }"
    )


@pytest.mark.parametrize(
    "value",
    [
        "constant: true",
        "source: onPremisesSyncEnabled",
        'expression: \'IIF([department] = "Sales", "False", "True")\'',
        'expression: \'IIF([accountEnabled] = "False", "True", "True")\'',
        "expression: 'Not([accountEnabled])'",
        "expression: 'IgnoreAttributeFlow'",
    ],
)
def test_a_rule_by_which_a_disabled_user_may_keep_access(value: str) -> None:
    """It is tried with a disabled user; what depends on anything but accountEnabled proves nothing."""
    [warning] = warnings(MAIL, f"{{ target: accountEnabled, {value} }}")
    assert warning.startswith(
        "sync.yaml:10 syncs[0].mapping[1]: does not disable a user who is disabled in the source:"
    )


@pytest.mark.parametrize(
    "value",
    [
        "source: accountEnabled",
        "constant: false",
        "expression: '[accountEnabled]'",
        'expression: \'IIF([accountEnabled] = "True", "True", "False")\'',
        'expression: \'Switch([accountEnabled], "False", "True", "True")\'',
    ],
)
def test_a_rule_that_disables_is_no_reason_to_warn(value: str) -> None:
    """However it is written."""
    assert warnings(MAIL, f"{{ target: accountEnabled, {value} }}") == []


def test_a_scope_without_disabled_users_needs_no_rule() -> None:
    """They are out of scope and lose access by policy, unless the policy leaves them."""
    clause = "{ attribute: accountEnabled, operator: %s }"
    scope = "    scope: { filters: [{ name: A, clauses: [" + clause + "] }] }\n"
    for operator in ("IS TRUE", "EQUALS, value: true", "EQUALS, value: True"):
        assert warnings(MAIL, more=scope % operator) == []
    left = "    deprovision: { out_of_scope: leave }\n"
    assert len(warnings(MAIL, more=left + scope % "IS TRUE")) == 1
    assert len(warnings(MAIL, more=scope % "IS FALSE")) == 1
    one = "{ name: B, clauses: [{ attribute: city, operator: EQUALS, value: Oslo }] }"
    both = scope.replace("] }] }", "] }, " + one + "] }")
    assert len(warnings(MAIL, more=both % "IS TRUE")) == 1


@pytest.mark.parametrize("rule", [None, "{ target: mail, source: mail, apply: on_create }"])
def test_a_mapping_without_a_standing_rule_for_mail(rule: str | None) -> None:
    """The invitation writes the first address; after a new legal name it stays the old one."""
    [warning] = warnings(ENABLED, *([rule] if rule else []))
    assert warning == (
        "sync.yaml:8 syncs[0].mapping: has no standing rule for mail: an address that changes in the source stays the"
        " old one. Add { target: mail, source: mail }"
    )


def test_the_default_mapping_has_both() -> None:
    """No mapping, no warning; nor of one that has both."""
    assert warnings(ENABLED, MAIL) == []
