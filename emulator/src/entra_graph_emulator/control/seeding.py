"""Tenants from a description, for `--seed people.yaml` and `POST /_emulator/seed`.

tenants:
  - id: 11111111-1111-1111-1111-111111111111
    displayName: Contoso
    domain: contoso.com
    generate: 100                 # this many made-up users, or {users: 100, seed: 7}
    users:                        # properties as in Graph; a required one that is missing is made up
      - userPrincipalName: ada@contoso.com
        jobTitle: Engineer
        manager: grace@contoso.com
    groups:                       # members: principal names, ids, or names of other groups
      - displayName: Research
        members: [ada@contoso.com]
        owners: [grace@contoso.com]
    apps:                         # permissions in the app's tokens
      00000000-0000-0000-0000-00000000a001: [User.Read.All]
    assignments:                  # users and groups assigned to an enterprise app
      - {app: 00000000-0000-0000-0000-00000000b001, to: Research}
    extensions: [extension_0123456789abcdef0123456789abcdef_badge]  # directory extensions that apps brought along
    policies:
      authorization: {allowInvitesFrom: everyone}
      default: {automaticUserConsentSettings: {inboundAllowed: true}}
      partners:
        - {tenantId: 22222222-2222-2222-2222-222222222222, automaticUserConsentSettings: {outboundAllowed: true}}
    settings: {visibility_s: 0}   # as in PUT /_emulator/tenants/{id}/settings
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from entra_graph_emulator.control.controlled import Controlled
from entra_graph_emulator.directory.objects import DirectoryObject
from entra_graph_emulator.directory.settings import apply
from entra_graph_emulator.directory.tenant import Tenant
from entra_graph_emulator.odata import group_schema
from entra_graph_emulator.odata.user_schema import check_new, extension_name
from entra_graph_emulator.wire.errors import GraphError

_KNOWN = {
    "id",
    "displayName",
    "domain",
    "domains",
    "generate",
    "users",
    "groups",
    "apps",
    "assignments",
    "extensions",
    "policies",
    "settings",
}


def seed_from_file(emulator: Controlled, path: Path) -> list[Tenant]:
    """The tenants made. Raises ValueError, with the name of the file, for anything but a description."""
    try:
        return seed(emulator, yaml.safe_load(path.read_text("utf-8")))
    except (yaml.YAMLError, ValueError) as fault:
        raise ValueError(f"{path}: {fault}") from fault


def seed(emulator: Controlled, description: Any) -> list[Tenant]:
    """The tenants made. Raises ValueError saying what is wrong and where."""
    tenants = description.get("tenants") if isinstance(description, dict) else None
    if not isinstance(tenants, list) or not all(isinstance(each, dict) for each in tenants):
        raise ValueError("a description has a list of tenants")
    return [_tenant(emulator, each) for each in tenants]


def _tenant(emulator: Controlled, given: Mapping[str, Any]) -> Tenant:
    where = f"tenant {given.get('id')}"
    if unknown := given.keys() - _KNOWN:
        raise ValueError(f"{where}: no such key: {', '.join(sorted(map(str, unknown)))}")
    if not all(given.get(name) and isinstance(given[name], str) for name in ("id", "domain")):
        raise ValueError(f"{where}: id and domain are required, as text")
    tenant = emulator.create_tenant(
        given["id"], display_name=str(given.get("displayName") or given["domain"]), domain=given["domain"]
    )
    try:
        _fill(emulator, tenant, given)
    except (GraphError, TypeError, AttributeError, KeyError) as fault:
        raise ValueError(f"{where}: {fault}") from fault
    return tenant


def _fill(emulator: Controlled, tenant: Tenant, given: Mapping[str, Any]) -> None:
    apply(tenant.settings, given.get("settings") or {})
    tenant.domains += [each.lower() for each in given.get("domains") or () if each.lower() not in tenant.domains]
    generate = given.get("generate") or 0
    count, chance = (generate["users"], generate.get("seed", 0)) if isinstance(generate, dict) else (generate, 0)
    emulator.add_people(tenant, int(count), seed=int(chance))
    for name in given.get("extensions") or ():
        tenant.apps.declare_extension(extension_name(name))
    _users(tenant, given.get("users") or ())
    _groups(tenant, given.get("groups") or ())
    for app, roles in (given.get("apps") or {}).items():
        tenant.app_roles[str(app)] = list(roles)
        tenant.apps.grant_roles(str(app), roles)
    for each in given.get("assignments") or ():
        tenant.apps.assign(_found(tenant, each["to"]), tenant.apps.ensure_principal(str(each["app"])))
    _policies(tenant, given.get("policies") or {})


def _users(tenant: Tenant, users: Any) -> None:
    managers: list[tuple[str, str]] = []
    for each in users:
        name = each["userPrincipalName"]
        local = name.partition("@")[0]
        full = {"accountEnabled": True, "displayName": local, "mailNickname": local, "passwordProfile": {}, **each}
        manager = full.pop("manager", None)
        user_id = full.pop("id", None)
        made = tenant.create(check_new(full) | ({} if user_id is None else {"id": user_id}))
        managers += [(made.id, manager)] if manager is not None else []
    for user_id, manager in managers:
        tenant.set_manager(tenant.user(user_id), tenant.user(manager).id)


def _groups(tenant: Tenant, groups: Any) -> None:
    """Make all groups before any link, so that a group may be a member of one that is written below it."""
    made = []
    for each in groups:
        full = {
            "mailEnabled": False,
            "securityEnabled": True,
            "mailNickname": each["displayName"].replace(" ", ""),
            **each,
        }
        links = {relation: full.pop(relation, None) or () for relation in ("members", "owners")}
        group_id = full.pop("id", None)
        checked = group_schema.check_new(full) | ({} if group_id is None else {"id": group_id})
        made.append((tenant.groups.create(checked), links))
    for group, links in made:
        for relation, keys in links.items():
            for key in keys:
                tenant.groups.add(group, relation, _found(tenant, key))


def _policies(tenant: Tenant, given: Mapping[str, Any]) -> None:
    tenant.policies.change_authorization(given.get("authorization") or {})
    if given.get("default"):
        tenant.policies.change_default(given["default"])
    for each in given.get("partners") or ():
        tenant.policies.add_partner(each["tenantId"], {n: v for n, v in each.items() if n != "identitySynchronization"})
        if "identitySynchronization" in each:
            blank = {"tenantId": each["tenantId"].lower(), "displayName": None, "userSyncInbound": None}
            tenant.policies.synchronization[each["tenantId"].lower()] = blank | each["identitySynchronization"]


def _found(tenant: Tenant, key: str) -> DirectoryObject:
    """By id, principal name, or a group's display name."""
    item = tenant.object(key) or tenant.find(key)
    named = [each for each in tenant.groups.live() if each.properties.get("displayName") == key]
    if item is None and not named:
        raise KeyError(f"there is no user or group {key}")
    return item or named[0]
