"""`python -m bench [NAME ...] [--quick] [--json] [--save]`: run scenarios, and compare their figures with limits."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from local.processes import ChildFailedError, bypass_proxies

from . import (
    budget,
    burst,
    control,
    cost,
    emulator,
    groups,
    idle,
    imports,
    kill,
    latency,
    managers,
    mapping,
    paced,
    plans,
    preflight,
    record,
    resync,
    simulate,
)
from .figures import Figure, as_json, as_table
from .run import Run, Scenario, StalledError

RESULTS = Path(__file__).parent / "results"
SCENARIOS: Mapping[str, Scenario] = {
    "import": imports.measure,
    "mapping": mapping.measure,
    "latency": latency.measure,
    "idle": idle.measure,
    "paced": paced.measure,
    "groups": groups.measure,
    "burst": burst.measure,
    "managers": managers.measure,
    "kill": kill.measure,
    "resync": resync.measure,
    "control": control.measure,
    "cost": cost.measure,
    "budget": budget.measure,
    "record": record.measure,
    "plan": plans.measure,
    "preflight": preflight.measure,
    "simulate": simulate.measure,
    "emulator": emulator.measure,
}


async def measure(names: Sequence[str], run: Run) -> dict[str, list[Figure]]:
    """The figures of each scenario. Scenarios run one after another, so that they do not slow each other down.

    A scenario that does not end is one figure above its limit.
    """
    results = {}
    for name in names:
        try:
            results[name] = await SCENARIOS[name](replace(run, scenario=name))
        except (StalledError, ChildFailedError) as error:
            results[name] = [Figure(name=str(error), value=1, unit="", limit=0)]
    return results


def main() -> int:
    """The exit code: 0 if no figure is above its limit, 1 otherwise, 130 after Ctrl-C."""
    asked = parser()
    arguments = asked.parse_args()
    if arguments.save and arguments.quick:
        asked.error("a quick run is not saved: leave out --quick, or --save")
    bypass_proxies(os.environ)
    run = Run(quick=arguments.quick, console=Console(stderr=True), kill_at=arguments.kill_at)
    try:
        results = asyncio.run(measure(arguments.names or list(SCENARIOS), run))
    except KeyboardInterrupt:
        return 130
    if arguments.json:
        sys.stdout.write(json.dumps(as_json(results, quick=arguments.quick), indent=2, ensure_ascii=False) + "\n")
    else:
        Console(width=None if sys.stdout.isatty() else 140).print(as_table(results))
    if arguments.save:
        save(results)
    missed = [figure for figures in results.values() for figure in figures if figure.passed is False]
    return 1 if missed else 0


def save(results: Mapping[str, list[Figure]], folder: Path = RESULTS) -> None:
    """One file for each scenario, which docs/performance.md is made from."""
    folder.mkdir(exist_ok=True)
    for name, figures in results.items():
        document = {"command": f"python -m bench {name} --save", **as_json({name: figures}, quick=False)}
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        (folder / f"{name}.json").write_text(text, encoding="utf-8")


def parser() -> argparse.ArgumentParser:
    """All that a command line can say."""
    made = argparse.ArgumentParser(prog="python -m bench", description="Measured figures of the whole product.")
    made.add_argument("names", nargs="*", metavar="NAME", type=_name, help=f"{', '.join(SCENARIOS)} (default: all)")
    made.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    made.add_argument("--save", action="store_true", help="into bench/results, from which `make docs` makes a page")
    made.add_argument("--quick", action="store_true", help="a tenth of the size; limits that depend on it are left out")
    made.add_argument(
        "--kill-at",
        type=float,
        default=0.5,
        metavar="PART",
        help="of `kill`: the part done then (default: 0.5)",
    )
    return made


def _name(text: str) -> str:
    """The name of a scenario. argparse's `choices` would refuse an empty list of names."""
    if text not in SCENARIOS:
        raise argparse.ArgumentTypeError(f"no scenario is called {text!r} (known: {', '.join(SCENARIOS)})")
    return text


if __name__ == "__main__":
    sys.exit(main())
