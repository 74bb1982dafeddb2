"""`xtsync preflight` on the Graph emulator: each planted trouble is found by its cause, and none is invented."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from entra_graph_emulator.directory.objects import User
from entra_graph_emulator.testing import CONTOSO, FABRIKAM
from sync_core.model import Link, LinkState
from sync_core.ops.documents import Cause
from tests.support.cli import Result
from tests.support.emulated import EmulatedBench

SYNC = "contoso-to-fabrikam"
OWNER = "extension_0123456789abcdef0123456789abcdef_xtsyncOwner"
LEAST = ["User.DeleteRestore.All", "User.Invite.All", "User.ReadWrite.All"]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[EmulatedBench]:
    """Two tenants, and nobody in them but those whom a test plants."""
    with EmulatedBench(tmp_path) as made:
        yield made


def causes(result: Result) -> dict[str, list[tuple[str | None, str | None]]]:
    """Source and target users by cause."""
    [target] = result.json["targets"]
    return {
        each["cause"]: [(one["source_id"], one["target_id"]) for one in each["findings"]] for each in target["causes"]
    }


def person(bench: EmulatedBench, name: str = "ada", **attributes: Any) -> User:
    address = f"{name}@contoso.com"
    return bench.world.source.create(
        {"accountEnabled": True, "displayName": name, "userPrincipalName": address, "mail": address, **attributes}
    )


def guest(bench: EmulatedBench, name: str = "ada", **attributes: Any) -> User:
    address = f"{name}@contoso.com"
    return bench.world.target.create(
        {
            "accountEnabled": True,
            "creationType": "Invitation",
            "displayName": f"{name} there",
            "externalUserState": "Accepted",
            "mail": address,
            "otherMails": [address],
            "userPrincipalName": f"{name}_contoso.com#EXT#@fabrikam.com",
            "userType": "Guest",
            **attributes,
        }
    )


def internal(bench: EmulatedBench, **attributes: Any) -> User:
    name = f"user{bench.world.target.ever_created}@fabrikam.com"
    return bench.world.target.create(
        {"accountEnabled": True, "displayName": "Somebody", "userPrincipalName": name, "mail": name, **attributes}
    )


# --- one trouble of each kind ------------------------------------------------------------------------------------

type Planted = tuple[dict[str, list[tuple[str | None, str | None]]], int]  # by cause, and the exit code


def plant_nothing(bench: EmulatedBench) -> Planted:
    """A newcomer, a disabled one, a guest of the source itself, and strangers in the target."""
    person(bench)
    person(bench, "bob", accountEnabled=False)
    person(bench, "cyd", creationType="Invitation", externalUserState="Accepted")
    internal(bench)
    guest(bench, "eve", mail="eve@partner.com", otherMails=["eve@partner.com"])
    return {}, 0


def plant_internal_by_mail(bench: EmulatedBench) -> Planted:
    return {Cause.INTERNAL_USER: [(person(bench).id, internal(bench, mail="Ada@Contoso.com").id)]}, 1


def plant_internal_by_proxy(bench: EmulatedBench) -> Planted:
    taken = internal(bench, proxyAddresses=["SMTP:x@fabrikam.com", "smtp:ada@contoso.com"])
    return {Cause.INTERNAL_USER: [(person(bench).id, taken.id)]}, 1


def plant_internal_by_other_mail(bench: EmulatedBench) -> Planted:
    return {Cause.INTERNAL_USER: [(person(bench).id, internal(bench, otherMails=["ada@contoso.com"]).id)]}, 1


def plant_internal_by_principal_name(bench: EmulatedBench) -> Planted:
    taken = internal(bench, userPrincipalName="ada@contoso.com", mail=None)
    return {Cause.INTERNAL_USER: [(person(bench).id, taken.id)]}, 1


def plant_unadopted(bench: EmulatedBench) -> Planted:
    return {Cause.UNADOPTED: [(person(bench).id, guest(bench).id)]}, 3


def plant_review(bench: EmulatedBench) -> Planted:
    bench.configure("    matching: { adopt: review }\n")
    return {Cause.NEEDS_APPROVAL: [(person(bench).id, guest(bench).id)]}, 3


def plant_adopted(bench: EmulatedBench) -> Planted:
    bench.configure("    matching: { adopt: guests }\n")
    person(bench), guest(bench)
    return {}, 0


def plant_pending(bench: EmulatedBench) -> Planted:
    bench.configure("    matching: { adopt: guests }\n")
    return {Cause.PENDING: [(person(bench).id, guest(bench, externalUserState="PendingAcceptance").id)]}, 0


def plant_pending_and_unadopted(bench: EmulatedBench) -> Planted:
    pair = person(bench).id, guest(bench, externalUserState="PendingAcceptance").id
    return {Cause.UNADOPTED: [pair], Cause.PENDING: [pair]}, 3


def plant_several(bench: EmulatedBench) -> Planted:
    ada, one = person(bench), guest(bench)
    two = guest(bench, "ada.b", otherMails=["ada@contoso.com"])
    return {Cause.AMBIGUOUS: [(ada.id, one.id), (ada.id, two.id)]}, 3


def plant_blocked(bench: EmulatedBench) -> Planted:
    bench.configure("    matching: { adopt: guests }\n")
    return {Cause.BLOCKED: [(person(bench).id, guest(bench, accountEnabled=False).id)]}, 3


def plant_orphan(bench: EmulatedBench) -> Planted:
    """Bob's guest is none: an address of a user counts, disabled and out of scope or not, and an alias does."""
    person(bench, "bob", accountEnabled=False, proxyAddresses=["SMTP:bob@contoso.com", "smtp:robert@contoso.com"])
    guest(bench, "bob"), guest(bench, "robert")
    return {Cause.ORPHANED: [(None, guest(bench, "left").id)]}, 0


