"""Each alert fires for the fault that it is about, and for nothing else: its query is run on what the program logged.

A story breaks one thing and mends it. All alerts are evaluated before the fault, when it has lasted long enough, and
after it, each over the window of its rule that ends there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

import pytest

from local.functions_host.telemetry import Row
from sync_core.model.messages import WORK_QUEUES
from tests.simulator.asked import STAFF
from tests.simulator.plan import CONTOSO, FABRIKAM, SYNC
from tools.infra import ROOT

from . import program
from .kql import Workspace, with_time_range
from .snapshots import Deployment
from .story import PEOPLE, Day, Story, at, tell

DEPLOYMENT = Deployment.committed("plain")
OF_STAFF = f"""
tenants:
  contoso: {{ id: {CONTOSO} }}
  fabrikam: {{ id: {FABRIKAM} }}
syncs:
  - {{ name: {SYNC}, source: contoso, target: fabrikam, scope: {{ users: assigned, groups: [{STAFF}] }} }}
"""

# Two more than there are at the beginning.
WITH_A_CEILING = f"""
tenants:
  contoso: {{ id: {CONTOSO} }}
  fabrikam: {{ id: {FABRIKAM} }}
syncs:
  - name: {SYNC}
    source: contoso
    target: fabrikam
    creation_guard: {{ max_percent: 0, min_count: {PEOPLE + 2}, window: 24h }}
