"""Microsoft's default attribute mapping, as far as Graph lets an app write it.

Source: the property list of https://learn.microsoft.com/microsoft-365/enterprise/sync-users-multi-tenant-orgs.
Left out: alternativeSecurityIds and userPrincipalName (set by the invitation), IsSoftDeleted (the decision table).
Unlike in Microsoft's, a cleared source value clears the target's, and the manager is
written whenever it changes.
"""

from __future__ import annotations

from ..model import MANAGER, Apply, Rule

_DIRECT = (
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
    MANAGER,
    "officeLocation",
    "postalCode",
    "preferredLanguage",
    "state",
    "streetAddress",
    "surname",
)

DEFAULT_MAPPING: tuple[Rule, ...] = (
    *(Rule(target=name, source=name) for name in _DIRECT),
    Rule(target="showInAddressList", constant=True),
    Rule(target="userType", constant="Member", apply=Apply.ON_CREATE),
)
