"""`python -m tools.price`: what it prints, what it refuses, and what it reads of the deployment."""

from __future__ import annotations

import json
import re
import shlex
from decimal import Decimal

import pytest

from tools.performance_doc import PAGE, ROOT
from tools.price.__main__ import main
from tools.price.deployed import deployment
from tools.price.prices import PRICES, Meter

COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    for line in block.splitlines()
]


def test_the_deployment_is_that_of_the_templates() -> None:
    """One instance of 2 GB that is ready, a poll every 5 minutes, nine alerts, and queues asked five times a second."""
    here = deployment()
    assert (here.memory_mb, here.ready) == (2048, 1)
    assert (here.poll_minutes, here.asks_a_second) == (Decimal(5), Decimal(5))
    assert here.alerts == {Meter.ALERTS_5: 4, Meter.ALERTS_15: 5}


def test_the_table_ends_with_the_sum(capsys: pytest.CaptureFixture[str]) -> None:
    """A row for each meter, and the sum of what the rows say."""
    assert main(["--people", "20000", "--changes", "500"]) == 0
    head, *rows, last = capsys.readouterr().out.splitlines()
    assert head == "20,000 people, 500 changes a day: at most, a month"
    assert [row.split("  ")[0] for row in rows] == list(Meter)
    dollars = [Decimal(row.rpartition("$")[2].strip()) for row in (*rows, last)]
    assert abs(sum(dollars[:-1]) - dollars[-1]) <= Decimal("0.05")  # each is rounded by itself


def test_json_has_the_source_of_each_price(capsys: pytest.CaptureFixture[str]) -> None:
    """So that a figure can be looked up."""
    assert main(["--people", "1000", "--changes", "20", "--ready", "0", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["people"], said["changes_a_day"], said["currency"]) == (1000, 20, "USD")
    assert {each["meter"]: each["source"] for each in said["month"]} == {
        meter: price.source for meter, price in PRICES.items()
    }
    assert said["total"] == pytest.approx(sum(each["dollars"] for each in said["month"]), abs=0.01)


def test_options_change_the_bill(capsys: pytest.CaptureFixture[str]) -> None:
    """Each of them its own row."""

    def costs(*options: str) -> dict[str, float]:
        assert main(["--people", "20000", "--changes", "500", "--json", *options]) == 0
        return {each["meter"]: each["dollars"] for each in json.loads(capsys.readouterr().out)["month"]}

    before = costs()
    assert costs("--memory", "512")[Meter.BASELINE] == pytest.approx(before[Meter.BASELINE] / 4)
    assert costs("--ready", "0")[Meter.BASELINE] == 0
    assert costs("--listening", "0")[Meter.QUEUES] < before[Meter.QUEUES] - 10
    assert costs("--log-gb", "6")[Meter.LOGS] == pytest.approx(2.3)
    assert costs("--poll-minutes", "60")[Meter.TABLES] < before[Meter.TABLES]
    assert costs("--rounds", "10")[Meter.TABLES] > before[Meter.TABLES]
    assert costs("--seconds", "10")[Meter.READY_TIME] == pytest.approx(10 * before[Meter.READY_TIME], abs=0.001)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--changes", "1"], "the following arguments are required: --people"),
        (["--people", "-1", "--changes", "1"], "'-1' is no whole number from 0 on"),
        (["--people", "1", "--changes", "many"], "'many' is no number from 0 on"),
        (["--people", "1", "--changes", "nan"], "'nan' is no number from 0 on"),
        (["--people", "1", "--changes", "1", "--poll-minutes", "0"], "'0' is not above 0"),
        (["--people", "1", "--changes", "1", "--memory", "100"], "invalid choice: 100"),
    ],
)
def test_what_cannot_be_used(arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line that says what is wrong, and no table."""
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    said = capsys.readouterr()
    assert complaint in said.err
    assert said.out == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page_runs(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A bill is made. A measurement takes minutes: of that, each word is one that `bench` knows."""
    python, dash_m, module, *arguments = shlex.split(command, comments=True)
    assert (python, dash_m) == ("python", "-m")
    if module == "bench":
        source = (ROOT / "bench" / "__main__.py").read_text(encoding="utf-8")
        assert [each for each in arguments if f'"{each}"' not in source] == []
        return
    assert module == "tools.price"
    assert main(arguments) == 0
    assert capsys.readouterr().out


def test_help_says_where_the_figures_are_from(capsys: pytest.CaptureFixture[str]) -> None:
    """And what is not in the bill."""
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    said = capsys.readouterr().out
    for word in ("bench/results/cost.json", "tools/price/prices.py", "Not in it", "examples:", "--listening"):
        assert word in said
