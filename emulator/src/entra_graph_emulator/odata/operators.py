"""The `$filter` operators that each property takes, and those that need an advanced query.

https://learn.microsoft.com/graph/aad-advanced-queries, "Support for filter on properties of Microsoft Entra objects".
In each row, the operators before the bar work by default; those after it need `ConsistencyLevel: eventual` and
`$count=true`. `ne` and `not` always need them. `null` stands for a comparison with null.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Operators:
    default: frozenset[str]
    advanced: frozenset[str]


def _table(text: str) -> dict[str, Operators]:
    rows: dict[str, Operators] = {}
    for line in text.strip().splitlines():
        names, _, operators = line.partition(":")
        default, _, advanced = operators.partition("|")
        for name in names.split():
            rows[name] = Operators(frozenset(default.split()), frozenset({"ne", "not", *advanced.split()}))
    return rows


EXTENSION: Final = Operators(frozenset({"eq", "in", "ge", "le"}), frozenset({"ne", "not", "startswith", "null"}))
USER: Final = _table("""
accountEnabled: eq in | ge le
ageGroup consentProvidedForMinor legalAgeGroupClassification: eq in | null
assignedLicenses assignedPlans: eq | $count
businessPhones: | eq ge le startswith $count
city country department state: eq in startswith ge le | null
companyName mobilePhone officeLocation postalCode preferredLanguage streetAddress: | eq ge le in startswith null
createdDateTime deletedDateTime: eq ge le | in null
creationType: eq in null |
displayName: eq in startswith ge le | null
employeeHireDate employeeLeaveDateTime onPremisesLastSyncDateTime: | eq ge le in null
employeeId: eq in startswith ge le | null
employeeOrgData: | eq ge le in null
employeeType onPremisesSamAccountName faxNumber: | eq ge le in startswith null
externalUserState: eq in | null
externalUserStateChangeDateTime: eq ge le | in null
givenName surname jobTitle mailNickname: eq in startswith ge le | null
id: eq in |
identities: eq |
imAddresses: eq ge le startswith | $count
isResourceAccount: eq |
mail: eq in startswith ge le | endswith null
onPremisesExtensionAttributes: | eq in ge le null startswith
onPremisesImmutableId: eq | ge le in null
onPremisesSecurityIdentifier: eq in | null
onPremisesSyncEnabled: eq in | ge le null
onPremisesUserPrincipalName usageLocation: eq in startswith ge le | null
otherMails proxyAddresses: eq startswith ge le | endswith $count
passwordPolicies: | eq null
showInAddressList: | eq ge le in null
userPrincipalName: eq in startswith ge le | endswith
userType: eq in | null
""")
GROUP: Final = _table("""
classification: | eq ge le in startswith null
createdDateTime: eq ge le | in
deletedDateTime: eq ge le | in null
description: eq startswith ge le in | null
displayName: eq in startswith ge le | null
expirationDateTime: | eq ge le in null
groupTypes: eq | $count
hasMembersWithLicenseErrors: eq |
id: eq in |
isAssignableToRole: eq | null
mail: eq in startswith ge le | endswith null
mailEnabled securityEnabled: eq in |
mailNickname: eq in startswith ge le | null
membershipRule membershipRuleProcessingState: eq in startswith | ge le null
onPremisesLastSyncDateTime: eq in ge le | null
onPremisesSamAccountName onPremisesSecurityIdentifier: eq in startswith | ge le null
onPremisesSyncEnabled: eq in | null
preferredLanguage theme: | eq ge le in startswith null
proxyAddresses: eq startswith | endswith $count
renewedDateTime: | eq ge le in
securityIdentifier: eq in |
uniqueName: eq |
visibility: |
""")
SERVICE_PRINCIPAL: Final = _table("""
accountEnabled: eq in |
alternativeNames: eq startswith ge le |
appId id: eq in |
appOwnerOrganizationId: | eq ge le
createdDateTime: | eq ge le in
displayName: eq in startswith ge le | null
homepage: eq in startswith ge le | null
servicePrincipalNames tags: eq startswith ge le |
servicePrincipalType: eq in |
""")
APPLICATION: Final = _table("""
appId id: eq in |
createdDateTime: eq ge le | in
displayName: eq in startswith ge le | null
identifierUris tags: eq startswith ge le |
signInAudience: eq in startswith | ge le
uniqueName: eq |
""")
ASSIGNMENT: Final = _table("""
id appRoleId resourceId: eq |
principalId resourceDisplayName principalDisplayName: eq startswith |
principalType: eq |
""")
DIRECTORY_ROLE: Final = _table("""
description displayName id roleTemplateId: eq in |
""")
CONTACT: Final = _table("""
companyName department givenName jobTitle surname: | eq ge le in startswith null
displayName mail mailNickname: eq in startswith ge le | null
id: eq in |
proxyAddresses: eq startswith ge le | $count
""")
GRANT: Final = _table("""
id clientId consentType principalId resourceId: eq |
scope: eq startswith |
""")
