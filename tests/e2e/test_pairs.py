"""A rehire on the local stack: the new account takes over the guest, with its id and its groups."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from local.demo import CONTOSO, FABRIKAM
from local.emulated import User, until
from tests.support.stack import SYNC, a_while_later

from .story import Story, running

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONFIG = f"""
tenants:
  contoso: {{ id: {CONTOSO} }}
  fabrikam: {{ id: {FABRIKAM} }}
syncs:
  - name: {SYNC}
    source: contoso
    target: fabrikam
    deletion_guard: {{ max_percent: 0, min_count: 1 }}
"""


@pytest_asyncio.fixture(loop_scope="session", params=["deleted", "held"])
async def story(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Story]:
    """The guest of a leaver is deleted, or waits for a person."""
    config = CONFIG if request.param == "deleted" else CONFIG.replace("min_count: 1", "min_count: 0")
    async with running(tmp_path, config, people=6) as story:
        await story.round()
        await a_while_later(story.storage)
        yield story


async def member(story: Story) -> tuple[User, str, str]:
    """Somebody of the source, the id of their guest, and a group of the target that the guest is in."""
    people = await story.emulated.users(CONTOSO, ["id", "mail", "displayName", "mailNickname", "accountEnabled"])
    guests = {each["mail"]: str(each["id"]) for each in await story.emulated.users(FABRIKAM, ["id", "mail"])}
    person = next(each for each in people if each["accountEnabled"] and each["mail"] in guests)
    guest = guests[person["mail"]]
    body = {"displayName": "Project", "mailEnabled": False, "mailNickname": "project", "securityEnabled": True}
    group = str((await story.emulated.graph(FABRIKAM, "POST", "/groups", body))["id"])
    reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{guest}"}
    await story.emulated.graph(FABRIKAM, "POST", f"/groups/{group}/members/$ref", reference)
    return person, guest, group


async def hired_again(story: Story, person: User) -> str:
    """The same person with another account: its id."""
    body = {
        **{name: person[name] for name in ("displayName", "mailNickname", "mail")},
        "accountEnabled": True,
        "userPrincipalName": str(person["mail"]),
        "passwordProfile": {"password": "not a secret: 4!"},
    }
    return str((await story.emulated.graph(CONTOSO, "POST", "/users", body))["id"])


async def invitations(story: Story) -> int:
    items = (await story.emulated.control("GET", f"/requests?tenant={FABRIKAM}"))["items"]
    return len([each for each in items if each["kind"] == "invite"])


async def test_a_rehire_keeps_the_guest_and_its_groups(story: Story) -> None:
    """One who was deleted is restored, and one who is held goes on. Nobody is invited."""
    person, guest, group = await member(story)
    await story.emulated.graph(CONTOSO, "DELETE", f"/users/{person['id']}")
    await story.emulated.graph(CONTOSO, "DELETE", f"/directory/deletedItems/{person['id']}")
    await story.round()
    deleted = guest not in await story.ids(FABRIKAM)
    assert deleted is (await story.held() == [])
    before = await invitations(story)

    await story.stack.xtsync("pause", "--reason", "a rehire")
    new = await hired_again(story, person)
    _, asked = await story.stack.xtsync("move", str(person["id"]), "--sync", SYNC, "--to", new, "--by", "anna", "--yes")
    assert (asked["target_id"], asked["to"]) == (guest, f"{SYNC}/{new}")
    await story.stack.xtsync("resume")
    await story.stack.xtsync("sync", str(person["id"]), "--sync", SYNC)  # else it takes the former account five minutes

    async def moved() -> bool:
        link = await story.storage.links.get(SYNC, new)
        return link is not None and link.target_id == guest and not (link.dirty or link.redeem or not link.ours)

    assert await until(moved, timeout_s=60)
    assert guest in await story.ids(FABRIKAM)
    assert await invitations(story) == before + 1  # the reset of the redemption
    members = (await story.emulated.graph(FABRIKAM, "GET", f"/groups/{group}/members"))["value"]
    # The emulator gives no membership back to a user who is restored.
    assert [each["id"] for each in members] == [] if deleted else [guest]
    _, history = await story.stack.xtsync("history", new)
    assert "invited" not in {event["kind"] for event in history["events"]}
    assert "redemption_reset" in {event["kind"] for event in history["events"]}
    assert await story.held() == []
