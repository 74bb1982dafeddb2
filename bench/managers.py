"""`managers`: the initial sync of users who report to one another, in random order.

After a user is linked, the reports of that user are nominated again, so each user may be read more than once. The reads
must stay within a limit, and no reference to a manager may be written twice or needlessly.
"""

from __future__ import annotations

from collections import Counter
from random import Random

from local.demo import CONTOSO, FABRIKAM

from .figures import Figure
from .requests import Request, reads_by_user
from .run import Run
from .tenants import TwoTenants, two_tenants

_PEOPLE = 300
_TEAM = 5  # direct reports of one manager
_INVITE_AND_PATCH = 2


async def measure(run: Run) -> list[Figure]:
    async with two_tenants(run, run.size(_PEOPLE)) as here:
        with_manager = await _set_managers(here)
        start = await here.log.last()
        await here.initial_sync()
        requests = await here.log.since(start)
        disagreements = await here.disagreements()
        start = await here.log.last()
        await here.full_round()
        again = await here.log.since(start)
        people = len(here.people)
    source = [r for r in requests if r.tenant == CONTOSO]
    reads = reads_by_user(source)
    references = [r for r in requests if r.tenant == FABRIKAM and r.path.endswith("/manager/$ref")]
    writes = sum(r.writes for r in requests if r.tenant == FABRIKAM)
    needed = people * _INVITE_AND_PATCH + with_manager
    later = sum(r.tenant == FABRIKAM for r in again)
    return [
        Figure(name="source reads per user", value=sum(reads.values()) / people, unit="", limit=run.limit(5)),
        Figure(name="source reads per user, most", value=max(reads.values()), unit=""),
        Figure(name="directReports per user", value=_lists(source) / people, unit="", limit=run.limit(1.1)),
        Figure(
            name="target writes per user", value=writes / people, unit="", beside=f"{with_manager:,} have a manager"
        ),
        Figure(name="references written", value=len(references), unit="", beside=f"for {with_manager} people"),
        Figure(name="references written in vain", value=_repeated(references), unit="", limit=0),
        Figure(name="target writes too many or too few", value=abs(writes - needed), unit="", limit=0),
        Figure(name="disagreements", value=disagreements, unit="", limit=0),
        Figure(name="target requests of a full round afterwards", value=later, unit="", limit=0),
    ]


async def _set_managers(here: TwoTenants) -> int:
    """Give a manager to every user but the first; returns the number of users with a manager."""
    ids = [str(person["id"]) for person in here.people]
    Random(1).shuffle(ids)  # some users come before their managers, some after
    for n, report in enumerate(ids):
        path = f"/users/{report}/manager/$ref"
        if n == 0:
            await here.emulated.graph(CONTOSO, "DELETE", path)
        else:
            manager = ids[(n - 1) // _TEAM]
            body = {"@odata.id": f"https://graph.microsoft.com/v1.0/users/{manager}"}
            await here.emulated.graph(CONTOSO, "PUT", path, body)
    return len(ids) - 1


def _lists(requests: list[Request]) -> int:
    return sum(r.path.endswith("/directReports") for r in requests)


def _repeated(references: list[Request]) -> int:
    """The number of writes of a reference after the first one to the same user."""
    times = Counter(r.path for r in references)
    return sum(n - 1 for n in times.values())
