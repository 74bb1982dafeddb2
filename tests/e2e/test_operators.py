"""The operator endpoints through the host and Microsoft's worker: who is let in, what they see, what they decide."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from local.emulated import until
from local.processes import free_ports
from sync_core.ports import FeedPhase, HoldState
from tests.support.principals import HEADER, OPERATOR_ID, principal
from tests.support.stack import SYNC, SyncedStack, built_in_host, hold

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOBODY = "aaaaaaaa-0000-0000-0000-00000000dead"


async def call(world: SyncedStack, method: str, path: str, *roles: str, **options: Any) -> httpx.Response:
    headers = {HEADER: principal(*roles)} | options.pop("headers", {})
    async with httpx.AsyncClient(base_url=world.stack.functions_url, timeout=30) as http:
        return await http.request(method, f"/api/ops/{path}", headers=headers, **options)


async def test_without_authentication_in_front_there_is_no_such_path(world: SyncedStack) -> None:
    """A host that nobody told of App Service authentication answers 404, however good the header looks."""
    stack = world.stack
    settings, (port,) = stack.settings, free_ports(1)
    stack.settings = {}
    try:
        host = await stack.start_host(port)
    finally:
        stack.settings = settings
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
            answer = await http.get("/api/ops/status", headers={HEADER: principal("Operator")})
    finally:
        await stack.kill_host(host)
    assert (answer.status_code, answer.text) == (404, "")


@pytest.mark.parametrize(
    ("header", "status"), [("", 401), ("nonsense", 401), (principal(), 403), (principal("operator"), 403)]
)
async def test_who_has_no_role_is_refused(world: SyncedStack, header: str, status: int) -> None:
    """No header, one that nobody at Entra wrote, and people without a role of this app."""
    answer = await call(world, "GET", "status", headers={HEADER: header})
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}


async def test_a_reader_sees_how_it_stands(world: SyncedStack) -> None:
    """The document of `xtsync status --json`."""
    answer = await call(world, "GET", "status", "Reader")
    assert answer.status_code == 200
    assert [each["name"] for each in answer.json()["syncs"]] == [SYNC]
    assert answer.headers["Cache-Control"] == "no-store"


async def test_why_looks_and_does_nothing(world: SyncedStack) -> None:
    """Names of attributes, no values; not one write to either tenant."""
    person = (await world.people())[0]
    since = await world.last_request()
    answer = await call(world, "GET", f"why/{SYNC}/{person['id']}", "Reader")
    assert answer.status_code == 200
    (step,) = answer.json()["steps"]
    assert step["source"]["state"] == "live"
    assert person["displayName"] not in answer.text
    assert {r["method"] for r in await world.requests(since)} == {"GET"}


async def test_a_reader_may_not_act(world: SyncedStack) -> None:
    """And nothing is read for them either."""
    assert await until(world.idle, timeout_s=30)  # other tests of this stack may have left work behind
    since = await world.last_request()
    for path in (f"sync/{SYNC}/{NOBODY}", f"holds/{SYNC}/{NOBODY}", "resync/contoso"):
        assert (await call(world, "POST", path, "Reader", json={"decision": "approve"})).status_code == 403
    assert await world.requests(since) == []


async def test_an_operator_approves_a_hold(world: SyncedStack) -> None:
    """Recorded by their object id; the user is looked at again, and a user who stays loses the hold."""
    person = (await world.people())[0]["id"]
    held = await hold(world, person)
    listed = (await call(world, "GET", "holds", "Reader")).json()
    assert [each["source_id"] for each in listed["holds"]] == [person]
    answer = await call(world, "POST", f"holds/{SYNC}/{person}", "Operator", json={"decision": "approve"})
    assert answer.status_code == 200
    assert answer.json() == {
        "decision": "approved",
        "by": OPERATOR_ID,
        "users": [{"sync": SYNC, "source_id": person}],
        "changed": [],
    }
    assert await world.agree() == []
    left = await world.storage.guards.hold(SYNC, held.source_id)
    assert left is None or left.state is HoldState.APPROVED


async def test_an_operator_rejects_a_hold(world: SyncedStack) -> None:
    """The record says who, and the user is left alone."""
    assert await until(world.idle, timeout_s=30)  # other tests of this stack may have left work behind
    await hold(world, NOBODY)
    since = await world.last_request()
    answer = await call(world, "POST", f"holds/{SYNC}/{NOBODY}", "Operator", json={"decision": "reject"})
    assert answer.status_code == 200
    kept = await world.storage.guards.hold(SYNC, NOBODY)
    assert kept is not None
    assert (kept.state, kept.decided_by) == (HoldState.REJECTED, OPERATOR_ID)
    await world.storage.guards.drop_hold(kept)
    assert await world.requests(since) == []


async def test_an_operator_nominates_and_resyncs(world: SyncedStack) -> None:
    """202: the message is stored, the function app does the rest."""
    person = (await world.people())[0]["id"]
    answer = await call(world, "POST", f"sync/{SYNC}/{person}", "Operator", json={})
    assert (answer.status_code, answer.json()) == (202, {"nominated": {"sync": SYNC, "user": person}})
    answer = await call(world, "POST", "resync/contoso", "Operator", json={})
    assert answer.status_code == 202
    (started,) = answer.json()["rounds"]
    assert started["tenant"] == "contoso"

    async def over() -> bool:
        feed = await world.storage.feeds.get("contoso")
        depths = await world.storage.queues.depths()
        return feed.phase is FeedPhase.IDLE and feed.round >= started["round"] and not any(depths.values())

    assert await until(over, timeout_s=60)
    assert await world.agree() == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/json", "Origin": "https://evil.example"}, 403),
        ({"Content-Type": "application/json", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Content-Type": "application/json"}, 404),
    ],
)
async def test_another_site_s_form_does_nothing(world: SyncedStack, headers: dict[str, str], status: int) -> None:
    """A browser sends its session along with them; the last line is what comes through: nobody is held."""
    path = f"holds/{SYNC}/{NOBODY}"
    body = b'{"decision":"approve"}'
    sent = {HEADER: principal("Operator"), **headers}
    assert (await call(world, "POST", path, headers=sent, content=body)).status_code == status


@built_in_host
async def test_a_plan_of_the_app_is_the_plan_made_beside_it(world: SyncedStack) -> None:
    """A job that its function works on, through the sign-in of this machine. Every command: unit/test_cli_url.py."""
    assert await until(world.idle, timeout_s=30)
    stack, (port,) = world.stack, free_ports(1)
    since = await world.last_request()
    stack.sign_in = True
    try:
        host = await stack.start_host(port)
    finally:
        stack.sign_in = False
    try:
        assert await stack.xtsync("plan", "--url", f"http://127.0.0.1:{port}") == await stack.xtsync("plan")
    finally:
        await stack.kill_host(host)
    asked = [each for each in await world.requests(since) if each["method"] != "GET"]
    assert {each["method"] for each in asked} <= {"POST"}
    assert {each["path"].rpartition("/")[2] for each in asked} <= {"getByIds", "token"}
    assert await world.agree() == []
