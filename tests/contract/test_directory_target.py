"""The target tenant's port, over the twin and over Graph's adapter alike: finding users, and every write."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.model import Json, TargetEntry
from sync_core.model.errors import (
    AddressTakenError,
    ConflictError,
    GraphRefusedError,
    MissingManagerError,
    NotVisibleYetError,
    ResyncRequiredError,
)
from sync_core.ports import Presence, Standing
from tests.support.graph import no, yes
from tests.support.tenants import MARKER, NOBODY, OWNER, Tenants

ADDRESS = "ada@contoso.com"


async def invited(tenants: Tenants, name: str = "ada", **attributes: Json) -> str:
    guest = await tenants.target.invite(f"{name}@contoso.com", name, confirm=yes)
    assert await tenants.target.update(guest, attributes) == {}
    return guest


# --- finding ----------------------------------------------------------------------------------------------------


async def test_an_invitation_makes_one_external_user(tenants: Tenants) -> None:
    """Invited twice, there is one user, found by the address, external, with a time of creation."""
    first = await tenants.target.invite(ADDRESS, "Ada", confirm=yes)
    assert await tenants.target.invite(ADDRESS, "Ada", confirm=yes) == first
    (found,) = await tenants.target.candidates(ADDRESS)
    assert (found.id, found.external, found.display_name) == (first, True, "Ada")
    assert found.created_at == tenants.now()
    assert await tenants.target.read_user(first) == found
    assert await tenants.target.enabled(first)
    assert tenants.account(first)["displayName"] == "Ada"


async def test_an_address_is_found_in_any_case(tenants: Tenants) -> None:
    """Graph compares texts without regard to case."""
    guest = await invited(tenants)
    assert [each.id for each in await tenants.target.candidates("Ada@Contoso.com")] == [guest]
    assert await tenants.target.invite("Ada@Contoso.com", "Ada", confirm=yes) == guest


async def test_an_address_with_quotes_and_signs_is_one_value(tenants: Tenants) -> None:
    """A quote, a hash or a plus in an address neither breaks the filter nor widens it."""
    for name in ("o'hara", "a+b", "x#ext#y"):
        assert await tenants.target.candidates(f"{name}@contoso.com") == []
    guest = await tenants.target.invite("o'hara@contoso.com", "O'Hara", confirm=yes)
    assert [each.id for each in await tenants.target.candidates("o'hara@contoso.com")] == [guest]


async def test_an_internal_user_is_a_candidate_but_not_external(tenants: Tenants) -> None:
    """Somebody of the target tenant itself who has the address is shown as such, and cannot be invited."""
    internal = tenants.employee(ADDRESS)
    assert [(each.id, each.external) for each in await tenants.target.candidates(ADDRESS)] == [(internal, False)]
    with pytest.raises(GraphRefusedError) as caught:
        await tenants.target.invite(ADDRESS, "Ada", confirm=yes)
    assert caught.value.status == 400
    assert "already exists" in caught.value.message


async def test_a_guest_is_found_by_another_mail(tenants: Tenants) -> None:
    """The address of the invitation, the mail and the other mails count."""
    guest = await invited(tenants, "old")
    assert await tenants.target.update(guest, {"mail": "other@contoso.com"}) == {}
    for name in ("old", "other"):
        assert [each.id for each in await tenants.target.candidates(f"{name}@contoso.com")] == [guest]
    assert await tenants.target.update(guest, {"otherMails": [ADDRESS]}) == {}
    assert [(each.id, each.external) for each in await tenants.target.candidates(ADDRESS)] == [(guest, True)]
    assert await tenants.target.candidates("nobody@contoso.com") == []


async def test_an_invitations_mark_is_found_at_the_beginning_of_a_name(tenants: Tenants) -> None:
    """Whatever address the guest has; without a mark nobody is looked for by name."""
    guest = await invited(tenants, displayName="[x-1] Ada")
    await invited(tenants, "bob", displayName="Bob [x-1]")
    assert [each.id for each in await tenants.target.candidates(None, mark="[x-1]")] == [guest]
    both = await tenants.target.candidates("bob@contoso.com", mark="[x-1]")
    assert {each.display_name for each in both} == {"[x-1] Ada", "Bob [x-1]"}
    assert len(await tenants.target.candidates("bob@contoso.com")) == 1


async def test_who_bears_the_marker_is_found_whatever_the_address(tenants: Tenants) -> None:
    """By exactly this text; a directory extension comes along only because it is asked for."""
    ours = await invited(tenants, "old", **{OWNER: MARKER.text})
    await invited(tenants, "another", **{OWNER: f"{MARKER.prefix}{NOBODY}"})
    await invited(tenants, "longer", **{OWNER: f"{MARKER.text}0"})
    candidates = await tenants.target.candidates(None, marker=MARKER)
    assert [(each.id, each.marker) for each in candidates] == [(ours, MARKER.text)]
    theirs = await tenants.target.candidates("another@contoso.com", marker=MARKER)
    assert {each.marker for each in theirs} == {MARKER.text, f"{MARKER.prefix}{NOBODY}"}
    assert [each.marker for each in await tenants.target.candidates("old@contoso.com")] == [None]


async def test_a_quote_in_a_marker_does_not_widen_the_search(tenants: Tenants) -> None:
    """Nobody is found by it, and Graph understands the filter."""
    await invited(tenants, "old", **{OWNER: MARKER.text})
    odd = replace(MARKER, source_id=f"x' or {OWNER} ne '")
    assert await tenants.target.candidates(None, marker=odd) == []
    await invited(tenants, "odd", **{OWNER: odd.text})
    assert [each.marker for each in await tenants.target.candidates(None, marker=odd)] == [odd.text]


async def test_the_marked_are_listed_to_the_end(tenants: Tenants) -> None:
    """The source ids of one sync and tenant; a marker that names nobody is left out, and a deleted user too."""
    ids = [f"aaaaaaaa-0000-0000-0000-{number:012d}" for number in range(1, 4)]
    texts = [MARKER.prefix + each for each in ids]
    odd = [MARKER.prefix, f"{MARKER.prefix}nobody", f"other/{MARKER.tenant_id}/{NOBODY}"]
    guests = [await invited(tenants, f"u{n}", **{OWNER: text}) for n, text in enumerate((*texts, *odd))]
    await tenants.target.soft_delete(guests[0], confirm=yes)
    found: list[str] = []
    link: str | None = None
    while True:
        page = await tenants.target.marked(MARKER, link)
        found += page.source_ids
        if (link := page.next_link) is None:
            break
    assert sorted(found) == ids[1:]


# --- writing ----------------------------------------------------------------------------------------------------


async def test_updates_write_and_clear(tenants: Tenants) -> None:
    """A value is set, null clears it, and a user who is not there is no error."""
    guest = await invited(tenants)
    assert await tenants.target.update(guest, {"department": "Numbers", "city": "London"}) == {}
    assert await tenants.target.update(guest, {"department": None}) == {}
    account = tenants.account(guest)
    assert (account.get("department"), account["city"]) == (None, "London")
    assert await tenants.target.update(NOBODY, {"department": "X"}) is None


async def test_an_administrators_sensitive_attributes_are_left_and_the_rest_is_written(tenants: Tenants) -> None:
    """Each attribute that was refused is named with Graph's code."""
    guest = await invited(tenants)
    tenants.make_administrator(guest)
    code = "403 Authorization_RequestDenied"
    wanted: dict[str, Json] = {"accountEnabled": False, "mobilePhone": "1", "department": "X", "city": "Oslo"}
    assert await tenants.target.update(guest, wanted) == {"accountEnabled": code, "mobilePhone": code}
    account = tenants.account(guest)
    assert (account["department"], account["city"], account.get("mobilePhone")) == ("X", "Oslo", None)
    assert account.get("accountEnabled") is not False
    assert await tenants.target.update(guest, {"mobilePhone": "1"}) == {"mobilePhone": code}
    assert await tenants.target.enabled(guest)


