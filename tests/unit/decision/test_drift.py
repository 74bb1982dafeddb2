"""What counts as an edit of somebody else, and what the policy says of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.decision.drift import A_DAY, blocked, compared, edited, enforced, lately, same, unlike
from sync_core.mapping import DEFAULT_MAPPING
from sync_core.model import (
    ENABLED,
    MANAGER,
    Apply,
    Blocked,
    Desired,
    Drift,
    Edited,
    Json,
    Link,
    LinkState,
    Policy,
    Rule,
    Sync,
    TargetUser,
    fingerprint,
    fingerprints,
)
from sync_core.model.link_parts import UNSURE
from tests.support.clock import START
from tests.support.make import OWNER, link, sync

WANTED: dict[str, Json] = {"department": "Research", "city": None, "businessPhones": ["+1", "+2"], ENABLED: True}
PARENT = "onPremisesExtensionAttributes"


def written(**values: object) -> Link:
    """A link whose target user got all that is wanted."""
    return link(LinkState.LINKED, applied=fingerprints(WANTED), **values)


def of(drift: Drift, *rules: Rule) -> Sync:
    return replace(sync(policy=Policy(drift=drift), owner_attribute=OWNER), mapping=rules or DEFAULT_MAPPING)


@pytest.mark.parametrize(
    ("name", "wanted", "found"),
    [
        ("department", "Research", " Research  "),
        ("department", "Re\u0301search", "R\u00e9search"),
        ("department", None, ""),
        ("businessPhones", [], None),
        ("businessPhones", ["+1", "+2"], ["+2", "+1"]),
        ("mail", "Ada@Contoso.example", "ada@contoso.example"),
        ("usageLocation", "de", "DE"),
        ("showInAddressList", True, True),
        (PARENT, {"extensionAttribute1": "x", "extensionAttribute2": None}, {"extensionAttribute1": "x", "other": "y"}),
        (PARENT, {"extensionAttribute1": None}, None),
    ],
)
def test_what_graph_makes_of_a_value_is_the_same(name: str, wanted: Json, found: Json) -> None:
    """It trims, composes, orders, and stores nothing as null; others may use other extension attributes."""
    assert same(name, wanted, found)


@pytest.mark.parametrize(
    ("name", "wanted", "found"),
    [
        ("department", "Research", "research"),
        ("department", "Research", None),
        ("department", "", "Theirs"),
        ("businessPhones", ["+1"], ["+1", "+2"]),
        ("showInAddressList", True, False),
        ("showInAddressList", True, "true"),
        (PARENT, {"extensionAttribute1": "x"}, {"extensionAttribute1": "y"}),
        (PARENT, {"extensionAttribute1": "x"}, "x"),
    ],
)
def test_what_somebody_else_wrote_is_not(name: str, wanted: Json, found: Json) -> None:
    """The case of a name is somebody's choice."""
    assert not same(name, wanted, found)


def test_what_is_compared() -> None:
    """Neither a reference, nor access, nor what is written once, nor what the app may not read or is to leave."""
    rules = (
        Rule(target="department", source="department"),
        Rule(target="city", source="city", drift=Edited.LEAVE),
        Rule(target="employeeId", source="employeeId", apply=Apply.ON_CREATE),
        Rule(target="employeeLeaveDateTime", source="employeeLeaveDateTime"),
        Rule(target=MANAGER, source=MANAGER),
        Rule(target=ENABLED, source=ENABLED),
        Rule(target="extensionAttribute1", source="jobTitle"),
    )
    assert compared(of(Drift(), *rules)) == ["department", OWNER, PARENT]
    left = of(Drift(attributes=Edited.LEAVE), replace(rules[0], drift=Edited.REPORT), *rules[1:])
    assert compared(left) == ["department"]
    assert compared(replace(sync(), mapping=rules[:1])) == ["department"]


def test_an_entry_differs_where_the_record_has_another_value() -> None:
    """One that lacks an attribute has null there. What was refused, or never written, has no value to compare."""
    found: dict[str, Json] = {"department": "Research", "businessPhones": ["+1", "+2"], "jobTitle": "Theirs"}
    assert unlike(sync(), written(), found) == []
    assert unlike(sync(), written(), {**found, "department": "Theirs", "city": "Theirs"}) == ["city", "department"]
    assert unlike(sync(), written(), {}) == ["businessPhones", "department"]
    assert unlike(sync(), written(refused={"department": "Denied", "businessPhones": "Denied"}), {}) == []


