"""What a target user should look like, written down a second time and on purpose without sync_core.mapping.

Source: Microsoft's default mapping, as https://learn.microsoft.com/microsoft-365/enterprise/sync-users-multi-tenant-orgs
lists it; a value cleared in the source is cleared in the target, where Graph lets it be cleared.
"""

from __future__ import annotations

from entra_graph_emulator import User

COPIED = [
    "accountEnabled",
    "businessPhones",
    "city",
    "country",
    "department",
    "displayName",
    "employeeId",
    "givenName",
    "jobTitle",
    "mail",
    "mailNickname",
    "officeLocation",
    "postalCode",
    "preferredLanguage",
    "state",
    "streetAddress",
    "surname",
]
_NEVER_CLEARED = frozenset({"accountEnabled", "displayName", "mail", "mailNickname"})


def expected(source: User) -> dict[str, object]:
    """Attribute -> value; None stands for cleared. What cannot be cleared is left out when the source has none."""
    wanted: dict[str, object] = {"showInAddressList": True, "userType": "Member"}
    for name in COPIED:
        value = blank_as_none(source.get(name))
        if value is not None or name not in _NEVER_CLEARED:
            wanted[name] = value
    return wanted


def blank_as_none(value: object) -> object:
    return None if value in ("", []) else value
