"""Empties the poison queues at every poll, so that no trigger has to poll them each second.

A readable message is recorded, the user that it names is parked, the plan that it names ends, and it is deleted. An
unreadable one stays, since the host decodes for every function: `xtsync poison` shows it, puts it back or removes it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from ..model.errors import MessageError, SyncError, TransientError
from ..model.messages import PLAN_JOBS, WORK_QUEUES, decode_plan_run
from ..ports import Plans, Poison, Poisoned
from ..reconcile.worker import Worker
from .plans import give_up

log = logging.getLogger("xtsync.poison")


@dataclass(frozen=True, slots=True, kw_only=True)
class PoisonDrain:
    poison: Poison
    worker: Worker
    plans: Plans

    async def run(self) -> None:
        """Record and delete what can be read. After an error the next run goes on: nothing is deleted unrecorded."""
        for queue in WORK_QUEUES:
            try:
                await self.poison.sift(queue, self._recorded)
            except SyncError as error:
                log.warning("poison.not_drained queue=%s error=%s", queue, error.code)

    async def _recorded(self, message: Poisoned) -> bool:
        """False leaves the message where it is. A fault that brought one here does not stop those behind it."""
        if not message.readable:
            return False
        try:
            await self.worker.poisoned(message.queue, message.id, message.body)
            if message.queue == PLAN_JOBS:
                await self._end_plan(message)
        except TransientError:
            raise
        except Exception as error:  # noqa: BLE001 - any fault of the program may be what the message met before
            log.warning(
                "poison.not_drained queue=%s message=%s error=%s", message.queue, message.id, type(error).__name__
            )
            return False
        return True

    async def _end_plan(self, message: Poisoned) -> None:
        try:
            run = decode_plan_run(message.body)
        except MessageError:
            return  # not one of ours
        hint = "The app's log says what it met. Ask for the plan again once that is mended."
        await give_up(self.plans, run.job, self.worker.clock.now(), "its message failed again and again", hint)