def plant_orphan_of_a_deleted_user(bench: EmulatedBench) -> Planted:
    bench.world.source.delete(person(bench, "left"))
    return {Cause.ORPHANED: [(None, guest(bench, "left").id)]}, 0


def plant_contact(bench: EmulatedBench) -> Planted:
    bench.world.target.settings.contact_addresses = ["ADA@contoso.com", "nobody@contoso.com"]
    [contact] = bench.get(FABRIKAM, "/contacts?$filter=mail eq 'ADA@contoso.com'")
    return {Cause.CONTACT: [(person(bench).id, contact["id"])]}, 1


def plant_soft_deleted(bench: EmulatedBench) -> Planted:
    gone, other = guest(bench), guest(bench, "nobody")
    for each in (gone, other):
        bench.world.target.delete(each)
    return {Cause.SOFT_DELETED: [(person(bench).id, gone.id)]}, 1


def plant_foreign_address(bench: EmulatedBench) -> Planted:
    return {Cause.FOREIGN_ADDRESS: [(person(bench, mail="ada@partner.com").id, None)]}, 1


def plant_no_address(bench: EmulatedBench) -> Planted:
    """By configuration the principal name is invited, and it is none of the source's domains."""
    bench.configure("    matching: { invite: userPrincipalName }\n")
    person(bench, mail="ada@partner.com")
    return {}, 0


def plant_shared_address(bench: EmulatedBench) -> Planted:
    person(bench)
    return {Cause.SHARED: [(person(bench, "ada2", mail="ada@contoso.com", proxyAddresses=[]).id, None)]}, 1


def plant_undecided(bench: EmulatedBench) -> Planted:
    missing = "99999999-9999-9999-9999-999999999999"
    bench.configure(f"    scope: {{ users: assigned, groups: [{missing}] }}\n")
    return {Cause.UNDECIDED: [(person(bench).id, None)]}, 1


def plant_members(bench: EmulatedBench) -> Planted:
    """Bob is in no group, so that his guest is nobody's business; Ada is, by a nested one."""
    ada, _ = person(bench), person(bench, "bob")
    inner, outer = bench.group(ada.id), bench.group()
    bench.join(outer, inner)
    bench.configure(f"    scope: {{ users: assigned, groups: [{outer}] }}\n")
    guest(bench, "bob")
    return {Cause.UNADOPTED: [(ada.id, guest(bench).id)]}, 3


def plant_ignored(bench: EmulatedBench) -> Planted:
    """An expression of the mapping leaves Ada alone, so nobody is in anybody's way."""
    bench.configure(
        "    mapping:\n      - { target: displayName, source: displayName }\n"
        "      - { target: department, expression: 'IIF([department]=\"X\", IgnoreObjectFlow, [department])' }\n"
    )
    guest(bench)
    person(bench, department="X")
    return {}, 0


