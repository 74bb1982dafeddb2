"""users/delta: pages, links, what an entry shows, and the ways in which a round must start over."""

from typing import Any

import pytest

from entra_graph_emulator.directory.objects import User
from entra_graph_emulator.testing import BASE, Graph, World

DAY_S = 86_400
REMOVED_SOFT = {"reason": "changed"}
REMOVED_HARD = {"reason": "deleted"}


def person(world: World, name: str = "ada", **properties: Any) -> User:
    base = {"displayName": name.title(), "userPrincipalName": f"{name}@contoso.com"}
    return world.source.create(base | properties)


def error(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize("name", ["delta", "delta()", "microsoft.graph.delta", "microsoft.graph.delta()"])
async def test_delta_in_every_spelling(world: World, graph: Graph, name: str) -> None:
    """SDKs send the parentheses."""
    ada = person(world)
    assert (await graph.delta(f"/users/{name}")).ids == [ada.id]


async def test_an_initial_round_comes_in_pages_of_two_hundred(world: World, graph: Graph) -> None:
    """Each page has a nextLink or a deltaLink, never both."""
    world.emulator.add_people(world.source, 450)
    link, sizes = "/users/delta", []
    while True:
        body = (await graph.get(link)).json()
        sizes.append(len(body["value"]))
        assert ("@odata.nextLink" in body) is not ("@odata.deltaLink" in body)
        if "@odata.deltaLink" in body:
            break
        assert "$skiptoken=" in body["@odata.nextLink"]
        link = body["@odata.nextLink"]
    assert sizes == [200, 200, 50]
    assert body["@odata.deltaLink"].startswith(f"{BASE}/v1.0/users/delta?$deltatoken=")


async def test_a_round_without_changes_is_empty_with_a_new_link(world: World, graph: Graph) -> None:
    """The new link is good for the next round."""
    person(world)
    first = await graph.delta()
    second = await graph.delta(first.link)
    assert second.items == []
    person(world, "ben")
    assert len((await graph.delta(second.link)).items) == 1


async def test_select_decides_what_is_shown_and_what_is_tracked(world: World, graph: Graph) -> None:
    """A change of another property makes no entry; without $select the default properties are tracked."""
    ada = person(world, department="Sales", jobTitle="Rep")
    narrow = await graph.delta("/users/delta?$select=department")
    wide = await graph.delta()
    assert narrow.items == [{"id": ada.id, "department": "Sales"}]
    world.source.update(ada, {"jobTitle": "Lead"})
    assert (await graph.delta(narrow.link)).items == []
    assert (await graph.delta(wide.link)).items[0]["jobTitle"] == "Lead"
    world.source.update(ada, {"department": "Legal"})
    assert (await graph.delta(narrow.link)).items == [{"id": ada.id, "department": "Legal"}]


async def test_never_set_is_left_out_and_cleared_is_null(world: World, graph: Graph) -> None:
    """The null comes in the round after the clearing."""
    ada = person(world, department="Sales")
    first = await graph.delta("/users/delta?$select=department,jobTitle")
    assert first.items == [{"id": ada.id, "department": "Sales"}]
    world.source.update(ada, {"department": None})
    second = await graph.delta(first.link)
    assert second.items == [{"id": ada.id, "department": None}]


async def test_minimal_entries_have_only_what_changed(world: World, graph: Graph) -> None:
    """By default the unchanged ones come too."""
    ada = person(world, department="Sales", jobTitle="Rep")
    first = await graph.delta("/users/delta?$select=department,jobTitle")
    world.source.update(ada, {"department": "Legal"})
    assert (await graph.delta(first.link)).items == [{"id": ada.id, "department": "Legal", "jobTitle": "Rep"}]
    minimal = await graph.delta(first.link, {"Prefer": "return=minimal"})
    assert minimal.items == [{"id": ada.id, "department": "Legal"}]


async def test_deleted_purged_and_restored(world: World, graph: Graph) -> None:
    """A soft-delete is `changed`, a purge `deleted`, and a restored user comes as a new one."""
    ada = person(world)
    link = (await graph.delta()).link
    world.source.delete(ada)
    soft = await graph.delta(link)
    assert soft.items == [{"id": ada.id, "@removed": REMOVED_SOFT}]
    world.source.restore(ada)
    back = await graph.delta(soft.link)
    assert back.items[0]["displayName"] == "Ada"
    assert "@removed" not in back.items[0]
    world.source.delete(ada)
    world.source.purge(ada)
    assert (await graph.delta(back.link)).items == [{"id": ada.id, "@removed": REMOVED_HARD}]


async def test_thirty_days_make_a_purge_that_delta_shows(world: World, graph: Graph) -> None:
    """Nobody has to call anything."""
    ada = person(world)
    world.source.delete(ada)
    world.clock.advance(29 * DAY_S)
    link = (await graph.delta()).link
    world.clock.advance(1 * DAY_S)
    assert (await graph.delta(link)).items == [{"id": ada.id, "@removed": REMOVED_HARD}]


async def test_an_initial_round_may_hold_removed_users(world: World, graph: Graph) -> None:
    """Those still in deletedItems; the purged ones never."""
    ada, ben = person(world), person(world, "ben")
    world.source.delete(ada)
    world.source.delete(ben)
    world.source.purge(ben)
    assert (await graph.delta()).items == [{"id": ada.id, "@removed": REMOVED_SOFT}]
    world.source.settings.delta_initial_removed = False
    assert (await graph.delta()).items == []


async def test_manager_changes_name_the_new_and_mark_the_old(world: World, graph: Graph) -> None:
    """They come as manager@delta when manager is selected, also in the initial round."""
    ada, old, new = person(world), person(world, "old"), person(world, "new")
    world.source.set_manager(ada, old.id)
    kind = {"@odata.type": "#microsoft.graph.user"}
    first = await graph.delta("/users/delta?$select=displayName,manager")
    assert first.items[0]["manager@delta"] == [kind | {"id": old.id}]
    world.source.set_manager(ada, new.id)
    second = await graph.delta(first.link)
    gone = kind | {"id": old.id, "@removed": {"reason": "deleted"}}
    assert second.items[0]["manager@delta"] == [gone, kind | {"id": new.id}]
    world.source.set_manager(ada, None)
    third = await graph.delta(second.link)
    assert [each.get("@removed") for each in third.items[0]["manager@delta"]] == [REMOVED_HARD]


async def test_latest_means_from_now_on(world: World, graph: Graph) -> None:
    """No entries and a deltaLink."""
    person(world)
    first = await graph.delta("/users/delta?$deltatoken=latest&$select=displayName")
    assert first.pages == [[]]
    ben = person(world, "ben")
    assert (await graph.delta(first.link)).ids == [ben.id]


async def test_a_filter_takes_ids_only(world: World, graph: Graph) -> None:
    """At most fifty; anything else is an unsupported query."""
    ada, _ = person(world), person(world, "ben")
    first = await graph.delta(f"/users/delta?$filter=id eq '{ada.id}'")
    assert first.ids == [ada.id]
    person(world, "carl")
    assert (await graph.delta(first.link)).items == []
    many = " or ".join(f"id eq '{n}'" for n in range(51))
    for clause in ("displayName eq 'Ada'", many):
        assert error(await graph.get("/users/delta", filter=clause)) == (400, "Request_UnsupportedQuery")


async def test_options_of_a_delta_query(world: World, graph: Graph) -> None:
    """$top is ignored; $expand, untracked properties and $select beside a $skiptoken are refused."""
    world.emulator.add_people(world.source, 201)
    body = (await graph.get("/users/delta", top="5")).json()
    assert len(body["value"]) == 200
    refused = [
        "/users/delta?$expand=manager",
        "/users/delta?$select=aboutMe",
        body["@odata.nextLink"] + "&$select=mail",
    ]
    for path in refused:
        assert error(await graph.get(path)) == (400, "Request_UnsupportedQuery")


async def test_a_smaller_page_may_be_asked_for(world: World, graph: Graph) -> None:
    """A larger one is not given."""
    world.emulator.add_people(world.source, 201)
    for wish, size in (("odata.maxpagesize=50", 50), ("odata.maxpagesize=999", 200)):
        assert len((await graph.get("/users/delta", {"Prefer": wish})).json()["value"]) == size


async def test_a_lagging_replica_shows_a_change_later(world: World, graph: Graph) -> None:
    """A change younger than the lag is missing from a round and comes in a later one."""
    world.source.settings.replication_lag_s = 60
    ada = person(world)
    first = await graph.delta()
    assert first.items == []
    world.clock.advance(61)
    assert (await graph.delta(first.link)).ids == [ada.id]


async def test_replays_duplicates_shuffles_and_empty_pages(world: World, graph: Graph) -> None:
    """All of them are allowed, none loses an entry, and the seed decides."""
    world.emulator.add_people(world.source, 300)
    settings = world.source.settings
    settings.delta_duplicate, settings.delta_shuffle, settings.delta_empty_pages = 0.2, True, 1.0
    first, again = await graph.delta(), await graph.delta()
    everyone = {user.id for user in world.source.users()}
    assert set(first.ids) == everyone
    assert len(first.ids) > len(everyone)
    assert first.ids == again.ids
    assert [] in first.pages
    settings.delta_seed = 1
    assert (await graph.delta()).ids != first.ids
    settings.delta_duplicate, settings.delta_replay = 0, 10_000
    person(world)
    assert set((await graph.delta(first.link)).ids) > everyone


async def test_users_created_during_a_round_come_in_the_next(world: World, graph: Graph) -> None:
    """A round in pages neither loses nor invents anybody."""
    world.emulator.add_people(world.source, 201)
    body = (await graph.get("/users/delta")).json()
    ada = person(world)
    rest = await graph.delta(body["@odata.nextLink"])
    assert ada.id not in rest.ids
    assert (await graph.delta(rest.link)).ids == [ada.id]


async def test_a_delta_link_older_than_seven_days_is_lost(world: World, graph: Graph) -> None:
    """The documented form."""
    link = (await graph.delta()).link
    world.clock.advance(7 * DAY_S)
    assert (await graph.get(link)).status_code == 200
    world.clock.advance(1)
    assert error(await graph.get(link)) == (400, "syncStateNotFound")


async def test_a_delta_link_older_than_thirty_days_is_too_old(world: World, graph: Graph) -> None:
    """The form seen in practice."""
    body = {"delta_token_days": 30, "delta_expired_form": "tooOld"}
    await world.control("PUT", f"/tenants/{world.source.id}/settings", body)
    link = (await graph.delta()).link
    world.clock.advance(29 * DAY_S)
    assert (await graph.get(link)).status_code == 200
    world.clock.advance(2 * DAY_S)
    answer = await graph.get(link)
    assert error(answer) == (400, "Request_UnsupportedQuery")
    assert answer.json()["error"]["message"] == "DeltaLink older than 30 days is not supported."


@pytest.mark.parametrize(
    ("form", "status", "name"),
    [
        ("gone", 410, "syncStateNotFound"),
        ("resyncRequired", 410, "resyncRequired"),
        ("syncStateNotFound", 400, "syncStateNotFound"),
        ("tooOld", 400, "Request_UnsupportedQuery"),
    ],
)
async def test_every_token_of_a_tenant_can_be_invalidated(
    world: World, graph: Graph, form: str, status: int, name: str
) -> None:
    """As Graph does when it moves a tenant; new rounds work at once."""
    link = (await graph.delta()).link
    await world.control("POST", f"/tenants/{world.source.id}/delta-reset", {"form": form})
    assert error(await graph.get(link)) == (status, name)
    assert (await graph.delta((await graph.delta()).link)).items == []


async def test_a_410_says_where_to_start_over(world: World, graph: Graph) -> None:
    """Its Location is the request's URL with an empty $deltatoken, and following it is a full round."""
    ada = person(world)
    link = (await graph.delta()).link
    await world.control("POST", f"/tenants/{world.source.id}/delta-reset", {"form": "gone"})
    location = (await graph.get(link)).headers["Location"]
    assert location == f"{BASE}/v1.0/users/delta?$deltatoken="
    assert (await graph.delta(location)).ids == [ada.id]


async def test_tokens_of_nobody_and_of_others_are_400(world: World, graph: Graph) -> None:
    """Damaged ones, another tenant's, and one kind in place of the other."""
    link = (await graph.delta()).link
    token = link.partition("$deltatoken=")[2]
    for path in (
        "/users/delta?$deltatoken=rubbish",
        f"/users/delta?$deltatoken={token[:-4]}",
        f"/users/delta?$skiptoken={token}",
    ):
        assert (await graph.get(path)).status_code == 400
    assert (await world.fabrikam.get(link)).status_code == 400
