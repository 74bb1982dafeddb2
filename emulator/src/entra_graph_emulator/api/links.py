"""`manager` and `sponsors` of users, by reference.

https://learn.microsoft.com/graph/api/user-post-manager, https://learn.microsoft.com/graph/api/user-post-sponsors
"""

from entra_graph_emulator.calls.call import Call
from entra_graph_emulator.calls.queries import Collection, among, entity, listed
from entra_graph_emulator.calls.references import referenced
from entra_graph_emulator.calls.views import context
from entra_graph_emulator.directory import relations
from entra_graph_emulator.odata.entities import OBJECT
from entra_graph_emulator.wire.errors import bad_request, not_found
from entra_graph_emulator.wire.messages import Response, json_response, no_content


async def get_manager(call: Call) -> Response:
    call.allow("$select")
    user = call.user()
    manager = relations.manager(call.tenant, user)
    if manager is None:
        raise not_found("manager")
    body = entity(call, manager, call.select)
    return json_response(200, {"@odata.context": context(call.origin, "directoryObjects", None, entity=True), **body})


async def get_manager_reference(call: Call) -> Response:
    user = call.user()
    manager = relations.manager(call.tenant, user)
    if manager is None:
        raise not_found("manager")
    url = f"{call.origin}/v1.0/directoryObjects/{manager.id}"
    return json_response(200, {"@odata.context": f"{call.origin}/v1.0/$metadata#$ref", "@odata.id": url})


async def set_manager(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/user-post-manager"""
    key = referenced(call.body().get("@odata.id"))
    user = call.user(writing=True)
    manager = call.tenant.user(key)
    if manager is user:
        raise bad_request("A user cannot be the manager of itself.")
    call.tenant.set_manager(user, manager.id)
    return no_content()


async def remove_manager(call: Call) -> Response:
    """Without a manager: 404, as for any missing reference. No page says it, so a setting has 204."""
    user = call.user(writing=True)
    if user.manager is None and call.tenant.settings.missing_manager_status == 204:
        return no_content()
    if user.manager is None:
        raise not_found("manager")
    call.tenant.set_manager(user, None)
    return no_content()


async def list_sponsors(call: Call) -> Response:
    user = call.user()
    found = relations.sponsors(call.tenant, user)
    path = f"users/{user.id}/sponsors"
    return listed(call, Collection(of=OBJECT, path=path, find=among(found), mixed=True, strict=True, ordered=True))


async def add_sponsor(call: Call) -> Response:
    key = referenced(call.body().get("@odata.id"))
    user = call.user(writing=True)
    sponsor = call.tenant.user(key) if "@" in key else call.anything(key)
    if sponsor.kind not in {"user", "group"}:
        raise bad_request("Invalid value specified for property 'sponsors' of resource 'User'.")
    if sponsor.id in user.sponsors:
        raise bad_request(
            "One or more added object references already exist for the following modified properties: 'sponsors'."
        )
    call.tenant.set_sponsors(user, (*user.sponsors, sponsor.id))
    return no_content()


async def remove_sponsor(call: Call) -> Response:
    user, sponsor = call.user(writing=True), call.parameters[1]
    if sponsor not in user.sponsors:
        raise not_found(sponsor)
    call.tenant.set_sponsors(user, (each for each in user.sponsors if each != sponsor))
    return no_content()
