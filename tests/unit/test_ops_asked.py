"""What the page asks of the endpoints besides the documents of commands."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sync_core.model import Why
from sync_core.model.errors import UnavailableError
from sync_core.ops.acting import MOST_NOMINATIONS
from sync_core.ops.reading import MOST_NAMES
from sync_core.ports import HoldState
from tests.support.cli import ADA, BOB, CYD, NAME, Bench
from tests.support.endpoints import call, said
from tests.support.make import ADDRESS, person
from tests.support.principals import OPERATOR_ID

ASKED_WITH_A_BODY = ("find", "names", "nominate_listed", "decide_listed", "adopt")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def users(*ids: str) -> list[dict[str, str]]:
    return [{"sync": NAME, "user": each} for each in ids]


def held(*ids: str) -> list[dict[str, str]]:
    return [{"sync": NAME, "source_id": each} for each in ids]


def waiting(bench: Bench) -> None:
    """Ada waits: a guest whom somebody else invited has her address."""
    bench.source.users[ADA] = person("Ada")
    bench.target.add("guest-1", ADDRESS, displayName="Ada L.")
    bench.run("sync", ADA)


@pytest.mark.parametrize("role", ["Reader", "Operator"])
def test_the_caller_learns_their_roles(bench: Bench, role: str) -> None:
    """By object id; roles that are none of this app's are left out."""
    shown = said(call(bench, "caller", role, "Owner"))
    assert shown == {"id": OPERATOR_ID, "roles": [role], "at": "2026-01-05T09:00:00.000000Z", "syncs": [NAME]}


@pytest.mark.parametrize("name", ASKED_WITH_A_BODY)
@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"{}", b'{"user":1,"users":1,"target_id":1}', b"[" * 100_000])
def test_a_body_that_says_something_else(bench: Bench, name: str, raw: bytes) -> None:
    """400 by the names of fields alone, and nothing happens."""
    bench.hold(ADA)
    before = bench.stored()
    refused = call(bench, name, "Operator", raw=raw)
    assert refused.status == 400
    assert "openapi.json" in refused.body
    assert bench.stored() == before


@pytest.mark.parametrize("role", ["Reader", "Operator"])
@pytest.mark.parametrize("whom", [ADDRESS, f" {ADDRESS} ", ADA, ADA.upper()])
def test_a_person_is_found_by_address_or_id(bench: Bench, whom: str, role: str) -> None:
    """In each sync whose source knows them; nothing is written for it."""
    bench.source.users[ADA] = person("Ada")
    found = call(bench, "find", role, body={"user": whom})
    assert (found.status, said(found)) == (200, {"users": users(ADA)})
    assert bench.built == [True]


@pytest.mark.parametrize(("whom", "status"), [("bob@contoso.example", 404), (BOB, 404), ("Ada", 400), ("", 400)])
def test_a_person_who_is_not_found(bench: Bench, whom: str, status: int, caplog: pytest.LogCaptureFixture) -> None:
    """With a hint; and what was asked for is neither in the answer nor in the log."""
    with caplog.at_level("INFO"):
        missed = call(bench, "find", "Reader", body={"user": whom})
    assert missed.status == status
    assert said(missed)["error"]["hint"]
    assert not whom or whom not in missed.body + caplog.text


def test_names_are_those_of_people_whom_the_sync_knows(bench: Bench) -> None:
    """Nobody reads a directory by guessing ids: Bob was never looked at."""
    bench.source.users |= {ADA: person("Ada"), BOB: person("Bob")}
    bench.run("sync", ADA)
    asked = [*users(ADA, BOB, "x"), {"sync": "elsewhere", "user": ADA}]
    named = call(bench, "names", "Reader", body={"users": asked})
    assert (named.status, said(named)) == (200, {"names": [{**users(ADA)[0], "name": f"Ada <{ADDRESS}>"}]})


def test_a_deleted_user_is_found_by_mail_address(bench: Bench) -> None:
    """For as long as the tenant keeps them: who asks why somebody is deleted has no object id."""
    bench.source.deleted[ADA] = person("Ada")
    found = call(bench, "find", "Reader", body={"user": ADDRESS})
    assert (found.status, said(found)) == (200, {"users": users(ADA)})


def test_the_deleted_have_names(bench: Bench) -> None:
    """As their tenant had them: without the object id that Entra puts in front of the principal name."""
    bench.link(ADA)
    bench.source.deleted[ADA] = {**person("Ada"), "userPrincipalName": ADA.replace("-", "") + ADDRESS}
    assert said(call(bench, "names", "Reader", body={"users": users(ADA)}))["names"][0]["name"] == f"Ada <{ADDRESS}>"


def test_who_is_gone_has_the_name_of_the_deleted_target_user(bench: Bench) -> None:
    """The source keeps nothing of them any more."""
    target_id = bench.link(ADA).target_id
    assert target_id
    bench.target.add(target_id, ADDRESS, displayName="Ada")
    bench.target.deleted[target_id] = bench.target.users.pop(target_id)
    assert said(call(bench, "names", "Reader", body={"users": users(ADA)}))["names"][0]["name"] == f"Ada <{ADDRESS}>"


def test_names_of_too_many(bench: Bench) -> None:
    """Each costs a read of Graph."""
    assert call(bench, "names", "Reader", body={"users": users(ADA) * MOST_NAMES}).status == 200
    assert call(bench, "names", "Reader", body={"users": users(ADA) * (MOST_NAMES + 1)}).status == 400


def test_names_that_cannot_be_read_are_left_out(bench: Bench) -> None:
    """The page shows ids then."""
    bench.link(ADA)
    bench.faults.fail_next("source.read_user", UnavailableError("503"))
    assert said(call(bench, "names", "Reader", body={"users": users(ADA)}))["names"] == []


