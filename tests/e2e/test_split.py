"""The app as Flex Consumption splits it: HTTP, user_changes and the rest are three processes on one storage account."""

from __future__ import annotations

from local.demo import CONTOSO, FABRIKAM
from local.emulated import Emulated, until
from local.stack import BY_HAND, Stack
from sync_core.storage.connect import connect


async def test_a_split_app_synchronizes_and_its_doctor_is_content() -> None:
    """Initial sync, a change by webhook, empty queues, a green doctor; each built-in host polls its own queues."""
    async with Stack(settings=BY_HAND, split=True) as stack, Emulated(stack.graph_url) as emulated:
        await emulated.two_tenants(CONTOSO, FABRIKAM, people=3, seed=7)
        for timer in ("keep_subscriptions", "poll_feeds"):
            await stack.start_by_hand(timer)
        people = await emulated.users(CONTOSO, ["id", "mail", "accountEnabled"])
        person = next(person for person in people if person["accountEnabled"])

        async def guest_in(department: str | None) -> bool:
            guests = await emulated.users(FABRIKAM, ["mail", "department"])
            return any(
                guest["mail"] == person["mail"] and department in {None, guest["department"]} for guest in guests
            )

        async def is_there() -> bool:
            return await guest_in(None)

        async def is_changed() -> bool:
            return await guest_in("Split")

        assert await until(is_there, timeout_s=60)
        await emulated.graph(CONTOSO, "PATCH", f"/users/{person['id']}", {"department": "Split"})
        assert await until(is_changed, timeout_s=60)
        storage = connect(stack.azurite.connection_string)

        async def is_idle() -> bool:
            return not any((await storage.queues.depths()).values())

        try:
            assert await until(is_idle, timeout_s=60)
        finally:
            await storage.close()
        code, report = await stack.xtsync("doctor")
        assert (code, {finding["verdict"] for finding in report["findings"]}) == (0, {"ok"})
        if not stack.core_tools:
            http, busy, rest = await stack.polls()
            assert http == {}
            assert busy.keys() == {"user-changes"}
            assert rest.keys() == {"feed-pages", "subscription-events", "plan-jobs"}
