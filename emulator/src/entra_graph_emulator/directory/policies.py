"""A tenant's policies on guests: the permission to invite, and the agreements with other tenants.

https://learn.microsoft.com/graph/api/resources/crosstenantaccesspolicy-overview and
https://learn.microsoft.com/graph/api/resources/authorizationpolicy. A null of a partner takes the default's value.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

from entra_graph_emulator.wire.errors import GraphError, bad_request

_CONSENT: Final = "automaticUserConsentSettings"
_INVITERS: Final = ("none", "adminsAndGuestInviters", "adminsGuestInvitersAndAllMembers", "everyone")
_PARTNER: Final = (
    "isServiceProvider",
    "isInMultiTenantOrganization",
    "inboundTrust",
    "b2bCollaborationOutbound",
    "b2bCollaborationInbound",
    "b2bDirectConnectOutbound",
    "b2bDirectConnectInbound",
    "tenantRestrictions",
)


def _everybody(access: str) -> dict[str, Any]:
    def targets(target: str, kind: str) -> dict[str, Any]:
        return {"accessType": access, "targets": [{"target": target, "targetType": kind}]}

    return {
        "usersAndGroups": targets("AllUsers", "user"),
        "applications": targets("AllApplications", "application"),
    }


def _service_default() -> dict[str, Any]:
    return {
        "isServiceDefault": True,
        "inboundTrust": {
            "isMfaAccepted": False,
            "isCompliantDeviceAccepted": False,
            "isHybridAzureADJoinedDeviceAccepted": False,
        },
        "b2bCollaborationOutbound": _everybody("allowed"),
        "b2bCollaborationInbound": _everybody("allowed"),
        "b2bDirectConnectOutbound": _everybody("blocked"),
        "b2bDirectConnectInbound": _everybody("blocked"),
        "tenantRestrictions": _everybody("blocked"),
        _CONSENT: {"inboundAllowed": False, "outboundAllowed": False},
        "invitationRedemptionIdentityProviderConfiguration": {
            "primaryIdentityProviderPrecedenceOrder": [
                "azureActiveDirectory",
                "externalFederation",
                "socialIdentityProviders",
            ],
            "fallbackIdentityProvider": "defaultConfiguredIdp",
        },
    }


class Policies:
    def __init__(self) -> None:
        self.default = _service_default()
        self.partners: dict[str, dict[str, Any]] = {}
        self.synchronization: dict[str, dict[str, Any]] = {}
        self.allowed_cloud_endpoints: list[str] = []
        self.authorization: dict[str, Any] = {
            "id": "authorizationPolicy",
            "allowInvitesFrom": "everyone",
            "allowedToSignUpEmailBasedSubscriptions": True,
            "allowedToUseSSPR": True,
            "allowEmailVerifiedUsersToJoinOrganization": False,
            "allowUserConsentForRiskyApps": None,
            "blockMsolPowerShell": False,
            "displayName": "Authorization Policy",
            "description": "Used to manage authorization related settings across the company.",
            "guestUserRoleId": "10dae51f-b6af-4016-8d66-8c2a99b929b3",
            "defaultUserRolePermissions": {
                "allowedToCreateApps": True,
                "allowedToCreateSecurityGroups": True,
                "allowedToCreateTenants": True,
                "allowedToReadBitlockerKeysForOwnedDevice": True,
                "allowedToReadOtherUsers": True,
                "permissionGrantPoliciesAssigned": [],
            },
        }

    # Questions of invitations

    def consents(self, direction: str, tenant_id: str) -> bool:
        """Whether automatic redemption with a tenant is allowed. `direction`: `inboundAllowed`, `outboundAllowed`."""
        partner = self.partners.get(tenant_id.lower(), {}).get(_CONSENT) or {}
        own = partner.get(direction)
        return bool(own if own is not None else self.default[_CONSENT].get(direction))

    def blocks(self, direction: str, tenant_id: str) -> bool:
        """Whether B2B collaboration with all users of that tenant is blocked; `direction` is Inbound or Outbound."""
        name = f"b2bCollaboration{direction}"
        setting = self.partners.get(tenant_id.lower(), {}).get(name) or self.default.get(name) or {}
        users = setting.get("usersAndGroups") or {}
        everybody = any(
            each.get("target") == "AllUsers" for each in users.get("targets") or () if isinstance(each, dict)
        )
        return users.get("accessType") == "blocked" and everybody

    # Writing

    def change_default(self, changes: Mapping[str, Any]) -> None:
        known = _checked(changes, set(self.default) - {"isServiceDefault"})
        for name, value in known.items():
            merge = isinstance(self.default[name], dict) and isinstance(value, dict)
            self.default[name] = {**self.default[name], **value} if merge else value
        self.default["isServiceDefault"] = False

    def reset_default(self) -> None:
        self.default = _service_default()

    def partner(self, tenant_id: str) -> dict[str, Any]:
        """Raises 404."""
        found = self.partners.get(tenant_id.lower())
        if found is None:
            raise GraphError(404, "Request_ResourceNotFound", f"Resource '{tenant_id}' does not exist.")
        return found

    def add_partner(self, tenant_id: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        if tenant_id.lower() in self.partners:
            raise bad_request("Another object with the same value for property tenantId already exists.")
        known = _checked(properties, {*_PARTNER, _CONSENT})
        consent = {"inboundAllowed": None, "outboundAllowed": None} | (known.pop(_CONSENT, None) or {})
        made = {"tenantId": tenant_id.lower(), **dict.fromkeys(_PARTNER), **known, _CONSENT: consent}
        self.partners[tenant_id.lower()] = made
        return made

    def change_partner(self, tenant_id: str, changes: Mapping[str, Any]) -> None:
        partner = self.partner(tenant_id)
        for name, value in _checked(changes, {*_PARTNER, _CONSENT}).items():
            merge = isinstance(partner.get(name), dict) and isinstance(value, dict)
            partner[name] = {**partner[name], **value} if merge else value

    def remove_partner(self, tenant_id: str) -> None:
        """https://learn.microsoft.com/graph/api/crosstenantaccesspolicyconfigurationpartner-delete

        Raises 400 for a partner that still has a synchronization policy.
        """
        self.partner(tenant_id)
        if tenant_id.lower() in self.synchronization:
            raise bad_request("The partner still has an identity synchronization policy; delete that first.")
        del self.partners[tenant_id.lower()]

    def change_authorization(self, changes: Mapping[str, Any]) -> None:
        known = _checked(changes, set(self.authorization) - {"id"})
        if known.get("allowInvitesFrom", "everyone") not in _INVITERS:
            raise bad_request(
                "Invalid value specified for property 'allowInvitesFrom' of resource 'AuthorizationPolicy'."
            )
        for name, value in known.items():  # members of a complex property that are not sent stay
            old = self.authorization[name]
            self.authorization[name] = old | value if isinstance(old, dict) and isinstance(value, dict) else value


def _checked(changes: Mapping[str, Any], known: set[str]) -> dict[str, Any]:
    given = {name: deepcopy(value) for name, value in changes.items() if "@" not in name and name != "tenantId"}
    for name, value in given.items():
        if name not in known:
            raise bad_request(f"Invalid property '{name}'.")
        if name == _CONSENT and not _is_consent(value):
            raise bad_request(f"Invalid value specified for property '{name}'.")
        if name.startswith(("b2b", "inbound", "tenantR", "default")) and not isinstance(value, dict | None):
            raise bad_request(f"Invalid value specified for property '{name}'.")
    return given


def _is_consent(value: Any) -> bool:
    return isinstance(value, dict) and all(
        name.startswith("@") or (name in {"inboundAllowed", "outboundAllowed"} and isinstance(each, bool | None))
        for name, each in value.items()
    )
