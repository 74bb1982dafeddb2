"""To Entra: a sync becomes a synchronization schema, in the shapes that Graph documents.

What Entra has no words for is noted. In the scope it is written all the same, so that Entra refuses the schema
instead of letting other people in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ...mapping.expressions.parser import parse
from ...mapping.expressions.registry import ALIASES, FUNCTIONS
from ...mapping.expressions.syntax import Attribute, Call, Node, Omitted, Text, Word, unparse
from ...model import Apply, Clause, Deprovision, Filter, Json, Operator, RegexMode, Rule, Stages, Sync, WhenNull
from ...scope.filters import LISTS, REGEX
from .names import FIXED_SOURCES, expression_to_entra, to_entra
from .notes import Note

SOURCE_DIRECTORY = "Azure Active Directory"
TARGET_DIRECTORY = "Azure Active Directory (target tenant)"
# Of a cross-tenant schema: entra-docs, cross-tenant-synchronization-configure-graph.
RULE_NAME = "USER_INBOUND_USER"
MAPPING_NAME = "Provision Microsoft Entra ID Users"

_OURS = LISTS | {Operator.LESS_THAN, Operator.LESS_THAN_OR_EQUALS, Operator.BEFORE, Operator.AFTER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    schema: dict[str, Any]
    notes: tuple[Note, ...]


def write_schema(sync: Sync) -> Exported:
    mapping = {
        "attributeMappings": [*_fixed(), *map(_attribute_mapping, sync.mapping)],
        "enabled": True,
        "flowTypes": "Add, Update, Delete" if _deletes(sync) else "Add, Update",
        "metadata": [],
        "name": MAPPING_NAME,
        "scope": _scope(sync),
        "sourceObjectName": "User",
        "targetObjectName": "User",
    }
    rule = {
        "editable": True,
        "name": RULE_NAME,
        "objectMappings": [mapping],
        "priority": 1,
        "sourceDirectoryName": SOURCE_DIRECTORY,
        "targetDirectoryName": TARGET_DIRECTORY,
    }
    return Exported(schema={"directories": [], "synchronizationRules": [rule]}, notes=tuple(_notes(sync)))


def _deletes(sync: Sync) -> bool:
    policy = sync.policy
    return (policy.out_of_scope, policy.source_deleted) != (Deprovision.LEAVE, Deprovision.LEAVE)


# --- attributes -------------------------------------------------------------------------------------------------


def _fixed() -> Iterator[dict[str, Any]]:
    """What every cross-tenant schema must have, whatever the sync maps."""
    for target, (text, priority) in FIXED_SOURCES.items():
        yield _mapping(target, _source(parse(text)), priority=priority)


def _attribute_mapping(rule: Rule) -> dict[str, Any]:
    return _mapping(
        to_entra(rule.target),
        _rule_source(rule),
        default=None if rule.default is None else _as_text(rule.default),
        once=rule.apply is Apply.ON_CREATE,
    )


def _mapping(
    target: str, source: dict[str, Any] | None, *, default: str | None = None, once: bool = False, priority: int = 0
) -> dict[str, Any]:
    return {
        "defaultValue": default,
        "exportMissingReferences": False,
        "flowBehavior": "FlowWhenChanged",
        "flowType": "ObjectAddOnly" if once else "Always",
        "matchingPriority": priority,
        "source": source,
        "targetAttributeName": target,
    }


def _rule_source(rule: Rule) -> dict[str, Any] | None:
    if rule.source is not None:
        return _source(Attribute(to_entra(rule.source)))
    if rule.expression is not None:
        text = expression_to_entra(rule.expression)
        return {**_source(parse(text)), "expression": text}
    if rule.default is not None:
        return None
    return _source(Text(_as_text(rule.constant)))


def _as_text(value: Json) -> str:
    if isinstance(value, list):
        return "" if not value else str(value[0])
    return "" if value is None else str(value)


def _source(node: Node) -> dict[str, Any]:
    """https://learn.microsoft.com/graph/api/resources/synchronization-attributemappingsource"""
    kind, name, parameters = _described(node)
    text = unparse(Text(name)) if kind == "Constant" else unparse(node)
    return {"expression": text, "name": name, "parameters": parameters, "type": kind}


