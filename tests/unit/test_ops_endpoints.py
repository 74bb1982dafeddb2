"""The operator endpoints without a host: refusals before anything is read, and the command line's documents."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sync_core.model import Nomination, Why
from sync_core.model.errors import ConflictError, SyncError, ThrottledError, UnavailableError
from sync_core.model.messages import FEED_PAGES
from sync_core.ops.calls import Answer
from sync_core.ops.endpoints import ENDPOINTS, Endpoint
from sync_core.ops.principal import HEADER, Role
from sync_core.ports import HoldRecord, HoldState
from tests.support.cli import ADA, NAME, Bench
from tests.support.endpoints import call, said
from tests.support.make import person
from tests.support.principals import OPERATOR_ID, principal

POSTS = sorted(name for name, endpoint in ENDPOINTS.items() if endpoint.method == "POST")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize("name", sorted(ENDPOINTS))
def test_switched_off_there_is_nothing(bench: Bench, name: str) -> None:
    """404 without a word to any caller; nothing is built for them."""
    assert call(bench, name, "Operator", enabled=False) == Answer(status=404)
    assert bench.built == []


@pytest.mark.parametrize("name", sorted(ENDPOINTS))
@pytest.mark.parametrize(("header", "status"), [("", 401), ("x", 401), (principal(), 403), (principal("Owner"), 403)])
def test_refusals_come_before_anything_is_read(bench: Bench, name: str, header: str, status: int) -> None:
    """Of every endpoint: nobody without a role makes it do so much as build a client."""
    refused = call(bench, name, headers={HEADER: header})
    assert refused.status == status
    assert set(said(refused)) == {"error"}
    assert bench.built == []


def test_only_operators_act_and_only_reading_is_read_only() -> None:
    """The table of the module, as the code has it."""
    for name, endpoint in ENDPOINTS.items():
        assert Role.OPERATOR in endpoint.needs
        for_readers = endpoint.read_only and name != "deployed"  # which names people's object ids and groups
        assert for_readers is (Role.READER in endpoint.needs), name


@pytest.mark.parametrize("name", POSTS)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": ""}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://app.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
def test_another_site_cannot_act(bench: Bench, name: str, headers: dict[str, str], status: int) -> None:
    """A browser's session does not help: forms cannot be JSON, and scripts from elsewhere say where they are from."""
    assert call(bench, name, "Operator", headers=headers).status == status
    assert bench.built == []


@pytest.mark.parametrize(
    ("name", "given"), sorted((name, each) for name, asks in ENDPOINTS.items() for each in asks.query)
)
def test_a_parameter_without_a_value_is_refused(bench: Bench, name: str, given: str) -> None:
    """As the description has it; an empty one would answer another question than the caller thinks."""
    refused = call(bench, name, "Operator", query={given: ""})
    assert refused.status == 400
    assert given in said(refused)["error"]["messages"][0]
    assert bench.built == []


def test_the_own_site_may(bench: Bench) -> None:
    """A page that this app itself would serve."""
    headers = {"origin": "https://APP.example", "sec-fetch-site": "same-origin"}
    assert call(bench, "nominate", "Operator", headers=headers).status == 202


def test_status_is_the_command_s_document(bench: Bench) -> None:
    """Key for key, value for value."""
    seen = call(bench, "status", "Reader")
    assert (seen.status, said(seen)) == (200, bench.run("status", "--json").json)
    assert bench.built[0] is True


def test_why_is_the_command_s_document(bench: Bench) -> None:
    """With all that a dry run says; and nothing is written anywhere."""
    bench.source.users[ADA] = person()
    before = bench.stored()
    seen = call(bench, "why", "Reader")
    assert bench.stored() == before
    (shown,) = bench.run("why", ADA, "--sync", NAME, "--json").json["results"]
    assert (seen.status, said(seen)) == (200, shown)
    (dry_run,) = bench.run("sync", ADA, "--sync", NAME, "--dry-run", "--json").json["results"]
    assert shown == {
        **dry_run,
        **{each: shown[each] for each in ("sentences", "looked_at")},
        "events": [],
        "keep": None,
        "pair": None,
        "drift": None,
    }
    assert "Ada" not in seen.body


def test_holds_are_the_command_s_document(bench: Bench) -> None:
    """With the code that stands for exactly this list."""
    bench.hold(ADA)
    assert said(call(bench, "holds", "Operator")) == bench.run("holds", "--json").json


@pytest.mark.parametrize(
    ("name", "route", "status"),
    [
        ("why", {"sync": "elsewhere"}, 404),
        ("why", {"user": "ada@contoso.example"}, 400),
        ("nominate", {"sync": "elsewhere"}, 404),
        ("nominate", {"user": "x"}, 400),
        ("decide", {"sync": "elsewhere"}, 404),
        ("decide", {}, 404),
        ("resync", {"tenant": "elsewhere"}, 404),
        ("pause", {"sync": "elsewhere"}, 404),
        ("resume", {"sync": "elsewhere"}, 404),
    ],
)
def test_what_is_not_there(bench: Bench, name: str, route: dict[str, str], status: int) -> None:
    """A name that no sync has, a user who is no object id, somebody who is not held."""
    before = bench.stored()
    assert call(bench, name, "Operator", body={"decision": "approve", "reason": "r"}, route=route).status == status
    assert bench.stored() == before


