"""`xtsync sync USER`: every step is shown, a dry run writes nothing, and the exit code says what became of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from sync_core.model import LinkState
from sync_core.model.errors import GraphRefusedError, UnavailableError
from tests.support.cli import ADA, BOB, CONFIG, NAME, Bench
from tests.support.make import person

ADDRESS = "ada@contoso.example"
SECOND = """\
  - name: contoso-to-litware
    source: contoso
    target: litware
"""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    bench.source.users[ADA] = person("Ada")
    return bench


def test_sync_invites_and_shows_each_step(bench: Bench) -> None:
    """A new user is invited and written, and every look is on the screen."""
    result = bench.run("sync", ADA)
    assert result.code == 0, result.out + result.err
    [(guest, account)] = bench.target.of(ADDRESS)
    assert account.attributes["department"] == "Research"
    assert f"{NAME}  user {ADA}" in result.out
    assert "source      live, read at 2026-01-05T09:00:00.000000Z" in result.out
    assert "scope       in: all internal users" in result.out
    assert "link        seen, target user -" in result.out
    assert "candidates  nobody has the address" in result.out
    assert "decision    Invite: accountEnabled, " in result.out
    assert "decision    Skip: no change" in result.out
    assert f"done: Invite, Adopt, Update; target user {guest}" in result.out


def test_values_are_shown_only_on_request(bench: Bench) -> None:
    """Attribute values and the address are personal data: names alone are printed without --show-values."""
    hidden = bench.run("sync", ADA, "--dry-run")
    assert "Research" not in hidden.out
    assert ADDRESS not in hidden.out
    shown = bench.run("sync", ADA, "--dry-run", "--show-values")
    assert "department = 'Research'" in shown.out
    assert f"address = '{ADDRESS}'" in shown.out


def test_dry_run_writes_nothing(bench: Bench) -> None:
    """A dry run asks for a read-only runtime, and no tenant, table or queue is changed by it."""
    before = bench.stored()
    result = bench.run("sync", ADA, "--dry-run")
    assert (result.code, bench.built, bench.target.writes) == (0, [True], [])
    assert bench.stored() == before
    assert "would: Invite: " in result.out
    assert "dry run: nothing was written anywhere" in result.out


def test_user_principal_name_is_resolved(bench: Bench) -> None:
    """A user principal name finds the same user as the object id."""
    result = bench.run("sync", ADDRESS, "--json")
    [done] = result.json["results"]
    assert done["user"] == ADA
    assert done["outcome"]["result"] == "done"


def test_an_upper_case_id_is_the_same_user(bench: Bench) -> None:
    """Ids pasted from other tools name the same link, whatever their case."""
    bench.run("sync", ADA.upper())
    link = bench.do(bench.storage.links.get(NAME, ADA))
    assert link is not None
    assert link.state is LinkState.LINKED


def test_sync_twice_has_nothing_to_do(bench: Bench) -> None:
    """The second run finds nothing to write and exits with 0."""
    bench.run("sync", ADA)
    writes = len(bench.target.writes)
    result = bench.run("sync", ADA)
    assert result.code == 0
    assert "nothing to do" in result.out
    assert len(bench.target.writes) == writes


def test_json_of_a_live_run(bench: Bench) -> None:
    """Programs get the steps, the outcome and no attribute value."""
    result = bench.run("sync", ADA, "--json")
    [done] = result.json["results"]
    assert set(done) == {"sync", "user", "dry_run", "steps", "outcome", "seconds"}
    first = done["steps"][0]
    assert first["source"] == {"state": "live", "read_at": "2026-01-05T09:00:00.000000Z"}
    assert first["scope"] == {"in_scope": True, "undecided": False, "reason": "all internal users"}
    assert first["link"] == {"state": "seen", "target_id": None, "dirty": False}
    assert first["refused"] is None
    assert first["candidates"] == []
    assert first["decision"]["change"] == "Invite"
    assert "Research" not in result.out
    assert [change["change"] for change in done["outcome"]["changes"]] == ["Invite", "Adopt", "Update"]


def test_refusal_parks_and_says_the_way_out(bench: Bench) -> None:
    """A guest who is there already is refused: exit code 1, parked, with what to do about it."""
    bench.target.add("guest-1", ADDRESS)
    result = bench.run("sync", ADA)
    assert result.code == 1
    assert "candidates  guest-1 (B2B user)" in result.out
    assert "parked: unadopted; looked at again at 2026-01-05T09:05" in result.out
    assert "hint: a B2B user with this address is there already; `xtsync adopt USER` adopts it" in result.out
    dry = bench.run("sync", ADA, "--dry-run", "--json")
    assert dry.code == 1
    assert dry.json["results"][0]["outcome"]["result"] == "refused"


def test_the_guard_holds_and_the_exit_code_is_3(bench: Bench) -> None:
    """A deletion over the limit is held, in a dry run as in a live one, and the text leads to `xtsync holds`."""
    for user in (ADA, BOB):
        bench.link(user)
    bench.source.purge(ADA)
    assert bench.run("sync", BOB).code == 0  # uses the one deletion that the window allows
    dry = bench.run("sync", ADA, "--dry-run")
    assert dry.code == 3
    assert bench.do(bench.storage.guards.holds(NAME)) == []
    live = bench.run("sync", ADA)
    assert live.code == 3
    assert "1 of at most 1 deletions are used (0 % of the links, at least 1, in 24 h)" in live.out
    assert "held by the deletion guard: decide with `xtsync holds`" in live.out
    [hold] = bench.do(bench.storage.guards.holds(NAME))
    assert hold.source_id == ADA


def test_transient_failure_is_left_to_the_app(bench: Bench) -> None:
    """When Graph does not answer, the app tries again: exit code 1, and the message is on the queue."""
    bench.faults.fail_next("target.invite", UnavailableError("503"))
    result = bench.run("sync", ADA)
    assert result.code == 1
    assert "not yet: UnknownOutcome; the function app tries again by itself" in result.out


def test_dry_run_that_fails_says_so(bench: Bench) -> None:
    """An error while looking is an outcome of this sync, with exit code 1."""
    bench.faults.fail_next("target.candidates", GraphRefusedError(status=403, code="Forbidden", message="ada is bad"))
    result = bench.run("sync", ADA, "--sync", NAME, "--dry-run")
    assert result.code == 1
    assert "failed: 403 Forbidden" in result.out
    assert "ada is bad" not in result.out


def test_a_run_that_dies_is_finished_by_the_app(bench: Bench) -> None:
    """The nomination is on the queue before the first write, and is dropped later when all went well."""
    bench.run("sync", ADA)
    assert bench.nominations() == []  # hidden for a few minutes
    bench.do(bench.clock.sleep(301))
    [nomination] = bench.nominations()
    assert (nomination.user, nomination.why.value) == (ADA, "operator")


def test_unknown_users_are_refused_with_a_hint(bench: Bench) -> None:
    """A user nobody knows is an error; a name that is none is wrong usage."""
    result = bench.run("sync", BOB)
    assert result.code == 1
    assert "no source tenant knows the user (contoso)" in result.err
    assert bench.run("sync", "nobody@contoso.example").code == 1
    assert bench.run("sync", "nobody").code == 2


def test_a_user_who_is_gone_is_still_found_by_the_link(bench: Bench) -> None:
    """Somebody deleted for good in the source can be reconciled by the object id."""
    bench.link(BOB)
    result = bench.run("sync", BOB)
    assert result.code == 0
    assert "done: SoftDelete" in result.out


def test_without_sync_every_sync_of_the_source_is_done(bench: Bench) -> None:
    """One user of two syncs is reconciled for both, and --sync chooses one."""
    litware = "  litware: { id: 33333333-3333-3333-3333-333333333333 }\nsyncs:\n"
    (bench.folder / "sync.yaml").write_text(CONFIG.replace("syncs:\n", litware) + SECOND)
    both = bench.run("sync", ADA, "--dry-run", "--json").json["results"]
    assert [each["sync"] for each in both] == [NAME, "contoso-to-litware"]
    one = bench.run("sync", ADA, "--dry-run", "--sync", "contoso-to-litware", "--json").json["results"]
    assert [each["sync"] for each in one] == ["contoso-to-litware"]


def test_unknown_sync_suggests_the_nearest(bench: Bench) -> None:
    """A misspelt sync is wrong usage, and the error has the right name."""
    result = bench.run("sync", ADA, "--sync", "contoso-to-fabricam")
    assert result.code == 2
    assert f"no sync is named 'contoso-to-fabricam' (did you mean '{NAME}'?)" in result.err


def test_a_manager_is_shown_by_the_id_of_their_target_user(bench: Bench) -> None:
    """An id is no personal data: it is shown without being asked for, and nobody is called nobody."""
    bench.source.users[BOB] = person("Bob")
    assert "(manager" not in bench.run("sync", BOB).out
    bob = bench.do(bench.storage.links.get(NAME, BOB))
    assert bob is not None
    bench.source.users[ADA]["manager"] = BOB
    dry = bench.run("sync", ADA, "--dry-run")
    assert f"(manager {bob.target_id})" in dry.out
    assert bench.run("sync", ADA).code == 0
    bench.clock.advance(timedelta(hours=1))
    bench.source.users[ADA]["manager"] = None
    gone = bench.run("sync", ADA, "--dry-run", "--json")
    decision = gone.json["results"][0]["steps"][0]["decision"]
    assert (decision["attributes"], decision["manager"]) == (["manager"], None)
    assert "would: Update: manager (manager nobody)" in bench.run("sync", ADA, "--dry-run").out


def test_refused_attributes_are_shown_with_a_way_out(bench: Bench) -> None:
    """The names and Graph's code, and what can be done; it is no failure."""
    bench.target.refuses = {"department": "403 Authorization_RequestDenied"}
    assert bench.run("sync", ADA).code == 0
    dry = bench.run("sync", ADA, "--dry-run")
    assert dry.code == 0
    assert "refused     department (403 Authorization_RequestDenied)" in dry.out
    assert "set them by hand, or try again with `xtsync sync USER`" in dry.out


def test_access_that_could_not_be_taken_says_what_to_do(bench: Bench) -> None:
    """Parked, exit code 1, and the way out."""
    bench.run("sync", ADA)
    bench.clock.advance(timedelta(hours=1))
    bench.target.refuses = {"accountEnabled": "403 Authorization_RequestDenied"}
    bench.source.users[ADA]["accountEnabled"] = False
    result = bench.run("sync", ADA)
    assert result.code == 1
    assert "parked: accountEnabled refused: 403 Authorization_RequestDenied" in result.out
    assert "hint: Graph lets no app without an administrator role disable an administrator" in result.out