def test_what_microsoft_advises_against_is_compared_by_a_rules_own_word_alone() -> None:
    """A guest's may read back as null."""
    assert "showInAddressList" not in compared(of(Drift(attributes=Edited.ENFORCE)))
    rule = Rule(target="showInAddressList", constant=True, drift=Edited.REPORT)
    assert compared(replace(of(Drift()), mapping=[rule], owner_attribute=None)) == ["showInAddressList"]


def test_of_extension_attributes_only_those_of_the_mapping_count() -> None:
    """They are one property, in which others have theirs."""
    rules = replace(sync(), mapping=[Rule(target="extensionAttribute1", source="jobTitle")])
    pair = link(LinkState.LINKED, applied=fingerprints({PARENT: {"extensionAttribute1": "x"}}))
    theirs: dict[str, Json] = {"extensionAttribute1": "x", "extensionAttribute2": "theirs"}
    assert unlike(rules, pair, {PARENT: theirs}) == []
    assert unlike(rules, pair, {PARENT: {**theirs, "extensionAttribute1": "y"}}) == [PARENT]
    assert unlike(rules, pair, {}) == [PARENT]


def test_an_edit_is_of_what_is_wanted_and_on_record() -> None:
    """What the source changes just now is no edit, and nor is what Graph refused."""
    wanted = Desired(always=WANTED)
    theirs: dict[str, Json] = {"department": "Theirs", "city": "Theirs", "businessPhones": ["+2", "+1"]}
    assert edited(sync(), written(), wanted, theirs) == ["city", "department"]
    assert edited(sync(), written(refused={"city": "Denied"}), wanted, theirs) == ["department"]
    moved = Desired(always={**WANTED, "department": "Sales"})
    assert edited(sync(), written(), moved, theirs) == ["city"]
    assert edited(sync(), written(), Desired(always={}), theirs) == []


@pytest.mark.parametrize(
    ("enabled", "applied", "wanted", "found"),
    [
        (False, True, True, True),
        (True, True, True, False),
        (False, False, True, False),
        (False, None, True, False),
        (False, True, False, False),
    ],
)
def test_somebody_is_blocked_whom_nothing_of_ours_disables(
    enabled: bool, applied: bool | None, wanted: bool, found: bool
) -> None:
    """None: a write of ours, of which nothing is known, may have disabled this user."""
    digest = UNSURE if applied is None else fingerprint(applied)
    pair = link(LinkState.LINKED, applied={ENABLED: digest})
    user = TargetUser(id="guest", external=True, enabled=enabled)
    assert blocked(pair, Desired(always={ENABLED: wanted}), user) is found


def test_what_is_enforced() -> None:
    """By the sync's policy, a rule's own, and that of blocked users, where a rule says who is enabled."""
    names = ["department", "city", ENABLED]
    rules = (Rule(target="department", source="department"), Rule(target="city", source="city", drift=Edited.REPORT))
    assert enforced(of(Drift(), *rules), names) == []
    enforcing = Drift(attributes=Edited.ENFORCE)
    assert enforced(of(enforcing, *rules), names) == ["department"]
    access = Drift(blocked_in_target=Blocked.ENFORCE)
    assert enforced(of(access, *rules), names) == []
    assert enforced(of(access, *rules, Rule(target=ENABLED, source=ENABLED)), [*names, "gone"]) == [ENABLED]
    once = Rule(target=ENABLED, source=ENABLED, apply=Apply.ON_CREATE)
    assert enforced(of(access, *rules, once), names) == []


def test_repairs_of_the_last_day() -> None:
    """Older ones say nothing of a fight."""
    assert lately([START, START + A_DAY], START + A_DAY) == [START + A_DAY]
    assert lately([START], START + A_DAY - timedelta(seconds=1)) == [START]


def test_what_is_written_again_is_not_on_record_any_more() -> None:
    """Nor is access that others took: the policy says whether it is given back."""
    pair = written().drifted(["department", ENABLED])
    assert (pair.applied["department"], pair.applied[ENABLED]) == ("", "")
    assert pair.applied["city"] == written().applied["city"]
