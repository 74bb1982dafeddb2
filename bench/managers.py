"""`managers`: the initial sync of people who report to one another, in whatever order they come.

When a user is linked, the users who report to them are looked at again, so each person may be looked at twice. The
reads that this costs must stay bounded, and no reference may be written more than once, or without a need.
"""

from __future__ import annotations

from collections import Counter
from random import Random

from local.demo import CONTOSO, FABRIKAM

from .figures import Figure
from .requests import Request, reads_by_user
from .run import Run
from .world import World, world

_PEOPLE = 300
_TEAM = 5  # who report to one person
_INVITE_AND_PATCH = 2


async def measure(run: Run) -> list[Figure]:
    async with world(run, run.size(_PEOPLE)) as here:
        led = await _tree(here)
        mark = await here.log.mark()
        await here.initial_sync()
        requests = await here.log.since(mark)
        disagreements = await here.disagreements()
        mark = await here.log.mark()
        await here.full_round()
        again = await here.log.since(mark)
        people = len(here.people)
    source = [r for r in requests if r.tenant == CONTOSO]
    reads = reads_by_user(source)
    references = [r for r in requests if r.tenant == FABRIKAM and r.path.endswith("/manager/$ref")]
    writes = sum(r.writes for r in requests if r.tenant == FABRIKAM)
    needed = people * _INVITE_AND_PATCH + led
    later = sum(r.tenant == FABRIKAM for r in again)
    return [
        Figure(name="source reads per user", value=sum(reads.values()) / people, unit="", limit=run.limit(5)),
        Figure(name="source reads per user, most", value=max(reads.values()), unit=""),
        Figure(name="directReports per user", value=_lists(source) / people, unit="", limit=run.limit(1.1)),
        Figure(name="target writes per user", value=writes / people, unit="", beside=f"{led:,} have a manager"),
        Figure(name="references written", value=len(references), unit="", beside=f"for {led} people"),
        Figure(name="references written in vain", value=_vain(references), unit="", limit=0),
        Figure(name="target writes too many or too few", value=abs(writes - needed), unit="", limit=0),
        Figure(name="disagreements", value=disagreements, unit="", limit=0),
        Figure(name="target requests of a full round afterwards", value=later, unit="", limit=0),
    ]


async def _tree(here: World) -> int:
    """Everybody but the first reports to somebody; how many that are."""
    ids = [str(person["id"]) for person in here.people]
    Random(1).shuffle(ids)  # some come before those they report to, some after
    for n, report in enumerate(ids):
        path = f"/users/{report}/manager/$ref"
        if n == 0:
            await here.emulated.graph(CONTOSO, "DELETE", path)
        else:
            boss = ids[(n - 1) // _TEAM]
            body = {"@odata.id": f"https://graph.microsoft.com/v1.0/users/{boss}"}
            await here.emulated.graph(CONTOSO, "PUT", path, body)
    return len(ids) - 1


def _lists(requests: list[Request]) -> int:
    return sum(r.path.endswith("/directReports") for r in requests)


def _vain(references: list[Request]) -> int:
    """Written again, or removed where there was none."""
    times = Counter(r.path for r in references)
    return sum(n - 1 for n in times.values())
