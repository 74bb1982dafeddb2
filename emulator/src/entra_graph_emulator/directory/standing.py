"""The directory roles and the mail contacts of a tenant: made from its users and settings, with the same ids each time.

https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference has the templates' ids.
"""

from typing import Final
from uuid import NAMESPACE_URL, uuid5

from entra_graph_emulator.directory.objects import DirectoryObject, DirectoryRole, OrgContact
from entra_graph_emulator.directory.tenant import Tenant

_ADMINISTRATOR: Final = "62e90394-69f5-4237-9190-012177145e10"
_ROLES: Final = (
    ("Global Administrator", _ADMINISTRATOR),
    ("User Administrator", "fe930be7-5e62-47db-91af-98c3a49a38b1"),
    ("Privileged Role Administrator", "e8611ab8-c189-46e8-94e1-60213ab1f814"),
    ("Directory Readers", "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"),
    ("Directory Writers", "9360feb5-f418-4baa-8175-e2a00bac4301"),
    ("Guest Inviter", "95e79109-95c0-4d8e-aee3-d01accf2d47b"),
)


def roles(tenant: Tenant) -> list[DirectoryRole]:
    made = []
    for ordinal, (name, template) in enumerate(_ROLES):
        role_id = str(uuid5(NAMESPACE_URL, f"{tenant.id}/{template}"))
        properties = {"id": role_id, "description": name, "displayName": name, "roleTemplateId": template}
        made.append(DirectoryRole(id=role_id, ordinal=ordinal, properties=properties, visible_at=tenant.created_at))
    return made


def members_of(tenant: Tenant, role: DirectoryObject) -> list[DirectoryObject]:
    """Administrators, and the apps that hold a directory role, are global ones; the other roles have nobody."""
    if role.get("roleTemplateId") != _ADMINISTRATOR:
        return []
    apps = (tenant.apps.principal_of(each) for each in sorted(tenant.role_holders))
    return [*(each for each in tenant.users() if each.admin), *(each for each in apps if each is not None)]


def contacts(tenant: Tenant) -> list[OrgContact]:
    """One for each address of the setting `contact_addresses`."""
    made = []
    for ordinal, address in enumerate(tenant.settings.contact_addresses):
        contact_id = str(uuid5(NAMESPACE_URL, f"{tenant.id}/{address.lower()}"))
        name = address.partition("@")[0]
        properties = {
            "id": contact_id,
            "displayName": name,
            "mail": address,
            "mailNickname": name,
            "proxyAddresses": [f"SMTP:{address}"],
        }
        made.append(OrgContact(id=contact_id, ordinal=ordinal, properties=properties, visible_at=tenant.created_at))
    return made
