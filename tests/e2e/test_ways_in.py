"""Every way in from outside: what Graph posts, what others post, what turns up on a queue, what is indexed."""

from __future__ import annotations

import json

import httpx
import pytest

from local.demo import CONTOSO
from local.emulated import until
from tests.support.stack import SyncedStack

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOTIFICATIONS = "/api/graph/notifications"
LIFECYCLE = "/api/graph/lifecycle"


async def post(world: SyncedStack, path: str, body: bytes, content_type: str = "application/json") -> httpx.Response:
    async with httpx.AsyncClient(base_url=world.stack.functions_url, timeout=30) as http:
        return await http.post(path, content=body, headers={"Content-Type": content_type})


async def test_every_function_is_indexed_with_its_trigger(world: SyncedStack) -> None:
    """Microsoft's worker finds all of them, and the host's checks accept every binding."""
    assert await world.stack.functions() == [
        "feed_pages",
        "graph_lifecycle",
        "graph_notifications",
        "health",
        "keep_subscriptions",
        "ops_activity",
        "ops_adopt",
        "ops_adoption",
        "ops_adoptions",
        "ops_ask_plan",
        "ops_caller",
        "ops_config",
        "ops_creations",
        "ops_creations_approve",
        "ops_decide",
        "ops_decide_listed",
        "ops_decisions",
        "ops_doctor",
        "ops_drift",
        "ops_due",
        "ops_end_keep",
        "ops_find",
        "ops_holds",
        "ops_hours",
        "ops_keep",
        "ops_link",
        "ops_links",
        "ops_look",
        "ops_move",
        "ops_names",
        "ops_notices",
        "ops_page",
        "ops_page_file",
        "ops_pair",
        "ops_pause",
        "ops_pause_all",
        "ops_plan",
        "ops_plan_changes",
        "ops_plans",
        "ops_redeem",
        "ops_resume",
        "ops_resume_all",
        "ops_resync",
        "ops_status",
        "ops_sync",
        "ops_sync_listed",
        "ops_unlink",
        "ops_verify",
        "ops_why",
        "plan_jobs",
        "poll_feeds",
        "subscription_events",
        "user_changes",
    ]


async def test_health_says_nothing_about_anybody(world: SyncedStack) -> None:
    """Liveness without secrets."""
    async with httpx.AsyncClient(base_url=world.stack.functions_url) as http:
        response = await http.get("/api/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", [NOTIFICATIONS, LIFECYCLE])
async def test_the_handshake_echoes_the_decoded_token(world: SyncedStack, path: str) -> None:
    """As plain text, byte for byte, and decoded exactly once."""
    async with httpx.AsyncClient(base_url=world.stack.functions_url) as http:
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        response = await http.post(f"{path}?validationToken=a%20b%2Bc%2520d", content=b"", headers=headers)
    assert response.status_code == 200
    assert response.text == "a b+c%20d"
    assert response.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"{}", "text/plain", 415),
        (b'{"value":[' + b" " * 2_000_000 + b"]}", "application/json", 413),
    ],
)
async def test_a_bad_post_gets_a_short_refusal(world: SyncedStack, body: bytes, content_type: str, status: int) -> None:
    """4xx, a reason, and nothing on the queue."""
    response = await post(world, NOTIFICATIONS, body, content_type)
    assert response.status_code == status
    assert 0 < len(response.text) < 100


async def test_a_forged_notification_is_answered_and_never_enqueued(world: SyncedStack) -> None:
    """Unknown subscription, wrong tenant, wrong client state: 202 so that it is not sent again, and no read follows."""
    record = await world.storage.subscriptions.get("contoso")
    assert record is not None
    person = (await world.people())[0]["id"]
    good = {
        "subscriptionId": record.subscription_id,
        "tenantId": CONTOSO,
        "clientState": "forged",
        "changeType": "updated",
        "resourceData": {"id": person},
    }
    others = [
        {**good, "subscriptionId": person},
        {**good, "tenantId": person},
        "nonsense",
        {**good, "clientState": None},
    ]
    assert await until(world.idle, timeout_s=30)  # other tests of this stack may have left work behind
    since = await world.last_request()
    response = await post(world, NOTIFICATIONS, json.dumps({"value": [good, *others]}).encode())
    assert response.status_code == 202
    assert (await world.storage.queues.depths())["user-changes"] == 0
    assert await world.requests(since) == []


async def test_a_lifecycle_event_renews_the_subscription(world: SyncedStack) -> None:
    """reauthorizationRequired leads to a PATCH of the expiry, and to no second subscription."""
    since = await world.last_request()
    await world.emulated.control("POST", f"/tenants/{CONTOSO}/reauthorize")

    async def renewed() -> bool:
        requests = await world.requests(since)
        return any(r["method"] == "PATCH" and r["path"].startswith("/subscriptions/") for r in requests)

    assert await until(renewed, timeout_s=15)
    assert await world.emulated.count(CONTOSO, "subscriptions") == 1


async def test_a_message_that_nobody_here_wrote_is_kept_and_stops_nothing(world: SyncedStack) -> None:
    """It goes to the poison queue, the poll records it, and everybody else goes on."""
    before = await world.storage.activity.poison_count()
    await world.storage.queues_by_name["user-changes-poison"].send("not one of ours")

    async def recorded() -> bool:
        return await world.storage.activity.poison_count() > before

    await world.stack.start_by_hand("poll_feeds")
    assert await until(recorded, timeout_s=20)
    await world.patch((await world.people())[5], {"department": "After the poison"})
    assert await world.agree() == []


async def test_the_log_names_nobody(world: SyncedStack) -> None:
    """No mail address, no client state, no token in anything that the app or the host printed."""
    log = "".join(world.stack.log)
    people = await world.people()
    assert not [person["mail"] for person in people if person["mail"] in log or person["displayName"] in log]
    assert "Bearer" not in log
    assert "clientState" not in log