async def test_enabled_tells_a_user_who_may_not_sign_in_from_one_who_is_not_there(tenants: Tenants) -> None:
    """A 404 may be an old read, so it is no answer."""
    guest = await invited(tenants)
    assert await tenants.target.enabled(guest)
    await tenants.target.update(guest, {"accountEnabled": False})
    assert await tenants.target.enabled(guest) is False
    await tenants.target.update(guest, {"accountEnabled": True})
    await tenants.target.soft_delete(guest, confirm=yes)
    assert await tenants.target.enabled(guest) is None
    assert await tenants.target.enabled(NOBODY) is None


async def test_a_write_that_is_not_confirmed_is_not_done(tenants: Tenants) -> None:
    """ConflictError, and everything is as it was."""
    with pytest.raises(ConflictError):
        await tenants.target.invite(ADDRESS, "Ada", confirm=no)
    assert await tenants.target.candidates(ADDRESS) == []
    guest = await invited(tenants, department="Numbers")
    with pytest.raises(ConflictError):
        await tenants.target.update(guest, {"department": "X"}, confirm=no)
    with pytest.raises(ConflictError):
        await tenants.target.soft_delete(guest, confirm=no)
    assert tenants.account(guest)["department"] == "Numbers"
    assert await tenants.target.presence(guest) is Presence.PRESENT


