"""`resync`: a full round over ten thousand unchanged users, as `xtsync resync` starts one.

The round must cost no message, and of the target it asks who is there, a thousand users in one request. Its memory must
not grow with the number of users. The reading is compared with the SDK's typed models.
"""

from __future__ import annotations

from datetime import datetime

from local.demo import CONTOSO, FABRIKAM
from sync_core.ports import FeedPhase, FeedState

from .figures import Figure
from .linked import link_everybody
from .processes import peak_memory
from .reading import reading
from .run import Run, StalledError
from .tenants import TwoTenants, two_tenants

_PEOPLE = 10_000


async def measure(run: Run) -> list[Figure]:
    async with two_tenants(run, run.size(_PEOPLE)) as here:
        await link_everybody(here)
        await here.subscribed()  # by now the host leads, and a round by its rules is read to the end
        start = await here.log.last()
        state, most_waiting = await _round(here)
        requests = await here.log.since(start)
        memory = peak_memory(here.stack.host_processes[0], limit=200)
        reads = sum(r.tenant == CONTOSO for r in requests)
        target = [r for r in requests if r.tenant == FABRIKAM]
        sweep = [r for r in target if r.path == "/directoryObjects/getByIds"]
        people = len(here.people)
    seconds = (_moment(state.completed_at) - _moment(state.started_at)).total_seconds()
    return [
        Figure(name="full round", value=seconds, unit="s", beside=f"{people:,} people"),
        Figure(name="people judged", value=people / seconds, unit="/s"),
        Figure(name="people left out", value=abs(people - state.entries), unit="", limit=0),
        Figure(name="source requests", value=reads, unit="", beside=f"{state.pages} pages, then getByIds"),
        Figure(name="people nominated", value=state.nominated, unit="", limit=0),
        Figure(name="user-changes messages, most at once", value=most_waiting, unit="", limit=0),
        Figure(name="target requests, who is there", value=len(sweep), unit="", beside="getByIds, 1,000 in each"),
        Figure(name="target requests besides", value=len(target) - len(sweep), unit="", limit=0),
        *memory,
        *await reading(run),
    ]


async def _round(here: TwoTenants) -> tuple[FeedState, int]:
    """The final state of the round, and the largest number of `user-changes` messages during it."""
    tenant = here.sync.source.key
    started = await here.runtime.feeds.start_round(tenant, full=True)
    most_waiting = 0
    state = started
    with here.run.step("full round", len(here.people)) as advance:

        async def done() -> bool:
            nonlocal state, most_waiting
            state = await here.runtime.storage.feeds.get(tenant)
            most_waiting = max(most_waiting, await here.waiting())
            advance(state.entries)
            return state.phase is FeedPhase.IDLE

        await here.until(done, "the full round did not end")
    if state.round != started.round:
        raise StalledError("another round was started meanwhile")
    return state, most_waiting


def _moment(at: datetime | None) -> datetime:
    if at is None:
        raise StalledError("the round has no times")
    return at
