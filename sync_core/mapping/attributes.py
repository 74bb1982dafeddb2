"""What Graph accepts for a user's attributes: types, lengths, and whether null clears them.

Source: https://learn.microsoft.com/graph/api/user-update and https://learn.microsoft.com/graph/api/resources/user.
A collection is cleared with an empty list; some attributes cannot be cleared at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..model import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetAttribute:
    type: type[bool | str | list[str]] = str
    max_length: int | None = None
    clearable: bool = True

    @property
    def cleared(self) -> Json:
        """The value that stands for "nothing" in a PATCH."""
        return [] if self.type is list else None

    def fault(self, value: Json) -> str | None:
        """Why Graph would refuse this (constant) value; None when it would not."""
        if value is None:
            return None if self.clearable else "cannot be cleared"
        if not isinstance(value, self.type):
            return f"must be {_NAMES[self.type]}"
        if value == "":
            return "must not be an empty string: Graph refuses it"
        if isinstance(value, str) and self.max_length is not None and len(value) > self.max_length:
            return f"is longer than {self.max_length} characters"
        return None


_NAMES: dict[type, str] = {bool: "true or false", str: "text", list: "a list of text"}


def _text(max_length: int | None = None, *, clearable: bool = True) -> TargetAttribute:
    return TargetAttribute(max_length=max_length, clearable=clearable)


TARGET_ATTRIBUTES: dict[str, TargetAttribute] = {
    "accountEnabled": TargetAttribute(type=bool, clearable=False),
    "businessPhones": TargetAttribute(type=list),
    "city": _text(128),
    "companyName": _text(64),
    "country": _text(128),
    "department": _text(64),
    "displayName": _text(256, clearable=False),
    "employeeId": _text(16),
    "employeeType": _text(),
    "faxNumber": _text(),
    "givenName": _text(64),
    "jobTitle": _text(128),
    "mail": _text(clearable=False),
    "mailNickname": _text(64, clearable=False),
    "mobilePhone": _text(64),
    "officeLocation": _text(),
    "otherMails": TargetAttribute(type=list),
    "postalCode": _text(40),
    "preferredLanguage": _text(),
    "showInAddressList": TargetAttribute(type=bool),
    "state": _text(128),
    "streetAddress": _text(1024),
    "surname": _text(64),
    "usageLocation": _text(2, clearable=False),
    "userType": _text(clearable=False),
}
