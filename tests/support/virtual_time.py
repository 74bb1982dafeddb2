"""An event loop whose time is virtual: when nothing is ready it jumps to the next timer. No socket, no thread."""

from __future__ import annotations

import asyncio
from asyncio.base_events import BaseEventLoop
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any

from .clock import START


class StuckError(Exception):
    """Nothing is ready and nothing is scheduled: time would stand still for ever."""


class _Selector:
    """What the base loop asks to wait for input. There never is any: to wait is to move time on."""

    def __init__(self) -> None:
        self.time = 0.0

    def select(self, timeout: float | None) -> list[object]:
        if timeout is None:
            raise StuckError
        self.time += timeout
        return []

    def close(self) -> None: ...


class VirtualLoop(BaseEventLoop):
    def __init__(self) -> None:
        super().__init__()
        self._selector = _Selector()
        self._clock_resolution = 1e-9  # the machine's own would make histories differ between machines

    def time(self) -> float:
        return self._selector.time

    def _process_events(self, event_list: list[object]) -> None: ...

    def _write_to_self(self) -> None: ...


class LoopClock:
    """The core's and the emulator's clock alike: the loop's time since START, and so much ahead of it."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None, *, ahead: timedelta = timedelta()) -> None:
        self._loop = loop or asyncio.get_running_loop()
        self._start = START + ahead

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._loop.time())

    def ahead(self, by: timedelta) -> LoopClock:
        """The clock of another machine."""
        return LoopClock(self._loop, ahead=by)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def in_virtual_time[T](main: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def run[T](loop: VirtualLoop, main: Coroutine[Any, Any, T]) -> T:
    """Run to the end of `main`, then end whatever it left behind."""
    try:
        return loop.run_until_complete(main)
    finally:
        left = asyncio.all_tasks(loop)
        for task in sorted(left, key=lambda task: task.get_name()):
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