async def test_a_manager_is_set_replaced_and_removed(tenants: Tenants) -> None:
    """One reference; removing one that is not there is no error."""
    ada, bob, carol = [await invited(tenants, name) for name in ("ada", "bob", "carol")]
    for manager in (bob, carol, None, None):
        assert await tenants.target.set_manager(ada, manager)
        assert tenants.account(ada)["manager"] == manager


async def test_a_missing_manager_is_told_from_a_missing_user(tenants: Tenants) -> None:
    """The report waits for the manager; a user who is not there is given up."""
    ada, bob = [await invited(tenants, name) for name in ("ada", "bob")]
    with pytest.raises(MissingManagerError):
        await tenants.target.set_manager(ada, NOBODY)
    await tenants.target.soft_delete(bob, confirm=yes)
    with pytest.raises(MissingManagerError):
        await tenants.target.set_manager(ada, bob)
    assert not await tenants.target.set_manager(bob, ada)
    assert not await tenants.target.set_manager(bob, None)


async def test_a_users_life_in_the_target(tenants: Tenants) -> None:
    """Deleting, restoring and losing a user, each told by what is there afterwards; repeating is no error."""
    guest = await invited(tenants)
    assert await tenants.target.presence(guest) is Presence.PRESENT
    assert await tenants.target.soft_delete(guest, confirm=yes)
    assert not await tenants.target.soft_delete(guest, confirm=yes)
    assert await tenants.target.presence(guest) is Presence.SOFT_DELETED
    assert await tenants.target.read_user(guest) is None
    assert await tenants.target.candidates(ADDRESS) == []
    assert await tenants.target.update(guest, {"department": "X"}) is None
    assert await tenants.target.restore(guest)
    assert not await tenants.target.restore(guest)
    assert await tenants.target.presence(guest) is Presence.PRESENT
    await tenants.target.soft_delete(guest, confirm=yes)
    tenants.later(timedelta(days=31))
    assert await tenants.target.presence(guest) is Presence.GONE
    assert not await tenants.target.restore(guest)
    assert await tenants.target.presence(NOBODY) is Presence.GONE


async def test_a_deleted_user_is_read_as_one_who_is_there(tenants: Tenants) -> None:
    """Whether a deleted user is external decides on a restore; Graph renames the deleted, which tells nothing."""
    guest, internal = await invited(tenants), tenants.employee("grace@contoso.com")
    assert await tenants.target.deleted_user(guest) is None
    before = {each: await tenants.target.read_user(each) for each in (guest, internal)}
    for each, external in {guest: True, internal: False}.items():
        assert await tenants.target.soft_delete(each, confirm=yes)
        found = await tenants.target.deleted_user(each)
        assert found is not None
        assert found.external is external
        assert found == before[each]
    tenants.later(timedelta(days=31))
    assert await tenants.target.deleted_user(guest) is None
    assert await tenants.target.deleted_user(NOBODY) is None


async def test_an_invitation_after_a_deletion_makes_another_user(tenants: Tenants) -> None:
    """The old account comes back by a restore alone; its address is taken by then."""
    old = await invited(tenants)
    await tenants.target.soft_delete(old, confirm=yes)
    new = await invited(tenants)
    assert new != old
    assert [each.id for each in await tenants.target.candidates(ADDRESS)] == [new]
    with pytest.raises(AddressTakenError):
        await tenants.target.restore(old)
    assert await tenants.target.presence(old) is Presence.SOFT_DELETED


async def test_a_new_user_is_not_everywhere_yet(tenants: Tenants) -> None:
    """A write that comes too early after the invitation asks for another try, and is no missing user."""
    other = await invited(tenants, "bob")
    tenants.replicate_within(timedelta(seconds=20))
    guest = await tenants.target.invite(ADDRESS, "Ada", confirm=yes)
    assert await tenants.target.candidates(ADDRESS) == []
    assert await tenants.target.read_user(guest) is None
    assert await tenants.target.presence(guest) is Presence.GONE
    assert await tenants.target.enabled(guest) is None
    with pytest.raises(NotVisibleYetError):
        await tenants.target.update(guest, {"department": "X"})
    with pytest.raises(NotVisibleYetError):
        await tenants.target.set_manager(guest, other)
    with pytest.raises(NotVisibleYetError):
        await tenants.target.soft_delete(guest, confirm=yes)
    tenants.later(timedelta(seconds=21))
    assert await tenants.target.update(guest, {"department": "X"}) == {}
    assert tenants.account(guest)["department"] == "X"


