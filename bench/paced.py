"""`paced`: the time of each change while a thousand come in a minute, on three processes."""

from __future__ import annotations

from .figures import Figure, percentile, spread
from .latency import changed
from .run import Run
from .tenants import two_tenants

_CHANGES = 1000
_APART_S = 0.06


async def measure(run: Run) -> list[Figure]:
    changes = run.size(_CHANGES)
    async with two_tenants(run, changes, split=True) as here:
        await here.settle()
        with run.step(f"{changes} changes, {1000 * _APART_S:.0f} ms apart", changes):
            seconds = await changed(here, here.people, apart_s=_APART_S)
        return [
            *spread(
                seconds,
                f"{changes} changes, 1,000 a minute",
                tail=95,
                beside=f"p99 {1e3 * percentile(seconds, 99):.0f} ms",
            ),
            Figure(name="disagreements at the end", value=await here.disagreements(), unit="", limit=0),
        ]
