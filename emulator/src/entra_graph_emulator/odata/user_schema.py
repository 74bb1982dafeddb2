"""The properties of a user, and the writes that Graph refuses.

The rules and lengths are those of https://learn.microsoft.com/graph/api/user-update and
https://learn.microsoft.com/graph/api/resources/user.

Directory extensions are called `extension_<app id without hyphens>_<name>`.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from entra_graph_emulator.odata.rules import Kind, Property, check, check_type, table, texts
from entra_graph_emulator.wire.errors import bad_request, invalid_value, value_required
from entra_graph_emulator.wire.words import words

# Addresses have no accents: https://learn.microsoft.com/graph/api/resources/user, of mail, mailNickname, otherMails.
_PLAIN: Final = r"[ -~]+"
_POLICY: Final = "(?:DisablePasswordExpiration|DisableStrongPassword)"
PROPERTIES: Final = table(
    Property(name="accountEnabled", kind=Kind.FLAG, clearable=False),
    Property(name="businessPhones", kind=Kind.TEXTS, length=64, most=1),
    Property(name="otherMails", kind=Kind.TEXTS, length=250, pattern=_PLAIN),
    Property(name="displayName", length=256, clearable=False),
    Property(name="mail", clearable=False, pattern=r"(?a:(?=[ -~]+$)[^@\s]+@[^@\s]+)"),
    Property(name="usageLocation", clearable=False, pattern=r"[A-Za-z]{2}"),
    Property(name="userPrincipalName", clearable=False),
    Property(name="mailNickname", length=64, clearable=False, pattern=_PLAIN),
    Property(name="employeeOrgData", kind=Kind.OBJECT),
    Property(name="onPremisesExtensionAttributes", kind=Kind.OBJECT),
    Property(name="passwordProfile", kind=Kind.OBJECT),
    Property(name="customSecurityAttributes", kind=Kind.OBJECT),
    Property(name="authorizationInfo", kind=Kind.OBJECT),
    Property(name="identities", kind=Kind.OBJECTS, clearable=False),
    Property(name="showInAddressList", kind=Kind.FLAG),
    Property(name="employeeLeaveDateTime", kind=Kind.TIME),
    Property(name="employeeHireDate", kind=Kind.TIME, delegated_only=True),
    Property(name="preferredLanguage", pattern=r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*"),
    Property(name="userType", pattern=r"Guest|Member"),
    Property(name="ageGroup", pattern=r"Minor|NotAdult|Adult"),
    Property(name="consentProvidedForMinor", pattern=r"Granted|Denied|NotRequired"),
    Property(name="passwordPolicies", pattern=rf"None|{_POLICY}(, ?{_POLICY})?"),
    *texts("officeLocation", "employeeType", "faxNumber", "preferredDataLocation", "onPremisesImmutableId"),
    *texts(city=128, companyName=64, country=128, department=64, employeeId=16, givenName=64, jobTitle=128),
    *texts(mobilePhone=64, postalCode=40, state=128, streetAddress=1024, surname=64),
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
# Kept in SharePoint: they can be read of one user, and not of a listing.
ELSEWHERE: Final = frozenset(
    words("aboutMe birthday hireDate interests mySite pastProjects preferredName responsibilities schools skills")
)
# https://learn.microsoft.com/graph/delta-query-overview: stored elsewhere, so delta does not show their changes.
UNTRACKED: Final = ELSEWHERE | frozenset(
    words("cloudLicensing deviceEnrollmentLimit mailboxSettings print signInActivity")
)
# https://learn.microsoft.com/graph/api/user-get: null for an app without one of these permissions.
GUARDED: Final[Mapping[str, tuple[str, ...]]] = {
    "employeeLeaveDateTime": ("User-LifeCycleInfo.Read.All", "User-LifeCycleInfo.ReadWrite.All"),
    "customSecurityAttributes": (
        "CustomSecAttributeAssignment.Read.All",
        "CustomSecAttributeAssignment.ReadWrite.All",
    ),
}
_EXTENSION: Final = re.compile(r"extension_[0-9a-fA-F]{32}_\w+")
# https://learn.microsoft.com/entra/identity/authentication/concept-sspr-policy, "Username policies"; an empty text is
# refused by the check of its length.
_PRINCIPAL_NAME: Final = re.compile(r"([A-Za-z0-9'.\-_!#^~]{0,63}[A-Za-z0-9'\-_!#^~]@[A-Za-z0-9.\-]{1,48})?")


def is_extension(name: str) -> bool:
    return _EXTENSION.fullmatch(name) is not None


def extension_name(name: Any) -> str:
    """The name itself. Raises ValueError for anything but the full name of a directory extension."""
    if not isinstance(name, str) or not is_extension(name):
        raise ValueError(f"{name} is no directory extension: extension_<app id without hyphens>_<name>")
    return name


def same_type_extensions(stored: Mapping[str, Any], name: str) -> frozenset[str]:
    """The directory extensions of an object that have a value of the same type as the named one.

    https://learn.microsoft.com/graph/delta-query-overview: a change to one returns all of the same data type.
    """
    kind = type(stored.get(name))
    return frozenset(each for each, value in stored.items() if is_extension(each) and type(value) is kind)


def check_write(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes of a PATCH or the properties of a POST, checked one by one; annotations are left out."""
    check_type(changes, "user")
    return {name: _check(name, value) for name, value in changes.items() if "@" not in name}


def _check(name: str, value: Any) -> Any:
    if is_extension(name):
        if value == "" or isinstance(value, dict):
            raise invalid_value(name)
        return value
    if name == "userPrincipalName" and isinstance(value, str) and _PRINCIPAL_NAME.fullmatch(value) is None:
        raise bad_request(
            "Property userPrincipalName is invalid.", details=({"target": "userPrincipalName", "code": "InvalidValue"},)
        )
    return check(PROPERTIES, "User", name, value)


_REQUIRED: Final = ("accountEnabled", "displayName", "mailNickname", "passwordProfile", "userPrincipalName")


def check_new(properties: Mapping[str, Any]) -> dict[str, Any]:
    """https://learn.microsoft.com/graph/api/user-post-users: five properties are required."""
    for name in _REQUIRED:
        if properties.get(name) is None:
            raise value_required(name)
    return check_write(properties)


_CLASSES: Final[Mapping[tuple[Any, Any], str]] = {
    ("Minor", None): "Undefined",
    ("Minor", "Granted"): "MinorWithParentalConsent",
    ("Minor", "Denied"): "MinorWithoutParentalConsent",
    ("Minor", "NotRequired"): "MinorNoParentalConsentRequired",
}


def age_classification(changed: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    """The classification by the two age properties, if one of them changed.

    https://learn.microsoft.com/graph/api/resources/user, "legalAgeGroupClassification"
    """
    if "ageGroup" not in changed and "consentProvidedForMinor" not in changed:
        return {}
    age, consent = properties.get("ageGroup"), properties.get("consentProvidedForMinor")
    return {"legalAgeGroupClassification": _CLASSES.get((age, consent), age)}


def merged(name: str, old: Any, new: Any) -> Any:
    """The stored value after a write of `new`: two complex properties are merged with the old value."""
    if name == "employeeOrgData" and new is not None:
        return {"division": None, "costCenter": None, **new}
    if name == "onPremisesExtensionAttributes" and new is not None:
        blank: dict[str, Any] = {f"extensionAttribute{n}": None for n in range(1, 16)}
        return blank | (old or {}) | new
    return new
