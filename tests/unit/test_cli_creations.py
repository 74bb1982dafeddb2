"""`xtsync creations`, and all that tells of newcomers who wait."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from sync_core.model.messages import FEED_PAGES, decode_feed_run
from tests.support.cli import ADA, BOB, CYD, NAME, SYNC, Bench
from tests.support.directories import pages
from tests.support.endpoints import call, said
from tests.support.make import person
from tests.support.principals import OPERATOR_ID

HOUR = timedelta(hours=1)
CEILING = f"{SYNC}    creation_guard: {{ max_percent: 0, min_count: 1, window: 24h }}\n"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    (bench.folder / "sync.yaml").write_text(CEILING)
    return bench


def three_come(bench: Bench) -> None:
    """Ada is invited; Bob and Cyd wait."""
    for user, name in ((ADA, "Ada"), (BOB, "Bob"), (CYD, "Cyd")):
        bench.source.users[user] = person(name)
        bench.run("sync", user)
    bench.clock.advance(HOUR)


def code(bench: Bench) -> str:
    (listed,) = bench.run("creations", "--json").json["syncs"]
    return str(listed["code"])


def test_newcomers_who_wait_and_their_approval_in_words(bench: Bench) -> None:
    """The list names the ceiling and the command; after it they are on their way, and a full round begins."""
    three_come(bench)
    listed = bench.run("creations")
    words = " ".join(listed.out.split())
    assert listed.code == 0
    assert f"{NAME} 2 60 min ago 0 - 1 of 1 in 24 h" in words
    assert f"2 newcomers of {NAME} waiting. CODE {code(bench)} lets so many in:" in words
    assert f"xtsync creations approve {code(bench)}" in words
    approved = bench.run("creations", "approve", code(bench), "--by", "anna")
    assert (approved.code, approved.out.splitlines()[0]) == (0, f"{NAME}: 2 newcomers approved by anna")
    (message,) = bench.do(bench.storage.queues_by_name[FEED_PAGES].receive())
    assert decode_feed_run(message.body).tenant == "contoso"
    (listed_then,) = bench.run("creations", "--json").json["syncs"]
    assert (listed_then["waiting"], listed_then["approved"], listed_then["code"]) == (0, 2, None)
    assert "Invite" in bench.run("sync", BOB).out


def test_a_code_is_used_once(bench: Bench) -> None:
    """A second approval by the same list is refused, and stores nothing."""
    three_come(bench)
    used = code(bench)
    bench.run("creations", "approve", used, "--by", "anna")
    before = bench.stored()
    again = bench.run("creations", "approve", used, "--by", "anna")
    assert (again.code, bench.stored()) == (1, before)
    assert "nothing was approved" in again.err


@pytest.mark.parametrize("edit", ["    matching: { adopt: guests }\n", "    mode: run\n    scope: { filters: [] }\n"])
def test_an_edit_of_the_sync_voids_its_codes(bench: Bench, edit: str) -> None:
    """Another scope or matching may make others of those who were listed. An edit that changes nothing does not."""
    three_come(bench)
    listed = code(bench)
    (bench.folder / "sync.yaml").write_text(CEILING + edit)
    result = bench.run("creations", "approve", listed, "--by", "anna")
    assert result.code == (1 if "adopt" in edit else 0)


def test_another_ceiling_voids_the_codes(bench: Bench) -> None:
    """The list said what the ceiling was."""
    three_come(bench)
    listed = code(bench)
    (bench.folder / "sync.yaml").write_text(CEILING.replace("min_count: 1", "min_count: 2"))
    assert bench.run("creations", "approve", listed, "--by", "anna").code == 1


def test_more_who_wait_by_now_are_not_let_in(bench: Bench) -> None:
    """As many come in as the code says, and the answer tells of the others."""
    bench.source.users |= {ADA: person("Ada"), BOB: person("Bob")}
    bench.run("sync", ADA)
    bench.run("sync", BOB)
    listed = code(bench)
    bench.source.users[CYD] = person("Cyd")
    bench.clock.advance(HOUR)
    bench.run("sync", CYD)
    approved = bench.run("creations", "approve", listed, "--by", "anna", "--json").json
    assert (approved["approved"], approved["waiting"]) == (1, 1)
    bench.clock.advance(HOUR)
    assert "put off" in bench.run("sync", CYD).out


@pytest.mark.parametrize("given", ["", "x", "1e9-3f9a07c1", "9999999999-3f9a07c1"])
def test_what_is_no_code_is_wrong_usage(bench: Bench, given: str) -> None:
    """The way to a code is named."""
    result = bench.run("creations", "approve", given, "--by", "anna")
    assert result.code == 2
    assert "xtsync creations" in result.err


def test_nobody_waits(bench: Bench) -> None:
    """There is nothing to approve, and status does not speak of it."""
    listed = bench.run("creations", "--json").json["syncs"]
    assert listed == [
        {
            "sync": NAME,
            "waiting": 0,
            "since": None,
            "approved": 0,
            "used": 0,
            "limit": 1,
            "window_s": 86400.0,
            "code": None,
            "approved_by": None,
            "approved_at": None,
        }
    ]
    assert "Newcomers" not in bench.run("status").out


def test_a_sync_without_a_ceiling_says_so(bench: Bench) -> None:
    """The guard is switched off: that is shown, and not as nought of nought."""
    (bench.folder / "sync.yaml").write_text(f"{SYNC}    creation_guard: off\n")
    assert "no ceiling" in bench.run("creations").out


def test_status_and_doctor_tell_of_newcomers_who_wait(bench: Bench) -> None:
    """The doctor warns: they come in by themselves in the end."""
    three_come(bench)
    status = " ".join(bench.run("status").out.split())
    assert "Newcomers who wait (let them in with: xtsync creations) sync waiting since approved" in status
    assert f"{NAME} 2 60 min ago 0 1 of 1 in 24 h" in status
    (shown,) = bench.run("status", "--json").json["creations"]
    assert (shown["sync"], shown["waiting"], shown["code"]) == (NAME, 2, code(bench))
    (finding,) = [each for each in bench.run("doctor", "--json").json["findings"] if each["check"] == "newcomers"]
    assert (finding["verdict"], finding["detail"]) == ("warning", f"newcomers wait for a person: 2 of {NAME}")


def test_an_operator_who_asks_for_a_newcomer_is_told_that_they_wait(bench: Bench) -> None:
    """Nothing is written, and the reason and the way out are named; that is no fault."""
    three_come(bench)
    writes = len(bench.target.writes)
    asked = bench.run("sync", BOB)
    assert (asked.code, len(bench.target.writes)) == (0, writes)
    assert "put off: Postpone of Invite" in asked.out
    assert "the ceiling of the creation guard is reached" in asked.out
    assert "xtsync creations" in asked.out
    assert "the ceiling of the creation guard is reached" in bench.run("why", BOB).out


@pytest.mark.parametrize("mode", ["run", "observe"])
def test_a_plan_foresees_who_waits(bench: Bench, mode: str) -> None:
    """Of three newcomers one is let in and two wait, whether or not the sync may write now."""
    (bench.folder / "sync.yaml").write_text(f"{CEILING}    mode: {mode}\n")
    people = {ADA: "Ada", BOB: "Bob", CYD: "Cyd"}
    bench.source.users |= {user: person(name) for user, name in people.items()}
    bench.source.pages = dict(pages([bench.source.entry(user) for user in people]))
    before = bench.stored()
    planned = bench.run("plan", "--json")
    (sync,) = planned.json["syncs"]
    let_in = "Invite" if mode == "run" else "Postpone of Invite"
    assert sync["counts"] == {let_in: 1, "Invite, waiting for approval": 2}
    assert (planned.code, bench.stored()) == (3, before)
    assert "Of 3 newcomers 1 is let in, 2 wait for approval" in bench.run("plan").out


def test_the_endpoints_say_and_do_the_same(bench: Bench) -> None:
    """A Reader sees the list; an Operator approves by the code, and is the author of the event."""
    three_come(bench)
    assert said(call(bench, "creations", "Reader")) == bench.run("creations", "--json").json
    body = {"code": code(bench)}
    assert call(bench, "approve_creations", "Reader", body=body).status == 403
    done = call(bench, "approve_creations", "Operator", body=body)
    assert (done.status, said(done)["approved"], said(done)["by"]) == (200, 2, OPERATOR_ID)
    assert call(bench, "approve_creations", "Operator", body=body).status == 409
    (event,) = bench.run("history", "--kind", "approved", "--json").json["events"]
    assert (event["operator"], event["decision"]["reason"]) == (OPERATOR_ID, "2 newcomers")


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"{}", b'{"code":1}', b'{"code":"x"}'])
def test_an_approval_without_a_code(bench: Bench, raw: bytes) -> None:
    """400, and nothing is stored."""
    three_come(bench)
    before = bench.stored()
    assert call(bench, "approve_creations", "Operator", raw=raw).status == 400
    assert bench.stored() == before
