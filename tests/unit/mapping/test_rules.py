"""The mapping: rules, null, on_create, Microsoft's default, and what Graph lets anybody write."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, strategies as st

from sync_core.mapping import (
    DEFAULT_MAPPING,
    TARGET_ATTRIBUTES,
    TargetAttribute,
    apply_mapping,
    source_attributes,
    target_attribute,
)
from sync_core.mapping.attributes import EXTENSION_PARENT
from sync_core.model import Apply, Attributes, Desired, Json, Rule, WhenNull
from tests.support.clock import START
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
    """A mapped attribute must be selected, or it would read as null and be cleared."""
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
    assert desired.always["manager"] is None


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


# --- expressions, defaults, types ---------------------------------------------------------------------------------

BADGE = "extension_0123456789abcdef0123456789abcdef_badge"


def expression(text: str, target: str = "city", **more: object) -> Rule:
    return Rule(target=target, expression=text, **more)  # type: ignore[arg-type]


def test_an_expression_reads_several_attributes() -> None:
    """All of them are selected, an extensionAttribute with its parent."""
    rule = expression('Join(" ", [givenName], [surname], [extensionAttribute3])')
    parent: dict[str, Json] = {"extensionAttribute3": "III"}
    user: Attributes = {"givenName": "Ada", "surname": "L", "onPremisesExtensionAttributes": parent}
    assert apply_mapping([rule], user).always == {"city": "Ada L III"}
    assert source_attributes([rule]) == {"givenName", "surname", "onPremisesExtensionAttributes"}


@pytest.mark.parametrize("word", ["IgnoreAttributeFlow", "IgnoreObjectFlow"])
def test_an_expression_may_leave_out_an_attribute_or_the_user(word: str) -> None:
    """The rest is written in the one case, and nothing in the other."""
    rules = [Rule(target="state", source="state"), expression(f'IIF([country] = "NO", {word}, [city])')]
    user: Attributes = {"country": "NO", "city": "Oslo", "state": "S"}
    alone = Desired(always={}, ignored=True)
    assert apply_mapping(rules, user) == (Desired(always={"state": "S"}) if "Attribute" in word else alone)
    assert apply_mapping(rules, {**user, "country": "SE"}) == Desired(always={"state": "S", "city": "Oslo"})


def test_what_expressions_draw_by_chance_is_the_same_for_the_same_user() -> None:
    """A retry must not give a second value; another attribute and another user must."""
    rules = [expression("Guid()", name, apply=Apply.ON_CREATE) for name in ("city", "state")]
    first = apply_mapping(rules, {"id": "a"}, now=START)
    assert first == apply_mapping(rules, {"id": "a", "city": "Oslo"}, now=START + timedelta(days=1))
    assert first == apply_mapping(rules, {"id": "b"}, now=START, seed="a")
    assert first.on_create["city"] != first.on_create["state"]
    assert first.on_create["city"] != apply_mapping(rules, {"id": "b"}, now=START).on_create["city"]


def test_without_the_time_an_expression_that_asks_for_it_is_left_out() -> None:
    """A made-up time would be a made-up value."""
    rule = expression('FormatDateTime(Now(), , "M/d/yyyy h:mm:ss tt", "yyyy")', apply=Apply.ON_CREATE)
    assert apply_mapping([rule], {}).left_out == {"city": "needs the time, which was not passed in"}
    assert apply_mapping([rule], {}, now=START).on_create == {"city": str(START.year)}


@pytest.mark.parametrize(
    ("rule", "user", "why"),
    [
        (Rule(target="usageLocation", source="country"), {"country": "Norway"}, "is longer than 2 characters"),
        (Rule(target="city", source="otherMails"), {"otherMails": ["a", "b"]}, "has several values or a complex one"),
        (Rule(target="accountEnabled", source="city"), {"city": "Oslo"}, "is neither true nor false"),
        (Rule(target="otherMails", source="x"), {"x": {"a": 1}}, "is no text"),
        (Rule(target="otherMails", source="x"), {"x": ["a", 1]}, "must be a list of text"),
        (Rule(target="otherMails", source="x"), {"x": ["a" * 251]}, "is longer than 250 characters"),
        (Rule(target="otherMails", source="x"), {"x": ["a"] * 251}, "has more than 250 values"),
        (Rule(target="businessPhones", source="x"), {"x": ["1", "2"]}, "has more than 1 value"),
        (Rule(target=BADGE, source="x"), {"x": "a" * 257}, "is longer than 256 characters"),
        (expression("CDate([city])"), {"city": "Oslo"}, "expects a date"),
    ],
)
def test_a_value_that_graph_would_refuse_is_left_out_and_named(rule: Rule, user: Attributes, why: str) -> None:
    """Never cut, never changed; the other attributes are written, and the reason quotes no value."""
    desired = apply_mapping([rule, Rule(target="state", constant="S")], user)
    assert (desired.always, desired.on_create) == ({"state": "S"}, {})
    [(name, reason)] = desired.left_out.items()
    assert name == rule.target
    assert why in reason
    assert "Oslo" not in reason
    assert "Norway" not in reason


@pytest.mark.parametrize(
    ("target", "value", "written"),
    [
        ("city", ["Oslo"], "Oslo"),
        ("city", True, "True"),
        ("city", 17, "17"),
        ("accountEnabled", " TRUE ", True),
        ("accountEnabled", ["false"], False),
        ("businessPhones", "+47 1", ["+47 1"]),
        ("businessPhones", 47, ["47"]),
        (BADGE, 17, 17),
        (BADGE, True, True),
        (BADGE, ["x"], "x"),
    ],
)
def test_a_value_takes_the_type_of_its_target(target: str, value: Json, written: Json) -> None:
    """As .NET's strings and Entra's single values translate to Graph's."""
    assert apply_mapping([Rule(target=target, source="x")], {"x": value}).always == {target: written}


