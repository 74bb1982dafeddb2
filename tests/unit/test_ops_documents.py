"""The documents of `--json` and `/api/ops`, word for word: one file in data/documents for each document.

A file is written anew by `DOCUMENTS=write python -m pytest tests/unit/test_ops_documents.py`. Its change is then part
of the review: programs read these documents.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from entra_graph_emulator.testing import FABRIKAM
from sync_core.model import LinkState, Parked
from sync_core.model.errors import ConflictError, GraphRefusedError, UnavailableError
from sync_core.ports import FeedState, HoldRecord, SubscriptionRecord
from sync_core.storage.guards import TableGuards
from tests.support.cli import ADA, BOB, CONFIG, CYD, NAME, Bench
from tests.support.clinic import Clinic
from tests.support.directories import pages
from tests.support.emulated import EmulatedBench
from tests.support.endpoints import call, said
from tests.support.make import person
from tests.support.planning import PlanBench

FOLDER = Path(__file__).parent / "data" / "documents"
SCHEMA = Path(__file__).parent / "data" / "entra_schema.json"
ADDRESS = "ada@contoso.example"
HOUR = timedelta(hours=1)

type Shown = tuple[int, Any]  # the exit code or status, and the document
type Scenario = Callable[[Bench], Shown]


class Contested(TableGuards):
    """Another process changes each hold just before it is saved."""

    async def save_hold(self, hold: HoldRecord) -> HoldRecord:
        raise ConflictError("the row was changed")


class Broken:
    """A table of feeds that does not answer."""

    async def get(self, tenant: str, feed: str = "users") -> FeedState:
        raise UnavailableError("storage did not answer")

    async def save(self, state: FeedState) -> FeedState:
        raise AssertionError


def xtsync(bench: Bench, *argv: str) -> Shown:
    result = bench.run(*argv, "--json")
    return result.code, result.json


# --- everybody ---------------------------------------------------------------------------------------------------


def status_fresh(bench: Bench) -> Shown:
    return xtsync(bench, "status")


def status(bench: Bench) -> Shown:
    now = bench.clock.now()
    bench.source.users[ADA] = person("Ada")
    bench.run("sync", ADA)
    feed = FeedState(tenant="contoso", completed_at=now - timedelta(minutes=4), entries=7, error="403 Forbidden")
    bench.do(bench.storage.feeds.save(feed))
    record = SubscriptionRecord(tenant="contoso", tenant_id="t", subscription_id="s", expires_at=now + 40 * HOUR)
    bench.do(bench.storage.subscriptions.save(record))
    left_over = SubscriptionRecord(tenant="litware", tenant_id="t", subscription_id="s2", expires_at=now - HOUR)
    bench.do(bench.storage.subscriptions.save(left_over))
    bench.do(bench.storage.queues_by_name["user-changes-poison"].send("x"))
    bench.do(bench.storage.activity.poisoned("user-changes", "m1", "x", now))
    for user in (ADA, BOB, CYD):
        bench.hold(user)
    code = bench.code()
    bench.run("holds", "approve", code, ADA, "--yes", "--by", "anna")
    code = bench.code()
    bench.run("holds", "reject", code, BOB, "--yes", "--by", "anna")
    parked = Parked(until=now + HOUR, tries=2, reason="unadopted")
    bench.do(bench.storage.links.save(replace(bench.link(BOB), state=LinkState.SEEN, parked=parked)))
    return xtsync(bench, "status")


def plan(bench: Bench) -> Shown:
    """Cyd was disabled, and the guard holds it after one deletion; somebody is refused, somebody cannot be read."""
    users = [f"{letter * 8}-0000-0000-0000-000000000001" for letter in "def"]
    names = ("Ada", "Bob", "Dora", "Emil")
    bench.source.users = dict(zip((ADA, BOB, users[0], users[1]), map(person, names), strict=True))
    bench.source.users[CYD] = person("Cyd", accountEnabled=False)
    bench.source.deleted[users[2]] = person("Fay")
    bench.target.add("guest-1", "dora@contoso.example")
    bench.target.users["guest-1"].external = False
    for user in (BOB, CYD, users[2]):
        bench.link(user)
    entries = [bench.source.entry(user) for user in (users[2], ADA, BOB, CYD, users[0], users[1])]
    bench.source.pages = dict(pages(entries))
    bench.faults.fail_next("target.candidates", UnavailableError("503"))
    return xtsync(bench, "plan")


def plan_observes(bench: Bench) -> Shown:
    """The same people; the sync observes, and the guard is foreseen as ever."""
    (bench.folder / "sync.yaml").write_text(f"{CONFIG}    mode: observe\n")
    return plan(bench)


def pause(bench: Bench) -> Shown:
    """What a person said, and what that makes of the other documents."""
    bench.source.users[ADA] = person("Ada")
    code, paused = xtsync(bench, "pause", "--reason", "why 40?", "--by", "anna")
    _, status = xtsync(bench, "status")
    _, dry = xtsync(bench, "sync", ADA, "--dry-run")
    _, live = xtsync(bench, "sync", ADA)
    _, some = xtsync(bench, "pause", "--deletions-only", "--reason", "these", "--by", "anna", "--sync", NAME)
    return code, [paused, status["syncs"], dry, live, some]


def resume(bench: Bench) -> Shown:
    xtsync(bench, "pause", "--reason", "why 40?", "--by", "anna")
    return xtsync(bench, "resume", "--by", "bea")


def with_a_ceiling(bench: Bench) -> None:
    """One newcomer is let in a day. Ada is invited; Bob and Cyd wait."""
    ceiling = "    creation_guard: { max_percent: 0, min_count: 1, window: 24h }\n"
    (bench.folder / "sync.yaml").write_text(CONFIG + ceiling)
    for user, name in ((ADA, "Ada"), (BOB, "Bob"), (CYD, "Cyd")):
        bench.source.users[user] = person(name)
        bench.run("sync", user)
        bench.clock.advance(HOUR)


def creation_code(bench: Bench) -> str:
    (listed,) = bench.run("creations", "--json").json["syncs"]
    return str(listed["code"])


def creations(bench: Bench) -> Shown:
    with_a_ceiling(bench)
    return xtsync(bench, "creations")


def creations_approved(bench: Bench) -> Shown:
    """What a person said, what is listed then, and what the same code says once more."""
    with_a_ceiling(bench)
    code = creation_code(bench)
    done, approved = xtsync(bench, "creations", "approve", code, "--by", "anna")
    _, listed = xtsync(bench, "creations")
    _, again = xtsync(bench, "creations", "approve", code, "--by", "anna")
    return done, [approved, listed, again]


def plan_of_many_newcomers(bench: Bench) -> Shown:
    with_a_ceiling(bench)
    bench.source.pages = dict(pages([bench.source.entry(user) for user in (BOB, CYD)]))
    return xtsync(bench, "plan")


STAGES = "    deprovision: { source_deleted: [disable, { after: 14d, then: soft_delete }] }\n"


def in_stages(bench: Bench) -> None:
    """Ada, Bob and Cyd were deleted in the source, one after another, and are disabled."""
    (bench.folder / "sync.yaml").write_text(CONFIG.replace("min_count: 1", "min_count: 5") + STAGES)
    for user, name in ((ADA, "Ada"), (BOB, "Bob"), (CYD, "Cyd")):
        bench.source.users[user] = person(name)
        bench.run("sync", user)
    for user in (BOB, ADA, CYD):
        bench.clock.advance(HOUR)
        bench.source.soft_delete(user)
        bench.run("sync", user, "--sync", NAME)


def due(bench: Bench) -> Shown:
    """Two pages, and what the status, a look and a plan say of it."""
    in_stages(bench)
    page = call(bench, "due", "Reader", query={"limit": "2"})
    rest = call(bench, "due", "Reader", query={"limit": "2", "after": said(page)["more"]})
    _, status = xtsync(bench, "status")
    _, why = xtsync(bench, "why", ADA)
    bench.source.pages = dict(pages([bench.source.entry(ADA)]))
    _, plan = xtsync(bench, "plan")
    return page.status, [said(page), said(rest), status["leaving"], why, plan]


def drift(bench: Bench) -> Shown:
    """Somebody edited Ada's guest and blocked Bob's."""
    for user, name in ((ADA, "Ada"), (BOB, "Bob")):
        bench.source.users[user] = person(name)
        bench.run("sync", user)
    ada, bob = bench.target.users.values()
    ada.attributes["department"] = "Their own"
    bob.attributes["accountEnabled"] = False
    bench.clock.advance(HOUR)
    for user in (ADA, BOB):
        bench.run("sync", user)
    page = call(bench, "drift", "Reader", query={"limit": "1"})
    rest = call(bench, "drift", "Reader", query={"limit": "1", "after": said(page)["more"]})
    done, listed = xtsync(bench, "drift")
    return done, [said(page), said(rest), listed]


def verify(bench: Bench) -> Shown:
    """Two pages, and all: Ada's guest is blocked, and whether Bob's has to redeem is unknown."""
    for user, name in ((ADA, "Ada"), (BOB, "Bob")):
        bench.source.users[user] = person(name)
        bench.run("sync", user)
    ada, bob = bench.target.users.values()
    ada.redeemed, ada.attributes["accountEnabled"] = True, False
    bob.redeemed = False
    bench.clock.advance(HOUR)
    page = call(bench, "verify", "Reader", query={"limit": "1", "since": "24h"})
    rest = call(bench, "verify", "Reader", query={"limit": "1", "after": said(page)["more"]})
    done, found = xtsync(bench, "verify")
    return done, [said(page), said(rest), found]


def preflight(bench: Bench) -> Shown:
    """On the emulator: an internal user has Ada's address, a guest waits, and contacts may not be seen."""
    there = EmulatedBench(bench.folder)
    for name in ("ada", "bob"):
        address = f"{name}@contoso.com"
        there.world.source.create({"accountEnabled": True, "displayName": name, "userPrincipalName": address})
    internal = {"accountEnabled": True, "displayName": "Ada", "userPrincipalName": "ada@fabrikam.com"}
    there.world.target.create({**internal, "otherMails": ["ada@contoso.com"]})
    guest = {"creationType": "Invitation", "userPrincipalName": "bob_contoso.com#EXT#@fabrikam.com"}
    there.world.target.create({"accountEnabled": True, "displayName": "Bob", "mail": "bob@contoso.com", **guest})
    there.roles(FABRIKAM, ["User.ReadWrite.All"])
    there.world.target.settings.directory_quota = 10
    result = there.run("preflight", "--json")
    return result.code, result.json


