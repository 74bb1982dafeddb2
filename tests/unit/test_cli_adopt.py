"""`xtsync adopt`: a person's word about one guest, for one user, and for the next look."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sync_core.model import Link, LinkState, Reason, Why
from sync_core.model.errors import ConflictError
from sync_core.ops.changes import WAYS_OUT
from sync_core.ports import SyncRecord
from sync_core.storage.links import TableLinks
from tests.support.cli import ADA, BOB, CONFIG, NAME, Bench
from tests.support.make import person

ADDRESS = "ada@contoso.example"
SECOND = "  - { name: contoso-to-litware, source: contoso, target: litware }\n"


class Contested(TableLinks):
    """A worker is always faster."""

    async def save(self, link: Link) -> Link:
        raise ConflictError("the row was changed")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Ada is in scope, and a guest with her address is there already; adoption is for review."""
    bench = Bench(tmp_path)
    bench.source.users[ADA] = person()
    bench.target.add("guest-1", ADDRESS)
    _policy(bench, "review")
    return bench


def _policy(bench: Bench, adopt: str) -> None:
    (bench.folder / "sync.yaml").write_text(CONFIG + f"    matching: {{ adopt: {adopt} }}\n")


def _link(bench: Bench) -> Link | None:
    return bench.do(bench.storage.links.get(NAME, ADA))


def _worked_off(bench: Bench) -> str:
    """The result of `xtsync sync`, in the place of the function app."""
    bench.clock.advance(timedelta(seconds=1))
    return str(bench.run("sync", ADA, "--json").json["results"][0]["outcome"]["result"])


def test_a_guest_under_review_waits_for_a_person(bench: Bench) -> None:
    """Parked with its own reason and hint, exit code 3, and listed."""
    result = bench.run("sync", ADA)
    assert result.code == 3
    assert "parked: adoption needs approval" in result.out
    assert f"hint: {WAYS_OUT[Reason.NEEDS_APPROVAL]}" in result.out
    listed = bench.run("adopt", "--json")
    assert listed.code == 0
    [waiting] = listed.json["waiting"]
    assert (waiting["sync"], waiting["source_id"], waiting["reason"]) == (NAME, ADA, "adoption needs approval")
    shown = bench.run("adopt").out
    assert ADA in shown
    assert "1 user waiting. To see one and decide: xtsync adopt USER" in shown


def test_nobody_waits(bench: Bench) -> None:
    """An empty list is a sentence, and an empty list."""
    assert bench.run("adopt").out == "Nobody waits for an adoption.\n"
    assert bench.run("adopt", "--json").json == {"waiting": []}


@pytest.mark.parametrize("policy", ["review", "none"])
def test_an_approval_adopts_exactly_this_guest(bench: Bench, policy: str) -> None:
    """Shown, confirmed, nominated; the next look adopts, and the approval is used up."""
    _policy(bench, policy)
    bench.run("sync", ADA)
    result = bench.run("adopt", ADDRESS, answer="y\n")
    assert result.code == 0, result.err
    assert "target user guest-1, a B2B user, created at 2026-01-05T09:00" in result.err
    assert "may adopt guest-1" in result.out
    assert bench.target.writes == []
    assert [(each.user, each.why) for each in bench.nominations()] == [(ADA, Why.APPROVED)]
    assert _worked_off(bench) == "done"
    link = _link(bench)
    assert link is not None
    assert (link.state, link.target_id, link.approved_target) == (LinkState.LINKED, "guest-1", None)
    assert bench.target.writes == [("update", "guest-1"), ("set_manager", "guest-1")]


def test_an_approval_needs_no_look_before_it(bench: Bench) -> None:
    """A user without a stored link may be decided about, too."""
    result = bench.run("adopt", ADA, "--yes", "--json")
    assert result.json == {"sync": NAME, "source_id": ADA, "target_id": "guest-1", "result": "approved"}
    assert _worked_off(bench) == "done"


def test_nobody_is_adopted_in_a_sync_that_is_stopped(bench: Bench) -> None:
    """Its record is of other tenants than sync.yaml has, so no id means what it did."""
    bench.do(bench.storage.syncs.save(SyncRecord(name=NAME, tenants=("other", "tenants"))))
    result = bench.run("adopt", ADA, "--yes")
    assert (result.code, _link(bench)) == (1, None)
    assert "stored for source other" in result.err


def test_an_approval_of_somebody_else_counts_for_nothing(bench: Bench) -> None:
    """The guest was replaced by another one between the word and the look: it waits again, and the word is gone."""
    bench.run("adopt", ADA, "--yes")
    account = bench.target.users.pop("guest-1")
    bench.target.users["guest-2"] = account
    assert _worked_off(bench) == "parked"
    link = _link(bench)
    assert link is not None
    assert link.parked is not None
    assert (link.parked.reason, link.approved_target) == ("adoption needs approval", None)
    bench.target.users["guest-1"] = bench.target.users.pop("guest-2")
    assert _worked_off(bench) == "parked"
    assert bench.target.writes == []


