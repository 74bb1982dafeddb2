"""Subscriptions and change notifications, through the emulator's own pump and a subscriber of the tests."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest

from entra_graph_emulator.directory.objects import User
from entra_graph_emulator.emulator import DEFAULT_APP
from entra_graph_emulator.testing import CONTOSO, Graph, Subscriber, World
from entra_graph_emulator.wire.clock import parse_instant, precise

URL = "https://sync.example/api/graph/notifications?code=1"
LIFECYCLE = "https://sync.example/api/graph/lifecycle"


def wanted(world: World, minutes: float = 1440, **more: Any) -> dict[str, Any]:
    expires = world.clock.now() + timedelta(minutes=minutes)
    base = {"changeType": "updated,deleted", "resource": "users", "notificationUrl": URL, "clientState": "secret"}
    return base | {"expirationDateTime": precise(expires)} | more


async def subscribe(world: World, graph: Graph, minutes: float = 1440, **more: Any) -> dict[str, Any]:
    answer = (await graph.post("/subscriptions", wanted(world, minutes, **more))).raise_for_status()
    body: dict[str, Any] = answer.json()
    return body


def person(world: World, name: str = "ada") -> User:
    return world.source.create({"displayName": name, "userPrincipalName": f"{name}@contoso.com"})


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["message"]


async def test_a_subscription_is_created_after_its_urls_answered(world: World, graph: Graph) -> None:
    """Two validations, each keeping the URL's query; the answer carries the documented properties."""
    made = await subscribe(world, graph, lifecycleNotificationUrl=LIFECYCLE)
    assert [each.partition("validationToken=")[0] for each in world.subscriber.validations] == [
        f"{URL}&",
        f"{LIFECYCLE}?",
    ]
    assert world.subscriber.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert made["@odata.context"].endswith("$metadata#subscriptions/$entity")
    assert (made["applicationId"], made["notificationContentType"]) == (DEFAULT_APP, "application/json")
    assert made["latestSupportedTlsVersion"] == "v1_2"


async def test_equal_urls_are_validated_twice(world: World, graph: Graph) -> None:
    """One POST for each of the two."""
    await subscribe(world, graph, lifecycleNotificationUrl=URL)
    assert len(world.subscriber.validations) == 2


class Careless(Subscriber):
    """Decodes the token a second time, so that a plus becomes a space."""

    def echo(self, token: str) -> str:
        return token.replace("+", " ")


async def test_the_token_must_be_echoed_exactly(world: World, graph: Graph) -> None:
    """A token decoded twice is another one."""
    world.emulator.poster = Careless()
    answer = await graph.post("/subscriptions", wanted(world))
    assert refusal(answer)[0] == 400
    assert "must exactly match" in refusal(answer)[1]


async def test_validation_takes_at_most_ten_seconds_and_plain_text(world: World, graph: Graph) -> None:
    """Later, or as JSON, it fails; with InvalidRequest."""
    world.subscriber.elapsed_s = 10.1
    answer = await graph.post("/subscriptions", wanted(world))
    assert refusal(answer) == (400, "Subscription validation request timed out.")
    assert answer.json()["error"]["code"] == "InvalidRequest"
    world.subscriber.elapsed_s, world.subscriber.content_type = 9.9, "application/json"
    assert (await graph.post("/subscriptions", wanted(world))).status_code == 400


@pytest.mark.parametrize(
    "change",
    [
        {"changeType": "created"},
        {"changeType": "updated,created"},
        {"resource": "me/messages"},
        {"resource": "users?$filter=x eq 1"},
        {"notificationUrl": "http://sync.example/x"},
        {"notificationUrl": None},
        {"lifecycleNotificationUrl": "ftp://sync.example"},
        {"clientState": "x" * 129},
        {"expirationDateTime": "tomorrow"},
        {"expirationDateTime": None},
        {"expirationDateTime": "2020-01-01T00:00:00Z"},
        {"includeResourceData": True},
        {"vapidPublicKey": "x"},
    ],
    ids=str,
)
async def test_subscriptions_that_are_refused(world: World, graph: Graph, change: dict[str, Any]) -> None:
    """400 InvalidRequest, before any URL is called."""
    answer = await graph.post("/subscriptions", wanted(world) | change)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidRequest")
    assert world.subscriber.validations == []