def keep(bench: Bench) -> Shown:
    """What a person said, what is due then, and the end of it."""
    in_stages(bench)
    until = {"until": "30d", "reason": "a handover"}
    kept = call(bench, "keep", "Operator", body=until)
    xtsync(bench, "sync", ADA, "--sync", NAME)
    _, listed = xtsync(bench, "due")
    code, ended = xtsync(bench, "keep", ADA, "--end", "--by", "anna")
    history = xtsync(bench, "history", ADA)[1]
    return code, [said(kept), listed, ended, history]


def sync_waits(bench: Bench) -> Shown:
    with_a_ceiling(bench)
    return xtsync(bench, "sync", BOB)


def plan_of_nothing(bench: Bench) -> Shown:
    bench.source.pages = dict(pages([]))
    return xtsync(bench, "plan")


def resync(bench: Bench) -> Shown:
    return xtsync(bench, "resync")


def resync_not_started(bench: Bench) -> Shown:
    bench.storage = replace(bench.storage, feeds=Broken())
    return xtsync(bench, "resync")


def poison(bench: Bench) -> Shown:
    """One that nothing can read, and one on which the program failed five times."""
    bench.put("feed-pages-poison", '{"v":1}')
    bench.do(bench.storage.activity.poisoned("user-changes", "kept-1", "x", bench.clock.now()))
    return xtsync(bench, "poison")