def test_one_of_several_is_chosen_by_name(bench: Bench) -> None:
    """Two guests have the address: without --target nothing is decided, with it that one is adopted."""
    bench.target.add("guest-2", ADDRESS)
    bench.run("sync", ADA)
    assert bench.run("adopt", "--json").json["waiting"][0]["reason"] == "ambiguous"
    refused = bench.run("adopt", ADA, "--yes")
    assert refused.code == 1
    assert "Add --target ID: guest-1, guest-2." in refused.err
    assert bench.run("adopt", ADA, "--target", "GUEST-2", "--yes").code == 0
    assert _worked_off(bench) == "done"
    assert bench.target.writes == [("update", "guest-2"), ("set_manager", "guest-2")]


def test_who_may_never_be_adopted_is_refused_with_the_reason(bench: Bench) -> None:
    """An internal user, a guest of another source user, a stranger, and nobody at all."""
    bench.target.users["guest-1"].external = False
    assert "guest-1 cannot be adopted: Refuse: internal user" in bench.run("adopt", ADA, "--yes").err
    bench.target.users["guest-1"].external = True
    bench.source.users[BOB] = person("Bob")
    bench.do(bench.storage.links.claim("22222222-2222-2222-2222-222222222222", "guest-1", f"{NAME}/{BOB}"))
    refused = bench.run("adopt", ADA, "--yes")
    assert f"already linked (guest-1 is linked to {NAME}/{BOB})" in refused.err
    assert f"hint: {WAYS_OUT[Reason.ALREADY_LINKED]}" in refused.err
    assert "guest-9 is not among those" in bench.run("adopt", ADA, "--target", "guest-9", "--yes").err
    bench.target.users.clear()
    nobody = bench.run("adopt", ADA, "--yes")
    assert nobody.code == 1
    assert "nobody is there to adopt; nothing was decided" in nobody.err
    assert "hint: What the next look does: Invite" in nobody.err
    assert bench.nominations() == []
    assert _link(bench) is None


def test_silence_is_not_consent(bench: Bench) -> None:
    """Without a terminal and without --yes nothing is decided; nor by any other answer than yes."""
    assert bench.run("adopt", ADA).code == 2
    assert bench.run("adopt", ADA, answer="n\n").code == 1
    assert _link(bench) is None


def test_target_without_user_is_wrong_usage(bench: Bench) -> None:
    """A target alone does not say whose it is to be."""
    assert bench.run("adopt", "--target", "guest-1").code == 2


def test_the_sync_is_named_when_several_are_meant(bench: Bench) -> None:
    """Two syncs wait for the same user: a word for one is no word for the other."""
    litware = "  litware: { id: 33333333-3333-3333-3333-333333333333 }\nsyncs:\n"
    (bench.folder / "sync.yaml").write_text(CONFIG.replace("syncs:\n", litware) + SECOND)
    refused = bench.run("adopt", ADA, "--yes")
    assert refused.code == 2
    assert f"Name it with --sync: {NAME}, contoso-to-litware." in refused.err
    assert bench.run("adopt", ADA, "--sync", NAME, "--yes").code == 0


def test_a_user_who_is_being_looked_at_is_left_alone(bench: Bench) -> None:
    """A worker saved the link first: nothing was decided, and nobody is nominated."""
    bench.storage = replace(bench.storage, links=Contested(bench.storage.tables_by_name["links"]))
    refused = bench.run("adopt", ADA, "--yes")
    assert refused.code == 1
    assert "looked at by somebody else at this moment; nothing was decided" in refused.err
    assert bench.nominations() == []


def test_graph_is_only_read(bench: Bench) -> None:
    """The command's own clients cannot write: the adoption is the worker's."""
    bench.run("adopt", ADA, "--yes")
    bench.run("adopt")
    assert bench.built == [True, True]


def test_every_refusal_has_a_way_out_of_its_own() -> None:
    """Every reason comes with a remedy."""
    skipped = {Reason.EXTERNAL, Reason.DISABLED, Reason.NO_CHANGE, Reason.NOT_OURS, Reason.OUT_OF_SCOPE, Reason.LEFT}
    assert set(WAYS_OUT) == set(Reason) - skipped
    assert len(set(WAYS_OUT.values())) == len(WAYS_OUT)


def test_the_list_has_names_and_is_grouped_by_reason(bench: Bench) -> None:
    """Read while it is shown; without names, object ids alone."""
    bench.run("sync", ADA)
    shown = bench.run("adopt").out
    assert "adoption needs approval: 1 user" in shown
    assert "Ada <ada@contoso.example>" in next(line for line in shown.splitlines() if ADA in line)
    assert "ada@" not in bench.run("adopt", "--no-names").out + bench.run("adopt", "--json").out


def _file(bench: Bench, *rows: str) -> str:
    (bench.folder / "reviewed.csv").write_text("\n".join(rows))
    return "reviewed.csv"


