"""A plan that runs as a job: the same changes as `xtsync plan`, once each, whatever dies in between."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from sync_core.model import Link, LinkState, PlanRun
from sync_core.model.errors import NewerSchemaError, UnavailableError
from sync_core.model.messages import PLAN_JOBS, encode, poison_queue
from sync_core.ops import documents, plan_jobs, planner
from sync_core.ports import PlanJob, PlanState
from sync_core.storage.plans import TablePlans
from sync_core.storage.table import Row
from tests.support.cli import ADA, BOB, CONFIG, CYD, NAME, SYNC
from tests.support.directories import pages
from tests.support.endpoints import call, said
from tests.support.faults import Crash, Faults, FaultyTable
from tests.support.make import person
from tests.support.planning import PlanBench

MORE = tuple(f"dddddddd-0000-0000-0000-{n:012d}" for n in range(3))
NEW = tuple(f"eeeeeeee-0000-0000-0000-{n:012d}" for n in range(7))
# One deletion and three invitations are let pass.
LIMITS = f"{CONFIG}    creation_guard: {{ max_percent: 0, min_count: 3, window: 24h }}\n"


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlanBench:
    """Eight are new, Bob was disabled, Cyd and three more were deleted; on two pages, and in chunks of three."""
    monkeypatch.setattr(planner, "_CHUNK", 3)
    bench = PlanBench(tmp_path)
    (tmp_path / "sync.yaml").write_text(LIMITS)
    bench.source.users = {ADA: person("Ada"), BOB: person("Bob", accountEnabled=False)}
    bench.source.users |= {user: person(f"New{n}") for n, user in enumerate(NEW)}
    bench.source.deleted = {user: person("Cyd") for user in (CYD, *MORE)}
    for user in (BOB, CYD, *MORE):
        bench.link(user)
    everybody = [bench.source.entry(user) for user in (*NEW, ADA, BOB)]
    bench.source.pages = dict(pages(everybody[:5], everybody[5:]))
    return bench


def counts(bench: PlanBench, job: str) -> Mapping[str, int]:
    shown = bench.shown(job)
    assert shown["state"] == "done", shown
    syncs = shown["syncs"]
    assert isinstance(syncs, list)
    (of,) = syncs
    assert of["sync"] == NAME
    return dict(of["counts"])


def kinds(bench: PlanBench) -> Mapping[str, int]:
    """Of the plan that runs at once."""
    [plan] = bench.run("plan", "--json").json["syncs"]
    return dict(plan["counts"])


def test_it_finds_what_the_command_finds(bench: PlanBench) -> None:
    """The same numbers of the same kinds, of both guards too, and nothing is written but the plan."""
    before = {name: rows for name, rows in _rows(bench).items() if name != "plans"}
    job = bench.ask()
    bench.work()
    assert counts(bench, job) == kinds(bench)
    shown = bench.shown(job)
    assert (shown["read"], shown["users"], shown["decided"]) == (9, 13, 13)
    assert {name: rows for name, rows in _rows(bench).items() if name != "plans"} == before
    assert bench.target.writes == []
    assert sum(bench.do(bench.storage.queues.depths()).values()) == 0


def _rows(bench: PlanBench) -> Mapping[str, object]:
    stored = bench.stored()
    assert isinstance(stored, tuple)
    return dict(stored[0])


def test_its_pages_have_everybody_once(bench: PlanBench) -> None:
    """With filters for a sync and a kind; names of attributes and no values, and no names of people."""
    job = bench.ask()
    bench.work()
    everybody = bench.changes(job, limit="4")
    assert sorted(str(each["user"]) for each in everybody) == sorted([*NEW, ADA, BOB, CYD, *MORE])
    found = Counter({kind: len(bench.changes(job, change=kind, sync=NAME)) for kind in counts(bench, job)})
    assert found == counts(bench, job)
    assert "ada@" not in json.dumps(everybody) + str(_rows(bench)["plans"])
    [plan] = bench.run("plan", "--json").json["syncs"]
    assert {frozenset(each) for each in everybody} == {frozenset({"sync", "kind", *each}) for each in plan["users"]}
    assert Counter(str(each["kind"]) for each in everybody) == counts(bench, job)


WRITES = re.compile(r"table\.plans\.(insert|replace|upsert|delete)|queue\.plan-jobs\.send")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_death_at_any_write_counts_nothing_twice(bench: PlanBench, *, after: bool) -> None:
    """Before the write was made, or after it was and nobody heard: the message comes back, and the plan is the same.

    Every pair of a kind and its number, and every user of the pages. A death between two writes is one before the next.
    """
    bench.ask()
    first = len(bench.faults.calls)
    bench.work()
    writes = [n for n, name in enumerate(bench.faults.calls[first:]) if WRITES.fullmatch(name)]
    assert len(writes) > 30
    wanted = kinds(bench)
    for n in writes:
        job = bench.ask()
        bench.faults.calm()
        bench.faults.fail_at(n, Crash(), after=after)
        with pytest.raises(Crash):
            bench.work()
        bench.clock.advance(timedelta(minutes=11))
        bench.work()
        assert counts(bench, job) == wanted
        assert len(bench.changes(job)) == 13


def test_a_run_goes_on_where_the_last_one_ended(bench: PlanBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page and each chunk in a run of its own: the guards count on, as if nothing had been in between."""
    monkeypatch.setattr(planner, "_WORKS_FOR", timedelta(0))
    job = bench.ask()
    assert bench.work() > 6
    assert counts(bench, job) == kinds(bench)
    assert bench.shown(job)["read"] == 9


