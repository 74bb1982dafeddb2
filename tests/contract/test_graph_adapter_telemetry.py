"""A request to Graph as a span: within what is under way, and without a value of anybody."""

from __future__ import annotations

import pytest

from sync_core.model.errors import GraphRefusedError, ThrottledError
from sync_core.telemetry.port import Kind, span
from tests.support.graph import answers, client_for, yes
from tests.support.spans import recording
from tests.support.tenants import NOBODY, EmulatedTenants

ADDRESS = "ada@contoso.com"


async def test_each_request_is_a_span_within_what_is_under_way(emulated: EmulatedTenants) -> None:
    """By its method and its path without ids; of requests outside of a trace there is nothing."""
    person = emulated.person("Ada")
    await emulated.source.read_user(person, frozenset())
    with recording() as recorded, span("process user-changes", Kind.WORKED):
        await emulated.source.read_user(person, frozenset())
        await emulated.source.read_user(NOBODY, frozenset())
    assert recorded.tree() == {
        "GET /users/{id}": "process user-changes",
        "GET /directory/deletedItems/{id}/microsoft.graph.user": "process user-changes",
        "process user-changes": None,
    }
    attributes = recorded.named("GET /directory/deletedItems/{id}/microsoft.graph.user").attributes or {}
    assert (attributes["http.request.method"], attributes["http.response.status_code"]) == ("GET", 404)


async def test_no_address_name_or_id_is_in_the_span_of_a_request(emulated: EmulatedTenants) -> None:
    """Filters and bodies have them: neither leaves the app."""
    with recording() as recorded, span("process user-changes", Kind.WORKED):
        guest = await emulated.target.invite(ADDRESS, "Ada Lovelace", confirm=yes)
        await emulated.target.candidates(ADDRESS)
        await emulated.target.update(guest, {"displayName": "Ada Lovelace"}, confirm=yes)
    assert {"POST /invitations", "GET /users", "PATCH /users/{id}"} <= set(recorded.tree())
    assert not any(text in str(value) for value in recorded.values() for text in ("ada", "Ada", "@", "contoso", guest))


@pytest.mark.parametrize(("status", "error"), [(429, ThrottledError), (403, GraphRefusedError)])
async def test_the_time_that_graph_asks_for_is_counted(status: int, error: type[Exception]) -> None:
    """In seconds, by tenant; another refusal counts nothing."""
    client = client_for(answers(status, {}, {"Retry-After": "17"}))
    with recording() as recorded:
        with pytest.raises(error):
            await client.get("/users")
        found = recorded.measured().get("xtsync.graph.throttled", {})
    key = (("http.response.status_code", "429"), ("xtsync.tenant", client.tenant_id))
    assert found == ({key: 17} if status == 429 else {})
