"""From Entra: an object mapping becomes a sync as sync.yaml has it.

What decides about people is never widened or narrowed on the way. A clause that means nothing here stays in the file
as it was written; `xtsync validate` refuses it until somebody decides. An attribute that cannot be written is left out.
Null values do not flow in Entra, so they do not here (`when_null: keep`), unless the caller wants them to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from ...mapping.attributes import TargetAttribute, UnfitError, target_attribute
from ...mapping.checks import rule_faults
from ...mapping.expressions import CompileError
from ...mapping.expressions.parser import parse
from ...mapping.expressions.syntax import Attribute, Number, Text
from ...mapping.sources import MULTI_VALUED
from ...model import Apply, Json, Rule, WhenNull
from ...scope.checks import operator_named
from ...scope.filters import LISTS, UNARY
from .json_shape import At, rule_mappings, user_mapping
from .names import FIXED, expression_to_graph, to_graph
from .notes import Note

type Keys = dict[str, Any]  # a mapping of sync.yaml

_FLOW_NOTES = {
    "ValueAddOnly": "ValueAddOnly is carried over as always: null values do not flow either way",
    "AttributeAddOnly": "AttributeAddOnly is carried over as on_create: whether the target has a value is not read",
}
_FLOWS = {"Always": "always", "ValueAddOnly": "always", "ObjectAddOnly": "on_create", "AttributeAddOnly": "on_create"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """`sync` lacks its name and tenants, which a schema does not know."""

    sync: Keys
    notes: tuple[Note, ...]


class _LeftOutError(Exception):
    """This mapping cannot come along; the text says why."""


def read_schema(schema: Any, *, clear_nulls: bool = False) -> Imported:
    """Raises ConfigError when it is no synchronization schema."""
    mapping = user_mapping(schema)
    notes: list[Note] = []
    sync: Keys = {}
    filters = _filters(mapping.get("scope"), notes)
    sync["scope"] = {"users": "all"} | ({"filters": filters} if filters else {})
    sync["mapping"] = list(_rules(mapping, notes, clear_nulls=clear_nulls))
    sync |= _actions(mapping, notes)
    notes += _around(schema, mapping)
    return Imported(sync=sync, notes=tuple(notes))


def _around(schema: Any, mapping: At) -> Iterator[Note]:
    """What stands beside the mapping of users."""
    yield Note(
        "assignment",
        "who is assigned is not part of a schema: `users: all` takes everybody; name them with `users: assigned`",
    )
    if mapping.get("enabled").value is False:
        yield Note("enabled", "the mapping is switched off in Entra; a sync in sync.yaml is always on")
    for rule in At(schema).get("synchronizationRules").items():
        for each in rule_mappings(rule):
            name = each.get("sourceObjectName").text("?")
            if name.lower() != "user" and each.get("enabled").value is not False:
                yield Note(f"object mapping of {name}", "only users are synchronized")


def _actions(mapping: At, notes: list[Note]) -> Keys:
    """Target object actions."""
    given = mapping.get("flowTypes").text("Add, Update, Delete")
    actions = {each.strip().lower() for each in given.split(",")}
    for name in ("Add", "Update"):
        if name.lower() not in actions:
            notes.append(Note("flowTypes", f"{name} is switched off in Entra; here it cannot be"))
    if "delete" in actions:
        return {}
    return {"deprovision": {"out_of_scope": "leave", "source_deleted": "leave"}}


# --- attributes -------------------------------------------------------------------------------------------------


def _rules(mapping: At, notes: list[Note], *, clear_nulls: bool) -> Iterator[Keys]:
    for each in mapping.get("attributeMappings").items():
        target = each.get("targetAttributeName").text()
        if not target and each.value == {}:
            continue
        try:
            yield _rule(each, target, notes, clear_nulls=clear_nulls)
        except (_LeftOutError, CompileError) as error:
            notes.append(Note(target or each.place, f"left out: {error}"))


def _rule(each: At, target: str, notes: list[Note], *, clear_nulls: bool) -> Keys:
    if target in FIXED:
        raise _LeftOutError(FIXED[target])
    flow = each.get("flowType").text("Always")
    if flow not in _FLOWS:
        raise _LeftOutError(f"flowType {flow} asks what the target has, which is not read")
    keys: Keys = {"target": to_graph(target)}
    known = target_attribute(keys["target"])
    keys |= _value(each.get("source"), known)
    default = each.get("defaultValue").text()
    if default and "constant" not in keys:
        keys["default"] = _typed(default, known)
    if _FLOWS[flow] == "on_create":
        keys["apply"] = "on_create"
    elif "source" in keys or "expression" in keys:
        keys |= {} if "default" in keys or clear_nulls else {"when_null": "keep"}
    _check(keys)
    notes += _mapping_notes(each, target, flow)
    return keys


def _mapping_notes(each: At, target: str, flow: str) -> Iterator[Note]:
    if flow in _FLOW_NOTES:
        yield Note(target, _FLOW_NOTES[flow])
    if each.get("matchingPriority").number() > 0:
        yield Note(target, "its matching priority is dropped: users are matched by their link")
    if each.get("flowBehavior").text("FlowWhenChanged") != "FlowWhenChanged":
        yield Note(target, "FlowAlways is carried over as when changed: what does not differ is never written")


def _value(source: At, known: TargetAttribute | None) -> Keys:
    """`source`, `constant` or `expression`, whichever the text of the expression really is."""
    if source.value is None:
        return {}
    kind, name = source.get("type").text("Attribute"), source.get("name").text()
    text = source.get("expression").text()
    if not text:
        text = f"[{name}]" if kind == "Attribute" else ""
    if kind == "Constant" and not text:
        return {"constant": _typed(name, known)}
    node = parse(text)
    match node:
        case Attribute(attribute):
            return {"source": to_graph(attribute)}
        case Text(value):
            return {"constant": _typed(value, known)}
        case Number():
            return {"constant": _typed(text.strip(), known)}
    return {"expression": expression_to_graph(text)}


def _typed(text: str, known: TargetAttribute | None) -> Json:
    """Entra's schema knows text only; here a value has the attribute's type."""
    try:
        return text if known is None or not text else known.fit(text)
    except UnfitError:
        return text  # found by the check


def _check(keys: Keys) -> None:
    when_null = WhenNull(keys["when_null"]) if "when_null" in keys else None
    rule = Rule(
        target=keys["target"],
        source=keys.get("source"),
        constant=keys.get("constant"),
        expression=keys.get("expression"),
        default=keys.get("default"),
        apply=Apply(keys.get("apply", "always")),
        when_null=when_null or (WhenNull.KEEP if "default" in keys else WhenNull.CLEAR),
    )
    faults = [f"line {each.line}, {each.message}" if each.line else each.message for each in rule_faults(rule, keys)]
    if faults:
        raise _LeftOutError("; ".join(faults))


# --- scope ------------------------------------------------------------------------------------------------------


def _filters(scope: At, notes: list[Note]) -> list[Keys]:
    if scope.value is None:
        return []
    for name in ("inputFilterGroups", "categoryFilterGroups"):
        if scope.get(name).value:
            notes.append(Note(f"scope.{name}", "left out: only `groups` are scoping filters that administrators set"))
    filters: list[Keys] = []
    for group in scope.get("groups").items():
        name = _new_name(group.get("name").text() or "filter", {each["name"] for each in filters})
        given = list(group.get("clauses").items())
        asked = [each for each in given if not _only_internal(each)]
        if given and not asked:
            notes.append(Note(f"filter '{name}'", "lets every internal user in, so no filter is needed"))
            return []
        filters.append({"name": name, "clauses": [_clause(each, name, notes) for each in asked]})
    return filters


def _new_name(name: str, taken: set[str]) -> str:
    return name if name not in taken else next(new for n in count(2) if (new := f"{name} {n}") not in taken)


def _only_internal(clause: At) -> bool:
    """The filter that Entra itself adds; here nobody else is synchronized anyway."""
    return clause.get("sourceOperandName").text() == "alternativeSecurityIds" and _values(clause) == ["None"]


def _clause(each: At, name: str, notes: list[Note]) -> Keys:
    attribute, operator = to_graph(each.get("sourceOperandName").text()), each.get("operatorName").text()
    found = operator_named(operator)
    if found is None:
        notes.append(Note(f"filter '{name}'", f"no operator is called '{operator}' here; it stays for you to decide"))
    clause: Keys = {"attribute": attribute, "operator": str(found or operator)}
    values = [] if found in UNARY else _values(each)
    if values:
        clause["value"] = values if found in LISTS or len(values) > 1 else values[0]
    if attribute in MULTI_VALUED and found not in UNARY:
        clause["match"] = "all"
        notes.append(Note(f"filter '{name}'", f"{attribute} has several values; all must comply, Graph's own default"))
    return clause


def _values(clause: At) -> list[str]:
    operand = clause.get("targetOperand")
    return [] if operand.value is None else [value.text() for value in operand.get("values").items()]
