"""One queue message being processed: the metadata for the function, and its lease while the function runs."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime

from azure.core.exceptions import AzureError, HttpResponseError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from local.functions_host.storage import error_code
from local.functions_host.worker import TypedData

_log = logging.getLogger(__name__)

_POISON_SUFFIX = "-poison"
_LONGEST_NAME = 63
_MIN_RENEWAL_S = 60.0
_LOST = frozenset({"PopReceiptMismatch", "MessageNotFound", "QueueNotFound", "QueueBeingDeleted", "QueueDisabled"})


def poison_name(queue: str) -> str | None:
    """The name of the poison queue. None for a poison queue itself, and if the name would be too long."""
    name = queue + _POISON_SUFFIX
    return None if queue.endswith(_POISON_SUFFIX) or len(name) > _LONGEST_NAME else name


def trigger_metadata(message: QueueMessage, body: str) -> dict[str, TypedData]:
    """The metadata that the real host sends with the body, in its types."""
    return {
        "Id": TypedData(string=message.id),
        "PopReceipt": TypedData(string=message.pop_receipt),
        "QueueTrigger": TypedData(string=body),
        "DequeueCount": TypedData(json=json.dumps(str(message.dequeue_count))),
        "InsertionTime": _time(message.inserted_on),
        "ExpirationTime": _time(message.expires_on),
        "NextVisibleTime": _time(message.next_visible_on),
    }


def _time(moment: datetime | None) -> TypedData:
    return TypedData(json=json.dumps(moment.isoformat() if moment else None))


@contextmanager
def swallowed_when_lost(message: QueueMessage) -> Iterator[None]:
    """Ignore the errors of a message whose lease this host has lost.

    They are expected if a function defers its own message: `update_message` makes the host's receipt invalid. The
    message comes back at the time that the function set.
    """
    try:
        yield
    except HttpResponseError as error:
        if error_code(error) not in _LOST:
            raise
        _log.debug(
            "not ours any more id=%s error=%s (the function may have modified it)", message.id, error_code(error)
        )


@asynccontextmanager
async def renewed(queue: QueueClient, message: QueueMessage, *, lease_s: float) -> AsyncIterator[None]:
    """Keep the message invisible while the block runs; `message` carries the newest receipt afterwards."""
    done = asyncio.Event()
    renewal = asyncio.create_task(_renew(queue, message, done, lease_s))
    try:
        yield
    finally:
        done.set()
        await renewal


async def _renew(queue: QueueClient, message: QueueMessage, done: asyncio.Event, lease_s: float) -> None:
    """Renew at half of the lease. After each error halve the interval, down to a minute."""
    normal = interval = lease_s / 2
    while not await _happens(done, within_s=interval):
        try:
            updated = await queue.update_message(message.id, message.pop_receipt, visibility_timeout=int(lease_s))
        except AzureError as error:
            if isinstance(error, HttpResponseError) and error_code(error) in _LOST:
                return
            interval = max(interval / 2, min(_MIN_RENEWAL_S, normal))
        else:
            message.pop_receipt = updated.pop_receipt
            interval = normal


async def _happens(event: asyncio.Event, *, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            return await event.wait()
    except TimeoutError:
        return False