def poison_removed(bench: Bench) -> Shown:
    bench.put("feed-pages-poison", '{"v":1}')
    return xtsync(bench, "poison", "remove", "m1", "--yes")


# --- one user ----------------------------------------------------------------------------------------------------


def sync_invites(bench: Bench) -> Shown:
    bench.source.users[ADA] = person("Ada")
    return xtsync(bench, "sync", ADA)


def sync_of_nothing(bench: Bench) -> Shown:
    bench.source.users[ADA] = person("Ada", accountEnabled=False)
    return xtsync(bench, "sync", ADA)


def sync_dry_run(bench: Bench) -> Shown:
    bench.source.users[ADA] = person("Ada")
    return xtsync(bench, "sync", ADA, "--dry-run")


def sync_dry_run_with_values(bench: Bench) -> Shown:
    bench.source.users[ADA] = person("Ada")
    return xtsync(bench, "sync", ADA, "--dry-run", "--show-values")


def sync_of_a_manager(bench: Bench) -> Shown:
    """Ada's manager is linked, and then there is none: the reference is shown, and then its end."""
    bench.source.users |= {ADA: person("Ada", manager=BOB), BOB: person("Bob")}
    bench.run("sync", BOB)
    bench.clock.advance(HOUR)
    _, first = xtsync(bench, "sync", ADA)
    bench.clock.advance(HOUR)
    bench.source.users[ADA]["manager"] = None
    code, then = xtsync(bench, "sync", ADA, "--dry-run", "--show-values")
    return code, [first, then]