async def test_how_users_stand(tenants: Tenants) -> None:
    """Of more guests than one request asks about; an internal user redeems nothing, and nobody is not there."""
    guests = [await invited(tenants, f"u{n}") for n in range(17)]
    internal = tenants.employee(ADDRESS)
    await tenants.redeem(guests[16])
    assert await tenants.target.update(guests[0], {"accountEnabled": False, "showInAddressList": False}) == {}
    assert await tenants.target.update(guests[1], {"showInAddressList": True}) == {}
    found = await tenants.target.standing([*guests, internal, NOBODY])
    usual = Standing(external=True, enabled=True, redeemed=False, listed=None)
    assert found == {
        **dict.fromkeys(guests, usual),
        guests[0]: replace(usual, enabled=False, listed=False),
        guests[1]: replace(usual, listed=True),
        guests[16]: replace(usual, redeemed=True),
        internal: replace(usual, external=False, redeemed=None),
    }


async def test_a_redemption_is_reset_at_an_address_that_the_user_bears(tenants: Tenants) -> None:
    """The user keeps the id. Nobody is invited, and another address is refused."""
    guest = await invited(tenants, displayName="Ada")
    await tenants.redeem(guest)
    with pytest.raises(GraphRefusedError):
        await tenants.target.reset_redemption(guest, "other@contoso.com", confirm=yes)
    with pytest.raises(ConflictError):
        await tenants.target.reset_redemption(guest, "ada@contoso.com", confirm=no)
    assert (await tenants.target.standing([guest]))[guest].redeemed
    assert await tenants.target.reset_redemption(guest, "ADA@contoso.com", confirm=yes)
    assert not (await tenants.target.standing([guest]))[guest].redeemed
    assert not await tenants.target.reset_redemption(NOBODY, "ada@contoso.com", confirm=yes)
    assert (await tenants.target.candidates("other@contoso.com"), tenants.account(guest)["displayName"]) == ([], "Ada")


# --- the feed ---------------------------------------------------------------------------------------------------


async def told(tenants: Tenants, link: str | None = None) -> tuple[dict[str, TargetEntry], str]:
    """A whole round of the target's delta query, the last entry of each user, and the link to the next one."""
    found: dict[str, TargetEntry] = {}
    while True:
        page = await tenants.target.delta_page(link)
        found |= {each.id: each for each in page.users}
        if page.delta_link:
            return found, page.delta_link
        link = page.next_link


async def test_the_feed_tells_what_became_of_a_guest(tenants: Tenants) -> None:
    """Whether they may sign in and are external, and what an attribute is; then only what changed."""
    guest, other = await invited(tenants, department="Research"), await invited(tenants, "bob")
    internal = tenants.employee("cyd@fabrikam.com")
    first, link = await told(tenants)
    assert (first[guest].external, first[guest].enabled, first[guest].removed) == (True, True, False)
    assert first[guest].attributes.get("department") == "Research"
    assert first[internal].external is False
    nobody, link = await told(tenants, link)
    assert nobody == {}
    await tenants.target.update(guest, {"department": None})
    await tenants.target.update(other, {"accountEnabled": False})
    changed, link = await told(tenants, link)
    assert (set(changed), changed[other].enabled) == ({guest, other}, False)
    assert changed[guest].attributes.get("department") is None
    assert await tenants.target.soft_delete(guest, confirm=yes)
    gone, link = await told(tenants, link)
    assert gone == {guest: TargetEntry(id=guest, removed=True)}
    assert await tenants.target.restore(guest)
    back, _ = await told(tenants, link)
    assert (set(back), back[guest].removed) == ({guest}, False)


async def test_a_link_of_the_feed_that_is_none_asks_for_a_full_round(tenants: Tenants) -> None:
    """A stored link may be of another tenant or host, or long dead."""
    with pytest.raises(ResyncRequiredError):
        await tenants.target.delta_page("https://elsewhere.example/v1.0/users/delta?$deltatoken=1")
