"""Each type as queries see it: its properties, the default ones, those to filter, sort and search by."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from entra_graph_emulator.odata import group_schema, operators, user_schema
from entra_graph_emulator.odata.operators import Operators
from entra_graph_emulator.odata.rules import Kind
from entra_graph_emulator.odata.user_schema import UNTRACKED, is_extension
from entra_graph_emulator.wire.errors import unknown_property, unsupported_query
from entra_graph_emulator.wire.words import words


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityType:
    """`resource` is its name in error messages. Sorting by `sortable_advanced` properties needs an advanced query."""

    name: str
    resource: str
    plural: str
    kinds: Mapping[str, Kind]
    default_select: tuple[str, ...]
    operators: Mapping[str, Operators]
    relations: frozenset[str] = frozenset()
    sortable: frozenset[str] = frozenset()
    sortable_advanced: frozenset[str] = frozenset()
    searchable: frozenset[str] = frozenset()
    is_open: bool = False
    unstored: frozenset[str] = frozenset()
    spellings: Mapping[str, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        names = (*self.kinds, *self.unstored, *self.relations)
        object.__setattr__(self, "spellings", {name.lower(): name for name in names})

    @property
    def full_name(self) -> str:
        return f"microsoft.graph.{self.name}"

    def has(self, name: str) -> bool:
        return name in self.kinds or name in self.unstored or (self.is_open and is_extension(name))

    def official(self, name: str) -> str:
        """The official spelling of a name, which queries may write in any case.

        https://learn.microsoft.com/graph/api/directory-deleteditems-list selects `DisplayName`.
        """
        return self.spellings.get(name.lower(), name)

    def is_collection(self, name: str) -> bool:
        return self.kinds.get(name) in {Kind.TEXTS, Kind.OBJECTS}

    def operators_of(self, path: str) -> Operators | None:
        head = path.partition("/")[0]
        return operators.EXTENSION if self.is_open and is_extension(head) else self.operators.get(head)

    def parse_select(self, text: str | None) -> tuple[str, ...] | None:
        """The names of a `$select`, `id` not added; None without one. Raises 400 for an unknown name."""
        if text is None:
            return None
        names = [name.strip() for name in text.split(",") if name.strip()]
        if not names or names == ["*"]:
            return None
        return tuple(dict.fromkeys(self._selected(name) for name in names))

    def parse_delta_select(self, text: str | None) -> tuple[str, ...] | None:
        names = self.parse_select(text)
        if names is not None and not UNTRACKED.isdisjoint(names):
            raise unsupported_query()
        return names

    def _selected(self, name: str) -> str:
        head, _, member = name.removeprefix(f"{self.full_name}/").partition("/")
        head = self.official(head)
        if self.has(head) or head in self.relations:
            # Members of a complex property cannot be selected: the property is shown whole.
            return head if not member or self.kinds.get(head) is Kind.OBJECT else name
        raise unknown_property(name, self.full_name)


def _kinds(text: str, **others: str) -> dict[str, Kind]:
    kinds = dict.fromkeys(words(text), Kind.TEXT)
    return kinds | {name: Kind(kind) for kind, names in others.items() for name in words(names)}


USER: Final = EntityType(
    name="user",
    resource="User",
    plural="users",
    kinds={name: rule.kind for name, rule in user_schema.PROPERTIES.items()},
    default_select=user_schema.DEFAULT_SELECT,
    operators=operators.USER,
    relations=frozenset(words("manager directReports memberOf transitiveMemberOf sponsors")),
    sortable=frozenset(words("displayName userPrincipalName")),
    sortable_advanced=frozenset(words("createdDateTime deletedDateTime")),
    searchable=frozenset(words("displayName givenName surname mail userPrincipalName otherMails mailNickname")),
    is_open=True,
    unstored=UNTRACKED,
)
GROUP: Final = EntityType(
    name="group",
    resource="Group",
    plural="groups",
    kinds={name: rule.kind for name, rule in group_schema.PROPERTIES.items()},
    default_select=group_schema.DEFAULT_SELECT,
    operators=operators.GROUP,
    relations=frozenset(words("members owners memberOf transitiveMemberOf transitiveMembers")),
    sortable=frozenset(words("displayName")),
    sortable_advanced=frozenset(words("createdDateTime deletedDateTime")),
    searchable=frozenset(words("displayName description mail mailNickname")),
    is_open=True,
)
SERVICE_PRINCIPAL: Final = EntityType(
    name="servicePrincipal",
    resource="ServicePrincipal",
    plural="servicePrincipals",
    kinds=_kinds(
        "id appId appDisplayName appOwnerOrganizationId deletedDateTime description displayName homepage loginUrl "
        "logoutUrl notes preferredSingleSignOnMode servicePrincipalType signInAudience",
        flag="accountEnabled appRoleAssignmentRequired",
        texts="alternativeNames replyUrls servicePrincipalNames tags notificationEmailAddresses",
        objects="appRoles oauth2PermissionScopes keyCredentials passwordCredentials",
        time="createdDateTime",
    ),
    default_select=words(
        "id deletedDateTime accountEnabled alternativeNames appDisplayName appId appOwnerOrganizationId "
        "appRoleAssignmentRequired createdDateTime description displayName homepage servicePrincipalNames "
        "servicePrincipalType signInAudience tags appRoles keyCredentials oauth2PermissionScopes passwordCredentials"
    ),
    operators=operators.SERVICE_PRINCIPAL,
    relations=frozenset(words("appRoleAssignedTo appRoleAssignments memberOf owners oauth2PermissionGrants")),
    sortable_advanced=frozenset(words("displayName createdDateTime deletedDateTime")),
    searchable=frozenset(words("displayName")),
)
APPLICATION: Final = EntityType(
    name="application",
    resource="Application",
    plural="applications",
    kinds=_kinds(
        "id appId applicationTemplateId deletedDateTime description disabledByMicrosoftStatus displayName "
        "groupMembershipClaims notes publisherDomain samlMetadataUrl serviceManagementReference signInAudience "
        "tokenEncryptionKeyId uniqueName",
        flag="isDeviceOnlyAuthSupported isFallbackPublicClient",
        texts="identifierUris tags",
        object="api info optionalClaims parentalControlSettings publicClient spa verifiedPublisher web",
        objects="addIns appRoles keyCredentials passwordCredentials requiredResourceAccess",
        time="createdDateTime",
    ),
    default_select=words(
        "id deletedDateTime appId applicationTemplateId disabledByMicrosoftStatus createdDateTime description "
        "displayName groupMembershipClaims identifierUris isDeviceOnlyAuthSupported isFallbackPublicClient notes "
        "publisherDomain samlMetadataUrl serviceManagementReference signInAudience tags tokenEncryptionKeyId "
        "uniqueName addIns api appRoles info keyCredentials optionalClaims parentalControlSettings passwordCredentials "
        "publicClient requiredResourceAccess verifiedPublisher web spa"
    ),
    operators=operators.APPLICATION,
    relations=frozenset(words("owners extensionProperties")),
    sortable_advanced=frozenset(words("displayName createdDateTime deletedDateTime")),
    searchable=frozenset(words("displayName")),
)
ASSIGNMENT: Final = EntityType(
    name="appRoleAssignment",
    resource="AppRoleAssignment",
    plural="appRoleAssignments",
    kinds=_kinds(
        "id appRoleId principalDisplayName principalId principalType resourceDisplayName resourceId",
        time="createdDateTime deletedDateTime",
    ),
    default_select=words(
        "id deletedDateTime appRoleId createdDateTime principalDisplayName principalId principalType "
        "resourceDisplayName resourceId"
    ),
    operators=operators.ASSIGNMENT,
)
GRANT: Final = EntityType(
    name="oAuth2PermissionGrant",
    resource="OAuth2PermissionGrant",
    plural="oauth2PermissionGrants",
    kinds=_kinds("id clientId consentType principalId resourceId scope"),
    default_select=words("clientId consentType id principalId resourceId scope"),
    operators=operators.GRANT,
)
# Collections of mixed type can be queried by the properties that all types share.
OBJECT: Final = EntityType(
    name="directoryObject",
    resource="DirectoryObject",
    plural="directoryObjects",
    kinds={**USER.kinds, **GROUP.kinds, **SERVICE_PRINCIPAL.kinds},
    default_select=(),
    operators={name: operators.USER[name] for name in ("id", "displayName", "createdDateTime", "mail")},
    relations=frozenset({"manager"}),
    sortable_advanced=frozenset(words("displayName")),
    searchable=frozenset(words("displayName description")),
    is_open=True,
)
DIRECTORY_ROLE: Final = EntityType(
    name="directoryRole",
    resource="DirectoryRole",
    plural="directoryRoles",
    kinds=_kinds("id deletedDateTime description displayName roleTemplateId"),
    default_select=words("id deletedDateTime description displayName roleTemplateId"),
    operators=operators.DIRECTORY_ROLE,
    relations=frozenset({"members"}),
)
CONTACT: Final = EntityType(
    name="orgContact",
    resource="OrgContact",
    plural="contacts",
    kinds=_kinds(
        "id companyName deletedDateTime department displayName givenName jobTitle mail mailNickname surname",
        flag="onPremisesSyncEnabled",
        texts="proxyAddresses",
        objects="addresses onPremisesProvisioningErrors phones serviceProvisioningErrors",
        time="onPremisesLastSyncDateTime",
    ),
    default_select=words(
        "id deletedDateTime companyName department displayName givenName jobTitle mail mailNickname "
        "onPremisesLastSyncDateTime onPremisesSyncEnabled proxyAddresses surname addresses "
        "onPremisesProvisioningErrors phones serviceProvisioningErrors"
    ),
    operators=operators.CONTACT,
    relations=frozenset(words("directReports manager memberOf transitiveMemberOf")),
    sortable=frozenset({"displayName"}),
    searchable=frozenset(words("displayName mail mailNickname")),
)
# Types of which there is no object here: a cast to one is empty.
_ABSENT: Final = tuple(
    EntityType(
        name=name,
        resource=f"{name[0].upper()}{name[1:]}",
        plural=f"{name}s",
        kinds=_kinds("id description displayName"),
        default_select=words("id description displayName"),
        operators=OBJECT.operators,
        sortable_advanced=frozenset({"displayName"}),
        searchable=frozenset(words("displayName description")),
    )
    for name in ("administrativeUnit", "device")
)
BY_NAME: Final = {
    each.name: each
    for each in (
        *(USER, GROUP, SERVICE_PRINCIPAL, APPLICATION, ASSIGNMENT, GRANT, OBJECT, DIRECTORY_ROLE, CONTACT),
        *_ABSENT,
    )
}
