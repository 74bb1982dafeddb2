"""One timer function: on schedule, never twice at a time, in one of the hosts that share the storage account.

Source of the rules: azure-webjobs-sdk-extensions (TimerListener, ScheduleMonitor) and azure-webjobs-sdk
(SingletonListener). A failing run is logged and the schedule goes on.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from azure.core.exceptions import AzureError

from local.functions_host.invoker import InvocationFailedError
from local.functions_host.monitor import ScheduleMonitor, Status
from local.functions_host.schedule import Schedule
from local.functions_host.singleton import Singleton
from local.functions_host.worker import TypedData

_log = logging.getLogger(__name__)

_LONGEST_SLEEP_S = 30.0  # then the clock is read again: a laptop may have slept

type Handler = Callable[[TypedData], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerOptions:
    """The options of the decorator, with settings resolved."""

    name: str
    schedule: Schedule
    run_on_startup: bool
    use_monitor: bool


def timer_data(status: Status | None, *, past_due: bool) -> TypedData:
    """The data of the worker's TimerRequest."""
    return TypedData(
        json=json.dumps(
            {
                "Schedule": {"AdjustForDST": True},
                "ScheduleStatus": status.as_json() if status else None,
                "IsPastDue": past_due,
            }
        )
    )


class TimerListener:
    """Fires one function while it holds the lease. `now` is a parameter so that tests can set the time."""

    def __init__(
        self,
        options: TimerOptions,
        handler: Handler,
        *,
        singleton: Singleton,
        monitor: ScheduleMonitor,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._options = options
        self._handler = handler
        self._singleton = singleton
        self._now = now
        # The real host does not monitor a timer that fires more than once a minute: the status would change too often.
        is_fast = options.schedule.is_faster_than(timedelta(minutes=1), now())
        self._monitor = monitor if options.use_monitor and not is_fast else None
        self._stopping = False
        self._ended = asyncio.Event()  # of this host's turn: stopped, or the lease was lost

    async def run(self) -> None:
        """Fire until `stop`; a run in progress is finished first."""
        while not self._stopping:
            try:
                if await self._singleton.acquire():
                    await self._take_turn()
                    continue
            except AzureError as error:
                _log.warning(
                    "timer=%s cannot use its lease or status error=%s", self._options.name, type(error).__name__
                )
            await self._sleep(self._singleton.retry_s)

    def stop(self) -> None:
        """No further runs."""
        self._stopping = True
        self._ended.set()

    async def _take_turn(self) -> None:
        keeper = asyncio.create_task(self._keep_lease())
        try:
            await self._fire_on_schedule()
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
            if not self._stopping:
                self._ended.clear()
            await self._singleton.release()

    async def _keep_lease(self) -> None:
        try:
            while True:
                await asyncio.sleep(self._singleton.period_s / 2)
                await self._singleton.renew()
        except AzureError:
            _log.warning("timer=%s lost its lease", self._options.name)
            self._ended.set()

    async def _fire_on_schedule(self) -> None:
        status = await self._catch_up()
        due = status.next if status else self._options.schedule.after(self._now())
        while await self._reached(due):
            status = await self._fire(status, past_due=False)
            due = status.next

    async def _catch_up(self) -> Status | None:
        """Run once if a run was missed while no host was up, or if runOnStartup says so. Gives the status."""
        past_due, status = False, None
        if self._monitor is not None:
            past_due, status = await self._monitor.is_past_due(self._options.schedule, self._now())
        if (past_due or self._options.run_on_startup) and not self._ended.is_set():
            return await self._fire(status, past_due=past_due)
        return status

    async def _fire(self, status: Status | None, *, past_due: bool) -> Status:
        started = self._now()
        try:
            await self._handler(timer_data(status if self._monitor else None, past_due=past_due))
        except InvocationFailedError:
            _log.debug("timer=%s goes on after a failed run", self._options.name)
        # The next run is after the end of this one: occurrences within it are left out. It is after the due time too:
        # otherwise a clock that was set back would make the same occurrence fire again.
        now = self._now()
        last = max(started, status.next) if status and not past_due else started
        following = Status(last=last, next=self._options.schedule.after(max(now, last)), updated=now)
        if self._monitor is not None:
            await self._monitor.write(following)
        return following

    async def _reached(self, due: datetime) -> bool:
        """True at the due time; False if this host's turn ended first."""
        while (left := (due - self._now()).total_seconds()) > 0:
            await self._sleep(min(left, _LONGEST_SLEEP_S))
            if self._ended.is_set():
                return False
        return not self._ended.is_set()

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            pass
