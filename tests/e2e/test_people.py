"""What happens to a person in the source tenant happens to their B2B user, through every real part there is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from local.demo import CONTOSO, FABRIKAM
from local.emulated import until
from tests.support.collector import Collector, attributes
from tests.support.stack import SYNC, SyncedStack

from .conftest import PEOPLE

pytestmark = pytest.mark.asyncio(loop_scope="session")

# The questions of a round to the target: what changed there, whom a marker names, and which of our users are there.
LISTINGS = {"/users", "/users/delta", "/directoryObjects/getByIds"}
NEW_NAME = "Ada Traced"


def way_to(span: Span, spans: Sequence[Span]) -> Iterator[str]:
    """The names from the beginning of the trace to this span."""
    above = [each for each in spans if each.span_id == span.parent_span_id]
    for each in above:
        assert each.trace_id == span.trace_id
        yield from way_to(each, spans)
    yield span.name


def ways(spans: Sequence[Span], person: str) -> set[tuple[str, ...]]:
    """The ways to all spans of the traces in which this person was looked at."""
    traces = {span.trace_id for span in spans if attributes(span).get("xtsync.user") == person}
    return {tuple(way_to(span, spans)) for span in spans if span.trace_id in traces}


async def test_the_initial_sync_provisions_everybody_once(world: SyncedStack) -> None:
    """One invitation and one PATCH for each person, and nothing else was written."""
    people = PEOPLE - len(world.never)
    written = [r for r in world.at_first if r["tenant"] == FABRIKAM and r["kind"] in {"invite", "write"}]
    written = [r for r in written if not r["path"].startswith("/policies/")]  # an administrator's, before
    assert len([r for r in written if r["kind"] == "invite"]) == people
    assert len([r for r in written if r["method"] == "PATCH"]) == people


async def test_a_change_arrives_by_webhook(world: SyncedStack) -> None:
    """Set and cleared attributes reach the target without a poll."""
    person = (await world.people())[0]
    since = await world.last_request()
    await world.patch(person, {"department": "Moved", "city": None, "businessPhones": ["+31 30 1"]})
    assert await world.agree() == []
    assert not [r for r in await world.requests(since) if r["kind"] == "delta"]


async def test_somebody_new_arrives_by_webhook(world: SyncedStack) -> None:
    """A hire is invited, though Graph may not show the new user at once."""
    await world.emulated.graph(
        CONTOSO,
        "POST",
        "/users",
        {
            "displayName": "Zoë <script>alert(1)</script> O'Hire",
            "accountEnabled": True,
            "mailNickname": "zoe",
            "userPrincipalName": "zoe@contoso.example",
            "mail": "zoe@contoso.example",
            "passwordProfile": {"password": "never-read-Xy1!"},
        },
    )
    assert await world.agree() == []


async def test_a_new_manager_arrives_and_is_removed_again(world: SyncedStack) -> None:
    """A manager is a reference, and is written by the next poll at the latest."""
    report, boss = (await world.people())[2:4]
    path = f"/users/{report['id']}/manager/$ref"
    body = {"@odata.id": f"https://graph.microsoft.com/v1.0/users/{boss['id']}"}
    for method in ("PUT", "DELETE"):
        await world.emulated.graph(CONTOSO, method, path, body if method == "PUT" else None)
        await world.stack.start_by_hand("poll_feeds")
        assert await world.agree() == []


async def test_a_disabled_person_is_disabled_and_enabled_again(world: SyncedStack) -> None:
    """accountEnabled goes through the mapping both ways."""
    person = (await world.people())[1]
    await world.patch(person, {"accountEnabled": False})
    assert await world.agree() == []
    await world.patch(person, {"accountEnabled": True})
    assert await world.agree() == []


async def test_a_leaver_is_soft_deleted_and_restored_on_return(world: SyncedStack) -> None:
    """The returner gets the same target user back, not a second one."""
    person = (await world.people())[2]
    before = await world.storage.links.get("contoso-to-fabrikam", person["id"])
    await world.emulated.graph(CONTOSO, "DELETE", f"/users/{person['id']}")
    assert await world.agree() == []
    assert before is not None
    assert before.target_id is not None
    deleted = await world.emulated.graph(FABRIKAM, "GET", f"/directory/deletedItems/{before.target_id}")
    assert deleted["id"] == before.target_id
    await world.emulated.graph(CONTOSO, "POST", f"/directory/deletedItems/{person['id']}/restore")
    assert await world.agree() == []
    assert (await world.emulated.graph(FABRIKAM, "GET", f"/users/{before.target_id}"))["id"] == before.target_id


async def test_the_poll_alone_repairs_what_notifications_lost(world: SyncedStack) -> None:
    """With delivery switched off, one round of the feed brings both tenants together."""
    people = (await world.people())[3:7]
    await world.emulated.control("PUT", "/delivery", {"enabled": False})
    try:
        for person in people:
            await world.patch(person, {"jobTitle": "Polled"})
        await world.emulated.graph(CONTOSO, "DELETE", f"/users/{people[0]['id']}")
        await world.stack.start_by_hand("poll_feeds")
        assert await world.agree() == []
    finally:
        await world.emulated.control("PUT", "/delivery", {"enabled": True})


@pytest.mark.parametrize("form", ["gone", "syncStateNotFound", "resyncRequired", "tooOld"])
async def test_a_dead_delta_link_starts_the_feed_over(world: SyncedStack, form: str) -> None:
    """Every documented reset leads to a full round; deletions that nobody listed are found all the same."""
    person = (await world.people())[-1]
    await world.a_while_later()
    await world.emulated.control("PUT", "/delivery", {"enabled": False})
    try:
        await world.emulated.graph(CONTOSO, "DELETE", f"/users/{person['id']}")
        await world.emulated.graph(CONTOSO, "DELETE", f"/directory/deletedItems/{person['id']}")
        await world.emulated.control("POST", f"/tenants/{CONTOSO}/delta-reset", {"form": form})
        await world.stack.start_by_hand("poll_feeds")
        assert await world.agree() == []
        assert (await world.storage.feeds.get("contoso")).full
    finally:
        await world.emulated.control("PUT", "/delivery", {"enabled": True})


async def test_an_unchanged_round_costs_no_message_and_two_listings(world: SyncedStack) -> None:
    """Everybody is read, and nobody is nominated. The target is asked for its marked users, and which of ours exist."""
    since = await world.last_request()
    before = await world.storage.feeds.get("contoso")

    async def another_round() -> bool:
        state = await world.storage.feeds.get("contoso")
        return state.completed_at != before.completed_at

    await world.emulated.control("POST", f"/tenants/{CONTOSO}/delta-reset", {"form": "gone"})
    await world.stack.start_by_hand("poll_feeds")
    assert await until(another_round, timeout_s=20)
    assert (await world.storage.feeds.get("contoso")).nominated == 0
    assert not [r for r in await world.requests(since) if r["tenant"] == FABRIKAM and r["path"] not in LISTINGS]


async def test_the_plan_of_a_settled_deployment_is_empty(world: SyncedStack) -> None:
    """`xtsync plan` reads everybody for real, finds nothing to do, and leaves no trace."""
    assert await world.agree() == []
    since = await world.last_request()
    code, plan = await world.stack.xtsync("plan")
    (planned,) = plan["syncs"]
    assert (code, planned["sync"], planned["counts"], planned["users"]) == (0, SYNC, {}, [])
    seen = await world.requests(since)
    assert any(r["kind"] == "delta" for r in seen)
    assert not [r for r in seen if r["kind"] in {"write", "invite"}]


async def test_a_change_is_one_trace_from_the_notification_to_the_write(
    world: SyncedStack, collector: Collector
) -> None:
    """The post, the look that its message leads to, the change, and its request; the reads before it are beside it."""
    person = (await world.people())[3]
    look = ("POST graph/notifications", "process user-changes")
    wanted = {(*look, "GET /users/{id}"), (*look, "apply Update", "PATCH /users/{id}")}

    async def arrived() -> bool:
        return wanted <= ways(collector.spans(), person["id"])

    await world.patch(person, {"displayName": NEW_NAME})
    assert await until(arrived, timeout_s=30)
    assert await world.agree() == []
    shown = {str(value) for span in collector.spans() for value in (span.name, *attributes(span).values())}
    assert [
        text for text in ("@", NEW_NAME, person["displayName"], person["mail"]) if any(text in x for x in shown)
    ] == []


async def test_the_metrics_of_a_poll_and_of_changes_arrive(world: SyncedStack, collector: Collector) -> None:
    """By their names."""
    await world.stack.start_by_hand("poll_feeds")
    wanted = {"xtsync.changes", "xtsync.change.latency", "xtsync.users.linked", "xtsync.queue.stood"}

    async def arrived() -> bool:
        return wanted <= collector.metrics()

    assert await until(arrived, timeout_s=30)
