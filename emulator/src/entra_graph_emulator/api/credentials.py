"""Passwords and owners of `/applications` and `/servicePrincipals`, which have both in the same way.

https://learn.microsoft.com/graph/api/application-addpassword, application-removepassword, application-post-owners
"""

from dataclasses import replace
from datetime import datetime, timedelta
from string import ascii_letters, digits
from typing import Any, Final

from entra_graph_emulator.api.apps import find_application, find_principal, writable_app
from entra_graph_emulator.calls.call import Call
from entra_graph_emulator.calls.queries import Collection, among, counted, listed
from entra_graph_emulator.calls.references import referenced
from entra_graph_emulator.directory import relations
from entra_graph_emulator.directory.objects import Application, ServicePrincipal
from entra_graph_emulator.odata.entities import OBJECT
from entra_graph_emulator.odata.rules import check_names
from entra_graph_emulator.wire.clock import instant, parse_instant
from entra_graph_emulator.wire.errors import bad_request, invalid_value, not_found, value_required
from entra_graph_emulator.wire.ids import guid
from entra_graph_emulator.wire.messages import Response, json_response, no_content

_TWO_YEARS: Final = timedelta(days=730)
_SIGNS: Final = ascii_letters + digits + "~._-"
_LENGTH: Final = 40
_MOST_OWNERS: Final = 100


async def add_password(call: Call) -> Response:
    """The secret is in this answer alone; any other read has the rest. It lasts two years unless the body says so."""
    item = writable_app(call, _item(call))
    given = call.body(optional=True).get("passwordCredential") or {}
    check_names(given, {"displayName", "startDateTime", "endDateTime"}, "passwordCredential")
    begins = _time(given, "startDateTime", call.now)
    ends = _time(given, "endDateTime", begins + _TWO_YEARS)
    if ends <= begins:
        raise invalid_value("endDateTime", "PasswordCredential")
    secret = "".join(call.service.ids.choices(_SIGNS, k=_LENGTH))
    made = {
        "customKeyIdentifier": None,
        "displayName": given.get("displayName"),
        "endDateTime": instant(ends),
        "hint": secret[:3],
        "keyId": guid(call.service.ids),
        "secretText": None,
        "startDateTime": instant(begins),
    }
    _set_passwords(call, item, [*_passwords(item), made])
    where = f"{call.origin}/v1.0/$metadata#microsoft.graph.passwordCredential"
    return json_response(200, {"@odata.context": where, **made, "secretText": secret})


async def remove_password(call: Call) -> Response:
    item, key = writable_app(call, _item(call)), call.body().get("keyId")
    if not isinstance(key, str):
        raise value_required("keyId", "PasswordCredential")
    kept = [each for each in _passwords(item) if each["keyId"] != key.lower()]
    if len(kept) == len(_passwords(item)):
        raise bad_request(f"No password credential found with keyId '{key}'.")
    _set_passwords(call, item, kept)
    return no_content()


async def list_owners(call: Call) -> Response:
    return listed(call, _owners(call))


async def count_owners(call: Call) -> Response:
    return counted(call, _owners(call))


async def list_owner_references(call: Call) -> Response:
    found = relations.related(call.tenant, _item(call), "owners")
    value = [{"@odata.id": f"{call.origin}/v1.0/directoryObjects/{each.id}"} for each in found]
    return json_response(200, {"@odata.context": f"{call.origin}/v1.0/$metadata#Collection($ref)", "value": value})


async def add_owner(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/application-post-owners: users and service principals."""
    item = writable_app(call, _item(call))
    key = referenced(call.body().get("@odata.id"))
    owner = call.tenant.user(key) if "@" in key else call.anything(key)
    if owner.kind not in {"user", "servicePrincipal"} or len(item.owners) >= _MOST_OWNERS:
        raise invalid_value("owners", "Application")
    if owner.id in item.owners:
        raise bad_request(
            "One or more added object references already exist for the following modified properties: 'owners'."
        )
    item.owners[owner.id] = None
    return no_content()


async def remove_owner(call: Call) -> Response:
    item, owner = writable_app(call, _item(call)), call.parameters[2]
    if owner not in item.owners:
        raise not_found(owner)
    del item.owners[owner]
    return no_content()


def _item(call: Call) -> Any:
    """The application or service principal that the path names, by the object's key after the collection's name."""
    plural, *rest = call.parameters
    find = find_application if plural == "applications" else find_principal
    return find(replace(call, parameters=tuple(rest)))


def _owners(call: Call) -> Collection:
    item = _item(call)
    found = relations.related(call.tenant, item, "owners")
    path = f"{call.parameters[0]}/{item.id}/owners"
    return Collection(of=OBJECT, path=path, find=among(found), mixed=True, strict=True, ordered=True)


def _passwords(item: Application | ServicePrincipal) -> list[dict[str, Any]]:
    return list(item.properties.get("passwordCredentials") or ())


def _set_passwords(call: Call, item: Application | ServicePrincipal, passwords: list[dict[str, Any]]) -> None:
    apps = call.tenant.apps
    if isinstance(item, Application):
        apps.applications.change(item, {"passwordCredentials": passwords})
    else:
        apps.principals.change(item, {"passwordCredentials": passwords})


def _time(given: dict[str, Any], name: str, default: datetime) -> datetime:
    if given.get(name) is None:
        return default
    try:
        return parse_instant(given[name])
    except (TypeError, ValueError, OverflowError):
        raise invalid_value(name, "PasswordCredential") from None
