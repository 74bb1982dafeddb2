"""The properties of a group, and the writes that Graph refuses: https://learn.microsoft.com/graph/api/resources/group"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from entra_graph_emulator.odata.rules import Kind, Property, check, check_type, table, texts
from entra_graph_emulator.odata.user_schema import is_extension
from entra_graph_emulator.wire.errors import bad_request, invalid_value, value_required
from entra_graph_emulator.wire.words import words

_BEHAVIOR: Final = (
    "AllowOnlyMembersToPost|CalendarMemberReadOnly|ConnectorsDisabled|HideGroupInOutlook|SubscribeMembersTo"
    "CalendarEventsDisabled|SubscribeNewGroupMembers|WelcomeEmailDisabled"
)
_ONCE: Final = frozenset({"resourceBehaviorOptions", "resourceProvisioningOptions"})
PROPERTIES: Final = table(
    Property(name="displayName", length=256, clearable=False),
    Property(name="description"),
    Property(name="mailNickname", length=64, clearable=False, pattern=r"(?a:(?=[!-~]+$)[^@()\\\[\]\";:.<>, ]+)"),
    Property(name="mailEnabled", kind=Kind.FLAG, clearable=False),
    Property(name="securityEnabled", kind=Kind.FLAG, clearable=False),
    Property(name="isAssignableToRole", kind=Kind.FLAG),
    Property(name="groupTypes", kind=Kind.TEXTS, most=2),
    Property(name="visibility", pattern=r"Private|Public|HiddenMembership"),
    Property(name="membershipRuleProcessingState", pattern=r"On|Paused"),
    Property(name="theme", pattern=r"Teal|Purple|Green|Blue|Pink|Orange|Red"),
    *texts("classification", "membershipRule", "preferredDataLocation", "preferredLanguage", "uniqueName"),
    *(
        Property(name=name, kind=Kind.TIME, read_only=True)
        for name in words(
            "createdDateTime deletedDateTime expirationDateTime onPremisesLastSyncDateTime renewedDateTime"
        )
    ),
    *(Property(name=name, kind=Kind.TEXTS, read_only=True) for name in ("creationOptions", "proxyAddresses")),
    # https://learn.microsoft.com/graph/group-set-options: set when the group is made, and never again.
    Property(name="resourceBehaviorOptions", kind=Kind.TEXTS, pattern=_BEHAVIOR),
    Property(name="resourceProvisioningOptions", kind=Kind.TEXTS, pattern="Team"),
    # https://learn.microsoft.com/graph/api/group-update: these take a signed-in user.
    *(
        Property(name=name, kind=Kind.FLAG, delegated_only=True)
        for name in words(
            "allowExternalSenders autoSubscribeNewMembers hideFromAddressLists hideFromOutlookClients "
            "isSubscribedByMail"
        )
    ),
    Property(name="licenseProcessingState", kind=Kind.OBJECT, read_only=True),
    *(
        Property(name=name, kind=Kind.OBJECTS, read_only=True)
        for name in words("assignedLabels assignedLicenses onPremisesProvisioningErrors serviceProvisioningErrors")
    ),
    *(
        Property(name=name, kind=Kind.FLAG, read_only=True)
        for name in words("hasMembersWithLicenseErrors isArchived isManagementRestricted onPremisesSyncEnabled")
    ),
    *(
        Property(name=name, read_only=True)
        for name in words(
            "id mail onPremisesDomainName onPremisesNetBiosName onPremisesSamAccountName "
            "onPremisesSecurityIdentifier securityIdentifier"
        )
    ),
)
DEFAULT_SELECT: Final = words(
    "id deletedDateTime classification createdDateTime creationOptions description displayName expirationDateTime "
    "groupTypes isAssignableToRole mail mailEnabled mailNickname membershipRule membershipRuleProcessingState "
    "onPremisesDomainName onPremisesLastSyncDateTime onPremisesNetBiosName onPremisesSamAccountName "
    "onPremisesSecurityIdentifier onPremisesSyncEnabled preferredDataLocation preferredLanguage proxyAddresses "
    "renewedDateTime resourceBehaviorOptions resourceProvisioningOptions securityEnabled securityIdentifier theme "
    "uniqueName visibility onPremisesProvisioningErrors serviceProvisioningErrors"
)
_REQUIRED: Final = ("displayName", "mailEnabled", "mailNickname", "securityEnabled")


def check_write(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of a write, each checked. Annotations, bindings included, are left out."""
    check_type(changes, "group")
    checked = {}
    for name, value in changes.items():
        if "@" in name:
            continue
        if is_extension(name):
            if value == "" or isinstance(value, dict):
                raise invalid_value(name, "Group")
            checked[name] = value
        else:
            checked[name] = check(PROPERTIES, "Group", name, value)
    return checked


def check_new(properties: Mapping[str, Any]) -> dict[str, Any]:
    """https://learn.microsoft.com/graph/api/group-post-groups: four required properties, and types that go together."""
    for name in _REQUIRED:
        if properties.get(name) is None:
            raise value_required(name, "Group")
    checked = check_write(properties)
    types = checked.get("groupTypes") or []
    if not set(types) <= {"Unified", "DynamicMembership"}:
        raise invalid_value("groupTypes", "Group")
    if "Unified" in types and not checked["mailEnabled"]:
        raise bad_request("A Unified group must be mail-enabled.")
    if checked["mailEnabled"] and "Unified" not in types:
        # Distribution lists and mail-enabled security groups are made in Exchange and only read here.
        raise bad_request("The service does not currently support writes of mail-enabled groups.")
    if not types and not checked["securityEnabled"]:
        raise bad_request("A group must be security-enabled or of type Unified.")
    if "DynamicMembership" in types and not checked.get("membershipRule"):
        raise value_required("membershipRule", "Group")
    if "Unified" not in types and (checked.get("visibility") == "HiddenMembership" or not _ONCE.isdisjoint(checked)):
        raise bad_request("Only groups of Microsoft 365 have a hidden membership, or options of their resources.")
    if checked.get("isAssignableToRole"):
        return checked | _role_assignable(checked, types)
    return checked


def _role_assignable(properties: Mapping[str, Any], types: Sequence[str]) -> dict[str, Any]:
    """https://learn.microsoft.com/graph/api/resources/group: security-enabled, never dynamic, always Private."""
    if "DynamicMembership" in types or not properties["securityEnabled"]:
        raise invalid_value("isAssignableToRole", "Group")
    if properties.get("visibility", "Private") != "Private":
        raise invalid_value("visibility", "Group")
    return {"visibility": "Private"}


def check_changes(properties: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    """Raises 400 for what is decided when a group is made: https://learn.microsoft.com/graph/api/resources/group

    A Microsoft 365 group stays one; `isAssignableToRole` and a hidden membership stay as they are.
    """
    for name, value in changes.items():
        old = properties.get(name)
        if name in _ONCE or (name == "uniqueName" and old is not None and value != old):
            raise bad_request(f"Property '{name}' is read-only and cannot be set.")
        if name == "groupTypes" and ("Unified" in value) != ("Unified" in (old or ())):
            raise invalid_value(name, "Group")
        if name == "groupTypes" and "DynamicMembership" in value and properties.get("isAssignableToRole"):
            raise invalid_value(name, "Group")
        if name == "isAssignableToRole" and bool(value) != bool(old):
            raise invalid_value(name, "Group")
        if name == "visibility" and value != old and "HiddenMembership" in {value, old}:
            raise invalid_value(name, "Group")