def sync_of_refused_attributes(bench: Bench) -> Shown:
    bench.source.users[ADA] = person("Ada")
    bench.target.refuses = {"department": "403 Authorization_RequestDenied"}
    bench.run("sync", ADA)
    return xtsync(bench, "sync", ADA, "--dry-run")


def sync_parks(bench: Bench) -> Shown:
    bench.source.users[ADA] = person("Ada")
    bench.target.add("guest-1", ADDRESS)
    return xtsync(bench, "sync", ADA)


def sync_would_park(bench: Bench) -> Shown:
    bench.source.users[ADA] = person("Ada")
    bench.target.add("guest-1", ADDRESS)
    return xtsync(bench, "sync", ADA, "--dry-run")


def sync_needs_approval(bench: Bench) -> Shown:
    (bench.folder / "sync.yaml").write_text(CONFIG + "    matching: { adopt: review }\n")
    code, dry = sync_would_park(bench)
    code_of_live, live = xtsync(bench, "sync", ADA)
    return code, [dry, code_of_live, live]


def sync_observes(bench: Bench) -> Shown:
    (bench.folder / "sync.yaml").write_text(f"{CONFIG}    mode: observe\n")
    bench.source.users[ADA] = person("Ada")
    _, dry = xtsync(bench, "sync", ADA, "--dry-run", "--show-values")
    code, live = xtsync(bench, "sync", ADA)
    return code, [dry, live]


def sync_held(bench: Bench) -> Shown:
    for user in (ADA, BOB):
        bench.link(user)
    bench.run("sync", BOB)
    _, dry = xtsync(bench, "sync", ADA, "--dry-run")
    code, live = xtsync(bench, "sync", ADA)
    return code, [dry, live]


def sync_tries_again(bench: Bench) -> Shown:
    bench.source.users[ADA] = person("Ada")
    bench.faults.fail_next("target.invite", UnavailableError("503"))
    return xtsync(bench, "sync", ADA)


def sync_fails(bench: Bench) -> Shown:
    bench.source.users[ADA] = person("Ada")
    bench.faults.fail_next("target.candidates", GraphRefusedError(status=403, code="Forbidden", message="no"))
    return xtsync(bench, "sync", ADA, "--sync", NAME, "--dry-run")


def sync_cannot_take_access(bench: Bench) -> Shown:
    sync_invites(bench)
    bench.clock.advance(HOUR)
    bench.target.refuses = {"accountEnabled": "403 Authorization_RequestDenied"}
    bench.source.users[ADA]["accountEnabled"] = False
    return xtsync(bench, "sync", ADA)


def sync_deletes(bench: Bench) -> Shown:
    bench.link(BOB)
    return xtsync(bench, "sync", BOB)


# --- decisions of a person ---------------------------------------------------------------------------------------


def adopt_list(bench: Bench) -> Shown:
    sync_parks(bench)
    return xtsync(bench, "adopt")


def adopt_user(bench: Bench) -> Shown:
    sync_parks(bench)
    return xtsync(bench, "adopt", ADA, "--yes")


def holds(bench: Bench) -> Shown:
    bench.hold(ADA)
    bench.clock.advance(HOUR)
    bench.hold(BOB, change="Disable")
    bench.run("holds", "approve", bench.code(), ADA, "--yes", "--by", "anna")
    bench.clock.advance(25 * HOUR)
    bench.hold(CYD)
    bench.run("holds", "reject", bench.code(), CYD, "--yes", "--by", "anna")
    return xtsync(bench, "holds")


def holds_approved(bench: Bench) -> Shown:
    bench.hold(ADA)
    code = bench.code()
    return xtsync(bench, "holds", "approve", code, "--yes", "--by", "anna")


