"""Laws: no input is the emulator's undoing, and delta tells the truth whatever happened."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st

from entra_graph_emulator.odata.user_schema import PROPERTIES
from entra_graph_emulator.testing import World
from entra_graph_emulator.wire.words import words

SOME = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = [
    *PROPERTIES,
    *words(
        "invitedUserEmailAddress inviteRedirectUrl invitedUser resetRedemption invitedUserType ids types changeType"
    ),
    *words("resource notificationUrl expirationDateTime clientState requests id method url headers dependsOn body"),
    *words("newUserPrincipalName @odata.id advance users form value count mode path"),
]
PIECES = [
    *words("mail otherMails/any(x:x id eq ne in not and or ( ) , 'a' 5 null true : startsWith( x/y"),
    "2026-01-01T00:00:00Z",
]
TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["updated", "users", "https://x.example", "https://[", "2026-01-06T00:00:00Z", "a@b.com", "GET", "/users"]
    ),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)),
    max_leaves=6,
)
BODIES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5)
CALLS = [
    ("PATCH", "/v1.0/users/{id}"),
    ("POST", "/v1.0/users"),
    ("PUT", "/v1.0/users/{id}/manager/$ref"),
    ("POST", "/v1.0/invitations"),
    ("POST", "/v1.0/subscriptions"),
    ("POST", "/v1.0/users/getByIds"),
    ("POST", "/v1.0/$batch"),
    ("POST", "/_emulator/tenants"),
    ("POST", "/_emulator/faults"),
    ("PUT", "/_emulator/delivery"),
    ("PUT", "/_emulator/throttle"),
]


def run[T](work: Awaitable[T]) -> T:
    async def main() -> T:
        return await work

    return asyncio.run(main())


@SOME
@given(body=BODIES)
def test_no_body_is_the_emulators_undoing(body: dict[str, Any]) -> None:
    """Whatever is sent wherever, the answer is 2xx or 4xx, and an exception would fail this."""

    async def main() -> None:
        async with World() as world:
            world.emulator.add_people(world.source, 1)
            [user] = world.source.users()
            headers = {"Authorization": f"Bearer {world.emulator.token(world.source.id)}"}
            for method, path in CALLS:
                answer = await world.http.request(method, path.format(id=user.id), json=body, headers=headers)
                assert answer.status_code < 500, answer.text
                world.emulator.faults.clear()

    run(main())


@SOME
@given(text=st.lists(st.sampled_from(PIECES), max_size=8).map(" ".join))
def test_no_filter_is_the_emulators_undoing(text: str) -> None:
    """It is understood or refused."""

    async def main() -> None:
        async with World() as world:
            world.emulator.add_people(world.source, 2)
            for path in ("/users", "/users/delta", "/directory/deletedItems/microsoft.graph.user"):
                assert (await world.contoso.get(path, filter=text)).status_code in {200, 400}

    run(main())


STEPS = st.lists(
    st.tuples(st.sampled_from(["create", "update", "clear", "delete", "restore", "purge", "read"]), st.integers(0, 5)),
    max_size=30,
)


def step(world: World, what: str, which: int) -> None:
    tenant = world.source
    live, deleted = tenant.users(), tenant.deleted_users()
    if what == "create":
        number = len(tenant.log)
        tenant.create({"displayName": f"N{number}", "userPrincipalName": f"n{number}@contoso.com"})
    elif what in {"update", "clear"} and live:
        tenant.update(live[which % len(live)], {"jobTitle": None if what == "clear" else f"T{which}"})
    elif what == "delete" and live:
        tenant.delete(live[which % len(live)])
    elif what in {"restore", "purge"} and deleted:
        user = deleted[which % len(deleted)]
        (tenant.restore if what == "restore" else tenant.purge)(user)


def apply(known: dict[str, str | None], item: dict[str, Any]) -> None:
    if "@removed" in item:
        known.pop(item["id"], None)
    else:
        known[item["id"]] = item.get("jobTitle", known.get(item["id"]))


@SOME
@given(steps=STEPS, lag=st.sampled_from([0.0, 3.0]), empty=st.sampled_from([0.0, 0.5]), replay=st.integers(0, 4))
def test_a_reader_of_delta_ends_with_the_directory(
    steps: list[tuple[str, int]], lag: float, empty: float, replay: int
) -> None:
    """However the rounds fell between the changes, with lag, small pages, duplicates, replays and shuffling."""

    async def main() -> None:
        async with World() as world:
            tuning = world.source.settings
            tuning.replication_lag_s, tuning.delta_empty_pages, tuning.delta_replay = lag, empty, replay
            tuning.delta_page_size, tuning.delta_shuffle, tuning.delta_duplicate = 2, True, 0.3
            known: dict[str, str | None] = {}
            link = "/users/delta?$select=jobTitle"
            for what, which in [*steps, ("read", 0)]:
                world.clock.advance(1)
                step(world, what, which)
                if what == "read":
                    round_ = await world.contoso.delta(link)
                    link = round_.link
                    for item in round_.items:
                        apply(known, item)
            world.clock.advance(10)
            for item in (await world.contoso.delta(link)).items:
                apply(known, item)
            assert known == {user.id: user.properties.get("jobTitle") for user in world.source.users()}

    run(main())
