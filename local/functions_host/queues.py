"""One queue function: polling, leases, release and poison, as the Storage queues extension does it.

Source of the rules: azure-sdk-for-net, Microsoft.Azure.WebJobs.Extensions.Storage.Queues (QueueListener,
QueueProcessor, RandomizedExponentialBackoffStrategy).
"""

import asyncio
import base64
import binascii
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from local.functions_host.invoker import InvocationFailedError
from local.functions_host.messages import renewed, swallowed_when_lost, trigger_metadata
from local.functions_host.outputs import send_creating
from local.functions_host.settings import QueueOptions
from local.functions_host.wakeups import WakeUps
from local.functions_host.worker import TypedData

_log = logging.getLogger(__name__)

LEASE = timedelta(minutes=10)
_MIN_POLL_S = 0.1

type Handler = Callable[[TypedData, dict[str, TypedData]], Awaitable[object]]


@dataclass(slots=True)
class Backoff:
    """The wait after an empty poll, in seconds."""

    longest_s: float
    _empty_polls: int = 0

    def after(self, *, found: bool) -> float:
        """100 ms if messages came since the last wait; else twice the last wait, with jitter, up to the longest."""
        if found:
            self._empty_polls = 0
            return _MIN_POLL_S
        wait = _MIN_POLL_S + random.uniform(0.8, 1.2) * 2.0**self._empty_polls * _MIN_POLL_S
        if wait >= self.longest_s:
            return self.longest_s
        self._empty_polls += 1
        return wait


class QueueListener:
    """Polls one queue for one function, and deletes, releases or poisons each message.

    The messages of a killed host come back when their lease ends. Tests that wait for it shorten the lease; so does
    FUNCTIONS_HOST_LEASE_SECONDS, a setting of this host alone.
    """

    def __init__(
        self,
        queue: QueueClient,
        poison: QueueClient | None,
        handler: Handler,
        *,
        options: QueueOptions,
        wakeups: WakeUps,
        lease: timedelta = LEASE,
    ) -> None:
        self._queue = queue
        self._poison = poison
        self._handler = handler
        self._options = options
        self._wakeups = wakeups
        self._lease_s = lease.total_seconds()
        self._wake = wakeups.listen(queue.queue_name)
        self._backoff = Backoff(options.max_polling_interval.total_seconds())
        self._processing: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._healthy = True

    async def run(self) -> None:
        """Poll until `stop`, then wait for the messages being processed."""
        found = False
        while not self._stopping:
            self._wake.clear()
            batch = await self._receive()
            for message in batch:
                self._processing.add(asyncio.create_task(self._process(message)))
            if batch:
                found = True
                await self._wait_for_room(self._options.new_batch_threshold)
                continue
            await self._sleep(self._backoff.after(found=found))
            found = False
        await self._wait_for_room(0)

    def stop(self) -> None:
        """Take no more messages; `run` returns when those being processed are done."""
        self._stopping = True
        self._wake.set()

    async def _sleep(self, seconds: float) -> None:
        if self._stopping:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _wait_for_room(self, at_most: int) -> None:
        try:
            while len(self._processing) > at_most:
                done, self._processing = await asyncio.wait(self._processing, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        except asyncio.CancelledError:
            for task in self._processing:
                task.cancel()
            raise

    async def _receive(self) -> list[QueueMessage]:
        """The next messages; none if the queue is missing or storage fails."""
        try:
            size = self._options.batch_size
            messages = self._queue.receive_messages(messages_per_page=size, visibility_timeout=int(self._lease_s))
            # One page is one request; the iterator would ask again until the queue is empty.
            batch = [message async for message in await anext(messages.by_page())]
        except StopAsyncIteration:
            batch = []
        except ResourceNotFoundError:
            return []
        except AzureError as error:
            if self._healthy:
                _log.warning("cannot poll queue=%s error=%s", self._queue.queue_name, type(error).__name__)
            self._healthy = False
            return []
        self._healthy = True
        return batch

    async def _process(self, message: QueueMessage) -> None:
        try:
            if (message.dequeue_count or 0) > self._options.max_dequeue_count:
                # An instance that made the last attempt may have crashed in it: there is no further one.
                await self._move_to_poison(message)
            elif await self._succeeds(message):
                await self._delete(message)
            else:
                await self._give_back(message)
        except AzureError as error:
            # When the lease ends, the message comes back: delivery is at least once.
            _log.error(
                "cannot settle queue=%s id=%s error=%s", self._queue.queue_name, message.id, type(error).__name__
            )

    async def _succeeds(self, message: QueueMessage) -> bool:
        try:
            body = self._decode(message)
        except ValueError:
            _log.error("undecodable queue=%s id=%s: see messageEncoding", self._queue.queue_name, message.id)
            return False
        try:
            async with renewed(self._queue, message, lease_s=self._lease_s):
                await self._handler(TypedData(string=body), trigger_metadata(message, body))
        except InvocationFailedError:
            return False
        return True

    async def _give_back(self, message: QueueMessage) -> None:
        if self._poison is None:
            # A released message would fail again at once, without end: the real host lets the lease run out instead.
            return
        if (message.dequeue_count or 0) >= self._options.max_dequeue_count:
            await self._move_to_poison(message)
            return
        delay = int(self._options.visibility_timeout.total_seconds())
        with swallowed_when_lost(message):
            await self._queue.update_message(message.id, message.pop_receipt, visibility_timeout=delay)

    async def _move_to_poison(self, message: QueueMessage) -> None:
        """Copy the body alone: the copy has a new id, a new time to live and a dequeue count of 0."""
        if self._poison is None:
            return
        _log.warning("poisoned queue=%s id=%s", self._queue.queue_name, message.id)
        await send_creating(self._poison, message.content)
        self._wakeups.notify(self._poison.queue_name)
        await self._delete(message)

    async def _delete(self, message: QueueMessage) -> None:
        with swallowed_when_lost(message):
            await self._queue.delete_message(message)

    def _decode(self, message: QueueMessage) -> str:
        content = str(message.content)
        if not self._options.base64:
            return content
        try:
            return base64.b64decode(content, validate=True).decode()
        except binascii.Error as error:
            raise ValueError("not base64") from error