async def test_created_is_refused_by_name(world: World, graph: Graph) -> None:
    """Creations come as `updated`."""
    answer = await graph.post("/subscriptions", wanted(world, changeType="created"))
    assert refusal(answer)[1] == "Invalid 'changeType' attribute: 'created'."


async def test_a_life_is_at_least_45_and_at_most_41760_minutes(world: World, graph: Graph) -> None:
    """The floor is raised to, the cap is an error."""
    made = await subscribe(world, graph, minutes=1)
    assert parse_instant(made["expirationDateTime"]) == world.clock.now() + timedelta(minutes=45)
    answer = await graph.post("/subscriptions", wanted(world, minutes=41_761, changeType="deleted"))
    assert "41760 minutes" in refusal(answer)[1]
    await subscribe(world, graph, minutes=41_760, changeType="deleted")


async def test_the_same_combination_twice_is_a_conflict(world: World, graph: Graph) -> None:
    """409 names the existing one; the order of change types does not matter, another app does."""
    made = await subscribe(world, graph)
    answer = await graph.post("/subscriptions", wanted(world, changeType="deleted,updated", resource="/users"))
    assert refusal(answer) == (
        409,
        f"Subscription Id {made['id']} already exists for the requested combination",
    )
    await subscribe(world, world.graph(CONTOSO, app="another"))


async def test_an_app_has_at_most_a_hundred_in_one_tenant(world: World, graph: Graph) -> None:
    """403 then."""
    for _ in range(100):
        await subscribe(
            world, graph, changeType="updated", resource=f"users/{person(world, str(world.emulator.ids.random())).id}"
        )
    assert (await graph.post("/subscriptions", wanted(world))).status_code == 403


async def test_an_expired_subscription_is_404_and_hears_nothing(world: World, graph: Graph) -> None:
    """Renewing it in time keeps it."""
    made = await subscribe(world, graph, minutes=60)
    later = {"expirationDateTime": precise(world.clock.now() + timedelta(minutes=120))}
    assert (await graph.patch(f"/subscriptions/{made['id']}", later)).status_code == 200
    world.clock.advance(119 * 60)
    assert (await graph.get(f"/subscriptions/{made['id']}")).status_code == 200
    world.clock.advance(60)
    for answer in (
        await graph.get(f"/subscriptions/{made['id']}"),
        await graph.patch(f"/subscriptions/{made['id']}", wanted(world)),
        await graph.delete(f"/subscriptions/{made['id']}"),
        await graph.post(f"/subscriptions/{made['id']}/reauthorize"),
    ):
        assert answer.status_code == 404
    person(world)
    assert await world.emulator.deliver() == 0


async def test_a_patch_takes_expiry_and_url_only(world: World, graph: Graph) -> None:
    """A new URL is validated; the lifecycle URL cannot be added later."""
    made = await subscribe(world, graph)
    path = f"/subscriptions/{made['id']}"
    assert (await graph.patch(path, {"lifecycleNotificationUrl": LIFECYCLE})).status_code == 400
    assert (await graph.patch(path, {"notificationUrl": LIFECYCLE})).json()["notificationUrl"] == LIFECYCLE
    assert len(world.subscriber.validations) == 2


async def test_an_app_sees_its_own_subscriptions(world: World, graph: Graph) -> None:
    """Another app's are 404 to it."""
    made = await subscribe(world, graph)
    other = world.graph(CONTOSO, app="another")
    assert (await other.get("/subscriptions")).json()["value"] == []
    assert (await other.get(f"/subscriptions/{made['id']}")).status_code == 404
    assert [each["id"] for each in (await graph.get("/subscriptions")).json()["value"]] == [made["id"]]
    assert (await graph.delete(f"/subscriptions/{made['id']}")).status_code == 204


async def test_subscribing_needs_the_right_to_read(world: World) -> None:
    """A write permission does not stand in for it."""
    writer = world.graph(CONTOSO, roles=["User.ReadWrite.All"])
    assert (await writer.post("/subscriptions", wanted(world))).status_code == 403
    reader = world.graph(CONTOSO, roles=["User.Read.All"])
    assert (await reader.post("/subscriptions", wanted(world))).status_code == 201


