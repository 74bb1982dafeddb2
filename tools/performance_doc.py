"""`python -m tools.performance_doc`: writes the tables and the picture of docs/performance.md from figures.

The figures are what `bench` measured and saved in bench/results. One that no file has is shown as "not measured".
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from sync_core.graph.budget import pace
from tools.price.deployed import RESULTS, deployment, figures, measured
from tools.price.month import Load, Row, bill, total
from tools.price.picture import picture
from tools.price.prices import PRICES

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "performance-price.svg"
NOT_MEASURED = "not measured"

# People, and those of them who change in a day.
SIZES = ((1_000, 20), (20_000, 500), (200_000, 4_000))
# The rows of the second table, each a name of a figure after "a change: " and the like.
COUNTS = (
    "requests to the source tenant",
    "reads of the target tenant",
    "writes to the target tenant",
    "table operations",
    "queue operations, polls left out",
    "executions of HTTP functions",
    "other executions",
    "bytes of log",
    "CPU",
)
WORKS = ("a change", "a new user", "a leaver", "a poll", "a full round, for 1,000 people")
# Figures of a clock, which need a machine with nothing else to do: scenario, and how the figure's name begins.
CLOCKED = (
    ("latency", "200 changes one after another, median", "a change, one after another, median"),
    ("latency", "200 changes one after another, p95", "the same, 95 of 100"),
    ("latency", "50 changes at once, p95", "50 changes at once, 95 of 100"),
    ("paced", "1000 changes, 1,000 a minute", "1,000 changes a minute, median"),
    ("idle", "longest wait 00:00:00.200, median", "a change after a pause, median"),
    ("resync", "full round", "a full round of 10,000 people"),
)
# Graph's limit for one app on one tenant. https://learn.microsoft.com/graph/throttling-limits
WRITES, WINDOW_S = 3000, 150
MANAGER = 1  # write more for a user who has one, as `bench budget` holds

_BLOCK = re.compile(r"<!-- made by `make docs`: (?P<name>[\w ]+) -->\n.*?<!-- end of \1 -->\n", re.DOTALL)


def page(text: str, folder: Path = RESULTS.parent) -> str:
    """The page with today's tables between its markers. Raises ValueError where a table has none."""
    values = figures(folder / RESULTS.name)
    tables = {
        "how it was measured": _how(json.loads((folder / RESULTS.name).read_text(encoding="utf-8"))),
        "what a change costs": _costs(values),
        "initial sync": _initial(values),
        "by the clock": _clocked(folder),
        "price by size": _prices(values),
        "unit prices": _units(),
    }
    there = {found["name"] for found in _BLOCK.finditer(text)}
    if missing := [name for name in tables if name not in there]:
        raise ValueError(f"{PAGE.name} has lost its markers of {', '.join(missing)}: put them back")
    return _BLOCK.sub(lambda found: _block(found["name"], tables[found["name"]]), text)


def drawn(folder: Path = RESULTS.parent) -> str:
    """The picture of the price."""
    return picture({f"{people:,} people": rows for people, _, rows in _bills(figures(folder / RESULTS.name))})


def _block(name: str, table: str) -> str:
    return f"<!-- made by `make docs`: {name} -->\n\n{table}\n<!-- end of {name} -->\n"


def _how(results: Mapping[str, Any]) -> str:
    versions = "".join(f"- With: {name} {version}.\n" for name, version in results["versions"].items())
    return (
        f"- When: {results['date']}, by `{results['command']}`.\n"
        f"- On: {results['machine']}, {results['cpus']} processors, Python {results['python']}.\n"
        f"- Beside: {results['load']} programs that ran or waited to, on average.\n"
        f"{versions}"
    )


def _costs(values: Mapping[str, Decimal]) -> str:
    lines = [_line("of one", *WORKS), "|---|" + "---:|" * len(WORKS)]
    for count in COUNTS:
        unit = {"CPU": " (ms)", "bytes of log": " (JSON)"}.get(count, "")
        lines.append(_line(count + unit, *(_shown(values.get(f"{work}: {count}")) for work in WORKS)))
    return "\n".join([*lines, "", f"Peak memory of the process: {_shown(values.get(_MEMORY))} MB.", ""])


_MEMORY = "peak memory of the host process"


def _initial(values: Mapping[str, Decimal]) -> str:
    """The least time: the product's own bucket, refilled at the product's own rate, and nothing else in the way."""
    ours = pace(WRITES, WINDOW_S)
    writes = values["a new user: writes to the target tenant"]
    lines = ["| people | nobody has a manager | everybody has one |", "|---:|---:|---:|"]
    for people, _ in SIZES:
        wanted = (float(people * writes), float(people * (writes + MANAGER)))
        least = (max(0.0, each - ours.capacity) / ours.rate for each in wanted)
        lines.append(_line(f"{people:,}", *map(_duration, least)))
    return "\n".join([*lines, ""])


def _duration(seconds: float) -> str:
    if seconds < 60:
        return "seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 2 * 3600 else f"{seconds / 3600:.1f} hours"


def _clocked(folder: Path) -> str:
    lines = ["| what | time | measured |", "|---|---:|---|"]
    for scenario, begins, what in CLOCKED:
        path = folder / f"{scenario}.json"
        results = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"figures": []}
        found = [each for each in results["figures"] if each["name"].startswith(begins)]
        said = f"{_shown(Decimal(str(found[0]['value'])))} {found[0]['unit']}" if found else NOT_MEASURED
        lines.append(_line(what, said, f"`{results['command']}`, {results['date']}" if found else f"`{scenario}`"))
    return "\n".join([*lines, ""])


def _bills(values: Mapping[str, Decimal]) -> list[tuple[int, int, Sequence[Row]]]:
    here, work = deployment(), measured(values)
    return [
        (people, changes, bill(Load(people=people, changes=Decimal(changes)), here, work)) for people, changes in SIZES
    ]


def _prices(values: Mapping[str, Decimal]) -> str:
    bills = _bills(values)
    lines = [
        _line("dollars a month, at most", *(f"{people:,} people" for people, _, _ in bills)),
        "|---|" + "---:|" * len(bills),
        _line("people who change in a day", *(f"{changes:,}" for _, changes, _ in bills)),
    ]
    for n, first in enumerate(bills[0][2]):
        lines.append(_line(first.meter, *(f"{rows[n].dollars:,.2f}" for _, _, rows in bills)))
    lines.append(_line("**all**", *(f"**{total(rows):,.2f}**" for _, _, rows in bills)))
    return "\n".join([*lines, ""])


def _units() -> str:
    sources = list(dict.fromkeys(price.source for price in PRICES.values()))
    lines = ["| meter | dollars | for | free a month | region | source |", "|---|---:|---:|---:|---|---|"]
    for meter, price in PRICES.items():
        free = f"{price.free:,}" if price.free else ""
        number = f"[{sources.index(price.source) + 1}], {price.on}"
        per = f"{price.per:,} {price.unit}" if price.per > 1 else price.unit
        lines.append(_line(meter, f"{price.dollars}", per, free, price.region, number))
    names = [f"[{n}]:\n{source}" for n, source in enumerate(sources, 1)]
    return "\n".join([*lines, "", *names, ""])


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _shown(value: Decimal | None) -> str:
    if value is None:
        return NOT_MEASURED
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.1f}"


def main() -> None:
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    PICTURE.write_text(drawn(), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE.relative_to(ROOT)} and {PICTURE.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