def plant_marked(bench: EmulatedBench) -> Planted:
    """Records were lost: a guest who bears Ada's marker is adopted whatever the policy; another's is not."""
    bench.configure(f"    matching: {{ owner_attribute: {OWNER} }}\n")
    bench.world.target.apps.declare_extension(OWNER)
    ada, bob = person(bench), person(bench, "bob")
    guest(bench, **{OWNER: f"{SYNC}/{CONTOSO}/{ada.id}"})
    other = guest(bench, "bob", **{OWNER: f"{SYNC}/{CONTOSO}/{ada.id[:-1]}0"})
    return {Cause.ABANDONED: [(bob.id, other.id)]}, 3


def plant_marker_of_another(bench: EmulatedBench) -> Planted:
    bench.configure(f"    matching: {{ owner_attribute: {OWNER} }}\n")
    bench.world.target.apps.declare_extension(OWNER)
    ada, bob = person(bench), person(bench, "bob")
    guest(bench, **{OWNER: f"{SYNC}/{CONTOSO}/{ada.id}"})
    other = guest(bench, "bob", **{OWNER: f"another/{CONTOSO}/{bob.id}"})
    return {Cause.ALREADY_LINKED: [(bob.id, other.id)]}, 1


def plant_linked(bench: EmulatedBench) -> Planted:
    """Somebody with a pair is no newcomer, and their guest is no orphan, whatever its address."""
    ada, theirs = person(bench), guest(bench, "former.name")
    bench.link(ada.id, theirs.id)
    guest(bench)
    return {}, 0


def plant_linked_to_another(bench: EmulatedBench) -> Planted:
    ada, bob, theirs = person(bench), person(bench, "bob"), guest(bench)
    bench.link(bob.id, theirs.id)
    return {Cause.ALREADY_LINKED: [(ada.id, theirs.id)]}, 1


def plant_linked_to_a_deleted_account(bench: EmulatedBench) -> Planted:
    ada, former, theirs = person(bench), person(bench, "former"), guest(bench)
    bench.link(former.id, theirs.id)
    bench.world.source.delete(former)
    return {Cause.ABANDONED: [(ada.id, theirs.id)]}, 3


def plant_full_directory(bench: EmulatedBench) -> Planted:
    """Of two newcomers one has room."""
    person(bench), person(bench, "bob")
    bench.world.target.settings.directory_quota = bench.world.target.user_count + 1
    return {Cause.QUOTA: [(None, None)]}, 1


TROUBLES = [each for name, each in globals().items() if name.startswith("plant_")]


@pytest.mark.parametrize("plant", TROUBLES, ids=lambda plant: plant.__name__.removeprefix("plant_"))
def test_exactly_what_was_planted_is_found(bench: EmulatedBench, plant: Callable[[EmulatedBench], Planted]) -> None:
    """By its cause, with both users, and by the exit code."""
    bench.world.target.settings.directory_quota = 300_000
    planted, code = plant(bench)
    result = bench.run("preflight", "--json")
    assert causes(result) == planted
    assert result.code == code
    assert result.json["targets"][0]["unseen"] == []
    assert {request["method"] for request in bench.requests()} <= {"GET", "POST"}
    assert [each for each in bench.requests() if each["method"] == "POST" and "getByIds" not in each["path"]] == []


# --- what a look decides -----------------------------------------------------------------------------------------

_DECIDED = {cause.value for cause in Cause} - {
    *(Cause.SHARED, Cause.CONTACT, Cause.SOFT_DELETED, Cause.QUOTA, Cause.PENDING, Cause.ORPHANED)
}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    people=st.lists(st.sampled_from(["mail", "foreign", "off", "plain"]), min_size=1, max_size=4),
    others=st.lists(
        st.tuples(
            st.integers(0, 3),
            st.sampled_from(["guest", "pending", "off", "internal", "other mail", "proxy"]),
        ),
        max_size=6,
    ),
    adopt=st.sampled_from(["none", "guests", "review"]),
)
def test_it_says_what_the_plan_says(
    tmp_path_factory: pytest.TempPathFactory, people: list[str], others: list[tuple[int, str]], adopt: str
) -> None:
    """Of any two tenants: those whom a full plan refuses are those whom the preflight names, by the same causes."""
    with EmulatedBench(tmp_path_factory.mktemp("law")) as bench:
        bench.configure(f"    matching: {{ adopt: {adopt} }}\n")
        for number, kind in enumerate(people):
            mail = {"foreign": f"p{number}@partner.com", "plain": None}.get(kind, f"p{number}@contoso.com")
            person(bench, f"p{number}", mail=mail, accountEnabled=kind != "off")
        for index, (of, kind) in enumerate(others):
            stranger(bench, f"x{index}", f"p{of}@contoso.com", kind)
        plan = bench.run("plan", "--json").json["syncs"][0]
        refused = {(user["user"], user["reason"]) for user in plan["users"] if user["change"] in {"Refuse", "error"}}
        found = causes(bench.run("preflight", "--json"))
        named = {(source, cause) for cause, pairs in found.items() if cause in _DECIDED for source, _ in pairs}
        assert named == refused