async def test_a_notification_says_who_changed_and_not_what(world: World, graph: Graph) -> None:
    """Capital Users/, the tenant, the client state, and an id."""
    made = await subscribe(world, graph)
    ada = person(world)
    assert await world.emulator.deliver() == 1
    item = world.subscriber.items[0]
    number = item["resourceData"].pop("sequenceNumber")
    assert number >= 636_784_480_000_000_000
    assert item == {
        "subscriptionId": made["id"],
        "subscriptionExpirationDateTime": "2026-01-06T09:00:00.0000000+00:00",
        "changeType": "updated",
        "resource": f"Users/{ada.id}",
        "clientState": "secret",
        "tenantId": CONTOSO,
        "resourceData": {
            "@odata.type": "#Microsoft.Graph.User",
            "@odata.id": f"Users/{ada.id}",
            "id": ada.id,
            "organizationId": CONTOSO,
        },
    }
    assert world.subscriber.posts[0][0] == URL


async def test_every_event_but_a_purge_is_updated(world: World, graph: Graph) -> None:
    """Created, changed, soft-deleted and restored all look alike."""
    await subscribe(world, graph)
    world.emulator.delivery.settings.burst = 1
    ada = person(world)
    world.source.update(ada, {"jobTitle": "x"})
    world.source.delete(ada)
    world.source.restore(ada)
    world.source.delete(ada)
    world.source.purge(ada)
    await world.emulator.deliver()
    assert [each["changeType"] for each in world.subscriber.items] == ["updated"] * 5 + ["deleted"]


async def test_one_change_makes_several_notifications(world: World, graph: Graph) -> None:
    """One for each property, up to the burst."""
    await subscribe(world, graph)
    ada = person(world)
    await world.emulator.deliver()
    world.subscriber.posts.clear()
    await graph.patch(f"/users/{ada.id}", {"jobTitle": "x", "city": "y", "state": "z"})
    await world.emulator.deliver()
    assert [each["resourceData"]["id"] for each in world.subscriber.items] == [ada.id] * 2


async def test_many_changes_share_posts(world: World, graph: Graph) -> None:
    """Up to `batch` items in one."""
    await subscribe(world, graph)
    world.emulator.delivery.settings.burst = 1
    for n in range(120):
        person(world, f"p{n}")
    assert await world.emulator.deliver() == 3
    assert [len(items) for _, items in world.subscriber.posts] == [50, 50, 20]


async def test_one_users_subscription_hears_of_that_user(world: World, graph: Graph) -> None:
    """`users/{id}` as the resource."""
    ada = person(world)
    await subscribe(world, graph, resource=f"users/{ada.id}", changeType="deleted")
    ben = person(world, "ben")
    for user in (ada, ben):
        world.source.delete(user)
        world.source.purge(user)
    await world.emulator.deliver()
    assert {(each["changeType"], each["resource"]) for each in world.subscriber.items} == {
        ("deleted", f"Users/{ada.id}")
    }


async def test_an_answer_over_three_seconds_is_tried_again_with_ten(world: World, graph: Graph) -> None:
    """The second attempt has more time."""
    await subscribe(world, graph)
    person(world)
    world.subscriber.elapsed_s = 4
    [post] = world.emulator.due()
    assert (post.attempt, post.timeout_s) == (1, 3.0)
    await world.emulator.send(post)
    assert world.emulator.due() == []
    world.clock.advance(5)
    [again] = world.emulator.due()
    assert (again.attempt, again.timeout_s, again.body) == (2, 10.0, post.body)
    await world.emulator.send(again)
    assert world.emulator.delivery.counts["delivered"] == post.items


async def test_retries_pause_longer_each_time_and_end_after_four_hours(world: World, graph: Graph) -> None:
    """Then the notification is lost for good."""
    await subscribe(world, graph)
    person(world)
    world.subscriber.status = 503
    times: list[datetime] = []
    while (due := world.emulator.delivery.next_due()) is not None and len(times) < 99:
        world.clock.advance(max(0.0, (due - world.clock.now()).total_seconds()))
        times.append(world.clock.now())
        for post in world.emulator.due():
            world.emulator.completed(post, 503, 0.1)
    pauses = [(b - a).total_seconds() for a, b in pairwise(times)]
    assert pauses[:4] == [5, 10, 20, 40]
    assert max(pauses) == 600
    assert timedelta(hours=3.8) < times[-1] - times[0] <= timedelta(hours=4)
    assert world.emulator.delivery.counts["given_up"] == 2


