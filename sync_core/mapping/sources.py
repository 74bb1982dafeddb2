"""The attributes of a source user that can be read, and the names that a read must select for them.

https://learn.microsoft.com/graph/api/resources/user. Left out are those that the delta query does not
carry: with one such name in `$select`, Graph refuses every page (https://learn.microsoft.com/graph/delta-query-overview).
"""

from __future__ import annotations

from collections.abc import Iterable

from ..model import Attributes, Json
from .attributes import EXTENSION_ATTRIBUTES, EXTENSION_PARENT, directory_extension

MULTI_VALUED = frozenset({"businessPhones", "imAddresses", "otherMails", "proxyAddresses"})

_SINGLE = """
accountEnabled ageGroup city companyName consentProvidedForMinor country createdDateTime creationType department
displayName employeeHireDate employeeId employeeLeaveDateTime employeeType externalUserState
externalUserStateChangeDateTime faxNumber givenName id jobTitle lastPasswordChangeDateTime
legalAgeGroupClassification mail mailNickname mobilePhone officeLocation onPremisesDistinguishedName
onPremisesDomainName onPremisesImmutableId onPremisesLastSyncDateTime onPremisesSamAccountName
onPremisesSecurityIdentifier onPremisesSyncEnabled onPremisesUserPrincipalName passwordPolicies postalCode
preferredDataLocation preferredLanguage securityIdentifier showInAddressList signInSessionsValidFromDateTime state
streetAddress surname usageLocation userPrincipalName userType
"""
TRUTHS = frozenset({"accountEnabled", "onPremisesSyncEnabled", "showInAddressList"})
SOURCE_ATTRIBUTES = frozenset({*_SINGLE.split(), *MULTI_VALUED, *EXTENSION_ATTRIBUTES})


def readable(name: str) -> bool:
    return name in SOURCE_ATTRIBUTES or directory_extension(name)


def selected(names: Iterable[str]) -> set[str]:
    """The names that `$select` must hold for these: an extensionAttribute comes only with its whole parent."""
    return {EXTENSION_PARENT if name in EXTENSION_ATTRIBUTES else name for name in names}


def flat(source: Attributes) -> Attributes:
    """The user with each extensionAttribute under its own name, beside everything else."""
    parent = source.get(EXTENSION_PARENT)
    return {**source, **parent} if isinstance(parent, dict) else source


def nothing(value: Json) -> bool:
    """Null, the empty string and the empty list: Entra does not tell them apart."""
    return value is None or value in ("", [])