def stranger(bench: EmulatedBench, name: str, address: str, kind: str) -> None:
    """Somebody in the target who has this address in one of its places."""
    match kind:
        case "internal":
            internal(bench, otherMails=[address])
        case "proxy":
            if bench.world.target.known_by(address):  # no two objects have one proxy address
                return
            internal(bench, proxyAddresses=[f"SMTP:{name}@fabrikam.com", f"smtp:{address}"])
        case "other mail":
            guest(bench, name, otherMails=[address])
        case _:
            state = "PendingAcceptance" if kind == "pending" else "Accepted"
            more = {"accountEnabled": kind != "off", "externalUserState": state, "proxyAddresses": []}
            guest(bench, name, mail=address, otherMails=[], **more)


# --- what may not be seen ----------------------------------------------------------------------------------------


def test_what_the_app_may_not_read_is_named(bench: EmulatedBench) -> None:
    """The least roles of the target do not show contacts, and nothing is said of them."""
    plant_contact(bench)
    bench.roles(FABRIKAM, LEAST)
    result = bench.run("preflight", "--json")
    assert causes(result) == {}
    unseen = {each["what"]: each["remedy"] for each in result.json["targets"][0]["unseen"]}
    assert unseen.keys() == {"mail contacts of fabrikam", "the quota of the directory of fabrikam"}
    assert "OrgContact.Read.All in fabrikam" in unseen["mail contacts of fabrikam"]
    assert "not allowed to see: mail contacts of fabrikam" in bench.run("preflight").out


def test_domains_that_may_not_be_read_are_asked_for_once(bench: EmulatedBench) -> None:
    """Each such user would be parked by a look; the tenant is not asked for each of them."""
    people = [person(bench, f"p{n}", mail=f"p{n}@partner.com").id for n in range(5)]
    bench.fault(CONTOSO, "/organization", 403)
    result = bench.run("preflight", "--json")
    assert [source for source, _ in causes(result)[Cause.DOMAINS_UNKNOWN]] == people
    assert sum("organization" in each["path"] and each["tenant"] == CONTOSO for each in bench.requests()) == 1


# --- requests ----------------------------------------------------------------------------------------------------


def test_requests_do_not_grow_with_matches(tmp_path_factory: pytest.TempPathFactory) -> None:
    """As many requests for fifty guests who wait, and fifty of others' accounts, as for one of each."""
    asked = []
    for size in (1, 50):
        with EmulatedBench(tmp_path_factory.mktemp(str(size))) as bench:
            for n in range(size):
                person(bench, f"a{n}"), guest(bench, f"a{n}")
                person(bench, f"b{n}"), internal(bench, otherMails=[f"b{n}@contoso.com"])
                bench.link(person(bench, f"c{n}", accountEnabled=False).id, guest(bench, f"d{n}").id)
                person(bench, f"d{n}")
            result = bench.run("preflight", "--json")
            assert len(causes(result)[Cause.UNADOPTED]) == len(causes(result)[Cause.ALREADY_LINKED]) == size
            asked.append(len(bench.requests()))
    assert asked[0] == asked[1]


# --- people and files --------------------------------------------------------------------------------------------


def test_people_see_causes_users_and_remedies(bench: EmulatedBench) -> None:
    """Names of both, unless nobody wants them, and no more of each cause than a screen takes."""
    for n in range(22):
        person(bench, f"p{n}"), guest(bench, f"p{n}")
    shown = bench.run("preflight").out
    assert "a guest with this address is in the target already, and waits for a word: 22 users" in shown
    assert "`xtsync adopt USER` adopts it" in shown
    assert "p0 <p0@contoso.com>" in shown
    assert "p0 there <p0@contoso.com>" in shown
    assert "and 2 more (--all lists them)" in shown
    assert "p21 there" in bench.run("preflight", "--all").out
    nameless = bench.run("preflight", "--no-names").out + bench.run("preflight", "--json").out
    assert "@contoso.com" not in nameless