async def test_a_slow_endpoint_waits_ten_minutes(world: World, graph: Graph) -> None:
    """Over a tenth of the answers of a window took more than 3 s; new notifications are late, not lost."""
    world.emulator.delivery.settings.judge_from = 1
    await subscribe(world, graph)
    person(world)
    world.subscriber.elapsed_s = 4
    await world.emulator.deliver()
    world.clock.advance(600)
    world.subscriber.elapsed_s = 0.1
    world.subscriber.posts.clear()
    person(world, "ben")
    assert list(world.emulator.delivery.describe()["endpoints"].values()) == ["slow"]
    world.clock.advance(599)
    await world.emulator.deliver()
    assert "ben" not in str(world.subscriber.items)
    world.clock.advance(1)
    assert await world.emulator.deliver() == 1


async def test_an_unresponsive_endpoint_loses_notifications(world: World, graph: Graph) -> None:
    """Over 15 % missed the 10 s; what happens in the next ten minutes is never sent."""
    world.emulator.delivery.settings.judge_from = 1
    await subscribe(world, graph)
    person(world)
    world.subscriber.elapsed_s = 11
    for _ in range(3):
        await world.emulator.deliver()
        world.clock.advance(30)
    world.clock.advance(600)
    before = world.emulator.delivery.counts["lost"]
    person(world, "ben")
    assert world.emulator.delivery.counts["lost"] == before + 2
    world.clock.advance(600)
    person(world, "carl")
    assert world.emulator.delivery.counts["lost"] == before + 2


async def test_delivery_can_be_made_worse(world: World, graph: Graph) -> None:
    """Dropped, doubled, delayed, shuffled, or switched off; with a seed."""
    await subscribe(world, graph)
    await world.control("PUT", "/delivery", {"drop": 1.0})
    person(world, "a")
    assert await world.emulator.deliver() == 0
    await world.control("PUT", "/delivery", {"enabled": False})
    person(world, "b")
    assert await world.emulator.deliver() == 0
    await world.control("PUT", "/delivery", {"duplicate": 1.0, "burst": 1, "delay_s": 30})
    person(world, "c")
    assert await world.emulator.deliver() == 0
    world.clock.advance(30)
    await world.emulator.deliver()
    assert len(world.subscriber.items) == 2
    await world.control("PUT", "/delivery", {"shuffle": True, "burst": 1, "seed": 3})
    world.subscriber.posts.clear()
    users = [person(world, f"p{n}").id for n in range(20)]
    await world.emulator.deliver()
    order = [each["resourceData"]["id"] for each in world.subscriber.items]
    assert order != users
    assert sorted(order) == sorted(users)


async def test_reauthorization_is_asked_for_before_the_end(world: World, graph: Graph) -> None:
    """To the lifecycle URL, without changeType or resource; renewing ends it."""
    made = await subscribe(world, graph, minutes=240, lifecycleNotificationUrl=LIFECYCLE)
    world.clock.advance(179 * 60)
    assert await world.emulator.deliver() == 0
    world.clock.advance(60)
    assert await world.emulator.deliver() == 1
    url, [item] = world.subscriber.posts[0]
    assert url == LIFECYCLE
    assert item == {
        "subscriptionId": made["id"],
        "subscriptionExpirationDateTime": "2026-01-05T13:00:00.0000000+00:00",
        "tenantId": CONTOSO,
        "clientState": "secret",
        "lifecycleEvent": "reauthorizationRequired",
    }
    world.clock.advance(31 * 60)
    assert await world.emulator.deliver() == 1
    assert (await graph.post(f"/subscriptions/{made['id']}/reauthorize")).status_code == 204
    world.clock.advance(60)
    assert await world.emulator.deliver() == 0
    await world.control("POST", f"/tenants/{CONTOSO}/reauthorize", {})
    assert await world.emulator.deliver() == 1


async def test_a_deleted_subscription_hears_nothing_more(world: World, graph: Graph) -> None:
    """Not even what was waiting."""
    made = await subscribe(world, graph)
    person(world)
    await graph.delete(f"/subscriptions/{made['id']}")
    assert await world.emulator.deliver() == 0


async def test_a_subscription_to_groups_takes_no_less_than_group_read_all(world: World) -> None:
    """Reading members does not do. https://learn.microsoft.com/graph/api/subscription-post-subscriptions#permissions"""
    members = world.graph(CONTOSO, roles=["GroupMember.Read.All", "User.Read.All"])
    assert (await members.post("/subscriptions", wanted(world, resource="groups"))).status_code == 403
    groups = world.graph(CONTOSO, roles=["Group.Read.All"])
    assert (await groups.post("/subscriptions", wanted(world, resource="groups"))).status_code == 201
