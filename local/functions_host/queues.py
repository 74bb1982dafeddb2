"""One queue function: polling, leases, release and poison, as the Storage queues extension does it.

Source of the rules: azure-sdk-for-net, Microsoft.Azure.WebJobs.Extensions.Storage.Queues (QueueListener,
QueueProcessor) and Storage.Common (RandomizedExponentialBackoffStrategy). Nothing but a poll finds a message: an output
binding of the same host wakes no listener (seen with Storage.Queues 5.3.10).
"""

import asyncio
import base64
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
from local.functions_host.worker import TypedData

_log = logging.getLogger(__name__)

LEASE = timedelta(minutes=10)
_MIN_POLL_S = 0.1

type Handler = Callable[[TypedData, dict[str, TypedData]], Awaitable[object]]


@dataclass(slots=True)
class Backoff:
    """The wait after an empty poll, in seconds, by RandomizedExponentialBackoffStrategy.

    Taken from there: the minimum of 100 ms, which is the delta too, and the randomization by a fifth. Once reached, the
    longest wait stays until a message comes. After a batch the queue is polled again without any wait.
    """

    longest_s: float
    _exponent: int = 0
    _current_s: float = 0.0

    def after(self, *, found: bool) -> float:
        """100 ms if messages came since the last wait; else 100 ms and a delta that doubles, up to the longest wait."""
        if found:
            self._current_s, self._exponent = _MIN_POLL_S, 1
        elif self._current_s != self.longest_s:
            wait = _MIN_POLL_S
            if self._exponent > 0:
                wait += random.uniform(0.8, 1.2) * 2.0 ** (self._exponent - 1) * _MIN_POLL_S
            self._exponent += 1
            self._current_s = min(wait, self.longest_s)
        return self._current_s


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
        lease: timedelta = LEASE,
    ) -> None:
        self._queue = queue
        self._poison = poison
        self._handler = handler
        self._options = options
        self._lease_s = lease.total_seconds()
        self.queue_name = queue.queue_name
        self.polls = 0  # since the start; each is one request that is paid for
        self._stopped = asyncio.Event()
        self._backoff = Backoff(options.max_polling_interval.total_seconds())
        self._processing: set[asyncio.Task[None]] = set()
        self._healthy = True

    async def run(self) -> None:
        """Poll until `stop`, then wait for the messages being processed."""
        found = False
        while not self._stopped.is_set():
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
        self._stopped.set()

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopped.wait()
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
        self.polls += 1
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
            elif (body := self._decoded(message)) is None:
                # No attempt could end better. In a poison queue it stays: it comes back when its lease ends, unseen.
                await self._move_to_poison(message)
            elif await self._succeeds(message, body):
                await self._delete(message)
            else:
                await self._give_back(message)
        except AzureError as error:
            # When the lease ends, the message comes back: delivery is at least once.
            _log.error(
                "cannot settle queue=%s id=%s error=%s", self._queue.queue_name, message.id, type(error).__name__
            )

    async def _succeeds(self, message: QueueMessage, body: str) -> bool:
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
        await self._delete(message)

    async def _delete(self, message: QueueMessage) -> None:
        with swallowed_when_lost(message):
            await self._queue.delete_message(message)

    def _decoded(self, message: QueueMessage) -> str | None:
        """The body; None if it is not base64, or what it stands for is not UTF-8."""
        content = str(message.content)
        if not self._options.base64:
            return content
        try:
            return base64.b64decode(content, validate=True).decode()
        except ValueError:
            _log.error("undecodable queue=%s id=%s: see messageEncoding", self._queue.queue_name, message.id)
            return None
