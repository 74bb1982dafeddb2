"""`mapping`: the cost of the pure code for one user: map, fingerprint, decide. It runs for every entry of a feed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from random import Random

from entra_graph_emulator.control.people import people
from local.stack import ROOT
from sync_core.config.file import load_config
from sync_core.decision.decide import Situation, decide
from sync_core.mapping import DEFAULT_MAPPING, apply_mapping
from sync_core.model import Attributes, Link, Policy, Rule, Skip, SourceState, SourceUser, Sync, Verdict, fingerprints

from .figures import Figure
from .linked import linked
from .run import Run, StalledError

_PEOPLE = 2000
_PASSES = 7
# Expressions of the kinds that people write: join, look up, cut, fall back, replace.
_EXPRESSIONS = {
    "companyName": 'Join(" ", [givenName], [surname], "of", [companyName])',
    "employeeType": 'Switch([department], "Other", "Engineering", "E", "Sales", "S", "Finance", "F", "Legal", "L")',
    "employeeId": "ToUpper(Mid([employeeId], 1, 16))",
    "usageLocation": 'Coalesce([usageLocation], IIF([country] = "Netherlands", "NL", "US"))',
    "mobilePhone": 'Replace([mobilePhone], , "(?<group>[^0-9+])", , "", , )',
}


async def measure(run: Run) -> list[Figure]:
    [sync] = load_config(ROOT / "sync.yaml").syncs.values()
    longer = (*DEFAULT_MAPPING, *(Rule(target=target, expression=text) for target, text in _EXPRESSIONS.items()))
    crowd = list(people(count=run.size(_PEOPLE), domain="contoso.example", company="Contoso", rng=Random(1)))
    pairs = [_pair(sync, n, attributes) for n, attributes in enumerate(crowd)]
    with run.step(f"{len(crowd):,} users, {_PASSES} times", 3):
        return [
            _timed("apply_mapping", lambda: [apply_mapping(DEFAULT_MAPPING, each) for each in crowd]),
            replace(
                _timed("apply_mapping with five expressions", lambda: [apply_mapping(longer, each) for each in crowd]),
                limit=200,
            ),
            _timed("apply_mapping and fingerprints", lambda: [_fingerprints(each) for each in crowd]),
            _timed("the whole of it, with decide", lambda: [_no_change(source, link) for source, link in pairs]),
        ]


def _timed(name: str, work: Callable[[], list[object]]) -> Figure:
    """The median CPU time, which other programs on the machine hardly change."""
    spent = []
    for _ in range(_PASSES):
        began = time.process_time()
        done = len(work())
        spent.append((time.process_time() - began) / done)
    return Figure(name=name, value=1e6 * statistics.median(spent), unit="µs/user", beside=f"median of {_PASSES}")


def _fingerprints(attributes: Attributes) -> dict[str, str]:
    return fingerprints(apply_mapping(DEFAULT_MAPPING, attributes).always)


def _pair(sync: Sync, n: int, attributes: Attributes) -> tuple[SourceUser, Link]:
    """A linked and unchanged user: the most frequent case, and the one in which every attribute is compared."""
    state = SourceState.LIVE if attributes["accountEnabled"] else SourceState.DISABLED
    source = SourceUser(id=f"user-{n}", state=state, attributes=attributes, read_at=datetime.now(UTC))
    return source, linked(sync, source)


def _no_change(source: SourceUser, link: Link) -> Skip:
    desired = apply_mapping(DEFAULT_MAPPING, source.attributes)
    change = decide(
        Situation(
            source=source,
            verdict=Verdict(in_scope=True, reason="all"),
            link=link,
            desired=desired,
            policy=Policy(),
        )
    )
    if not isinstance(change, Skip):
        raise StalledError(f"decided {change.name} where nothing differs")
    return change