def holds_not_rejected(bench: Bench) -> Shown:
    bench.hold(ADA)
    code = bench.code()
    bench.storage = replace(bench.storage, guards=Contested(bench.storage.tables_by_name["guards"]))
    return xtsync(bench, "holds", "reject", code, "--yes", "--by", "anna")


# --- files, and the deployment as a whole ------------------------------------------------------------------------


def validate(bench: Bench) -> Shown:
    scope = "    scope: { filters: [{ name: A, clauses: [{ attribute: city, operator: REGEX MATCH, value: Os }] }] }\n"
    (bench.folder / "sync.yaml").write_text(CONFIG + scope)
    return xtsync(bench, "validate")


def validate_faults(bench: Bench) -> Shown:
    (bench.folder / "sync.yaml").write_text(CONFIG.replace("target: fabrikam", "target: fabricam"))
    return xtsync(bench, "validate")


def mapping_cases(bench: Bench) -> Shown:
    cases = (
        "{ name: a, source: { city: Oslo }, target: { city: Rome } }",
        "{ name: b, source: { city: Oslo }, scope: in }",
    )
    (bench.folder / "cases.yaml").write_text("cases:\n" + "".join(f"  - {case}\n" for case in cases))
    return xtsync(bench, "test-mapping", "cases.yaml")


def import_schema(bench: Bench) -> Shown:
    text = SCHEMA.read_text(encoding="utf-8").replace('"IS TRUE"', '"IsMemberOf"')
    (bench.folder / "schema.json").write_text(text, encoding="utf-8")
    return xtsync(bench, "import-schema", "schema.json")


def expression_value(bench: Bench) -> Shown:
    return xtsync(bench, "expression", 'Split([city], "-")', "--source", '{"city": "Os-lo"}')


def expression_flow(bench: Bench) -> Shown:
    return xtsync(bench, "expression", "IgnoreAttributeFlow")


def expression_error(bench: Bench) -> Shown:
    return xtsync(bench, "expression", "Left(")


def doctor(bench: Bench) -> Shown:
    clinic = Clinic(bench.folder)
    clinic.hold(ADA)
    return xtsync(clinic, "doctor")


def error_of_usage(bench: Bench) -> Shown:
    return xtsync(bench, "sync", "not-a-user")


def error_of_configuration(bench: Bench) -> Shown:
    bench.environ = {}
    (bench.folder / "sync.yaml").write_text("syncs: []\n")
    return xtsync(bench, "status")


def error_unexpected(bench: Bench) -> Shown:
    bench.faults.fail_next("source.read_user", ValueError("a value"))
    return xtsync(bench, "sync", ADA)


# --- over HTTP ---------------------------------------------------------------------------------------------------


def http(bench: Bench, name: str, role: str = "Operator", **options: Any) -> Shown:
    answer = call(bench, name, role, **options)
    return answer.status, said(answer)


def http_why(bench: Bench) -> Shown:
    bench.source.users[ADA] = person("Ada")
    return http(bench, "why", "Reader")


def why(bench: Bench) -> Shown:
    sync_of_refused_attributes(bench)
    return xtsync(bench, "why", ADA)


def report(bench: Bench) -> Shown:
    sync_invites(bench)
    bench.link(BOB)
    return xtsync(bench, "report", "--redeemed")


def history(bench: Bench) -> Shown:
    """Somebody is deleted, somebody held and approved; older events follow on another page."""
    sync_held(bench)
    bench.clock.advance(HOUR)
    bench.run("holds", "approve", bench.code(), "--yes", "--by", "anna")
    return xtsync(bench, "history", "--limit", "2")


def http_activity(bench: Bench) -> Shown:
    sync_parks(bench)
    bench.run("resync", "--by", "anna")
    return http(bench, "activity", "Reader", query={"kind": "refused,resynced", "since": "1d"})


def http_activity_of_nothing(bench: Bench) -> Shown:
    return http(bench, "activity", "Reader", query={"kind": "exploded"})


def http_creations(bench: Bench) -> Shown:
    with_a_ceiling(bench)
    return http(bench, "creations", "Reader")


def http_creations_approved(bench: Bench) -> Shown:
    with_a_ceiling(bench)
    return http(bench, "approve_creations", body={"code": creation_code(bench)})


def http_creations_not_approved(bench: Bench) -> Shown:
    return http(bench, "approve_creations", body={"code": "2-3f9a07c1"})