def test_a_person_of_two_syncs_counts_once_in_their_target(bench: PlanBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the plan that runs at once: the limit of the target tenant is for people, however many syncs there are."""
    monkeypatch.setattr(planner, "_WORKS_FOR", timedelta(0))
    second = SYNC.partition("syncs:\n")[2].replace("contoso-to-fabrikam", "second")
    guard = "    deletion_guard: { max_percent: 0, min_count: 100, window: 24h }\n"
    target = "fabrikam: { id: 22222222-2222-2222-2222-222222222222, deletion_guard: "
    limited = SYNC.replace(
        "fabrikam: { id: 22222222-2222-2222-2222-222222222222",
        f"{target}{{ max_percent: 0, min_count: 3, window: 24h }}",
    )
    (bench.folder / "sync.yaml").write_text(limited + guard + second + guard)
    for user in (BOB, CYD, *MORE):
        guest = Link(sync="second", source_id=user, state=LinkState.LINKED, target_id=f"other-of-{user[:4]}")
        bench.target.add(guest.target_id or "", f"other{user[:4]}@contoso.example")
        bench.do(bench.storage.links.save(replace(guest, on_create_written=True)))
    job = bench.ask()
    bench.work()
    at_once = {each["sync"]: each["counts"] for each in bench.run("plan", "--json").json["syncs"]}
    syncs = bench.shown(job)["syncs"]
    assert isinstance(syncs, list)
    found = {each["sync"]: each["counts"] for each in syncs}
    held = [sum(n for of in each.values() for kind, n in of.items() if "Hold" in kind) for each in (found, at_once)]
    assert held[0] == held[1] > 0
    assert {name: sum(of.values()) for name, of in found.items()} == {
        name: sum(of.values()) for name, of in at_once.items()
    }


def test_a_service_that_fails_is_tried_again(bench: PlanBench) -> None:
    """Until it has failed ten times in a row; then the plan says so."""
    job = bench.ask()
    for _ in range(3):
        bench.faults.calm()
        bench.faults.fail_next("table.plans.upsert", UnavailableError())
        bench.work()
        assert bench.shown(job)["state"] == "running"
        bench.clock.advance(timedelta(seconds=5))
    bench.work()
    assert counts(bench, job) == kinds(bench)
    job = bench.ask()
    bench.faults.fail_next("table.plans.upsert", *[UnavailableError("storage: 503")] * 100)
    for _ in range(20):
        bench.work()
        bench.clock.advance(timedelta(minutes=5))
    assert (bench.shown(job)["state"], bench.shown(job)["error"]) == ("failed", "storage: 503")


def test_a_feed_that_cannot_be_read_fails_the_plan(bench: PlanBench) -> None:
    """With a reason; a plan of half the tenant would be worse than none."""
    job = bench.ask()
    bench.faults.fail_next("source.delta_page", *[UnavailableError()] * 100)
    for _ in range(30):
        bench.work()
        bench.clock.advance(timedelta(minutes=10))
    shown = bench.shown(job)
    assert (shown["state"], shown["error"]) == ("failed", "the feed of contoso cannot be read")


def test_a_second_delivery_waits_for_the_first(bench: PlanBench) -> None:
    """Two workers at one job would count everybody twice."""
    job = bench.ask()
    stored = bench.do(bench.storage.plans.get(job))
    assert stored is not None
    busy = replace(stored, state=PlanState.RUNNING, busy_until=bench.clock.now() + timedelta(minutes=8))
    bench.do(bench.storage.plans.save(busy))
    bench.work()
    assert bench.shown(job)["decided"] == 0
    bench.clock.advance(timedelta(minutes=8))
    bench.work()
    assert counts(bench, job) == kinds(bench)


def test_a_candidate_is_planned_in_the_place_of_the_deployed_file(bench: PlanBench) -> None:
    """Its own guard holds nobody; the deployed file stays as it is."""
    candidate = LIMITS.replace("min_count: 1,", "min_count: 100,").replace("min_count: 3", "min_count: 100")
    job = bench.ask(sync_yaml=candidate)
    bench.work()
    assert bench.shown(job)["candidate"] is True
    assert counts(bench, job) == {"Invite": 8, "Disable": 1, "SoftDelete": 4}
    deployed = bench.ask()
    bench.work()
    assert counts(bench, deployed) == kinds(bench)


def test_a_fault_of_the_candidate_is_told_with_its_line(bench: PlanBench) -> None:
    """As `xtsync validate` tells it: every fault, and no job."""
    wrong = LIMITS.replace("source: contoso", "source: contos").replace("target: fabrikam", "target: fabrika")
    answer = call(bench, "ask_plan", "Reader", body={"sync_yaml": wrong})
    assert answer.status == 400
    messages = said(answer)["error"]["messages"]
    assert [message.split(" ")[0] for message in messages] == ["sync.yaml:6", "sync.yaml:7"]
    assert _rows(bench)["plans"] == []


@pytest.mark.parametrize(
    ("candidate", "word"),
    [
        (LIMITS.replace("11111111-1111", "99999999-1111"), "source tenant"),
        (LIMITS.replace("22222222-2222", "99999999-2222"), "target tenant"),
        (LIMITS.replace("source: contoso", "source: X").replace("target: fabrikam", "target: contoso")
         .replace("source: X", "source: fabrikam"), "source tenant"),
        (LIMITS + "#" * 65536, "more than 65536 bytes"),
        (SYNC + "".join(f"  - {{ name: s{n}, source: contoso, target: fabrikam }}\n" for n in range(100)),
         "at most 100"),
        ("a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
            f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 10)}]\n" for n in range(9)
        ), "aliases"),
    ],
)  # fmt: skip
def test_a_candidate_that_asks_for_too_much_is_refused(bench: PlanBench, candidate: str, word: str) -> None:
    """Other tenants, a target read as a source, a file without end: nothing is stored, and no tenant is asked."""
    asked = bench.faults.count("source.")
    answer = call(bench, "ask_plan", "Reader", body={"sync_yaml": candidate})
    assert answer.status == 400
    assert word in " ".join(said(answer)["error"]["messages"])
    assert (_rows(bench)["plans"], bench.faults.count("source.")) == ([], asked)


def test_a_body_without_end_is_not_read(bench: PlanBench) -> None:
    """It is refused by its length alone; the largest file comes through, as JSON escapes it."""
    answer = call(bench, "ask_plan", "Reader", raw=b"[" * (512 * 1024 + 1))
    assert (answer.status, said(answer)["error"]["messages"]) == (400, ["the body has more than 524288 bytes"])
    largest = LIMITS + "#" + "\u00e9" * ((65536 - len(LIMITS) - 1) // 2)
    assert call(bench, "ask_plan", "Reader", body={"sync_yaml": largest}).status == 202


def test_at_most_three_plans_are_under_way(bench: PlanBench) -> None:
    """The fourth is told when to ask again; once one is over there is room."""
    for _ in range(3):
        bench.ask()
    answer = call(bench, "ask_plan", "Operator", body={})
    assert (answer.status, answer.headers) == (429, {"Retry-After": "60"})
    bench.work()
    bench.ask()


def test_no_file_is_read_while_three_plans_are_under_way(bench: PlanBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading one is the work of a second: an answer that is 429 in any case is given without it."""
    for _ in range(3):
        bench.ask()
    read: list[str] = []
    monkeypatch.setattr(plan_jobs, "parse_candidate", lambda text, _: read.append(text))
    assert call(bench, "ask_plan", "Reader", body={"sync_yaml": LIMITS}).status == 429
    assert read == []


def test_of_ten_plans_asked_for_at_the_same_time_the_oldest_three_stay(bench: PlanBench) -> None:
    """However slow the storage is for each: nobody saw the others before, and the rest is told to ask again."""
    for seed in range(20):
        answers = asked_at_once(bench, 10, seed)
        busy = [each for each in answers if isinstance(each, plan_jobs.BusyError)]
        jobs = sorted(bench.do(bench.storage.plans.jobs()), key=lambda job: (job.asked_at, job.id))
        told = {each.id for each in answers if not isinstance(each, BaseException)}
        assert len(busy) + len(told) == 10
        stay = {job.id for job in jobs if not job.over}
        assert len(stay) == 3
        assert stay <= told
        assert {job.error for job in jobs if job.id in told - stay} <= {"3 older plans are under way"}
        assert {job.id for job in jobs} == told
        bench.work()
        assert {bench.shown(job)["state"] for job in stay} == {"done"}
        for job in jobs:
            bench.do(bench.storage.plans.drop(job.id, 1000))


class Slow(Faults):
    """No call fails: others go first, more or fewer of them."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._chance = Random(seed)

    async def meanwhile(self) -> None:
        for _ in range(self._chance.choice((0, 1, 10, 40))):
            await asyncio.sleep(0)


def asked_at_once(bench: PlanBench, people: int, seed: int) -> Sequence[documents.PlanStatus | BaseException]:
    """Each request to the table of plans takes a while of its own, in an order that follows from the seed."""
    slow = FaultyTable("plans", bench.storage.tables_by_name["plans"], Slow(seed))
    plans = TablePlans(slow, bench.storage.queues_by_name[PLAN_JOBS])
    runtime = bench.runtime()
    there = replace(runtime, storage=replace(runtime.storage, plans=plans))

    async def one() -> documents.PlanStatus:
        bench.clock.advance(timedelta(milliseconds=1))
        return await plan_jobs.ask(there, documents.PlanRequest(sync_yaml=None, sync=None), by="anna")

    async def everybody() -> Sequence[documents.PlanStatus | BaseException]:
        return await asyncio.gather(*(one() for _ in range(people)), return_exceptions=True)

    return bench.do(everybody())


def test_whoever_asks_is_told_where_to_look(bench: PlanBench) -> None:
    """202 with an address; one sync alone by its name, and no other name."""
    answer = call(bench, "ask_plan", "Reader", body={"sync": NAME})
    assert answer.headers == {"Location": f"/api/ops/plan/{said(answer)['id']}"}
    assert (said(answer)["state"], said(answer)["sync"]) == ("queued", NAME)
    assert call(bench, "ask_plan", "Reader", body={"sync": "nowhere"}).status == 400
    for plan in ("f" * 24, "no plan at all", "../x"):
        assert call(bench, "plan", "Reader", route={"plan": plan}).status == 404
        assert call(bench, "plan_changes", "Reader", route={"plan": plan}).status == 404
    for query in ({"after": "x"}, {"limit": "0"}):
        assert call(bench, "plan_changes", "Reader", route={"plan": said(answer)["id"]}, query=query).status == 400


def test_the_plans_that_are_kept_are_listed(bench: PlanBench) -> None:
    """The newest first, each with its state, and for how long it has been going on; before the first one, none."""
    assert said(call(bench, "plans", "Reader")) == {"plans": []}
    first = bench.ask(sync=NAME)
    bench.work()
    bench.clock.advance(timedelta(minutes=1))
    second = bench.ask(sync_yaml=LIMITS)
    bench.clock.advance(timedelta(seconds=5))
    newest, oldest = said(call(bench, "plans", "Reader"))["plans"]
    assert (newest["id"], newest["state"], newest["candidate"], newest["sync"]) == (second, "queued", True, None)
    assert (oldest["id"], oldest["state"], oldest["candidate"], oldest["sync"]) == (first, "done", False, NAME)
    assert (newest["seconds"], newest["decided"], oldest["decided"]) == (5, 0, 13)


def test_a_file_that_another_version_accepted_fails_the_plan(bench: PlanBench) -> None:
    """During a rolling upgrade one version may take the file and the other one work on it."""
    job = bench.ask()
    row = bench.do(bench.storage.tables_by_name["plans"].get(job, "text"))
    assert row is not None
    text: Mapping[str, str | int] = {"v": 1, "text0": LIMITS + "    of_tomorrow: 1\n"}
    bench.do(bench.storage.tables_by_name["plans"].upsert(replace(row, values=text)))
    bench.work()
    shown = bench.shown(job)
    assert shown["state"] == "failed"
    assert "is not known here" in str(shown["error"])


def test_a_candidate_reads_no_tenant_that_has_left_the_deployed_file(bench: PlanBench) -> None:
    """Between two runs of it another file was deployed: it ends with the reason, and that tenant is asked no more."""
    job = bench.ask(sync_yaml=LIMITS)
    (bench.folder / "sync.yaml").write_text(LIMITS.replace("11111111-1111", "99999999-1111"))
    asked = bench.faults.count("source.")
    bench.work()
    shown = bench.shown(job)
    assert (shown["state"], shown["error"]) == ("failed", "no source tenant of the deployed sync.yaml: contoso")
    assert bench.faults.count("source.") == asked


def test_a_job_of_a_newer_version_is_left_alone(bench: PlanBench) -> None:
    """The meaning of its columns may have changed."""
    bench.do(bench.storage.tables_by_name["plans"].upsert(Row(pk="job:", rk="f" * 24, values={"v": 3})))
    with pytest.raises(NewerSchemaError):
        bench.do(bench.storage.plans.get("f" * 24))


def test_upkeep_wakes_ends_and_drops_plans(bench: PlanBench) -> None:
    """A lost message comes again after twenty minutes; after a week nothing is left."""
    job = bench.ask()
    for message in bench.do(bench.storage.queues_by_name[PLAN_JOBS].receive()):
        bench.do(bench.storage.queues_by_name[PLAN_JOBS].delete(message))
    upkeep = bench.runtime().upkeep.plans
    bench.do(upkeep.run())
    assert bench.work() == 0
    bench.clock.advance(timedelta(minutes=20))
    bench.do(upkeep.run())
    assert bench.work() > 0
    assert counts(bench, job) == kinds(bench)
    other = bench.ask()
    bench.clock.advance(timedelta(days=1))
    bench.do(upkeep.run())
    assert (bench.shown(other)["state"], bench.shown(other)["error"]) == ("failed", "not done within a day")
    bench.clock.advance(timedelta(days=7))
    bench.do(upkeep.run())
    assert _rows(bench)["plans"] == []


def test_thirty_plans_are_kept(bench: PlanBench) -> None:
    """The newest, and any that is under way: somebody who asks again and again fills no storage."""
    old = PlanJob(id="0" * 24, asked_at=bench.clock.now(), asked_by="anna", candidate=False)
    for n in range(33):
        at = bench.clock.now() + timedelta(minutes=n)
        state = PlanState.QUEUED if n == 1 else PlanState.DONE
        bench.do(bench.storage.plans.add(replace(old, id=f"{n:024x}", asked_at=at, state=state), ""))
    bench.do(bench.runtime().upkeep.plans.run())
    kept = [int(each.id, 16) for each in bench.do(bench.storage.plans.jobs())]
    assert kept == [1, *range(3, 33)]


def test_a_message_that_nobody_can_work_on_ends_its_plan(bench: PlanBench) -> None:
    """The poll finds it on the poison queue, keeps it, and says so in the plan."""
    job = bench.ask()
    bench.do(bench.storage.queues_by_name[poison_queue(PLAN_JOBS)].send(encode(PlanRun(job=job))))
    bench.do(bench.storage.queues_by_name[poison_queue(PLAN_JOBS)].send("{}"))
    bench.do(bench.runtime().upkeep.poison.run())
    shown = bench.shown(job)
    assert (shown["state"], shown["error"]) == ("failed", "its message failed again and again")
    assert bench.do(bench.storage.activity.poison_count(PLAN_JOBS)) == 2
    bench.work()
    assert bench.shown(job)["state"] == "failed"
