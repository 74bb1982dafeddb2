"""The values that a property takes, and the checks of a write; `user_schema` and `group_schema` use them."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias

from entra_graph_emulator.wire.clock import parse_instant
from entra_graph_emulator.wire.errors import GraphError, bad_request, invalid_value


class Kind(StrEnum):
    TEXT = "text"
    FLAG = "flag"
    TEXTS = "texts"
    OBJECT = "object"
    OBJECTS = "objects"
    TIME = "time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One property. `most` is the number of values that a collection may hold; `pattern` is of each text."""

    name: str
    kind: Kind = Kind.TEXT
    length: int = 1024
    most: int = 250
    clearable: bool = True
    read_only: bool = False
    delegated_only: bool = False  # an app without a user cannot write it
    pattern: str = ""


Table: TypeAlias = Mapping[str, Property]


def table(*properties: Property) -> dict[str, Property]:
    return {each.name: each for each in properties}


def texts(*names: str, **length: int) -> list[Property]:
    return [Property(name=name) for name in names] + [Property(name=n, length=most) for n, most in length.items()]


def check(properties: Table, resource: str, name: str, value: Any) -> Any:
    """The value of a permitted write. Raises 400, or 403 for a property that only a signed-in user may write."""
    rule = properties.get(name)
    if rule is None:
        raise bad_request(f"Invalid property '{name}'.")
    if rule.read_only:
        raise bad_request(f"Property '{name}' is read-only and cannot be set.")
    if rule.delegated_only:
        raise GraphError(403, "accessDenied", f"Property '{name}' cannot be written without a signed-in user.")
    if value is None:
        if not rule.clearable or rule.kind is Kind.TEXTS:
            raise invalid_value(name, resource)
        return None
    if not _VALID[rule.kind](rule, value):
        raise invalid_value(name, resource)
    return value


def check_type(body: Mapping[str, Any], name: str) -> None:
    """Raises 400 for a body of another declared type, as the OData library does."""
    said, expected = body.get("@odata.type"), f"microsoft.graph.{name}"
    if said is not None and str(said).removeprefix("#").lower() != expected:
        raise GraphError(
            400,
            "BadRequest",
            f"A resource with type '{str(said).removeprefix('#')}' was found, but it is not assignable to the expected "
            f"type '{expected}'.",
        )


def check_names(body: Mapping[str, Any], names: Collection[str], kind: str) -> None:
    """Raises 400 for a property that `kind`, which is not an open type, does not declare."""
    for name in body:
        if name not in names and "@" not in name:
            raise GraphError(
                400,
                "BadRequest",
                f"The property '{name}' does not exist on type 'microsoft.graph.{kind}'. Make sure to only use "
                "property names that are defined by the type or mark the type as open type.",
            )


def _valid_text(rule: Property, value: Any) -> bool:
    if not isinstance(value, str) or not 0 < len(value) <= rule.length:
        return False
    return not rule.pattern or re.fullmatch(rule.pattern, value) is not None


def _valid_texts(rule: Property, value: Any) -> bool:
    return isinstance(value, list) and len(value) <= rule.most and all(_valid_text(rule, each) for each in value)


_EXTENSION_ATTRIBUTE: Final = re.compile(r"extensionAttribute([1-9]|1[0-5])")


def _valid_object(rule: Property, value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    members = {name: each for name, each in value.items() if not name.startswith("@")}
    if rule.name == "employeeOrgData":
        return members.keys() <= {"division", "costCenter"} and all(_short(each) for each in members.values())
    if rule.name == "onPremisesExtensionAttributes":
        return all(_EXTENSION_ATTRIBUTE.fullmatch(name) and _short(each) for name, each in members.items())
    return True


def _short(value: Any) -> bool:
    return value is None or (isinstance(value, str) and 0 < len(value) <= 1024)


def _valid_objects(_rule: Property, value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def _valid_time(_rule: Property, value: Any) -> bool:
    try:
        parse_instant(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


_VALID: Final[Mapping[Kind, Callable[[Property, Any], bool]]] = {
    Kind.TEXT: _valid_text,
    Kind.FLAG: lambda _rule, value: isinstance(value, bool),
    Kind.TEXTS: _valid_texts,
    Kind.OBJECT: _valid_object,
    Kind.OBJECTS: _valid_objects,
    Kind.TIME: _valid_time,
}
