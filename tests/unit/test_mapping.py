"""The mapping: rules, null, on_create, Microsoft's default, and what Graph lets anybody write."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from sync_core.mapping import DEFAULT_MAPPING, TARGET_ATTRIBUTES, TargetAttribute, apply_mapping, source_attributes
from sync_core.mapping.attributes import EXTENSION_PARENT
from sync_core.model import Apply, Attributes, Desired, Json, Rule, WhenNull
from tests.support.make import person

_NOTHING: list[Json] = [None, "", []]


def test_a_rule_takes_the_source_or_a_constant() -> None:
    """Each rule yields one attribute of the target user."""
    rules = [Rule(target="department", source="department"), Rule(target="companyName", constant="Contoso")]
    assert apply_mapping(rules, person()) == Desired(always={"department": "Research", "companyName": "Contoso"})


@pytest.mark.parametrize("nothing", _NOTHING, ids=repr)
def test_nothing_clears_by_default(nothing: Json) -> None:
    """Null, the empty string and the empty list all mean that the target's value is to go."""
    rule = Rule(target="department", source="department")
    assert apply_mapping([rule], person(department=nothing)).always == {"department": None}


def test_an_attribute_that_the_source_lacks_counts_as_null() -> None:
    """Graph leaves out what is null in some answers."""
    assert apply_mapping([Rule(target="city", source="city")], {}).always == {"city": None}


def test_a_collection_is_cleared_with_an_empty_list() -> None:
    """Graph refuses null for a collection."""
    assert apply_mapping([Rule(target="businessPhones", source="businessPhones")], {}).always == {"businessPhones": []}


@pytest.mark.parametrize("nothing", _NOTHING, ids=repr)
def test_keep_leaves_the_target_alone(nothing: Json) -> None:
    """`when_null: keep` writes values and never their absence."""
    rule = Rule(target="department", source="department", when_null=WhenNull.KEEP)
    assert apply_mapping([rule], person(department=nothing)).always == {}
    assert apply_mapping([rule], person()).always == {"department": "Research"}


@pytest.mark.parametrize("target", [name for name, each in TARGET_ATTRIBUTES.items() if not each.clearable])
def test_what_graph_cannot_clear_is_left_alone(target: str) -> None:
    """A null that Graph would refuse would park everybody who has none."""
    assert apply_mapping([Rule(target=target, source="nowhere")], {}) == Desired(always={})


def test_on_create_attributes_are_apart_and_never_null() -> None:
    """They are written once, and a new user has nothing to clear."""
    rules = [
        Rule(target="userType", constant="Member", apply=Apply.ON_CREATE),
        Rule(target="city", source="city", apply=Apply.ON_CREATE),
    ]
    assert apply_mapping(rules, {}) == Desired(always={}, on_create={"userType": "Member"})
    assert apply_mapping(rules, {"city": "Oslo"}).on_create == {"userType": "Member", "city": "Oslo"}


def test_false_is_a_value() -> None:
    """A disabled account is not an absent one."""
    rule = Rule(target="accountEnabled", source="accountEnabled")
    assert apply_mapping([rule], {"accountEnabled": False}).always == {"accountEnabled": False}


def test_a_target_that_we_do_not_know_is_cleared_with_null() -> None:
    """Extension attributes are not in the list; they behave like text."""
    rule = Rule(target="extension_0_badge", source="badge")
    assert apply_mapping([rule], {}).always == {"extension_0_badge": None}


def test_source_attributes_are_what_the_rules_read() -> None:
    """What is mapped must be selected, or it would read as null and be cleared."""
    rules = [Rule(target="city", source="city"), Rule(target="state", source="city"), Rule(target="x", constant=True)]
    assert source_attributes(rules) == {"city"}
    assert source_attributes(DEFAULT_MAPPING) >= {"accountEnabled", "displayName", "mail"}


def test_the_default_mapping_writes_only_what_graph_takes() -> None:
    """Each target of the default is known, none is written twice, and every constant is acceptable."""
    targets = [rule.target for rule in DEFAULT_MAPPING]
    assert len(targets) == len(set(targets))
    for rule in DEFAULT_MAPPING:
        assert rule.target in TARGET_ATTRIBUTES
        if rule.source is None:
            assert TARGET_ATTRIBUTES[rule.target].fault(rule.constant) is None


def test_the_default_mapping_makes_members_once_and_lists_them_always() -> None:
    """userType is the target's to change afterwards; showInAddressList is ours."""
    desired = apply_mapping(DEFAULT_MAPPING, person())
    assert desired.on_create == {"userType": "Member"}
    assert desired.always["showInAddressList"] is True
    assert desired.always["accountEnabled"] is True
    assert desired.always["businessPhones"] == []
    assert "manager" not in desired.always


@pytest.mark.parametrize(
    ("attribute", "value", "fault"),
    [
        (TargetAttribute(), "text", None),
        (TargetAttribute(), None, None),
        (TargetAttribute(clearable=False), None, "cannot be cleared"),
        (TargetAttribute(), True, "must be text"),
        (TargetAttribute(type=bool), "yes", "must be true or false"),
        (TargetAttribute(type=bool), False, None),
        (TargetAttribute(type=list), "text", "must be a list of text"),
        (TargetAttribute(type=list), ["text"], None),
        (TargetAttribute(), "", "must not be an empty string: Graph refuses it"),
        (TargetAttribute(max_length=2), "NO", None),
        (TargetAttribute(max_length=2), "NOR", "is longer than 2 characters"),
    ],
)
def test_a_constant_that_graph_would_refuse_is_found_beforehand(
    attribute: TargetAttribute, value: Json, fault: str | None
) -> None:
    """One wrong line of sync.yaml would otherwise park every user of the sync."""
    assert attribute.fault(value) == fault


_rules = st.lists(
    st.builds(
        Rule,
        target=st.sampled_from([*TARGET_ATTRIBUTES, "extension_0_badge"]),
        source=st.none() | st.sampled_from(["mail", "city", "accountEnabled", "businessPhones"]),
        constant=st.sampled_from([None, "", "Oslo", True, []]),
        apply=st.sampled_from(Apply),
        when_null=st.sampled_from(WhenNull),
    ),
    max_size=6,
    unique_by=lambda rule: rule.target,
)
_users = st.dictionaries(
    st.sampled_from(["mail", "city", "accountEnabled", "businessPhones"]), st.sampled_from([*_NOTHING, "Oslo", True])
)


@given(_rules, _users)
def test_a_mapping_never_writes_what_graph_cannot_take(rules: list[Rule], user: Attributes) -> None:
    """Whatever is missing: no null for what cannot be cleared, no empty string, nothing empty on create."""
    desired = apply_mapping(rules, user)
    parent = desired.always.get(EXTENSION_PARENT) or {}
    assert isinstance(parent, dict)
    for name, value in [*desired.always.items(), *parent.items()]:
        known = TARGET_ATTRIBUTES.get(name, TargetAttribute())
        assert value != ""
        if value in (None, []):
            assert known.clearable
            assert value == known.cleared
    assert not any(value in (None, "", []) for value in desired.on_create.values())
    assert desired == apply_mapping(rules, user)
    assert desired.always.keys() | desired.on_create.keys() <= {rule.target for rule in rules} | {EXTENSION_PARENT}
