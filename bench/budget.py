"""`budget`: two hosts write as fast as the target tenant allows, and not faster.

Graph's limit for one app on one tenant is a bucket of writes that refills evenly. A write that comes too early is
answered 429 and costs time. So the least time for a number of writes is known, and the product adds the rest.
"""

from __future__ import annotations

from local.demo import CONTOSO, FABRIKAM

from .figures import Figure
from .processes import cpu_figure, cpu_seconds
from .requests import Request, span
from .run import Run
from .tenants import two_tenants

_PEOPLE = 2000
_WRITES, _WINDOW_S = 300, 15  # Graph's real rate of 20 writes a second, with a smaller bucket


async def measure(run: Run) -> list[Figure]:
    people = run.size(_PEOPLE)
    settings = {"XTSYNC_WRITE_BUDGET": f"{_WRITES}/{_WINDOW_S}"}
    async with two_tenants(run, people, settings=settings, hosts=2) as here:
        await here.emulated.control("PUT", "/throttle", {"tenant": FABRIKAM, "writes": _WRITES, "window_s": _WINDOW_S})
        start, cpu_s = await here.log.last(), cpu_seconds(here.stack.host_processes)
        await here.initial_sync()
        cpu_s = cpu_seconds(here.stack.host_processes) - cpu_s
        requests = await here.log.since(start)
        disagreements = await here.disagreements()
        with_manager = sum(
            user["manager"] is not None for user in await here.emulated.users(CONTOSO, ["id", "manager"])
        )
    return [
        *_figures(run, people, with_manager, requests),
        *cpu_figure("CPU per new user", cpu_s, people),
        Figure(name="disagreements at the end", value=disagreements, unit="", limit=0),
    ]


def _figures(run: Run, people: int, with_manager: int, requests: list[Request]) -> list[Figure]:
    """Expected are an invitation and a PATCH for each user, and a reference for each user `with_manager`."""
    writes = [r for r in requests if r.tenant == FABRIKAM and r.writes]
    invitations = sum(r.kind == "invite" for r in writes)
    patches = sum(r.method == "PATCH" for r in writes)
    references = sum(r.method == "PUT" for r in writes)
    least = max(0.0, (2 * people + with_manager - _WRITES) / (_WRITES / _WINDOW_S))
    took = span(writes)
    refused = sum(r.status == 429 for r in requests)
    return [
        Figure(name="from the first write to the last", value=took, unit="s", beside=f"the budget allows {least:g} s"),
        Figure(name="that time over the least possible", value=took / least, unit="x", limit=run.limit(1.1)),
        Figure(name="requests", value=len(requests), unit="", beside=f"{people:,} people"),
        Figure(
            name="answered 429", value=100 * refused / len(requests), unit="%", limit=1, beside=f"{refused} requests"
        ),
        Figure(name="invitations too many or too few", value=abs(invitations - people), unit="", limit=0),
        Figure(name="PATCHes too many or too few", value=abs(patches - people), unit="", limit=0),
        Figure(name="manager references too many or too few", value=abs(references - with_manager), unit="", limit=0),
    ]