def test_a_decision_about_the_list_that_was_seen(bench: Bench) -> None:
    """Of two who are held, exactly the one who is named, with the author."""
    bench.hold_two()
    done = call(bench, "decide_listed", "Operator", body=decision(bench.code(), ADA))
    assert (done.status, said(done)["users"], said(done)["by"]) == (200, held(ADA), OPERATOR_ID)
    states = [bench.do(bench.storage.guards.hold(NAME, each)) for each in (ADA, BOB)]
    assert [each and each.state for each in states] == [HoldState.APPROVED, HoldState.HELD]
    assert [(each.user, each.why) for each in bench.nominations()] == [(ADA, Why.APPROVED)]


def test_a_rejection_of_the_list(bench: Bench) -> None:
    """Nobody is looked at."""
    bench.hold_two()
    done = call(bench, "decide_listed", "Operator", body=decision(bench.code(), ADA, BOB, what="reject"))
    assert said(done)["decision"] == "rejected"
    assert bench.nominations() == []


@pytest.mark.parametrize(
    ("code", "ids", "status"),
    [("1-00000000", (ADA,), 409), ("nonsense", (ADA,), 400), (None, (CYD,), 409), (None, (), 400), (None, ("x",), 400)],
)
def test_a_decision_that_does_not_fit_the_list(bench: Bench, code: str | None, ids: tuple[str], status: int) -> None:
    """Another list, no code, somebody who is not held, nobody, no object id: nothing is decided."""
    bench.hold(ADA)
    before = bench.stored()
    assert call(bench, "decide_listed", "Operator", body=decision(code or bench.code(), *ids)).status == status
    assert bench.stored() == before


def test_a_decision_names_the_sync_too(bench: Bench) -> None:
    """A person may be held in one sync, and the decision was about another one."""
    bench.hold(ADA)
    body = {"decision": "approve", "code": bench.code(), "users": [{"sync": "elsewhere", "source_id": ADA}]}
    assert call(bench, "decide_listed", "Operator", body=body).status == 409
    assert bench.nominations() == []


def test_those_who_wait_for_an_adoption(bench: Bench) -> None:
    """The list of the command, and of one of them the target users who may be meant, with names."""
    waiting(bench)
    assert said(call(bench, "adoptions", "Reader")) == bench.run("adopt", "--json").json
    shown = said(call(bench, "adoption", "Reader"))
    (choice,) = shown["choices"]
    assert "waits for a word" in shown["decision"]
    assert (choice["target_id"], choice["name"], choice["address"]) == ("guest-1", "Ada L.", ADDRESS)
    assert choice["refused"] is None


def test_an_internal_user_is_no_choice(bench: Bench) -> None:
    """It is shown, with the reason."""
    bench.source.users[ADA] = person("Ada")
    bench.target.add("member-1", ADDRESS, external=False)
    (choice,) = said(call(bench, "adoption", "Reader"))["choices"]
    assert "internal user" in choice["refused"]
    assert call(bench, "adopt", "Operator", body={"target_id": "member-1"}).status == 409


def test_a_word_for_an_adoption(bench: Bench) -> None:
    """It stands for exactly this target user, and the next look is asked for."""
    waiting(bench)
    bench.nominations()
    done = call(bench, "adopt", "Operator", body={"target_id": "guest-1"})
    assert (done.status, said(done)["target_id"]) == (202, "guest-1")
    link = bench.do(bench.storage.links.get(NAME, ADA))
    assert link is not None
    assert link.approved_target == "guest-1"
    assert [each.why for each in bench.nominations()] == [Why.APPROVED]
    assert call(bench, "adopt", "Operator", body={"target_id": "guest-2"}).status == 409


def test_several_are_looked_at_again(bench: Bench) -> None:
    """Each once."""
    done = call(bench, "nominate_listed", "Operator", body={"users": [ADA, BOB, ADA.upper()]})
    assert (done.status, said(done)["nominated"]) == (202, users(ADA, BOB))
    assert {each.user for each in bench.nominations()} == {ADA, BOB}


@pytest.mark.parametrize(
    "ids", [["x"], [ADA, "ada@contoso.example"], [ADA] * 2 + [f"{n:08x}{ADA[8:]}" for n in range(MOST_NOMINATIONS)]]
)
def test_several_who_cannot_be_looked_at(bench: Bench, ids: list[str]) -> None:
    """No object id, or too many: nobody is looked at."""
    assert call(bench, "nominate_listed", "Operator", body={"users": ids}).status == 400
    assert bench.nominations() == []


def test_a_day_by_the_hour(bench: Bench) -> None:
    """24 hours, oldest first, with those in which nothing happened."""
    bench.source.users[ADA] = person("Ada")
    bench.run("sync", ADA)
    bench.clock.advance(timedelta(hours=2))
    shown: Any = said(call(bench, "hours", "Reader"))
    assert shown["complete"] is True
    assert [each["kinds"] for each in shown["hours"]] == [{}] * 21 + [{"invited": 1}, {}, {}]
    assert shown["hours"][-1]["at"] == "2026-01-05T11:00:00.000000Z"
    assert call(bench, "hours", "Reader", query={"sync": "elsewhere"}).status == 404
    assert said(call(bench, "hours", "Reader", query={"sync": NAME})) == shown


def decision(code: str, *ids: str, what: str = "approve") -> dict[str, object]:
    return {"decision": what, "code": code, "users": held(*ids)}


def test_the_deployed_file_is_for_operators(bench: Bench) -> None:
    """As it stands in the folder of the app; a Reader is refused."""
    shown = said(call(bench, "deployed", "Operator"))
    assert shown == {"sync_yaml": (bench.folder / "sync.yaml").read_text()}
    assert call(bench, "deployed", "Reader").status == 403
