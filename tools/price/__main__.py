"""`python -m tools.price --people 20000 --changes 500`: what a deployment costs in a month, row by row."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from .deployed import RESULTS, deployment, figures, measured
from .month import Deployment, Load, Row, bill, total
from .prices import CURRENCY

_ABOUT = """\
What one deployment costs in Azure in a month, at most, in dollars of the United States and without tax.

Counts are those that `python -m bench cost --save` measured (bench/results/cost.json). Unit prices are those of
tools/price/prices.py, each with its source and its date. How it is deployed is read from infra/snapshots and host.json;
the options below say it differently. Free grants belong to the subscription: another app may have used them up.
"""
_AFTER = """\
examples:
  python -m tools.price --people 20000 --changes 500
  python -m tools.price --people 200000 --changes 4000 --poll-minutes 15 --listening 0
  python -m tools.price --people 1000 --changes 20 --ready 0 --json

Not in it: Graph (free), data that stay in storage, private endpoints, blobs of the host, what the host logs of itself,
and taxes. docs/performance.md says why.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0, or 2 for arguments that cannot be used."""
    asked = _parser(deployment()).parse_args(arguments)
    load = Load(people=asked.people, changes=asked.changes, rounds=asked.rounds, log_gb=asked.log_gb)
    here = replace(
        deployment(),
        memory_mb=asked.memory,
        ready=asked.ready,
        poll_minutes=asked.poll_minutes,
        listening=asked.listening,
        seconds=asked.seconds,
    )
    rows = bill(load, here, measured(figures(RESULTS)))
    sys.stdout.write(as_json(load, rows) if asked.json else as_text(load, rows))
    return 0


def as_json(load: Load, rows: Sequence[Row]) -> str:
    """Dollars and quantities are numbers; `free` is what the grant takes off."""
    document = {
        "people": load.people,
        "changes_a_day": float(load.changes),
        "currency": CURRENCY,
        "month": [
            {
                "meter": row.meter,
                "quantity": round(float(row.quantity), 3),
                "unit": row.price.unit,
                "free": row.price.free,
                "dollars": round(float(row.dollars), 4),
                "source": row.price.source,
                "source_on": row.price.on,
            }
            for row in rows
        ],
        "total": round(float(total(rows)), 2),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def as_text(load: Load, rows: Sequence[Row]) -> str:
    width = max(len(row.meter) for row in rows)
    lines = [f"{load.people:,} people, {load.changes:,f} changes a day: at most, a month\n"]
    for row in rows:
        free = f"{row.price.free:,} free" if row.price.free else ""
        quantity = f"{row.quantity:,.{0 if row.quantity >= 100 or row.quantity == int(row.quantity) else 2}f}"
        lines.append(f"{row.meter:{width}} {quantity:>14} {row.price.unit:10} {free:14} ${row.dollars:8,.2f}\n")
    return "".join([*lines, f"{'all':{width}} {'':14} {'':10} {'':14} ${total(rows):8,.2f}\n"])


def _parser(here: Deployment) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.price",
        description=_ABOUT,
        epilog=_AFTER,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--people", type=_count, required=True, metavar="N", help="users in scope, of all syncs together")
    add("--changes", type=_number, required=True, metavar="N", help="users who change in a day")
    add("--rounds", type=_number, default=Decimal(1), metavar="N", help="full rounds a day (default: 1)")
    minutes = f"between two polls, as in POLL_SCHEDULE (default: {here.poll_minutes})"
    add("--poll-minutes", type=_above_zero, default=here.poll_minutes, metavar="N", help=minutes)
    ready = f"instances of the HTTP functions that are always ready (default: {here.ready})"
    add("--ready", type=_count, default=here.ready, metavar="N", help=ready)
    add("--memory", type=_count, choices=(512, 2048, 4096), default=here.memory_mb, help="MB (default: %(default)s)")
    listening = (
        "queues that an instance asks for messages all month; 0 if instances leave at once (default: %(default)s)"
    )
    add("--listening", type=_count, default=here.listening, metavar="N", help=listening)
    add(
        "--seconds", type=_above_zero, default=here.seconds, metavar="S", help="of an execution (default: 1, the least)"
    )
    add("--log-gb", type=_number, metavar="GB", help="logs in a month, as billed (default: as measured)")
    add("--json", action="store_true", help="one JSON document, with the source of each price")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 on")
    return int(text)


def _number(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("nan")
    if not value.is_finite() or value < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 on")
    return value


def _above_zero(text: str) -> Decimal:
    if not (value := _number(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not above 0")
    return value


if __name__ == "__main__":
    sys.exit(main())