@pytest.mark.parametrize("name", ["pause", "pause_all"])
@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"{", b"{}", b'{"reason":" "}', b'{"reason":1}', b'{"reason":"r","deletions_only":"no"}']
)
def test_a_pause_needs_a_reason(bench: Bench, name: str, raw: bytes) -> None:
    """400, and nothing is paused: somebody else has to understand later why nothing happens."""
    before = bench.stored()
    assert call(bench, name, "Operator", raw=raw).status == 400
    assert bench.stored() == before


@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize(("deletions_only", "control"), [(False, "paused"), (True, "deletions paused")])
def test_a_pause_is_recorded_with_who_asked_for_it(
    bench: Bench, every: bool, deletions_only: bool, control: str
) -> None:
    """The object id, the time and the reason; `status` shows them. A resume starts a full round."""
    suffix, route = ("_all", {"sync": None}) if every else ("", {})
    body = {"reason": "why 40?", "deletions_only": deletions_only}
    paused = call(bench, f"pause{suffix}", "Operator", body=body, route=route)
    (shown,) = said(paused)["syncs"]
    assert (paused.status, shown["sync"], shown["control"], shown["by"]) == (200, NAME, control, OPERATOR_ID)
    (sync,) = said(call(bench, "status", "Reader"))["syncs"]
    assert (sync["control"], sync["controlled_by"], sync["control_reason"]) == (control, OPERATOR_ID, "why 40?")
    resumed = call(bench, f"resume{suffix}", "Operator", route=route)
    assert said(resumed)["syncs"][0]["control"] == "running"
    assert [each["tenant"] for each in said(resumed)["rounds"]] == ["contoso"]


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b'{"decision":"yes"}', b'{"decision":true}'])
def test_a_decision_that_is_none(bench: Bench, raw: bytes) -> None:
    """400, and the hold stays as it was."""
    held = bench.hold(ADA)
    assert call(bench, "decide", "Operator", raw=raw).status == 400
    assert bench.do(bench.storage.guards.hold(NAME, ADA)) == held


@pytest.mark.parametrize(("decision", "state"), [("approve", HoldState.APPROVED), ("reject", HoldState.REJECTED)])
def test_a_decision_is_recorded_with_who_made_it(bench: Bench, decision: str, state: HoldState) -> None:
    """The object id; only what is approved is looked at again."""
    bench.hold(ADA)
    decided = call(bench, "decide", "Operator", body={"decision": decision})
    assert decided.status == 200
    assert said(decided)["by"] == OPERATOR_ID
    hold = bench.do(bench.storage.guards.hold(NAME, ADA))
    assert hold is not None
    assert (hold.state, hold.decided_by) == (state, OPERATOR_ID)
    assert [each.why for each in bench.nominations()] == [Why.APPROVED] * (decision == "approve")


def test_a_hold_that_changed_meanwhile(bench: Bench) -> None:
    """409, and nobody is approved by a decision about something else."""
    bench.hold(ADA)
    guards = bench.storage.guards

    class Faster:
        def __getattr__(self, name: str) -> Any:
            return getattr(guards, name)

        async def save_hold(self, hold: HoldRecord) -> HoldRecord:
            raise ConflictError

    bench.storage = replace(bench.storage, guards=Faster())
    decided = call(bench, "decide", "Operator", body={"decision": "approve"})
    # The guard has its storage from the runtime, which is built for this call.
    assert decided.status == 409
    assert said(decided)["changed"] == [{"sync": NAME, "source_id": ADA}]
    assert bench.nominations() == []


def test_nominating_leaves_a_message(bench: Bench) -> None:
    """The function app looks; the endpoint itself asks no tenant."""
    assert call(bench, "nominate", "Operator").status == 202
    assert bench.nominations() == [Nomination(sync=NAME, user=ADA, why=Why.OPERATOR, at=bench.clock.now())]
    assert bench.faults.calls == []


def test_resync_starts_a_full_round(bench: Bench) -> None:
    """As the command does, with its document."""
    done = call(bench, "resync", "Operator")
    assert done.status == 202
    state = bench.do(bench.storage.feeds.get("contoso"))
    assert said(done)["rounds"] == [
        {
            "tenant": "contoso",
            "feed": "users",
            "round": state.round,
            "started_at": state.round,
            "error": None,
            "hint": None,
        }
    ]
    assert state.full
    assert len(bench.do(bench.storage.queues_by_name[FEED_PAGES].receive())) == 1


@pytest.mark.parametrize(
    ("error", "status"),
    [(ConflictError(), 409), (ThrottledError(), 503), (UnavailableError("no"), 503), (SyncError(), 502)],
)
def test_our_own_errors_are_answers(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: SyncError, status: int
) -> None:
    """With the code and hint of the command line, and no traceback for anybody."""

    async def fail(*_: object) -> Answer:
        raise error

    endpoint: Endpoint = replace(ENDPOINTS["status"], serve=fail)
    monkeypatch.setitem(ENDPOINTS, "status", endpoint)
    failed = call(bench, "status", "Reader")
    assert failed.status == status
    assert said(failed)["error"]["code"] == error.code


def test_a_call_is_logged_by_ids(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """The caller and the call; the header, which has the name, is not in it."""
    with caplog.at_level("INFO", logger="xtsync.operators"):
        call(bench, "status", "Reader")
        call(bench, "status")
    assert [record.getMessage() for record in caplog.records] == [
        f"operator.called call=status operator={OPERATOR_ID} status=200",
        "operator.refused call=status status=403",
    ]
