"""What becomes of somebody who leaves, as sync.yaml says it: a word, or stages."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync_core.config.file import parse_config
from sync_core.model import Deprovision, Leaves, Policy, Stage, Stages, Sync
from sync_core.model.errors import ConfigError

DAY = timedelta(days=1)


def synced(how: str, other: str = "soft_delete") -> Sync:
    text = f"""\
tenants:
  contoso: {{ id: 11111111-1111-1111-1111-111111111111 }}
  fabrikam: {{ id: 22222222-2222-2222-2222-222222222222 }}
syncs:
  - name: a-to-b
    source: contoso
    target: fabrikam
    deprovision: {{ out_of_scope: {how}, source_deleted: {other} }}
"""
    return parse_config(text).syncs["a-to-b"]


def stages(*each: tuple[Deprovision, int]) -> Stages:
    return Stages(stages=tuple(Stage(then=then, after=days * DAY) for then, days in each))


@pytest.mark.parametrize(
    ("how", "value"),
    [
        ("disable", Deprovision.DISABLE),
        ("[disable]", Deprovision.DISABLE),
        ("[leave]", Deprovision.LEAVE),
        (
            "[disable, { after: 14d, then: soft_delete }]",
            stages((Deprovision.DISABLE, 0), (Deprovision.SOFT_DELETE, 14)),
        ),
        ("[{ after: 365d, then: soft_delete }]", stages((Deprovision.SOFT_DELETE, 365))),
        (
            "[leave, { after: 24h, then: disable }, { after: 2d, then: soft_delete }]",
            stages((Deprovision.LEAVE, 0), (Deprovision.DISABLE, 1), (Deprovision.SOFT_DELETE, 2)),
        ),
    ],
)
def test_a_word_or_stages(how: str, value: Leaves) -> None:
    """A list of one word is that word; a first stage with a time leaves the user as they are until then."""
    assert synced(how).policy.out_of_scope == value
    assert synced("leave", how).policy.source_deleted == value


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("[]", "needs at least one stage, such as [disable, { after: 14d, then: soft_delete }]"),
        ("[disable, soft_delete]", "stage 2 needs a time: { after: 14d, then: soft_delete }"),
        ("[disable, { after: 30m, then: soft_delete }]", "stage 2: after must be from 1h to 365d"),
        ("[disable, { after: 366d, then: soft_delete }]", "stage 2: after must be from 1h to 365d"),
        ("[disable, { after: soon, then: soft_delete }]", "stage 2: after must be a duration such as 30m, 24h or 7d"),
        (
            "[soft_delete, { after: 3d, then: disable }]",
            "each stage takes more away than the one before it, in the order leave, disable, soft_delete: disable"
            " cannot follow soft_delete",
        ),
        (
            "[disable, { after: 3d, then: disable }]",
            "each stage takes more away than the one before it, in the order leave, disable, soft_delete: disable"
            " cannot follow disable",
        ),
        ("[disable, { after: 3d }]", "stage 2: then is missing"),
        (
            "[disable, { after: 3d, then: purge }]",
            "stage 2: then must be one of soft_delete, disable, leave",
        ),
        (
            "[disable, { after: 3d, then: soft_delete, how: x }]",
            "stage 2: how is not known here; it has after and then",
        ),
        ("[{ after: 3d, then: leave }]", "a stage that leaves the user as they are needs no time: say `leave`"),
        ("[[disable]]", "stage 1 must be one of soft_delete, disable, leave, or have after and then"),
        (
            "purge",
            "must be one of soft_delete, disable, leave, or a list of stages such as"
            " [disable, { after: 14d, then: soft_delete }]",
        ),
    ],
)
def test_the_error_says_what_is_wrong_with_which_stage(how: str, message: str) -> None:
    """With the line and the name of the setting."""
    with pytest.raises(ConfigError) as raised:
        synced(how)
    assert str(raised.value) == f"sync.yaml:8 syncs[0].deprovision.out_of_scope: {message}"


def test_a_sync_without_stages_has_the_fingerprint_that_it_always_had() -> None:
    """A new version of the program makes nobody be looked at again: these are the fingerprints of version 0.2."""
    assert synced("disable").fingerprint == "746dec69d4712132"
    assert synced("[disable]").fingerprint == "746dec69d4712132"
    assert synced("[disable, { after: 14d, then: soft_delete }]").fingerprint != "746dec69d4712132"
    assert Policy().out_of_scope is Deprovision.SOFT_DELETE


def test_who_is_left_for_a_while_counts_as_left_for_the_warning_of_disabled_people() -> None:
    """Where filters ask for enabled users, a disabled one leaves, and keeps access until the first stage."""
    text = """\
tenants:
  contoso: { id: 11111111-1111-1111-1111-111111111111 }
  fabrikam: { id: 22222222-2222-2222-2222-222222222222 }
syncs:
  - name: a-to-b
    source: contoso
    target: fabrikam
    scope:
      filters:
        - { name: enabled, clauses: [{ attribute: accountEnabled, operator: IS TRUE }] }
    mapping:
      - { target: mail, source: mail }
    deprovision: { out_of_scope: HOW }
"""

    def warned(how: str) -> bool:
        return any("keeps access" in str(each) for each in parse_config(text.replace("HOW", how)).warnings)

    assert not warned("[disable, { after: 3d, then: soft_delete }]")
    assert warned("[{ after: 3d, then: soft_delete }]")
