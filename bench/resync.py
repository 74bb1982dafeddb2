"""`resync`: a full round over ten thousand people of whom nobody has changed, as `xtsync resync` starts one.

Reading everybody must cost no message, no call to the target, and memory for one page; and the reading itself is held
against what the SDK's typed models would cost.
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
from .world import World, world

_PEOPLE = 10_000


async def measure(run: Run) -> list[Figure]:
    async with world(run, run.size(_PEOPLE)) as here:
        await link_everybody(here)
        mark = await here.log.mark()
        state, most_waiting = await _round(here)
        requests = await here.log.since(mark)
        memory = peak_memory(here.stack.host_processes[0], limit=200)
        reads = sum(r.tenant == CONTOSO for r in requests)
        people = len(here.people)
    seconds = (_moment(state.completed_at) - _moment(state.started_at)).total_seconds()
    return [
        Figure(name="full round", value=seconds, unit="s", beside=f"{people:,} people"),
        Figure(name="people judged", value=people / seconds, unit="/s"),
        Figure(name="people left out", value=abs(people - state.entries), unit="", limit=0),
        Figure(name="source requests", value=reads, unit="", beside=f"{state.pages} pages, then getByIds"),
        Figure(name="people nominated", value=state.nominated, unit="", limit=0),
        Figure(name="user-changes messages, most at once", value=most_waiting, unit="", limit=0),
        Figure(name="target requests", value=sum(r.tenant == FABRIKAM for r in requests), unit="", limit=0),
        *memory,
        *await reading(run),
    ]


async def _round(here: World) -> tuple[FeedState, int]:
    """The round's final state, and the most `user-changes` messages seen meanwhile."""
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
        raise StalledError("another round took its place")
    return state, most_waiting


def _moment(at: datetime | None) -> datetime:
    if at is None:
        raise StalledError("the round has no times")
    return at
