"""Many seeds, in several processes. Apart from `__main__`, because a spawned process cannot import that."""

from __future__ import annotations

import multiprocessing
import traceback
from collections import Counter
from collections.abc import Iterator
from functools import partial

from .evidence import Broken
from .simulation import Verdict


def verdicts(live: partial[Verdict], seeds: range, jobs: int) -> Iterator[Verdict]:
    if jobs < 2:
        yield from map(live, seeds)
        return
    # Each process begins anew, so that nothing of the parent can reach a history.
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap(partial(_brief, live), seeds, chunksize=4)


def _brief(live: partial[Verdict], seed: int) -> Verdict:
    """The part that is sent back to the parent. A fault of the simulator itself must not end the others' runs."""
    try:
        verdict = live(seed)
    except Exception:  # noqa: BLE001 - told with its traceback; some exceptions cannot be sent between processes
        broken = (Broken(invariant=0, text=f"the simulator failed:\n{traceback.format_exc()}"),)
        return Verdict(seed=seed, broken=broken, digest="", struck=Counter(), changes=Counter(), lines=(), requests=0)
    return Verdict(
        seed=seed,
        broken=verdict.broken,
        digest=verdict.digest,
        struck=verdict.struck,
        changes=verdict.changes,
        lines=(),
        requests=verdict.requests,
    )
