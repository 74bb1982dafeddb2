"""`python -m tests.simulator`: run many seeds and say which broke what, or replay one of them."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from functools import partial

from .chance import COURSES, FAULTS
from .mutations import IN_GROUPS, MUTATIONS
from .runs import verdicts
from .simulation import Verdict, simulate

_ALL = sorted([*FAULTS, *COURSES])


def main(arguments: list[str] | None = None) -> int:
    args = _parser().parse_args(arguments)
    groups = args.groups or args.break_ in IN_GROUPS
    live = partial(simulate, mutation=args.break_ or "", extra=frozenset(args.fault), groups=groups)
    if args.seed is not None:
        return _replay(live(args.seed), trace=args.trace)
    began = time.perf_counter()
    total = _Total()
    for verdict in verdicts(live, range(args.start, args.start + args.seeds), args.jobs):
        total.add(verdict)
        if verdict.failed:
            _say(f"seed {verdict.seed}: {verdict.broken[0]}" + _more(len(verdict.broken) - 1))
            _say(f"  replay: python -m tests.simulator --seed {verdict.seed} --trace{_options(args)}")
            if args.first:
                break
    total.report(time.perf_counter() - began, args.jobs)
    return 1 if total.failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulator",
        description=__doc__,
        epilog=f"Faults: {', '.join(_ALL)}.",
    )
    parser.add_argument("--seeds", type=int, default=100, help="how many seeds to run (default: 100)")
    parser.add_argument("--start", type=int, default=1, help="the first of them (default: 1)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--seed", type=int, help="run only this one")
    parser.add_argument("--trace", action="store_true", help="with --seed: print its whole history")
    parser.add_argument("--first", action="store_true", help="stop at the first seed that breaks an invariant")
    parser.add_argument("--break", dest="break_", choices=sorted(MUTATIONS), help="take one rule out of the engine")
    parser.add_argument("--groups", action="store_true", help="with a scope that names groups")
    parser.add_argument("--fault", action="append", default=[], choices=_ALL, help="have it in every seed")
    return parser


class _Total:
    def __init__(self) -> None:
        self.seeds = self.failed = self.requests = 0
        self.struck: Counter[str] = Counter()
        self.changes: Counter[str] = Counter()
        self.broken: Counter[int] = Counter()

    def add(self, verdict: Verdict) -> None:
        self.seeds += 1
        self.failed += verdict.failed
        self.requests += verdict.requests
        self.struck.update({*verdict.struck})
        self.changes.update({name for name, count in verdict.changes.items() if count})
        self.broken.update({each.invariant for each in verdict.broken})

    def report(self, seconds: float, jobs: int) -> None:
        _say(f"\n{self.seeds} seeds in {seconds:.1f} s with {jobs} jobs: {self.seeds / seconds:.1f} a second, ")
        _say(f"{self.requests / max(1, self.seeds):.0f} Graph requests each; {self.failed} failed")
        for invariant, count in sorted(self.broken.items()):
            _say(f"  invariant {invariant}: broken in {count} seeds")
        _say("\nwhat struck, in % of the seeds")
        self._shares(self.struck)
        _say("\nchanges that happened, in % of the seeds")
        self._shares(self.changes)

    def _shares(self, counts: Counter[str]) -> None:
        for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            _say(f"  {name:<26}{100 * count / self.seeds:5.1f}")


def _replay(verdict: Verdict, *, trace: bool) -> int:
    for line in verdict.lines if trace else ():
        _say(line)
    _say(f"seed {verdict.seed}: {len(verdict.lines)} lines, {verdict.requests} requests, digest {verdict.digest}")
    for each in verdict.broken:
        _say(f"  {each}")
    return 1 if verdict.failed else 0


def _options(args: argparse.Namespace) -> str:
    broken = f" --break {args.break_}" if args.break_ else ""
    return broken + (" --groups" if args.groups else "") + "".join(f" --fault {fault}" for fault in args.fault)


def _more(count: int) -> str:
    return f" (and {count} more)" if count else ""


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