"""

type Fired = set[tuple[str, str]]


def fired(workspace: Workspace, minutes: float) -> Fired:
    """The alerts so many minutes after the beginning: names of rules, and of what is in trouble."""
    return {
        (rule.name, row["subject"])
        for rule in DEPLOYMENT.rules
        for row in workspace.answer(rule.query, until=at(minutes), window=rule.window)
    }


# --- stories ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """`expected` is what fires at the minute `during`; at `before` and at `after` nothing does."""

    story: Story
    before: float
    during: float
    after: float
    expected: Fired
    config: str | None = None


async def subscriptions_refused(day: Day) -> None:
    """Consent was withdrawn: for hours, Graph neither renews nor creates a subscription."""
    await day.until(62)
    day.graph_fails("/subscriptions*", 403)
    await day.until(290)
    day.graph_is_well()
    await day.until(320)


async def feed_refused(day: Day) -> None:
    """Graph answers no delta query of users in the source."""
    await day.until(22)
    day.graph_fails("/users/delta*", 403, tenant=CONTOSO)
    await day.until(63)
    day.graph_is_well()
    await day.until(80)


async def target_feed_refused(day: Day) -> None:
    """Nor in the target, where nothing else is amiss."""
    await day.until(22)
    day.graph_fails("/users/delta*", 403, tenant=FABRIKAM)
    await day.until(63)
    day.graph_is_well()
    await day.until(80)


async def groups_refused(day: Day) -> None:
    """Graph answers no delta query of groups; that of users goes on."""
    await day.until(22)
    day.graph_fails("/groups/delta*", 403)
    await day.until(63)
    day.graph_is_well()
    await day.until(80)


async def nonsense_on_a_queue(day: Day) -> None:
    """A message that the program cannot read, and fails over five times; a person removes it."""
    await day.until(22)
    await day.send("subscription-events", '{"v": 1}')
    await day.until(36)
    await day.remove_poison()
    await day.until(60)


async def a_function_is_off(day: Day) -> None:
    """Somebody disabled it, and changes wait; then it is enabled."""
    await day.until(22)
    day.turn_off("user-changes")
    await day.until(52)
    day.turn_on("user-changes")
    await day.until(120)


async def undecodable_on_every_queue(day: Day) -> None:
    """Somebody sends without base64: the host gives that to no function, not even from the poison queue."""
    await day.until(22)
    for queue in WORK_QUEUES:
        day.host.put(queue, '{"v": 1}')
    await day.until(36)
    await day.remove_poison()
    await day.until(60)


async def address_taken(day: Day) -> None:
    """An internal user of Fabrikam has the address of somebody who is new in Contoso; it is taken away from them."""
    await day.until(22)
    taken = {"mail": "zed@contoso.example", "userPrincipalName": "zed@fabrikam.example", "mailNickname": "zed"}
    internal = day.target.create({"displayName": "Zed", "accountEnabled": True, **taken})
    day.hire("zed")
    await day.until(36)
    day.target.delete(internal)
    await day.until(75)


async def many_leave(day: Day) -> None:
    """More than the guard lets go at once; somebody approves the rest."""
    await day.until(22)
    day.leave(*day.people()[-15:])
    await day.until(36)
    await day.approve()
    await day.until(60)


async def many_come(day: Day) -> None:
    """More than the ceiling lets in at once; somebody approves the rest."""
    await day.until(22)
    for n in range(6):
        day.hire(f"newcomer-{n}")
    await day.until(36)
    await day.let_in()
    await day.until(60)


async def target_refuses(day: Day) -> None:
    """Fabrikam lets the app write nothing any more, and then it does again."""
    await day.until(22)
    day.graph_fails("/users/*", 403, tenant=FABRIKAM, method="PATCH")
    day.change(*day.people()[-10:])
    await day.until(36)
    day.graph_is_well()
    await day.until(120)


async def throttled(day: Day) -> None:
    """Graph asks for patience while many change."""
    await day.until(22)
    day.graph_fails("/users/*", 429, tenant=CONTOSO, retry_after=90)
    day.change(*day.people()[-12:])
    await day.until(23)
    day.graph_is_well()
    await day.until(72)


TROUBLES = {
    "subscriptions refused": Trouble(
        story=subscriptions_refused, before=60, during=255, after=315, expected={("no-live-subscription", "contoso")}
    ),
    "feed refused": Trouble(
        story=feed_refused, before=20, during=62, after=78, expected={("feed-not-completed", "contoso")}
    ),
    "target's feed refused": Trouble(
        story=target_feed_refused,
        before=20,
        during=62,
        after=78,
        expected={("feed-not-completed", "fabrikam/target")},
    ),
    "groups' feed refused": Trouble(
        story=groups_refused,
        before=20,
        during=62,
        after=78,
        expected={("feed-not-completed", "contoso/groups")},
        config=OF_STAFF,
    ),
    "nonsense on a queue": Trouble(
        story=nonsense_on_a_queue,
        before=20,
        during=34,
        after=60,
        expected={("messages-poisoned", "subscription-events"), ("failure-rate", "subscription_events")},
    ),
    "a function is off": Trouble(
        story=a_function_is_off, before=20, during=51, after=110, expected={("queue-not-worked", "user-changes")}
    ),
    "undecodable on every queue": Trouble(
        story=undecodable_on_every_queue,
        before=20,
        during=34,
        after=60,
        expected={("messages-poisoned", queue) for queue in WORK_QUEUES},
    ),
    "address taken": Trouble(story=address_taken, before=20, during=34, after=75, expected={("users-parked", SYNC)}),
    "many leave": Trouble(story=many_leave, before=20, during=34, after=60, expected={("deletions-held", SYNC)}),
    "many come": Trouble(
        story=many_come,
        before=20,
        during=34,
        after=60,
        expected={("creations-waiting", SYNC)},
        config=WITH_A_CEILING,
    ),
    "target refuses": Trouble(
        story=target_refuses,
        before=20,
        during=34,
        after=120,
        expected={("failure-rate", SYNC), ("users-parked", SYNC)},
    ),
    "throttled": Trouble(story=throttled, before=20, during=34, after=70, expected={("latency", SYNC)}),
}


@cache
def told(name: str) -> list[tuple[str, Row]]:
    return tell(TROUBLES[name].story, config=TROUBLES[name].config)


@pytest.mark.parametrize("name", TROUBLES)
def test_an_alert_fires_for_its_fault_and_no_other_does(name: str) -> None:
    """And not before it, nor when it is over."""
    trouble = TROUBLES[name]
    with Workspace(told(name)) as workspace:
        assert fired(workspace, trouble.before) == set()
        assert fired(workspace, trouble.during) == trouble.expected
        assert fired(workspace, trouble.after) == set()


@pytest.mark.parametrize("name", TROUBLES)
def test_lost_lines_change_nothing(name: str) -> None:
    """All lines of the last five minutes: the alerts rest on state, which the poll before measured as well."""
    trouble = TROUBLES[name]
    for minutes, expected in ((trouble.before, set()), (trouble.during, trouble.expected), (trouble.after, set())):
        lost = at(minutes) - timedelta(minutes=5)
        rows = [(table, row) for table, row in told(name) if table != "AppTraces" or row["TimeGenerated"] <= lost]
        with Workspace(rows) as workspace:
            assert fired(workspace, minutes) == expected


def test_no_alert_counts_lines() -> None:
    """Each event that one reads is a measurement, of which the newest counts. The page says so of the same events."""
    read = {rule.name: _events_of(rule.query) for rule in DEPLOYMENT.rules}
    counted = {event for events in read.values() for event in events if not event.endswith(".measured")}
    assert counted == {"AppRequests"}
    assert {rule.name for rule in DEPLOYMENT.rules if "arg_max(TimeGenerated, Message)" not in rule.query} == set()
    charts = {name: _events_of(query) for name, query in DEPLOYMENT.charts.items()}
    used = {event: _users(event, read, charts) for event in sorted(set().union(*read.values(), *charts.values()))}
    assert _table_of_the_page() == used


def _events_of(query: str) -> set[str]:
    return set(re.findall(r'Message startswith "([a-z_.]+)', query)) | set(re.findall(r"\bAppRequests\b", query))


def _users(event: str, alerts: Mapping[str, set[str]], charts: Mapping[str, set[str]]) -> tuple[str, str]:
    """The alerts and the charts that read the event, as the page lists them."""
    by_alerts, by_charts = (sorted(name for name, events in of.items() if event in events) for of in (alerts, charts))
    return ", ".join(by_alerts), ", ".join(by_charts)


def _table_of_the_page() -> dict[str, tuple[str, str]]:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    section = page.partition("### What alerts rest on")[2].partition("\n#")[0]
    rows = re.findall(r"^\| `([\w.]+)` \| [^|]+ \| ([^|]*) \| ([^|]*) \|$", section, re.MULTILINE)
    return {event: (alerts.strip().replace("`", ""), charts.strip()) for event, alerts, charts in rows}


def test_every_alert_has_a_fault_that_it_fires_for() -> None:
    """A new alert comes with its story."""
    assert {rule for trouble in TROUBLES.values() for rule, _ in trouble.expected} == {
        rule.name for rule in DEPLOYMENT.rules
    }


def test_a_calm_day_is_silent() -> None:
    """From the first quarter of an hour on, in which everybody is synchronized."""
    with Workspace(tell(_calm)) as workspace:
        assert [minutes for minutes in range(15, 195, 30) if fired(workspace, minutes)] == []


async def _calm(day: Day) -> None:
    await day.until(190)


def test_an_app_that_does_not_run_is_told_of() -> None:
    """Without any row at all, the two alerts that wait for a proof fire."""
    with Workspace([]) as workspace:
        assert fired(workspace, 60) == {("no-live-subscription", "contoso"), ("feed-not-completed", "contoso")}


def test_the_charts_show_what_happened() -> None:
    """Each has something to show of the stories, and counts no less than there was.

    No story forges a post, and telemetry is off in all of them: test_metrics.py is about its charts.
    """
    rows = [row for name in TROUBLES for row in told(name)]
    charts = {name: with_time_range(query) for name, query in DEPLOYMENT.charts.items()}
    with Workspace(rows) as workspace:
        shown = {name: workspace.answer(query, until=at(24 * 60)) for name, query in charts.items()}
    of_telemetry = {name for name, query in charts.items() if re.search(r"\bApp(Metrics|Dependencies)\b", query)}
    assert {name for name, answer in shown.items() if not answer} == {"refused", *of_telemetry}
    assert {row["Function"] for row in shown["functions"]} <= program.functions()
    assert sum(row["Runs"] for row in shown["functions"]) == sum(table == "AppRequests" for table, _ in rows)
    assert sum(row["Times"] for row in shown["parked"]) == len(_events(rows, "user.parked"))
    assert sum(row["Times"] for row in shown["again"]) == len(_events(rows, "user.again"))
    assert sum(row["Answers"] for row in shown["throttled-for"]) == len(_events(rows, "graph.throttled"))
    changed = [text for text in _events(rows, "user.reconciled") if "changes=-" not in text]
    assert sum(row["Changes"] for row in shown["why"]) == len(changed)


def _events(rows: list[tuple[str, Row]], event: str) -> list[str]:
    return [row["Message"] for _, row in rows if row.get("Message", "").startswith(f"{event} ")]
