"""What a user has, and which writes to it Graph refuses.

The rules are those of https://learn.microsoft.com/graph/api/user-update and
https://learn.microsoft.com/graph/api/resources/user; lengths likewise. Directory extensions
(`extension_<app id without hyphens>_<name>`) are accepted without being registered first.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from local.graph_emulator.clock import parse_instant
from local.graph_emulator.errors import GraphError, bad_request, invalid_value, unsupported_query, value_required
from local.graph_emulator.words import words


class Kind(StrEnum):
    TEXT = "text"
    FLAG = "flag"
    TEXTS = "texts"
    OBJECT = "object"
    OBJECTS = "objects"
    TIME = "time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One property of a user. `most` is the number of values that a collection may hold."""

    name: str
    kind: Kind = Kind.TEXT
    length: int = 1024
    most: int = 250
    clearable: bool = True
    read_only: bool = False
    delegated_only: bool = False  # an app without a user cannot write it
    filterable: bool = False


def _table(*properties: Property) -> dict[str, Property]:
    return {each.name: each for each in properties}


def _texts(*names: str, **length: int) -> list[Property]:
    return [Property(name=name) for name in names] + [Property(name=n, length=most) for n, most in length.items()]


_FILTERABLE: Final = frozenset(
    words(
        "accountEnabled businessPhones city companyName country createdDateTime creationType deletedDateTime "
        "department displayName employeeHireDate employeeId employeeType externalUserState "
        "externalUserStateChangeDateTime faxNumber givenName id identities imAddresses jobTitle mail mailNickname "
        "mobilePhone officeLocation onPremisesExtensionAttributes onPremisesImmutableId onPremisesSyncEnabled "
        "otherMails postalCode preferredLanguage proxyAddresses state streetAddress surname usageLocation "
        "userPrincipalName userType"
    )
)

PROPERTIES: Final = _table(
    Property(name="accountEnabled", kind=Kind.FLAG, clearable=False),
    Property(name="businessPhones", kind=Kind.TEXTS, length=64, most=1),
    Property(name="otherMails", kind=Kind.TEXTS, length=250),
    Property(name="displayName", length=256, clearable=False),
    Property(name="mail", clearable=False),
    Property(name="usageLocation", length=2, clearable=False),
    Property(name="userPrincipalName", clearable=False),
    Property(name="mailNickname", length=64, clearable=False),
    Property(name="employeeOrgData", kind=Kind.OBJECT),
    Property(name="onPremisesExtensionAttributes", kind=Kind.OBJECT),
    Property(name="passwordProfile", kind=Kind.OBJECT),
    Property(name="customSecurityAttributes", kind=Kind.OBJECT),
    Property(name="identities", kind=Kind.OBJECTS, clearable=False),
    Property(name="showInAddressList", kind=Kind.FLAG),
    Property(name="employeeLeaveDateTime", kind=Kind.TIME),
    Property(name="employeeHireDate", kind=Kind.TIME, delegated_only=True),
    *_texts("officeLocation", "employeeType", "faxNumber", "preferredLanguage", "ageGroup", "userType"),
    *_texts("consentProvidedForMinor", "passwordPolicies", "preferredDataLocation", "onPremisesImmutableId"),
    *_texts(city=128, companyName=64, country=128, department=64, employeeId=16, givenName=64, jobTitle=128),
    *_texts(mobilePhone=64, postalCode=40, state=128, streetAddress=1024, surname=64),
    *(
        Property(name=name, delegated_only=True)
        for name in words("aboutMe birthday interests mySite pastProjects responsibilities schools skills")
    ),
    *(Property(name=name, kind=Kind.TEXTS, read_only=True) for name in ("proxyAddresses", "imAddresses")),
    *(
        Property(name=name, kind=Kind.TIME, read_only=True)
        for name in words(
            "createdDateTime deletedDateTime externalUserStateChangeDateTime lastPasswordChangeDateTime "
            "onPremisesLastSyncDateTime signInSessionsValidFromDateTime"
        )
    ),
    *(
        Property(name=name, kind=Kind.FLAG, read_only=True)
        for name in ("onPremisesSyncEnabled", "isResourceAccount", "isManagementRestricted")
    ),
    *(
        Property(name=name, kind=Kind.OBJECTS, read_only=True)
        for name in words(
            "assignedLicenses assignedPlans provisionedPlans licenseAssignmentStates onPremisesProvisioningErrors "
            "serviceProvisioningErrors"
        )
    ),
    *(
        Property(name=name, read_only=True)
        for name in words(
            "id creationType externalUserState onPremisesDistinguishedName onPremisesDomainName securityIdentifier "
            "onPremisesSamAccountName onPremisesSecurityIdentifier onPremisesUserPrincipalName "
            "legalAgeGroupClassification"
        )
    ),
)

