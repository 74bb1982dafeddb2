"""The bill of a month, by examples that were computed by hand from the unit prices that stand here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from tools.price.month import Deployment, Load, Measured, Work, bill, total
from tools.price.prices import PRICES, Meter

NOTHING = Work(http=Decimal(0), executions=Decimal(0), tables=Decimal(0), queues=Decimal(0), log_bytes=Decimal(0))
IDLE = Measured(poll=NOTHING, change=NOTHING, round=NOTHING)
# A poll every 5 minutes: 730 hours x 12 = 8,760 a month. A change a day: 730 / 24 = 30.41667 a month.
BARE = Deployment(memory_mb=2048, ready=0, poll_minutes=Decimal(5), listening=0, asks_a_second=Decimal(5), alerts={})
QUIET = Load(people=0, changes=Decimal(0))
WORK = Measured(
    poll=replace(NOTHING, executions=Decimal(3), tables=Decimal(40), queues=Decimal(16), log_bytes=Decimal(3500)),
    change=replace(
        NOTHING,
        http=Decimal(1),
        executions=Decimal(1),
        tables=Decimal(12),
        queues=Decimal(2),
        log_bytes=Decimal(660),
    ),
    round=replace(NOTHING, executions=Decimal(2), tables=Decimal(50)),
)


def dollars(load: Load, deployment: Deployment, work: Measured = IDLE) -> Mapping[Meter, str]:
    """Of each meter that costs something, to a tenth of a cent."""
    rows = bill(load, deployment, work)
    assert [row.meter for row in rows] == list(Meter)
    return {row.meter: f"{row.dollars:.3f}" for row in rows if row.dollars}


def changing(a_month: int, **takes: Decimal | int) -> tuple[Load, Measured]:
    """So many changes in a month, each of which takes this."""
    change = replace(NOTHING, **{name: Decimal(value) for name, value in takes.items()})
    return Load(people=0, changes=Decimal(a_month) * 24 / 730), replace(IDLE, change=change)


def test_nothing_costs_nothing() -> None:
    """No work, no instance, no queue and no alert."""
    assert dollars(QUIET, BARE) == {}


def test_an_instance_that_is_always_ready() -> None:
    """2 GB for 730 x 3,600 s are 5,256,000 GB-s; times $0.000004 is $21.024. Half a gigabyte is a quarter of that."""
    assert dollars(QUIET, replace(BARE, ready=1)) == {Meter.BASELINE: "21.024"}
    assert dollars(QUIET, replace(BARE, ready=1, memory_mb=512)) == {Meter.BASELINE: "5.256"}
    assert dollars(QUIET, replace(BARE, ready=2)) == {Meter.BASELINE: "42.048"}


def test_what_the_ready_instance_executes_has_no_grant() -> None:
    """100,000 x 1 s x 2 GB x $0.000016 = $3.20; 100,000 x $0.40 a million = $0.04."""
    load, work = changing(100_000, http=1)
    ready = dollars(load, replace(BARE, ready=1), work)
    assert ready == {Meter.BASELINE: "21.024", Meter.READY_TIME: "3.200", Meter.READY_EXECUTIONS: "0.040"}


def test_without_a_ready_instance_http_is_on_demand() -> None:
    """100,000 x 2 GB-s are 200,000, of which 100,000 are free: $2.60. The executions are below their grant."""
    load, work = changing(100_000, http=1)
    assert dollars(load, BARE, work) == {Meter.TIME: "2.600"}


@pytest.mark.parametrize(
    ("executions", "expected"),
    [
        (50_000, {}),  # 100,000 GB-s: all of the grant
        (50_001, {Meter.TIME: "0.000"}),  # two more
        (250_000, {Meter.TIME: "10.400"}),  # 400,000 x $0.000026; all of the grant of executions
        (1_250_000, {Meter.TIME: "62.400", Meter.EXECUTIONS: "0.400"}),  # 2,400,000; a million
    ],
)
def test_the_free_grants_of_executions(executions: int, expected: Mapping[Meter, str]) -> None:
    """100,000 GB-s and 250,000 executions a month are free, and not one more."""
    load, work = changing(executions, executions=1)
    assert dollars(load, BARE, work) == expected


def test_longer_executions() -> None:
    """50,000 of 3 s are 300,000 GB-s: 200,000 of them cost $5.20."""
    load, work = changing(50_000, executions=1)
    assert dollars(load, replace(BARE, seconds=Decimal(3)), work) == {Meter.TIME: "5.200"}


def test_operations_of_tables() -> None:
    """A million are a hundred times ten thousand: $0.036."""
    assert dollars(*_swapped(changing(100_000, tables=10))) == {Meter.TABLES: "0.036"}


def test_operations_of_queues() -> None:
    """A million: $0.40."""
    assert dollars(*_swapped(changing(100_000, queues=10))) == {Meter.QUEUES: "0.400"}


def test_a_queue_that_is_asked_all_month() -> None:
    """5 x 3,600 x 730 = 13,140,000 questions: $5.256 for each queue. Once a second: a fifth."""
    assert dollars(QUIET, replace(BARE, listening=1)) == {Meter.QUEUES: "5.256"}
    assert dollars(QUIET, replace(BARE, listening=2)) == {Meter.QUEUES: "10.512"}
    assert dollars(QUIET, replace(BARE, listening=1, asks_a_second=Decimal(1))) == {Meter.QUEUES: "1.051"}


def test_logs_are_billed_at_three_quarters_of_their_json_after_five_gigabytes() -> None:
    """12 GB of JSON are 9 GB billed, of which 5 are free: 4 x $2.30. A volume that is said is taken as it is."""
    load, work = changing(1_000_000, log_bytes=12_000)
    assert dollars(load, BARE, work) == {Meter.LOGS: "9.200"}
    assert dollars(replace(load, log_gb=Decimal(6)), BARE, work) == {Meter.LOGS: "2.300"}
    assert dollars(replace(load, log_gb=Decimal(5)), BARE, work) == {}


def test_alert_rules() -> None:
    """Four every 5 minutes at $1.50, five every 15 at $0.50."""
    alerts = {Meter.ALERTS_5: 4, Meter.ALERTS_15: 5}
    assert dollars(QUIET, replace(BARE, alerts=alerts)) == {Meter.ALERTS_5: "6.000", Meter.ALERTS_15: "2.500"}


def test_polls_go_by_the_schedule() -> None:
    """8,760 polls x 40 operations = 350,400; every 15 minutes a third of them."""
    quantities = {
        minutes: {row.meter: row.quantity for row in bill(QUIET, replace(BARE, poll_minutes=Decimal(minutes)), WORK)}
        for minutes in (5, 15)
    }
    assert quantities[5][Meter.TABLES] == 350_400
    assert quantities[15][Meter.TABLES] == 116_800


def test_a_full_round_grows_with_the_people() -> None:
    """One a day for 24,000 people: 730 x 50 operations. Two a day: twice that. Nothing else grows with the people."""
    rounds = replace(WORK, poll=NOTHING)
    for a_day in (1, 2):
        rows = bill(Load(people=24_000, changes=Decimal(0), rounds=Decimal(a_day)), BARE, rounds)
        assert {row.meter: row.quantity for row in rows if row.quantity} == {
            Meter.TIME: 2920 * a_day,
            Meter.EXECUTIONS: 1460 * a_day,
            Meter.TABLES: 36_500 * a_day,
        }


@pytest.mark.parametrize(
    ("people", "changes", "expected", "all_of_it"),
    [
        # Of 24 changes a day there are 730 a month; of the rounds 1,000 x 730 / 24 = 30.41667.
        # On demand: 8,760 x 3 + 730 + 60.83 = 27,070.8 executions, 54,141.7 GB-s: both within the grants.
        # Tables: 350,400 + 8,760 + 1,520.8 = 360,680.8 x $0.036 a million. Logs: 0.023 GB.
        # Queues: 26,280,000 + 140,160 + 1,460 = 26,421,620 x $0.40 a million.
        (
            1_000,
            24,
            {
                Meter.BASELINE: "21.024",
                Meter.READY_TIME: "0.023",
                Meter.READY_EXECUTIONS: "0.000",
                Meter.TABLES: "0.013",
                Meter.QUEUES: "10.569",
                Meter.ALERTS_5: "6.000",
                Meter.ALERTS_15: "2.500",
            },
            "40.13",
        ),
        # 480 a day are 14,600. On demand: 26,280 + 14,600 + 1,216.7 = 42,096.7, 84,193.3 GB-s: within the grants.
        # Tables: 350,400 + 175,200 + 30,416.7 = 556,016.7. Queues: 26,280,000 + 140,160 + 29,200 = 26,449,360.
        (
            20_000,
            480,
            {
                Meter.BASELINE: "21.024",
                Meter.READY_TIME: "0.467",
                Meter.READY_EXECUTIONS: "0.006",
                Meter.TABLES: "0.020",
                Meter.QUEUES: "10.580",
                Meter.ALERTS_5: "6.000",
                Meter.ALERTS_15: "2.500",
            },
            "40.60",
        ),
        # 4,800 a day are 146,000. On demand: 26,280 + 146,000 + 12,166.7 = 184,446.7, 368,893.3 GB-s: 268,893.3 cost.
        # Tables: 350,400 + 1,752,000 + 304,166.7 = 2,406,566.7. Queues: 26,280,000 + 140,160 + 292,000 = 26,712,160.
        (
            200_000,
            4_800,
            {
                Meter.BASELINE: "21.024",
                Meter.READY_TIME: "4.672",
                Meter.READY_EXECUTIONS: "0.058",
                Meter.TIME: "6.991",
                Meter.TABLES: "0.087",
                Meter.QUEUES: "10.685",
                Meter.ALERTS_5: "6.000",
                Meter.ALERTS_15: "2.500",
            },
            "52.02",
        ),
    ],
)
def test_three_sizes(people: int, changes: int, expected: Mapping[Meter, str], all_of_it: str) -> None:
    """As deployed, with round figures for what a piece of work takes."""
    here = replace(BARE, ready=1, listening=2, alerts={Meter.ALERTS_5: 4, Meter.ALERTS_15: 5})
    load = Load(people=people, changes=Decimal(changes))
    assert dollars(load, here, WORK) == expected
    assert f"{total(bill(load, here, WORK)):.2f}" == all_of_it


def test_every_price_has_a_source_and_a_date() -> None:
    """None is billed on hearsay."""
    assert set(PRICES) == set(Meter)
    for price in PRICES.values():
        assert price.source.startswith("https://")
        assert price.on
        assert price.region
        assert price.dollars > 0


def _swapped(found: tuple[Load, Measured]) -> tuple[Load, Deployment, Measured]:
    load, work = found
    return load, BARE, work