def http_decided(bench: Bench) -> Shown:
    bench.hold(ADA)
    return http(bench, "decide", body={"decision": "reject"})


def http_not_decided(bench: Bench) -> Shown:
    bench.hold(ADA)
    bench.storage = replace(bench.storage, guards=Contested(bench.storage.tables_by_name["guards"]))
    return http(bench, "decide", body={"decision": "approve"})


def http_nominated(bench: Bench) -> Shown:
    return http(bench, "nominate")


def http_resync(bench: Bench) -> Shown:
    return http(bench, "resync")


def http_resync_not_started(bench: Bench) -> Shown:
    bench.storage = replace(bench.storage, feeds=Broken())
    return http(bench, "resync")


def http_forbidden(bench: Bench) -> Shown:
    return http(bench, "resync", "Reader")


def http_no_such_sync(bench: Bench) -> Shown:
    return http(bench, "why", route={"sync": "contoso-to-fabricam"})


def http_storage_silent(bench: Bench) -> Shown:
    bench.storage = replace(bench.storage, feeds=Broken())
    return http(bench, "status")


def _planned(bench: Bench) -> tuple[PlanBench, str]:
    """The people of `plan`, as a job; its id is another one each time."""
    planning = PlanBench(bench.folder)
    plan(planning)
    planning.faults.fail_next("target.candidates", UnavailableError("503"))
    job = planning.ask()
    planning.work()
    return planning, job


def http_plan(bench: Bench) -> Shown:
    planning, job = _planned(bench)
    code, document = http(planning, "plan", "Reader", route={"plan": job})
    return code, {**document, "id": "0" * 24}


def http_plans(bench: Bench) -> Shown:
    planning, _ = _planned(bench)
    code, document = http(planning, "plans", "Reader")
    return code, {"plans": [{**each, "id": "0" * 24} for each in document["plans"]]}


def http_plan_changes(bench: Bench) -> Shown:
    planning, job = _planned(bench)
    return http(planning, "plan_changes", "Reader", route={"plan": job})


def http_plan_refused(bench: Bench) -> Shown:
    return http(bench, "ask_plan", "Reader", body={"sync_yaml": CONFIG.replace("target: fabrikam", "target: fabrik")})


SCENARIOS: tuple[Scenario, ...] = (
    *(
        status_fresh,
        status,
        plan,
        plan_observes,
        plan_of_nothing,
        plan_of_many_newcomers,
        creations,
        creations_approved,
        sync_waits,
        pause,
        resume,
        due,
        drift,
        preflight,
        verify,
        keep,
        resync,
        resync_not_started,
        poison,
        poison_removed,
    ),
    *(sync_invites, sync_of_nothing, sync_dry_run, sync_dry_run_with_values, sync_of_a_manager),
    *(
        sync_of_refused_attributes,
        sync_parks,
        sync_would_park,
        sync_needs_approval,
        sync_observes,
        sync_held,
        sync_tries_again,
    ),
    *(sync_fails, sync_cannot_take_access, sync_deletes, adopt_list, adopt_user, why, history, report),
    *(holds, holds_approved, holds_not_rejected, validate, validate_faults, mapping_cases, import_schema),
    *(expression_value, expression_flow, expression_error, doctor),
    *(error_of_usage, error_of_configuration, error_unexpected),
    *(http_activity, http_activity_of_nothing),
    *(http_creations, http_creations_approved, http_creations_not_approved),
    *(http_why, http_decided, http_not_decided, http_nominated, http_resync, http_resync_not_started),
    *(http_plan, http_plans, http_plan_changes, http_plan_refused),
    *(http_forbidden, http_no_such_sync, http_storage_silent),
)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.__name__)
def test_a_document_is_what_it_was(scenario: Scenario, tmp_path: Path) -> None:
    """Exit code or status, names, nesting and values."""
    code, document = scenario(Bench(tmp_path))
    file = FOLDER / f"{scenario.__name__}.json"
    shown = {"code": code, "document": document}
    if os.environ.get("DOCUMENTS") == "write":
        file.write_text(json.dumps(shown, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    assert shown == json.loads(file.read_text(encoding="utf-8"))


def test_every_file_has_its_scenario() -> None:
    """A document that nobody makes any more is no contract."""
    assert {file.stem for file in FOLDER.iterdir()} == {scenario.__name__ for scenario in SCENARIOS}