DEFAULT_SELECT: Final = words(
    "businessPhones displayName givenName jobTitle mail mobilePhone officeLocation preferredLanguage surname "
    "userPrincipalName id"
)
COLLECTIONS: Final = frozenset(each.name for each in PROPERTIES.values() if each.kind in {Kind.TEXTS, Kind.OBJECTS})
# https://learn.microsoft.com/graph/delta-query-overview: kept outside the main store, so changes to them go unseen.
UNTRACKED: Final = frozenset(
    words(
        "aboutMe birthday cloudLicensing deviceEnrollmentLimit hireDate interests mailboxSettings mySite pastProjects "
        "preferredName print responsibilities schools signInActivity skills"
    )
)
_EXTENSION: Final = re.compile(r"extension_[0-9a-fA-F]{32}_\w+")
_EXTENSION_ATTRIBUTE: Final = re.compile(r"extensionAttribute([1-9]|1[0-5])")


def is_extension(name: str) -> bool:
    return _EXTENSION.fullmatch(name) is not None


def filterable(path: str) -> bool:
    head = path.partition("/")[0]
    return head in _FILTERABLE or is_extension(head)


def parse_select(text: str | None) -> tuple[str, ...] | None:
    """The names of a `$select`, `id` not added; None without one. Raises for a name that users do not have."""
    if text is None:
        return None
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in PROPERTIES and name not in UNTRACKED and name != "manager" and not is_extension(name):
            raise GraphError(
                400,
                "BadRequest",
                f"Parsing OData Select and Expand failed: Could not find a property named '{name}' on type "
                "'microsoft.graph.user'.",
            )
    return names


def parse_delta_select(text: str | None) -> tuple[str, ...] | None:
    names = parse_select(text)
    if names is not None and not UNTRACKED.isdisjoint(names):
        raise unsupported_query()
    return names


def check_write(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes of a PATCH or the properties of a POST, checked one by one; annotations are left out."""
    return {name: _check(name, value) for name, value in changes.items() if not name.startswith("@")}


def _check(name: str, value: Any) -> Any:
    if is_extension(name):
        if value == "" or isinstance(value, dict):
            raise invalid_value(name)
        return value
    rule = PROPERTIES.get(name)
    if rule is None:
        raise bad_request(f"Invalid property '{name}'.")
    if rule.read_only:
        raise bad_request(f"Property '{name}' is read-only and cannot be set.")
    if rule.delegated_only:
        raise GraphError(403, "accessDenied", f"Property '{name}' cannot be written without a signed-in user.")
    if value is None:
        if not rule.clearable or rule.kind is Kind.TEXTS:
            raise invalid_value(name)
        return None
    if not _VALID[rule.kind](rule, value):
        raise invalid_value(name)
    return value


def _valid_text(rule: Property, value: Any) -> bool:
    if not isinstance(value, str) or not 0 < len(value) <= rule.length:
        return False
    return _PATTERNS[rule.name].fullmatch(value) is not None if rule.name in _PATTERNS else True


def _valid_texts(rule: Property, value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= rule.most
        and all(isinstance(each, str) and 0 < len(each) <= rule.length for each in value)
    )


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
    except (TypeError, ValueError):
        return False
    return True


_VALID: Final = {
    Kind.TEXT: _valid_text,
    Kind.FLAG: lambda _rule, value: isinstance(value, bool),
    Kind.TEXTS: _valid_texts,
    Kind.OBJECT: _valid_object,
    Kind.OBJECTS: _valid_objects,
    Kind.TIME: _valid_time,
}
_PATTERNS: Final = {
    "usageLocation": re.compile(r"[A-Za-z]{2}"),
    "userType": re.compile(r"Guest|Member"),
    "mail": re.compile(r"[^@\s]+@[^@\s]+"),
    "userPrincipalName": re.compile(r"[^@\s]+@[^@\s]+"),
    "preferredLanguage": re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*"),
}
_REQUIRED: Final = ("accountEnabled", "displayName", "mailNickname", "passwordProfile", "userPrincipalName")


def check_new(properties: Mapping[str, Any]) -> dict[str, Any]:
    """https://learn.microsoft.com/graph/api/user-post-users: five properties must be there."""
    for name in _REQUIRED:
        if properties.get(name) is None:
            raise value_required(name)
    return check_write(properties)


def merged(name: str, old: Any, new: Any) -> Any:
    """What a write of `new` leaves behind: two complex properties do not simply replace the old value."""
    if name == "employeeOrgData" and new is not None:
        return {"division": None, "costCenter": None, **new}
    if name == "onPremisesExtensionAttributes" and new is not None:
        blank: dict[str, Any] = {f"extensionAttribute{n}": None for n in range(1, 16)}
        return blank | (old or {}) | new
    return new