@pytest.mark.parametrize(
    ("rule", "always", "on_create"),
    [
        (Rule(target="city", source="city", default="Oslo", when_null=WhenNull.KEEP), {}, {"city": "Oslo"}),
        (Rule(target="city", source="city", default="Oslo", when_null=WhenNull.DEFAULT), {"city": "Oslo"}, {}),
        (
            Rule(target="city", source="city", default="Oslo", when_null=WhenNull.DEFAULT, apply=Apply.ON_CREATE),
            {},
            {"city": "Oslo"},
        ),
        (Rule(target="city", default="Oslo", when_null=WhenNull.KEEP), {}, {"city": "Oslo"}),
    ],
)
def test_a_default_stands_in_for_null(rule: Rule, always: Attributes, on_create: Attributes) -> None:
    """On create as Entra does, or for good; and never where there is a value."""
    assert apply_mapping([rule], {"city": ""}) == Desired(always=always, on_create=on_create)
    value = apply_mapping([rule], {"city": "Rome"})
    if rule.source:
        assert {**value.always, **value.on_create} == {"city": "Rome"}


def test_extension_attributes_are_written_within_their_parent() -> None:
    """Graph merges by member; null clears one. The first write carries what is written always as well."""
    rules = [
        Rule(target="extensionAttribute1", source="extensionAttribute2"),
        Rule(target="extensionAttribute15", source="nowhere"),
        Rule(target="extensionAttribute3", constant="new", apply=Apply.ON_CREATE),
    ]
    desired = apply_mapping(rules, {"onPremisesExtensionAttributes": {"extensionAttribute2": "two"}})
    steady = {"extensionAttribute1": "two", "extensionAttribute15": None}
    assert desired.always == {EXTENSION_PARENT: steady}
    assert desired.on_create == {EXTENSION_PARENT: {**steady, "extensionAttribute3": "new"}}
    assert apply_mapping(rules[2:], {}).on_create == {EXTENSION_PARENT: {"extensionAttribute3": "new"}}
    assert source_attributes(rules[:1]) == {EXTENSION_PARENT}


_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300)
_anything = _scalars | st.lists(_scalars, max_size=3) | st.dictionaries(st.text(max_size=2), _scalars, max_size=2)


@given(st.sampled_from([*TARGET_ATTRIBUTES, BADGE]), _anything)
def test_a_mapping_never_fails_and_never_writes_what_graph_refuses(target: str, value: Json) -> None:
    """Whatever a directory holds: it is written, cleared, kept or left out with a reason."""
    desired = apply_mapping([Rule(target=target, source="x"), expression("[x]", "state")], {"x": value})
    known = target_attribute(target)
    parent = desired.always.get(EXTENSION_PARENT, desired.always)
    assert known is not None
    assert isinstance(parent, dict)
    if target in parent:
        assert parent[target] in (None, []) or known.fault(parent[target]) is None