def test_all_of_a_file_are_adopted_at_once(bench: Bench) -> None:
    """By name or object id, with the target user where somebody wrote it; the looks that follow adopt them."""
    bench.source.users[BOB] = person("Bob")
    bench.target.add("guest-2", "bob@contoso.example")
    rows = _file(bench, "# reviewed by Grace", f"{ADA}, guest-1", "", "bob@contoso.example")
    result = bench.run("adopt", "--from", rows, "--yes", "--json")
    assert result.code == 0
    assert [(each["source_id"], each["target_id"]) for each in result.json["approved"]] == [
        (ADA, "guest-1"),
        (BOB, "guest-2"),
    ]
    assert result.json["changed"] == []
    assert "Ada <ada@contoso.example> adopts guest-1 <ada@contoso.example>" in result.err
    assert _worked_off(bench) == "done"


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (("nobody@contoso.example",), "nobody@contoso.example: no source tenant knows the user"),
        ((f"{ADA},guest-9",), "guest-9 is not among those who may be adopted"),
        ((ADA, ADA), "guest-1 is named for another user, too"),
    ],
)
def test_one_row_that_cannot_be_adopted_stops_the_file(bench: Bench, rows: tuple[str, ...], told: str) -> None:
    """Nobody is adopted, and every such row is named."""
    result = bench.run("adopt", "--from", _file(bench, *rows), "--yes")
    assert result.code == 1
    assert told in result.err
    assert _link(bench) is None


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ((f"{ADA},guest-1,x",), "line 1 is neither USER nor USER,TARGET"),
        (("", ",guest-1"), "line 2 is neither"),
        (("# nobody",), "the file names nobody"),
    ],
)
def test_a_file_of_another_form_is_refused(bench: Bench, rows: tuple[str, ...], told: str) -> None:
    """With the line."""
    result = bench.run("adopt", "--from", _file(bench, *rows), "--yes")
    assert (result.code, told in result.err) == (2, True)


def test_a_file_that_cannot_be_read_is_named(bench: Bench) -> None:
    """And a user beside it is refused, since the file names them all."""
    assert "none.csv cannot be read" in bench.run("adopt", "--from", "none.csv").err
    assert bench.run("adopt", ADA, "--from", _file(bench, ADA)).code == 2


def test_a_person_says_no_to_a_file(bench: Bench) -> None:
    """Then nothing is decided."""
    result = bench.run("adopt", "--from", _file(bench, ADA), answer="n\n", terminal=True)
    assert result.code == 1
    assert _link(bench) is None


def test_who_changed_meanwhile_is_named_and_the_others_are_adopted(bench: Bench) -> None:
    """A worker was at that user in this very moment."""
    bench.storage = replace(bench.storage, links=Contested(bench.storage.tables_by_name["links"]))
    result = bench.run("adopt", "--from", _file(bench, ADA), "--yes")
    assert result.code == 1
    assert f"{ADA} was looked at by somebody else" in result.out


@pytest.mark.parametrize("policy", ["none", "review"])
def test_somebody_who_came_back_adopts_the_guest_who_was_invited_meanwhile(bench: Bench, policy: str) -> None:
    """The deleted user cannot be restored: a reason of its own, a candidate, and the pair goes on with the guest."""
    del bench.target.users["guest-1"]
    _policy(bench, policy)
    assert _worked_off(bench) == "done"
    [first] = bench.target.users
    bench.source.soft_delete(ADA)
    bench.clock.advance(timedelta(hours=1))
    assert _worked_off(bench) == "done"
    assert first in bench.target.deleted
    bench.source.restore(ADA)
    by_hand = bench.target.add("by-hand", ADDRESS)
    for _ in range(2):  # the conflict, then the look that finds the guest
        bench.clock.advance(timedelta(hours=1))
        result = bench.run("sync", ADA)
        assert "parked: address taken in target" in result.out
    [waiting] = bench.run("adopt", "--json").json["waiting"]
    assert waiting["reason"] == Reason.ADDRESS_TAKEN
    assert bench.run("adopt", ADA, "--yes").code == 0
    assert _worked_off(bench) == "done"
    link = _link(bench)
    assert link is not None
    assert (link.state, link.target_id, link.parked) == (LinkState.LINKED, "by-hand", None)
    assert by_hand.attributes["displayName"] == person()["displayName"]
    assert first in bench.target.deleted


def test_somebody_who_came_back_is_restored_when_the_address_is_free_again(bench: Bench) -> None:
    """The guest who was in the way is gone: nobody has to decide anything."""
    del bench.target.users["guest-1"]
    assert _worked_off(bench) == "done"
    [first] = bench.target.users
    bench.source.soft_delete(ADA)
    bench.clock.advance(timedelta(hours=1))
    _worked_off(bench)
    bench.source.restore(ADA)
    bench.target.add("by-hand", ADDRESS)
    for _ in range(2):
        assert _worked_off(bench) == "parked"
    bench.target.users.clear()
    assert _worked_off(bench) == "done"
    assert [*bench.target.users] == [first]
