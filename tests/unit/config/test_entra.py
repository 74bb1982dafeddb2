"""Entra's synchronization schemas: brought in and taken out again, they mean the same people and values."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import given, strategies as st

from sync_core.config.entra import Imported, normalise, read_schema, write_schema
from sync_core.config.file import parse_config
from sync_core.mapping import apply_mapping
from sync_core.model import (
    Clause,
    Deprovision,
    Filter,
    Json,
    Operator,
    Policy,
    RegexMode,
    Rule,
    SourceState,
    SourceUser,
    Sync,
    WhenNull,
)
from sync_core.model.errors import ConfigError
from sync_core.scope.verdict import scope
from tests.support.clock import START
from tests.support.make import STAGES, sync as make_sync

SCHEMA: Any = json.loads((Path(__file__).parents[1] / "data" / "entra_schema.json").read_text(encoding="utf-8"))
TENANTS = {
    "source": {"id": "11111111-1111-1111-1111-111111111111"},
    "target": {"id": "22222222-2222-2222-2222-222222222222"},
}


def loaded(imported: Imported) -> Sync:
    keys = {"name": "a-to-b", "source": "source", "target": "target", **imported.sync}
    return parse_config(yaml.safe_dump({"tenants": TENANTS, "syncs": [keys]})).syncs["a-to-b"]


def users(count: int) -> list[dict[str, Json]]:
    """People with gaps, numbers as text and odd values, as directories have them."""
    rng = Random(1)
    values: dict[str, list[Json]] = {
        "department": ["Research", "Sales", "Presales", "", None],
        "country": ["Norway", "Denmark", None],
        "employeeId": ["7", "500", "1000", "A17", None],
        "employeeType": ["E", "C", "X", None],
        "city": ["Munchen", "Oslo", None],
        "officeLocation": ["HQ 1", "North", None],
        "businessPhones": [["+47 1"], []],
        "mobilePhone": ["+47 1 2 3", None],
        "preferredLanguage": ["nb-NO", None],
        "jobTitle": ["Chief", None, "x" * 200],
        "companyName": ["Contoso", None],
        "onPremisesExtensionAttributes": [{"extensionAttribute7": "seven"}, {"extensionAttribute7": None}, None],
    }
    return [
        {
            "id": f"user-{n}",
            "accountEnabled": rng.random() < 0.9,
            "displayName": f"Person {n}",
            "givenName": f"P{n}",
            "mail": f"p{n}@contoso.example" if rng.random() < 0.95 else None,
            **{name: rng.choice(choices) for name, choices in values.items()},
        }
        for n in range(count)
    ]


def test_in_and_out_again_is_equal_after_normalisation() -> None:
    """Thirty mappings of all kinds and two scoping groups survive both directions."""
    exported = write_schema(loaded(read_schema(SCHEMA)))
    assert normalise(exported.schema) == normalise(SCHEMA)
    assert len(normalise(SCHEMA)["mappings"]) == 27
    assert len(normalise(SCHEMA)["groups"]) == 2


def test_a_thousand_users_get_the_same_either_way() -> None:
    """The sync that came in and the one that went out and in again decide and map alike."""
    first = loaded(read_schema(SCHEMA))
    second = loaded(read_schema(write_schema(first).schema))
    verdicts = set()
    for attributes in users(1000):
        user = SourceUser(id=str(attributes["id"]), state=SourceState.LIVE, attributes=attributes, read_at=START)
        assert scope(first, user) == scope(second, user)
        verdicts.add(scope(first, user).in_scope)
        assert apply_mapping(first.mapping, attributes) == apply_mapping(second.mapping, attributes)
    assert verdicts == {True, False}


def test_a_user_looks_as_entra_would_make_it() -> None:
    """Names, types and defaults of Entra arrive as Graph wants them written."""
    user: dict[str, Json] = {
        "id": "user-1",
        "accountEnabled": True,
        "displayName": "Ada",
        "mail": "ada@contoso.example",
        "employeeType": "C",
        "officeLocation": "HQ",
        "businessPhones": ["+47 1"],
        "mobilePhone": "+47 2 3",
    }
    desired = apply_mapping(loaded(read_schema(SCHEMA)).mapping, user)
    assert desired.always == {
        "accountEnabled": True,
        "displayName": "Ada (Contoso)",
        "mail": "ada@contoso.example",
        "mailNickname": "ada",
        "companyName": "Contoso",
        "employeeType": "Contractor",
        "officeLocation": "HQ",
        "businessPhones": ["+47 1"],
        "mobilePhone": "+4723",
        "showInAddressList": True,
        "onPremisesExtensionAttributes": {"extensionAttribute1": "HQ"},
    }
    assert desired.on_create == {
        "surname": ".",
        "jobTitle": "(none)",
        "country": "Norway",
        "preferredLanguage": "en-US",
        "userType": "Member",
        "extension_0123456789abcdef0123456789abcdef_costCenter": "000",
        "faxNumber": "n/a",
        "onPremisesExtensionAttributes": {"extensionAttribute1": "HQ", "extensionAttribute2": "user-1"},
    }
    assert not desired.left_out


def test_what_does_not_come_along_is_named() -> None:
    """Each thing that is dropped or means something else has its note."""
    notes = {note.what: note.why for note in read_schema(SCHEMA).notes}
    assert notes.keys() == {
        "alternativeSecurityIds",
        "IsSoftDeleted",
        "userPrincipalName",
        "employeeId",
        "state",
        "assignment",
    }
    assert loaded(read_schema(SCHEMA)).policy.out_of_scope is Deprovision.LEAVE


def changed(**keys: object) -> Any:
    """The fixture with other keys in its mapping of users."""
    schema = copy.deepcopy(SCHEMA)
    schema["synchronizationRules"][0]["objectMappings"][0].update(keys)
    return schema


def one(target: str, source: object, **keys: object) -> Any:
    """A schema of one attribute mapping."""
    return changed(scope=None, attributeMappings=[{"targetAttributeName": target, "source": source, **keys}])


def constant(text: str) -> dict[str, str]:
    return {"type": "Constant", "name": text, "expression": json.dumps(text)}


def function(text: str) -> dict[str, str]:
    return {"type": "Function", "name": "f", "expression": text}


@pytest.mark.parametrize(
    ("schema", "rule"),
    [
        (one("city", {"name": "city"}), {"source": "city", "when_null": "keep"}),
        (one("city", {"type": "Constant", "name": "Oslo"}), {"constant": "Oslo"}),
        (one("city", function("[state]")), {"source": "state", "when_null": "keep"}),
        (one("city", function('"Oslo"')), {"constant": "Oslo"}),
        (one("employeeId", function(" 17 ")), {"constant": "17"}),
        (one("city", {"name": "city"}, flowType="AttributeAddOnly"), {"source": "city", "apply": "on_create"}),
        (one("city", constant("Oslo"), defaultValue="Bergen"), {"constant": "Oslo"}),
        (one("accountEnabled", None, defaultValue="True"), {"default": True}),
        (one("mobile", function("Left([ mobile ], 3)")), {"expression": "Left([mobilePhone], 3)", "when_null": "keep"}),
    ],
)
def test_each_kind_of_mapping_has_its_rule(schema: object, rule: dict[str, object]) -> None:
    """What the text of the expression says counts, whatever its type claims."""
    [found] = read_schema(schema).sync["mapping"]
    assert {key: value for key, value in found.items() if key != "target"} == rule


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        (one("proxyAddresses", {"name": "mail"}), "cannot be written: Graph has it read-only"),
        (one("city", {"name": "netId"}), "no user has 'netId'"),
        (one("city", function("SingleAppRoleAssignment([x])")), "cannot be used here"),
        (one("city", function("Left(")), "left out"),
        (one("city", {"name": "city"}, flowType="MultiValueAddOnly"), "flowType MultiValueAddOnly"),
        (one("city", None), "has neither"),
        (one("city", constant("")), "must not be an empty string"),
        (one("accountEnabled", constant("perhaps")), "must be true or false"),
        (one("employeeId", function("Guid()")), "another value at every look"),
        (one("", {"name": "city"}), "cannot be written"),
    ],
)
def test_a_mapping_that_cannot_come_along_is_left_out_with_its_reason(schema: object, why: str) -> None:
    """An attribute that is not written harms nobody; a file that does not load helps nobody."""
    imported = read_schema(schema)
    assert imported.sync["mapping"] == []
    assert any(why in str(note) and "left out" in str(note) for note in imported.notes)


def test_null_can_be_made_to_clear() -> None:
    """Entra cannot; an administrator may want to right away."""
    [rule] = read_schema(one("city", {"name": "city"}), clear_nulls=True).sync["mapping"]
    assert rule == {"target": "city", "source": "city"}


def test_switches_that_do_not_exist_here_are_noted() -> None:
    """Actions, disabled mappings, groups, matching and filter groups nobody sets."""
    schema = changed(flowTypes="Delete", enabled=False, scope={"inputFilterGroups": [{}], "groups": None})
    mappings = schema["synchronizationRules"][0]["objectMappings"]
    mappings[1]["enabled"] = True
    mappings[0]["attributeMappings"] = [
        {},
        {"targetAttributeName": "mail", "source": {"name": "mail"}, "matchingPriority": 2},
    ]
    imported = read_schema(schema)
    notes = [str(note) for note in imported.notes]
    for expected in ("Add is", "Update is", "enabled:", "mapping of Group", "mail: its matching", "inputFilterGroups"):
        assert any(expected in note for note in notes), expected
    assert "deprovision" not in imported.sync


def scoped(*groups: object) -> Any:
    return changed(scope={"groups": list(groups)})


def clause(operator: str, attribute: str, *values: str) -> dict[str, object]:
    return {"operatorName": operator, "sourceOperandName": attribute, "targetOperand": {"values": list(values)}}


INTERNAL = clause("EQUALS", "alternativeSecurityIds", "None")


def test_the_built_in_filter_is_not_carried_over() -> None:
    """Only internal users are synchronized anyway; a filter of nothing else lets everybody in."""
    group = {"name": "A", "clauses": [INTERNAL, clause("is null", "city", "")]}
    [kept] = read_schema(scoped(group)).sync["scope"]["filters"]
    assert kept == {"name": "A", "clauses": [{"attribute": "city", "operator": "IS NULL"}]}
    imported = read_schema(scoped(group, {"name": "B", "clauses": [INTERNAL]}))
    assert imported.sync["scope"] == {"users": "all"}
    assert any("no filter is needed" in note.why for note in imported.notes)


def test_a_clause_that_means_nothing_here_stays_for_a_person_to_decide() -> None:
    """Dropping it would let other people in; the file does not load until somebody has looked."""
    imported = read_schema(scoped({"clauses": [clause("IsMemberOf", "manager", "x")]}))
    assert imported.sync["scope"]["filters"] == [
        {"name": "filter", "clauses": [{"attribute": "manager", "operator": "IsMemberOf", "value": "x"}]}
    ]
    with pytest.raises(ConfigError, match="must be one of EQUALS"):
        loaded(imported)


def test_filters_get_names_of_their_own_and_several_values() -> None:
    """Entra lets two groups bear one name, and multi-valued attributes through unasked."""
    group = {"name": "A", "clauses": [clause("ends_with", "proxyAddresses", "x.example")]}
    more = {"name": "A", "clauses": [{"operatorName": "IN", "sourceOperandName": "city"}, clause("in", "city", "a")]}
    filters = read_schema(scoped(group, more, more)).sync["scope"]["filters"]
    assert [each["name"] for each in filters] == ["A", "A 2", "A 3"]
    assert filters[0]["clauses"][0]["match"] == "all"
    assert [each.get("value") for each in filters[1]["clauses"]] == [None, ["a"]]


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (None, "schema: must be an object"),
        ([], "schema: must be an object"),
        ({}, "no object mapping from User to User"),
        ({"synchronizationRules": 1}, "schema.synchronizationRules: must be a list"),
        (changed(sourceObjectName=7), "sourceObjectName: must be text"),
        (
            changed(
                attributeMappings=[{"targetAttributeName": "city", "matchingPriority": "1", "source": {"name": "city"}}]
            ),
            "matchingPriority: must be a whole number",
        ),
        (changed(sourceObjectName="Device"), "no object mapping"),
    ],
)
def test_what_is_no_schema_is_refused_with_its_place(schema: object, message: str) -> None:
    """The place is written as in the JSON."""
    with pytest.raises(ConfigError, match=message.replace("[", r"\[")):
        read_schema(schema)


def test_two_mappings_of_users_are_refused() -> None:
    """Nobody can tell which of them is meant."""
    schema = changed()
    mappings = schema["synchronizationRules"][0]["objectMappings"]
    mappings.append(mappings[0])
    with pytest.raises(ConfigError, match="more than one object mapping"):
        read_schema(schema)


def test_what_entra_has_no_words_for_is_noted_on_the_way_out() -> None:
    """Our own operators, modes, null rules and policies."""
    rules = [
        Rule(target="city", source="city"),
        Rule(target="state"),
        Rule(target="country", source="country", default="Norway", when_null=WhenNull.DEFAULT),
        Rule(target="otherMails", constant=["a@x.example", "b@x.example"]),
        Rule(target="businessPhones", constant=[]),
    ]
    clauses = [
        Clause(attribute="city", operator=Operator.IN, value=("a", "b")),
        Clause(attribute="city", operator=Operator.REGEX_MATCH, value="a", mode=RegexMode.SEARCH),
        Clause(attribute="city", operator=Operator.IS_NULL),
        Clause(attribute="memberOf", operator=Operator.EQUALS, value="dddddddd-0000-0000-0000-000000000001"),
    ]
    base = make_sync()
    for policy, expected in (
        (Policy(out_of_scope=Deprovision.DISABLE), "disable is written as soft-delete"),
        (Policy(out_of_scope=Deprovision.LEAVE), "one switch"),
        (Policy(source_deleted=STAGES), "no stages"),
    ):
        sync = Sync(
            name=base.name,
            source=base.source,
            target=base.target,
            mapping=rules,
            filters=[Filter(name="A", clauses=clauses)],
            policy=policy,
        )
        exported = write_schema(sync)
        notes = [str(note) for note in exported.notes]
        for text in (
            "city: Entra does not clear",
            "state: Entra never",
            "country: ",
            "otherMails",
            "IN;",
            "no mode",
            "no memberOf",
            expected,
        ):
            assert any(text in note for note in notes), text
        mapping = exported.schema["synchronizationRules"][0]["objectMappings"][0]
        assert mapping["flowTypes"] == "Add, Update, Delete"
        assert [len(each["targetOperand"]["values"]) for each in mapping["scope"]["groups"][0]["clauses"]] == [
            2,
            1,
            0,
            1,
        ]


def test_functions_go_out_with_their_parameters() -> None:
    """As Graph's own samples show them: named, nested, omitted ones left out, repeating ones by their last name."""
    text = 'IIF([city] = "Oslo", Join(",", [city], [mobilePhone]), Replace([city], "a", , , 1, , ))'
    sync = make_sync()
    rules = [Rule(target="city", expression=text)]
    exported = write_schema(Sync(name=sync.name, source=sync.source, target=sync.target, mapping=rules))
    mapping = exported.schema["synchronizationRules"][0]["objectMappings"][0]
    source = mapping["attributeMappings"][-1]["source"]
    assert source["type"] == "Function"
    assert source["expression"] == text.replace("mobilePhone", "mobile")
    condition, join, replace = (each["value"] for each in source["parameters"])
    assert condition["name"] == '[city] = "Oslo"'
    assert [each["value"]["name"] for each in join["parameters"]] == [",", "city", "mobile"]
    assert [each["value"]["name"] for each in replace["parameters"]] == ["city", "a", "1"]
    assert mapping["scope"] is None


_KEYS = (
    "synchronizationRules objectMappings attributeMappings source expression scope groups clauses sourceObjectName"
    " targetObjectName targetAttributeName type targetOperand x"
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS.split()), inner, max_size=4),
    max_leaves=12,
)


@given(_json, _json, _json)
def test_any_json_is_a_schema_or_a_config_error(whole: object, mapping: object, scope_of: object) -> None:
    """Whatever the file holds, and wherever it differs from a schema."""
    for schema in (whole, changed(attributeMappings=[mapping]), changed(scope=scope_of), one("city", mapping)):
        with suppress(ConfigError):
            read_schema(schema)