def test_nothing_in_the_way_is_said(bench: EmulatedBench) -> None:
    """With what would happen."""
    person(bench)
    shown = bench.run("preflight").out
    assert "Of 1 source user in scope, 1 would be invited and 0 adopted" in shown
    assert "Nothing stands in the way." in shown


def decided(text: str, *yes: str, **edited: str) -> str:
    """The file as a person gives it back: yes to these target users."""
    rows = list(csv.DictReader(StringIO(text)))
    out = StringIO()
    writer = csv.DictWriter(out, rows[0].keys())
    writer.writeheader()
    for row in rows:
        writer.writerow({**row, "adopt": "yes" if row["target"] in yes else "", **edited})
    return out.getvalue()


def approved(bench: EmulatedBench, users: Collection[str]) -> dict[str, str | None]:
    links = {user: bench.stored(user) for user in users}
    return {user: None if link is None else link.approved_target for user, link in links.items()}


def test_an_edited_file_goes_back_into_adopt(bench: EmulatedBench) -> None:
    """Those with a yes are adopted, one of several chosen among them; everybody else stays as they are."""
    ada, bob, cyd = (person(bench, name).id for name in ("ada", "bob", "cyd"))
    first, second = guest(bench).id, guest(bench, "ada.b", otherMails=["ada@contoso.com"]).id
    theirs, internal_one = guest(bench, "bob").id, internal(bench, otherMails=["cyd@contoso.com"]).id
    guest(bench, "left")
    text = bench.run("preflight", "--csv").out
    file = bench.file(decided(text, second, theirs))
    result = bench.run("adopt", "--from", file, "--yes", "--json")
    assert result.code == 0, result.err
    assert approved(bench, (ada, bob, cyd)) == {ada: second, bob: theirs, cyd: None}
    assert first not in result.out
    refused = bench.run("adopt", "--from", bench.file(decided(text, internal_one)), "--yes")
    assert (refused.code, "has no code" in refused.err) == (2, True)
    nobody = bench.run("adopt", "--from", bench.file(text), "--yes")
    assert (nobody.code, "the file names nobody" in nobody.err) == (2, True)


@pytest.mark.parametrize(
    "plant",
    [plant_linked_to_a_deleted_account, plant_blocked, plant_pending_and_unadopted, plant_review, plant_marked],
    ids=lambda plant: plant.__name__.removeprefix("plant_"),
)
def test_every_row_with_a_code_can_be_adopted(bench: EmulatedBench, plant: Callable[[EmulatedBench], Planted]) -> None:
    """What the listing showed is what a fresh look shows, of every kind that a word is enough for."""
    planted, _ = plant(bench)
    [source, target] = next(iter(planted.values()))[0]
    assert source is not None
    assert target is not None
    text = decided(bench.run("preflight", "--csv").out, target)
    result = bench.run("adopt", "--from", bench.file(with_code(text)), "--yes")
    assert result.code == 0, result.err
    assert approved(bench, [source]) == {source: target}


def with_code(text: str) -> str:
    """Without the rows that no word is for, such as the second one of a guest who is pending, too."""
    out = StringIO()
    csv.writer(out).writerows(row for row in csv.reader(StringIO(text)) if row[3])
    return out.getvalue()


@pytest.mark.parametrize(
    "change",
    [{"displayName": "Somebody else"}, {"accountEnabled": False}, {"mail": "other@contoso.com"}],
    ids=lambda change: next(iter(change)),
)
def test_a_row_whose_user_has_changed_is_refused_with_its_line(bench: EmulatedBench, change: dict[str, Any]) -> None:
    """It is bound to what was shown, so nobody of the file is adopted."""
    people = [person(bench, name).id for name in ("ada", "bob")]
    guests = [guest(bench, name) for name in ("ada", "bob")]
    text = decided(bench.run("preflight", "--csv").out, *(each.id for each in guests))
    bench.world.target.update(guests[1], change)
    result = bench.run("adopt", "--from", bench.file(text), "--yes")
    assert result.code == 1
    assert f"line 3: {people[1]}: what was shown has changed since" in result.err
    assert "line 2" not in result.err
    assert approved(bench, people) == dict.fromkeys(people)


