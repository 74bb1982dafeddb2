"""One person's life on the running stack: over HTTP, by the command, on the page, and in Graph's own log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import expect

from local.demo import CONTOSO, FABRIKAM
from local.emulated import User, until
from tests.support.chromium import HELP, chromium, started
from tests.support.principals import HEADER, OPERATOR_ID, principal
from tests.support.stack import SYNC, SyncedStack

pytestmark = pytest.mark.asyncio(loop_scope="session")

# The history table of the page: of each row what it shows, folded out or not.
SHOWN = """(rows) => rows.map((row) => ({
  at: row.querySelector("time").dateTime,
  kind: row.querySelector("[data-label=Kind]").textContent,
  text: (row.querySelector("summary") ?? row.querySelector("[data-label='What happened']")).textContent,
  facts: [...row.querySelectorAll("details li")].map((each) => each.textContent),
}))"""


class Life:
    """A person of the source tenant, and what the record has of them."""

    def __init__(self, world: SyncedStack, person: User, since: int) -> None:
        self.world, self.person, self.user, self.since = world, person, str(person["id"]), since
        self.kinds: list[str] = []

    @classmethod
    async def begun(cls, world: SyncedStack) -> Life:
        name, domain = "history.life", str((await world.people())[0]["mail"]).rpartition("@")[2]
        hired = {
            "accountEnabled": True,
            "displayName": "Life",
            "mailNickname": name,
            "mail": f"{name}@{domain}",
            "userPrincipalName": f"{name}@{domain}",
            "passwordProfile": {"password": "Passw0rd!Passw0rd!"},
        }
        since = await world.last_request()
        return cls(world, await world.emulated.graph(CONTOSO, "POST", "/users", hired), since)

    async def events(self) -> Any:
        """Over HTTP, newest first."""
        async with self._http("Reader") as http:
            query = {"sync": SYNC, "user": self.user, "limit": "1000"}
            return (await http.get("/api/ops/activity", params=query)).json()["events"]

    async def told(self, *kinds: str) -> None:
        """Wait until the record has just these more, oldest first."""
        self.kinds += kinds

        async def there() -> bool:
            return [each["kind"] for each in reversed(await self.events())] == self.kinds

        assert await until(there, timeout_s=40), await self.events()

    async def approve(self) -> None:
        async with self._http("Operator") as http:
            path = f"/api/ops/holds/{SYNC}/{self.user}"
            assert (await http.post(path, json={"decision": "approve"})).status_code == 200

    async def delete(self) -> None:
        """Held, since the guard's window is full until then; other tests find it as it was."""
        guards = self.world.storage.guards
        before = await guards.window(SYNC)
        full = await guards.save_window(replace(before, slices={datetime.now(UTC).isoformat(): 1000}))
        await self.world.emulated.graph(CONTOSO, "DELETE", f"/users/{self.user}")

        async def held() -> bool:
            return await guards.hold(SYNC, self.user) is not None

        assert await until(held, timeout_s=40)
        now = await guards.window(SYNC)
        await guards.save_window(replace(full, slices=before.slices, etag=now.etag))

    async def on_the_page(self) -> Sequence[Mapping[str, Any]]:
        """The rows of the person's history, newest first, as a browser has them."""
        async with started() as browser:
            context = await browser.new_context(extra_http_headers={HEADER: principal("Reader")})
            page = await context.new_page()
            await page.goto(f"{self.world.stack.functions_url}/api/ops/#/people/{SYNC}/{self.user}")
            rows = page.get_by_role("table", name="What happened").locator("tbody tr")
            await expect(rows.first).to_be_visible(timeout=20_000)
            shown: Sequence[Mapping[str, Any]] = await rows.evaluate_all(SHOWN)
            return shown

    def _http(self, role: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.world.stack.functions_url, timeout=30, headers={HEADER: principal(role)})


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def life(world: SyncedStack) -> Life:
    """Hired, moved, disabled, enabled, held, approved, deleted, back."""
    life = await Life.begun(world)
    await life.told("invited")
    for change, kind in (
        ({"department": "Sales"}, "updated"),
        ({"accountEnabled": False}, "disabled"),
        ({"accountEnabled": True}, "enabled"),
    ):
        await world.patch(life.person, change)
        await life.told(kind)
    await world.a_while_later()
    await life.delete()
    await life.told("held")
    await life.approve()
    await life.told("approved", "soft_deleted")
    await world.emulated.graph(CONTOSO, "POST", f"/directory/deletedItems/{life.user}/restore")
    await life.told("restored")
    return life


async def test_a_life_is_told_and_every_write_of_it_is_found(world: SyncedStack, life: Life) -> None:
    """The command and the endpoint say the same, with the ids of the target's own requests."""
    events = await life.events()
    assert await world.stack.xtsync("history", life.user, "--sync", SYNC) == (0, {"events": events, "more": None})
    assert [each["operator"] for each in events if each["operator"]] == [OPERATOR_ID]
    (target_id,) = {event["target_id"] for event in events} - {None}
    noted = [each for event in reversed(events) for each in event["graph_request_ids"]]
    logged = [
        each["id"]
        for each in await world.requests(life.since)
        if each["tenant"] == FABRIKAM
        and each["method"] != "GET"
        and each["status"] < 300
        and (target_id in each["path"] or each["path"] == "/invitations")
    ]
    assert set(noted) <= set(logged)
    writing = [event for event in events if event["kind"] not in {"held", "approved"}]
    assert all(event["graph_request_ids"] for event in writing)
    assert len(noted) == len(set(noted)) >= len(writing)
    others = [each for each in logged if each not in noted]
    about = {each["id"]: each["path"] for each in await world.requests(life.since)}
    assert {about[each] for each in others} <= {"/invitations"}  # of somebody else


@pytest.mark.skipif(chromium() is None, reason=HELP)
async def test_the_page_tells_the_same_life(life: Life) -> None:
    """Each event in the same order: when, its kind and sentence, attributes, who decided, and the requests' ids.

    The page calls the caller "you", whose object id is on record.
    """
    events, shown = await life.events(), await life.on_the_page()
    assert [(row["at"], row["kind"], row["text"]) for row in shown] == [
        (event["at"], event["kind"].replace("_", " "), _said(event["text"], event).replace("`", "")) for event in events
    ]
    for row, event in zip(shown, events, strict=True):
        facts = dict(fact.split(": ", 1) for fact in row["facts"])
        assert facts.get("by") == ("you" if event["operator"] else None)
        assert facts.get("target user") == event["target_id"]
        assert facts.get("request ids", "") == ", ".join(event["graph_request_ids"])
        assert facts.get("attributes", "") == ", ".join(event["attributes"])


def _said(text: str, event: Mapping[str, Any]) -> str:
    return text.replace(event["operator"], "you") if event["operator"] else text
