"""The attributes that Graph accepts for a user: names, types, lengths, and whether null clears them.

Source: https://learn.microsoft.com/graph/api/user-update and https://learn.microsoft.com/graph/api/resources/user.
A collection is cleared with an empty list; some attributes cannot be cleared at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from ..model import MANAGER, Json
from .expressions.values import to_text

_UNBOUNDED = 1 << 30


class UnfitError(ValueError):
    """Graph would refuse this value. The message describes it without quoting it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetAttribute:
    """`type` object: a directory extension, whose type only the directory knows; dict: a reference (Link.reference)."""

    type: type[bool | str | list[str] | dict[str, Json] | object] = str
    max_length: int | None = None  # of a text, or of each text of a list
    max_items: int | None = None
    clearable: bool = True

    @property
    def cleared(self) -> Json:
        """The value that stands for "nothing" in a PATCH."""
        return [] if self.type is list else None

    def fault(self, value: Json) -> str | None:
        """The reason why Graph would refuse this (constant) value; None when it would accept it."""
        if value is None:
            return None if self.clearable else "cannot be cleared"
        if not isinstance(value, self.type):
            return f"must be {_NAMES[self.type]}"
        if value == "":
            return "must not be an empty string: Graph refuses it"
        return self._too_much(value)

    def fit(self, value: Json) -> Json:
        """The same value in this attribute's type. Raises UnfitError where that would change what it says."""
        if self.type is str and isinstance(value, str) and value and len(value) <= (self.max_length or _UNBOUNDED):
            return value  # the most frequent case by far
        if self.type is dict:
            return value
        if self.type is list:
            value = value if isinstance(value, list) else [_text(value)]
        elif isinstance(value, list | dict):
            raise UnfitError("has several values or a complex one, where one is wanted")
        elif self.type is str:
            value = _text(value)
        elif self.type is bool:
            value = _boolean(value)
        fault = self.fault(value)
        if fault is not None:
            raise UnfitError(fault)
        return value

    def _too_much(self, value: Json) -> str | None:
        if isinstance(value, list):
            if not all(isinstance(each, str) and each for each in value):
                return "must be a list of text"
            if self.max_items is not None and len(value) > self.max_items:
                return f"has more than {self.max_items} value{'s' if self.max_items > 1 else ''}"
        if self.max_length is not None:
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, str) and len(each) > self.max_length:
                    return f"is longer than {self.max_length} characters"
        return None


_NAMES: dict[type, str] = {bool: "true or false", str: "text", list: "a list of text", dict: "a reference"}


def _text(value: Json) -> str:
    """Booleans and numbers surface as their .NET strings, as everywhere in Entra's mappings."""
    if isinstance(value, dict):
        raise UnfitError("is no text")
    return to_text(value) or ""


def _boolean(value: Json) -> bool:
    if isinstance(value, bool):
        return value
    found = {"true": True, "false": False}.get(value.strip().lower()) if isinstance(value, str) else None
    if found is None:
        raise UnfitError("is neither true nor false")
    return found


def _of(max_length: int | None = None, *, clearable: bool = True) -> TargetAttribute:
    return TargetAttribute(max_length=max_length, clearable=clearable)


# Written inside `onPremisesExtensionAttributes`, which merges by member, and only ever selected as a whole.
EXTENSION_ATTRIBUTES = tuple(f"extensionAttribute{n}" for n in range(1, 16))
EXTENSION_PARENT = "onPremisesExtensionAttributes"

# https://learn.microsoft.com/graph/extensibility-overview: of an app, by its id without hyphens. Case matters.
DIRECTORY_EXTENSION = "extension_[0-9a-f]{32}_[A-Za-z0-9_]{1,100}"

TARGET_ATTRIBUTES: dict[str, TargetAttribute] = {
    "accountEnabled": TargetAttribute(type=bool, clearable=False),
    "businessPhones": TargetAttribute(type=list, max_items=1),
    "city": _of(128),
    "companyName": _of(64),
    "country": _of(128),
    "department": _of(64),
    "displayName": _of(256, clearable=False),
    "employeeId": _of(16),
    "employeeType": _of(),
    "faxNumber": _of(),
    "givenName": _of(64),
    "jobTitle": _of(128),
    "mail": _of(clearable=False),
    "mailNickname": _of(64, clearable=False),
    MANAGER: TargetAttribute(type=dict),
    "mobilePhone": _of(64),
    "officeLocation": _of(),
    "otherMails": TargetAttribute(type=list, max_length=250, max_items=250),
    "postalCode": _of(40),
    "preferredLanguage": _of(),
    "showInAddressList": TargetAttribute(type=bool),
    "state": _of(128),
    "streetAddress": _of(1024),
    "surname": _of(64),
    "usageLocation": _of(2, clearable=False),
    "userType": _of(clearable=False),
    **dict.fromkeys(EXTENSION_ATTRIBUTES, _of(1024)),
}

# Attributes that users have and that no app can write, each with the reason.
UNWRITABLE: dict[str, str] = {
    "alternativeSecurityIds": "Entra sets it when the invitation is redeemed",
    "createdDateTime": "Graph has it read-only",
    "creationType": "Graph has it read-only",
    "employeeHireDate": "Graph takes it from no app",
    "externalUserState": "Graph has it read-only",
    "id": "Entra gives it",
    "imAddresses": "Graph has it read-only",
    "IsSoftDeleted": "deletion is a decision of its own (see deprovision)",
    "objectId": "Entra gives it",
    "proxyAddresses": "Graph has it read-only; setting mail adds to it",
    "targetAddress": "it belongs to Exchange",
    "userPrincipalName": "the invitation makes it",
}

# The names of attributes in Entra's own schemas, and Graph's names for the same.
ENTRA_NAMES: dict[str, str] = {
    "facsimileTelephoneNumber": "faxNumber",
    "mobile": "mobilePhone",
    "objectId": "id",
    "physicalDeliveryOfficeName": "officeLocation",
    "telephoneNumber": "businessPhones",
}

_DIRECTORY_EXTENSION_TYPE = TargetAttribute(type=object, max_length=256)


def directory_extension(name: str) -> bool:
    return re.fullmatch(DIRECTORY_EXTENSION, name) is not None


@lru_cache(maxsize=1024)
def target_attribute(name: str) -> TargetAttribute | None:
    """None when no app can write an attribute of this name."""
    known = TARGET_ATTRIBUTES.get(name)
    if known is None and directory_extension(name):
        return _DIRECTORY_EXTENSION_TYPE
    return known
