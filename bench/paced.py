"""`paced`: the time of each change while a thousand come in a minute, on three processes.

Once with the longest wait between two polls that host.json has, then with a second.
"""

from __future__ import annotations

from .figures import Figure, percentile, spread
from .idle import A_SECOND, INTERVAL, chosen_interval
from .latency import changed
from .run import Run
from .tenants import two_tenants

_CHANGES = 1000
_APART_S = 0.06


async def measure(run: Run) -> list[Figure]:
    intervals = dict.fromkeys((chosen_interval(), A_SECOND))
    return [figure for interval in intervals for figure in await _measured(run, interval)]


async def _measured(run: Run, interval: str) -> list[Figure]:
    changes = run.size(_CHANGES)
    async with two_tenants(run, changes, settings={INTERVAL: interval}, split=True) as here:
        await here.settle()
        with run.step(f"{changes} changes, {1000 * _APART_S:.0f} ms apart", changes):
            seconds = await changed(here, here.people, apart_s=_APART_S)
        return [
            *spread(
                seconds,
                f"{changes} changes, 1,000 a minute, polls up to {interval} apart",
                tail=95,
                beside=f"p99 {1e3 * percentile(seconds, 99):.0f} ms",
            ),
            Figure(name=f"disagreements at the end, {interval}", value=await here.disagreements(), unit="", limit=0),
        ]
