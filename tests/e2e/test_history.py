"""One person's life on the running stack: in the record, over HTTP and on the command line, and in Graph's own log."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from local.demo import CONTOSO, FABRIKAM
from local.emulated import until
from tests.support.principals import HEADER, principal
from tests.support.stack import SYNC, SyncedStack

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def over_http(world: SyncedStack, user: str) -> Any:
    async with httpx.AsyncClient(base_url=world.stack.functions_url, timeout=30) as http:
        query = {"sync": SYNC, "user": user, "limit": "1000"}
        return (await http.get("/api/ops/activity", params=query, headers={HEADER: principal("Reader")})).json()


async def test_a_life_is_told_and_every_write_of_it_is_found(world: SyncedStack) -> None:
    """Hired, moved, disabled, enabled, deleted, back: the same three times, by the ids of the target's own requests."""
    since = await world.last_request()
    name, domain = "history.life", str((await world.people())[0]["mail"]).rpartition("@")[2]
    person = await world.emulated.graph(
        CONTOSO,
        "POST",
        "/users",
        {
            "accountEnabled": True,
            "displayName": "Life",
            "mailNickname": name,
            "mail": f"{name}@{domain}",
            "userPrincipalName": f"{name}@{domain}",
            "passwordProfile": {"password": "Passw0rd!Passw0rd!"},
        },
    )
    user = str(person["id"])

    async def told(*kinds: str) -> None:
        """Wait until the record has just these, oldest first."""

        async def there() -> bool:
            return [each["kind"] for each in reversed((await over_http(world, user))["events"])] == [*kinds]

        assert await until(there, timeout_s=40), (await over_http(world, user))["events"]

    life = ["invited"]
    await told(*life)
    for change, kind in (
        ({"department": "Sales"}, "updated"),
        ({"accountEnabled": False}, "disabled"),
        ({"accountEnabled": True}, "enabled"),
    ):
        await world.patch(person, change)
        life.append(kind)
        await told(*life)
    await world.a_while_later()
    await world.emulated.graph(CONTOSO, "DELETE", f"/users/{user}")
    await told(*life, "soft_deleted")
    await world.emulated.graph(CONTOSO, "POST", f"/directory/deletedItems/{user}/restore")
    await told(*life, "soft_deleted", "restored")

    events = (await over_http(world, user))["events"]
    assert await world.stack.xtsync("history", user, "--sync", SYNC) == (0, {"events": events, "more": None})
    (target_id,) = {event["target_id"] for event in events}
    noted = [each for event in reversed(events) for each in event["graph_request_ids"]]
    logged = [
        each["id"]
        for each in await world.requests(since)
        if each["tenant"] == FABRIKAM
        and each["method"] != "GET"
        and each["status"] < 300
        and (target_id in each["path"] or each["path"] == "/invitations")
    ]
    assert set(noted) <= set(logged)
    assert len(noted) == len(set(noted)) >= len(events)
    others = [each for each in logged if each not in noted]
    about = {each["id"]: each["path"] for each in await world.requests(since)}
    assert {about[each] for each in others} <= {"/invitations"}  # of somebody else