def _described(node: Node) -> tuple[str, str, list[dict[str, Any]]]:
    match node:
        case Attribute(name):
            return "Attribute", name, []
        case Call(name, arguments):
            return "Function", name, list(_parameters(name, arguments))
        case Text(value) | Word(value):
            return "Constant", value, []
        case _:
            return "Constant", unparse(node), []


def _parameters(name: str, arguments: tuple[Node, ...]) -> Iterator[dict[str, Any]]:
    """Omitted ones are left out, as in Microsoft's samples; what repeats repeats its last name."""
    function = FUNCTIONS.get(ALIASES.get(name, name))
    names = [param.name for param in function.params] if function and function.params else ["value"]
    for i, argument in enumerate(arguments):
        if not isinstance(argument, Omitted):
            yield {"key": names[min(i, len(names) - 1)], "value": _source(argument)}


# --- scope ------------------------------------------------------------------------------------------------------


def _scope(sync: Sync) -> dict[str, Any] | None:
    """https://learn.microsoft.com/graph/api/resources/synchronization-filter"""
    if not sync.filters:
        return None
    groups = [{"clauses": [_clause(each) for each in group.clauses], "name": group.name} for group in sync.filters]
    return {"categoryFilterGroups": [], "groups": groups, "inputFilterGroups": []}


def _clause(clause: Clause) -> dict[str, Any]:
    values = list(clause.value) if isinstance(clause.value, tuple) else [clause.value] if clause.value else []
    return {
        "operatorName": str(clause.operator),
        "sourceOperandName": to_entra(clause.attribute),
        "targetOperand": {"values": values},
    }


# --- notes ------------------------------------------------------------------------------------------------------


def _notes(sync: Sync) -> Iterator[Note]:
    for rule in sync.mapping:
        yield from _rule_notes(rule)
    for each in sync.filters:
        for clause in each.clauses:
            yield from _clause_notes(each, clause)
    policy = sync.policy
    if isinstance(policy.out_of_scope, Stages) or isinstance(policy.source_deleted, Stages):
        yield Note("deprovision", "Entra knows no stages; the users are soft-deleted at once")
    elif Deprovision.DISABLE in (policy.out_of_scope, policy.source_deleted):
        yield Note("deprovision", "Entra soft-deletes or leaves; disable is written as soft-delete")
    elif policy.out_of_scope is not policy.source_deleted:
        yield Note("deprovision", "Entra has one switch for both reasons of deletion; it is on")


def _rule_notes(rule: Rule) -> Iterator[Note]:
    if rule.constant is None and rule.source is rule.expression is rule.default is None:
        yield Note(rule.target, "Entra never clears; the empty constant has no effect there")
    elif rule.when_null is WhenNull.DEFAULT:
        yield Note(rule.target, "Entra uses the default for new users only")
    elif rule.when_null is WhenNull.CLEAR and rule.apply is Apply.ALWAYS and (rule.source or rule.expression):
        yield Note(rule.target, "Entra does not clear the target when the source is null")
    if isinstance(rule.constant, list) and len(rule.constant) > 1:
        yield Note(rule.target, "Entra's constants have one value; the first is written")


def _clause_notes(each: Filter, clause: Clause) -> Iterator[Note]:
    what = f"filter '{each.name}'"
    if clause.groups:
        yield Note(
            what, f"Entra's filters have no {clause.attribute}; it will refuse the schema. Assign groups instead"
        )
    if clause.operator in _OURS:
        yield Note(what, f"Entra has no operator {clause.operator}; it will refuse the schema")
    if clause.operator in REGEX and clause.mode is RegexMode.SEARCH:
        yield Note(what, f"{clause.attribute} {clause.operator}: Entra has no mode; whether it searches is unknown")