def test_the_file_runs_nothing(bench: EmulatedBench) -> None:
    """A name like a formula is text, and a semicolon is what some spreadsheets make of a comma."""
    ada, theirs = person(bench, displayName="=1+1").id, guest(bench, displayName="@SUM(A1)").id
    text = bench.run("preflight", "--csv").out
    [row] = csv.DictReader(StringIO(text))
    assert (row["source name"][:5], row["target name"][:5]) == ("'=1+1", "'@SUM")
    cells = list(csv.reader(StringIO(decided(text, theirs))))
    semicolons = "\n".join(";".join(cell.replace(";", ",") for cell in row) for row in cells)
    assert bench.run("adopt", "--from", bench.file(semicolons), "--yes").code == 0
    assert approved(bench, [ada]) == {ada: theirs}


@pytest.mark.parametrize("mode", ["observe", "run"])
def test_the_whole_way_from_a_look_to_a_pair(bench: EmulatedBench, mode: str) -> None:
    """A word that is given while the sync observes stands, and the first look that may write adopts."""
    ada, theirs = person(bench).id, guest(bench).id
    bench.configure(f"    mode: {mode}\n")
    text = decided(bench.run("preflight", "--csv").out, theirs)
    assert bench.run("adopt", "--from", bench.file(text), "--yes").code == 0
    bench.run("sync", ada)
    bench.configure()
    bench.world.clock.advance(600)
    bench.run("sync", ada)
    link = bench.stored(ada)
    assert link is not None
    assert (link.state, link.target_id) == (LinkState.LINKED, theirs)
    assert causes(bench.run("preflight", "--json")) == {}


def test_the_sync_stands_in_the_row(bench: EmulatedBench) -> None:
    """Somebody is in scope of two syncs: one has the pair to come, and a row says which sync it is of."""
    bench.configure("    matching: { adopt: review }\n  - { name: other, source: contoso, target: fabrikam }\n")
    ada, theirs = person(bench).id, guest(bench).id
    bob = person(bench, "bob").id
    result = bench.run("preflight", "--json")
    assert causes(result) == {
        Cause.NEEDS_APPROVAL: [(ada, theirs)],
        Cause.UNADOPTED: [(ada, theirs)],
        Cause.SHARED: [(bob, None)],
    }
    rows = [row for row in csv.DictReader(StringIO(bench.run("preflight", "--csv").out)) if row["sync"] == "other"]
    text = f"user,target,code,sync\n{ada},{theirs},{rows[0]['code']},other\n"
    refused = bench.run("adopt", "--from", bench.file(text), "--sync", SYNC, "--yes")
    assert (refused.code, f"line 2: {ada}: the row is of other" in refused.err) == (1, True)
    assert bench.run("adopt", "--from", bench.file(text), "--yes", "--json").json["approved"][0]["sync"] == "other"


def test_progress_is_for_a_terminal(bench: EmulatedBench) -> None:
    """A bar while the tenants are read, and the same answer."""
    person(bench)
    shown = bench.run("preflight", terminal=True)
    assert (shown.code, "Nothing stands in the way." in shown.out) == (0, True)
    assert "reading fabrikam" in shown.err


def test_one_sync_of_several(bench: EmulatedBench) -> None:
    """Only its people are shown, and a pair of the other sync stands in the way as it would."""
    assert bench.run("preflight", "--sync", "nobody").code == 2
    person(bench)
    assert bench.run("preflight", "--sync", SYNC, "--json").json["targets"][0]["syncs"] == [SYNC]


def test_a_link_of_before_is_told_of(bench: EmulatedBench) -> None:
    """An invitation of ours on its way is nobody's trouble; a word that was given stands."""
    ada, bob, theirs = person(bench), person(bench, "bob"), guest(bench, "bob")
    bench.save(Link(sync=SYNC, source_id=ada.id, state=LinkState.INVITING, invitation_nonce="n"))
    bench.save(Link(sync=SYNC, source_id=bob.id, approved_target=theirs.id))
    result = bench.run("preflight", "--json")
    [target] = result.json["targets"]
    assert (result.code, target["linked"], target["adopted"], target["invited"]) == (0, 1, 1, 0)
