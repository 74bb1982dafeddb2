"""A tenant as one JSON document, and a tenant from such a document: the same to the last id and the last delta token.

This module reads and writes private state of `tenant`, `groups` and `apps`, as no other does. Subscriptions and quotas
are not part of a tenant and stay as they are. A delta token issued after the snapshot gets the error of a reset.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, Final, TypeVar

from entra_graph_emulator.directory.changes import Change, ChangeLog, What
from entra_graph_emulator.directory.objects import Application, DirectoryObject, Group, Record, ServicePrincipal, User
from entra_graph_emulator.directory.settings import apply
from entra_graph_emulator.directory.shelf import Shelf
from entra_graph_emulator.directory.tenant import Tenant

_T = TypeVar("_T", bound=DirectoryObject)
_VERSION: Final = 1
_PLAIN: Final = ("display_name", "initial_domain", "domains", "delta_generation", "delta_reset_form", "app_roles")
_TIMES: Final = frozenset({"visible_at", "deleted_at"})
_SETS: Final = frozenset({"memberships", "reports", "members", "owners"})


def take(tenant: Tenant) -> dict[str, Any]:
    policies = tenant.policies
    return {
        "version": _VERSION,
        "id": tenant.id,
        **{name: deepcopy(getattr(tenant, name)) for name in _PLAIN},
        "role_holders": sorted(tenant.role_holders),
        "settings": asdict(tenant.settings),
        "chance": _dumped_state(tenant._rng.getstate()),
        "users": [_dumped(each) for each in tenant._live],
        "deleted_users": [_dumped(each) for each in tenant._deleted],
        "user_order": list(tenant._order),
        "log": [_dumped_change(each) for each in tenant.log.between(0, len(tenant.log))],
        "groups": [_dumped(each) for each in tenant.groups._live],
        "deleted_groups": [_dumped(each) for each in tenant.groups._deleted],
        "group_order": list(tenant.groups._order),
        "group_log": [_dumped_change(each) for each in tenant.groups.log.between(0, len(tenant.groups.log))],
        "apps": {name: [_dumped(each) for each in getattr(tenant.apps, name)] for name in _APPS},
        "apps_made": tenant.apps._made,
        "extensions": deepcopy(tenant.apps.extensions),
        "policies": deepcopy({name: getattr(policies, name) for name in _POLICIES}),
    }


def restore(tenant: Tenant, document: Mapping[str, Any]) -> None:
    """Replace the tenant's state. If the document is no snapshot, raise ValueError and change nothing."""
    if document.get("version") != _VERSION or document.get("id") != tenant.id:
        raise ValueError("not a snapshot of this tenant")
    spare = Tenant(
        tenant_id=tenant.id,
        display_name=tenant.display_name,
        domain=tenant.domains[0],
        clock=tenant._clock,
        rng=tenant._rng,
        listener=tenant._listener,
    )
    before = tenant._rng.getstate()
    try:
        _fill(spare, deepcopy(dict(document)))
    except (KeyError, TypeError, AttributeError, ValueError) as fault:
        tenant._rng.setstate(before)
        raise ValueError(f"not a snapshot of this emulator: {fault!r}") from fault
    for name, value in vars(spare).items():
        setattr(tenant, name, value)
    tenant.groups._tenant = tenant


_APPS: Final = {
    "principals": ServicePrincipal,
    "applications": Application,
    "assignments": Record,
    "grants": Record,
}
_POLICIES: Final = ("default", "partners", "synchronization", "allowed_cloud_endpoints", "authorization")


def _fill(tenant: Tenant, document: dict[str, Any]) -> None:
    for name in _PLAIN:
        setattr(tenant, name, document[name])
    tenant.role_holders = set(document["role_holders"])
    apply(tenant.settings, document["settings"])
    _shelve(tenant._live, User, document["users"])
    _shelve(tenant._deleted, User, document["deleted_users"])
    tenant._order = document["user_order"]
    tenant._guests = sum(1 for user in tenant._live if user.is_guest)
    _replay(tenant.log, document["log"])
    _shelve(tenant.groups._live, Group, document["groups"])
    _shelve(tenant.groups._deleted, Group, document["deleted_groups"])
    tenant.groups._order = document["group_order"]
    _replay(tenant.groups.log, document["group_log"])
    for name, kind in _APPS.items():
        _shelve(getattr(tenant.apps, name), kind, document["apps"][name])
    tenant.apps._made = document["apps_made"]
    tenant.apps.extensions = document["extensions"]
    for name in _POLICIES:
        setattr(tenant.policies, name, document["policies"][name])
    version, numbers, gauss = document["chance"]
    tenant._rng.setstate((version, tuple(numbers), gauss))


def _dumped(item: DirectoryObject) -> dict[str, Any]:
    """The fields of an object without those at their default: of a hundred thousand objects, most fields are."""
    return {
        each.name: value
        for each in fields(item)
        if (value := _plain(getattr(item, each.name))) not in (None, [], False, 0) or each.name in {"ordinal", "id"}
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict) and all(each is None for each in value.values()):
        return list(value)
    return list(value) if isinstance(value, tuple) else deepcopy(value)


def _shelve(shelf: Shelf[_T], kind: type[_T], items: Iterable[Mapping[str, Any]]) -> None:
    for item in items:
        shelf.add(kind(**{name: _loaded(name, value) for name, value in item.items()}))


def _loaded(name: str, value: Any) -> Any:
    if name in _TIMES:
        return datetime.fromisoformat(value)
    if name in _SETS:
        return dict.fromkeys(value)
    return tuple(value) if name == "sponsors" else value


def _dumped_change(change: Change) -> list[Any]:
    at, user, what, properties, *rest = change
    return [at.isoformat(), user, what.value, sorted(properties), *rest]


def _replay(log: ChangeLog, changes: Iterable[list[Any]]) -> None:
    for at, user, what, properties, manager, link, kind in changes:
        linked = None if link is None else tuple(link)
        log.append(Change(datetime.fromisoformat(at), user, What(what), frozenset(properties), manager, linked, kind))


def _dumped_state(state: tuple[Any, ...]) -> list[Any]:
    version, numbers, gauss = state
    return [version, list(numbers), gauss]
