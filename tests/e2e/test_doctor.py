"""`xtsync doctor` beside the running stack: all green, and with each seeded fault exactly that check is red."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from azure.storage.queue import QueueClient

from local.demo import CONTOSO, FABRIKAM
from local.emulated import until
from tests.support.make import ADA
from tests.support.stack import SyncedStack, hold

pytestmark = pytest.mark.asyncio(loop_scope="session")

PARTNERS = "/policies/crossTenantAccessPolicy/partners"
SOURCE, TARGET, DEPLOYMENT = "contoso (source)", "fabrikam (target)", None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    code: int
    findings: list[dict[str, Any]]

    def named(self, verdict: str) -> list[tuple[str | None, str]]:
        return [(each["subject"], each["check"]) for each in self.findings if each["verdict"] == verdict]

    def remedy(self, check: str) -> str:
        (remedy,) = ["\n".join(each["remedy"]) for each in self.findings if each["check"] == check and each["remedy"]]
        return remedy


async def doctor(world: SyncedStack) -> Report:
    code, answer = await world.stack.xtsync("doctor")
    return Report(code=code, findings=answer["findings"])


@asynccontextmanager
async def paused(world: SyncedStack) -> AsyncIterator[None]:
    """The host stands still: no timer mends a fault, and no function takes a message, while the doctor looks."""
    groups = [process.pid for process in world.stack.host_processes]  # each began a session of its own
    for group in groups:
        os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        for group in groups:
            os.killpg(group, signal.SIGCONT)


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def nothing_kept(world: SyncedStack) -> None:
    """Other tests leave poison behind on purpose."""
    table = world.storage.tables_by_name["activity"]
    for row in [row async for row in table.query("poison:")]:
        await table.delete(row.pk, row.rk)


# --- faults: each makes one thing wrong, and what it yields to makes it right again ------------------------------


async def _settings(world: SyncedStack, tenant: str, **values: object) -> None:
    await world.emulated.control("PUT", f"/tenants/{tenant}/settings", values)


@asynccontextmanager
async def wrong_tenant(world: SyncedStack) -> AsyncIterator[None]:
    await _settings(world, FABRIKAM, token_tenant=CONTOSO)
    yield
    await _settings(world, FABRIKAM, token_tenant="")


@asynccontextmanager
async def missing_role(world: SyncedStack) -> AsyncIterator[None]:
    path = f"/tenants/{FABRIKAM}/apps/xtsync"
    await world.emulated.control("PUT", path, {"roles": ["User.Invite.All", "User.ReadWrite.All"]})
    yield
    await world.emulated.control("PUT", path, {"roles": None})


@asynccontextmanager
async def no_consent(world: SyncedStack) -> AsyncIterator[None]:
    await _settings(world, CONTOSO, token_error="AADSTS7000229")
    yield
    await _settings(world, CONTOSO, token_error="")


def redemption_off(here: str, there: str, setting: str) -> Callable[[SyncedStack], Any]:
    @asynccontextmanager
    async def fault(world: SyncedStack) -> AsyncIterator[None]:
        entry = f"{PARTNERS}/{there}"
        await world.emulated.graph(here, "PATCH", entry, {"automaticUserConsentSettings": {setting: False}})
        yield
        await world.emulated.graph(here, "PATCH", entry, {"automaticUserConsentSettings": {setting: True}})

    return fault


@asynccontextmanager
async def dead_subscription(world: SyncedStack) -> AsyncIterator[None]:
    record = await world.storage.subscriptions.get("contoso")
    assert record is not None
    await world.emulated.graph(CONTOSO, "DELETE", f"/subscriptions/{record.subscription_id}", app="xtsync")
    yield
    await world.stack.start_by_hand("keep_subscriptions")  # as the remedy says

    async def mended() -> bool:
        now = await world.storage.subscriptions.get("contoso")
        return now is not None and now.subscription_id not in {"", record.subscription_id}

    assert await until(mended, timeout_s=30)


@asynccontextmanager
async def stale_delta_link(world: SyncedStack) -> AsyncIterator[None]:
    feeds = world.storage.feeds
    state = await feeds.get("contoso")
    async with paused(world):
        stale = await feeds.save(replace(state, completed_at=datetime.now(UTC) - timedelta(days=8)))
        yield
        await feeds.save(replace(stale, completed_at=state.completed_at))


@asynccontextmanager
async def wrong_encoding(world: SyncedStack) -> AsyncIterator[None]:
    connection = world.stack.azurite.connection_string
    async with paused(world):
        queue = QueueClient.from_connection_string(connection, "user-changes")
        sent = await asyncio.to_thread(queue.send_message, "{not base64}")
        yield
        await asyncio.to_thread(queue.delete_message, sent)
        queue.close()


@asynccontextmanager
async def poison_waiting(world: SyncedStack) -> AsyncIterator[None]:
    queue = world.storage.queues_by_name["user-changes-poison"]
    async with paused(world):
        await queue.send("not one of ours")
        yield
        for message in await queue.receive():
            await queue.delete(message)


@asynccontextmanager
async def guard_holding(world: SyncedStack) -> AsyncIterator[None]:
    held = await hold(world, ADA)
    yield
    await world.storage.guards.drop_hold(held)


@asynccontextmanager
async def clock_skew(world: SyncedStack) -> AsyncIterator[None]:
    await _settings(world, CONTOSO, token_skew_s=900.0)
    yield
    await _settings(world, CONTOSO, token_skew_s=0.0)


FAULTS = [
    (wrong_tenant, TARGET, "tenant", f"fabrikam: {{ id: {CONTOSO} }}"),
    (missing_role, TARGET, "roles", f"https://login.microsoftonline.com/{FABRIKAM}/adminconsent?client_id=xtsync"),
    (no_consent, SOURCE, "token", f"https://login.microsoftonline.com/{CONTOSO}/adminconsent?client_id=xtsync"),
    (
        redemption_off(CONTOSO, FABRIKAM, "outboundAllowed"),
        SOURCE,
        "redemption to fabrikam",
        f"{PARTNERS}/{FABRIKAM}' -Body @{{ automaticUserConsentSettings = @{{ outboundAllowed = $true }} }}",
    ),
    (
        redemption_off(FABRIKAM, CONTOSO, "inboundAllowed"),
        TARGET,
        "redemption from contoso",
        f"{PARTNERS}/{CONTOSO}' -Body @{{ automaticUserConsentSettings = @{{ inboundAllowed = $true }} }}",
    ),
    (dead_subscription, SOURCE, "subscription", "/admin/functions/keep_subscriptions"),
    (stale_delta_link, SOURCE, "feed", "xtsync resync --tenant contoso"),
    (wrong_encoding, DEPLOYMENT, "queue encoding", "--queue-name user-changes"),
    (poison_waiting, DEPLOYMENT, "poison", "docs/operations.md#messages-poisoned"),
    (guard_holding, DEPLOYMENT, "holds", "xtsync holds approve CODE"),
    (clock_skew, SOURCE, "clock", "date -u; curl -sI"),
]


async def test_the_local_stack_is_all_green(world: SyncedStack) -> None:
    """Every check looked, and none has anything to say."""
    report = await doctor(world)
    assert {each["verdict"] for each in report.findings} == {"ok"}
    assert report.code == 0
    assert {each["subject"] for each in report.findings} == {DEPLOYMENT, SOURCE, TARGET}


@pytest.mark.parametrize(("fault", "subject", "check", "remedy"), FAULTS)
async def test_exactly_the_seeded_fault_is_red(
    world: SyncedStack, fault: Callable[[SyncedStack], Any], subject: str | None, check: str, remedy: str
) -> None:
    """With the remedy that mends it, ids filled in. Whatever was not undone would make the next one's report wrong."""
    async with fault(world):
        report = await doctor(world)
    assert report.named("failed") == [(subject, check)]
    assert remedy in report.remedy(check)
    assert report.code == 1


async def test_without_policy_permissions_it_says_how_to_look_by_hand(world: SyncedStack) -> None:
    """The least permissions do not show policies: no fault, and the commands of an administrator."""
    async with missing_role(world):
        await world.emulated.control(
            "PUT",
            f"/tenants/{FABRIKAM}/apps/xtsync",
            {"roles": ["User.Invite.All", "User.ReadWrite.All", "User.DeleteRestore.All"]},
        )
        report = await doctor(world)
    assert report.code == 0
    assert report.named("not allowed to see") == [
        (TARGET, "redemption from contoso"),
        (TARGET, "collaboration from contoso"),
        (TARGET, "invitations"),
    ]
    assert f"Connect-MgGraph -TenantId {FABRIKAM} -Scopes Policy.Read.All" in report.remedy("invitations")
