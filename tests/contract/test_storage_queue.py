"""What a queue promises: the twin and the real one alike."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from random import Random

import pytest
from azure.storage.queue.aio import QueueClient

from local.azurite import Azurite
from sync_core.model.errors import ConflictError
from sync_core.ports import Clock, Poisoned
from sync_core.storage.connect import connect
from sync_core.storage.errors import StorageRefusedError
from sync_core.storage.memory import MemoryQueue
from sync_core.storage.queue import Message, Queue
from sync_core.storage.repositories import Storage


async def one(queue: Queue, visibility: float = 60) -> Message:
    (message,) = await queue.receive(visibility=visibility)
    return message


async def test_send_receive_delete(queue: Queue) -> None:
    """A message comes once, with its body, and is gone when deleted."""
    await queue.send('{"v":1,"name":"Zoë 🎉"}')
    message = await one(queue)
    assert (message.body, message.dequeue_count) == ('{"v":1,"name":"Zoë 🎉"}', 1)

    assert await queue.receive() == []
    await queue.delete(message)
    assert await queue.depth() == 0


async def test_peeking_takes_nothing(queue: Queue) -> None:
    """It shows only what could be received now, which can be received afterwards as if nobody had looked."""
    await queue.send("later", delay=60)
    await queue.send("now")
    assert [(each.body, each.readable, each.receipt) for each in await queue.peek()] == [("now", True, "")]
    message = await one(queue)
    assert (message.body, message.dequeue_count) == ("now", 1)
    assert await queue.peek() == []


async def test_message_comes_back(queue: Queue, clock: Clock) -> None:
    """A worker who dies loses nothing: the message comes again, counted, and the old receipt is void."""
    await queue.send("x")
    first = await one(queue, visibility=1)
    await clock.sleep(1.2)
    second = await one(queue)
    assert (second.id, second.dequeue_count) == (first.id, 2)
    assert second.receipt != first.receipt
    with pytest.raises(ConflictError):
        await queue.delete(first)
    with pytest.raises(ConflictError):
        await queue.update(first, visibility=5)
    await queue.delete(second)


async def test_late_delete_still_counts(queue: Queue, clock: Clock) -> None:
    """A receipt outlives its time as long as nobody else took the message."""
    await queue.send("x")
    message = await one(queue, visibility=1)
    await clock.sleep(1.2)
    await queue.delete(message)
    assert await queue.receive() == []


async def test_deleted_message_conflicts(queue: Queue) -> None:
    """Deleting or updating what is gone is a conflict, not a success."""
    await queue.send("x")
    message = await one(queue)
    await queue.delete(message)
    with pytest.raises(ConflictError):
        await queue.delete(message)
    with pytest.raises(ConflictError):
        await queue.update(message, visibility=5)


async def test_update_releases_with_a_new_body(queue: Queue) -> None:
    """An update may hand the message back at once and rewrite it; it changes the receipt."""
    await queue.send("old")
    message = await one(queue)
    updated = await queue.update(message, visibility=0, body="new é")
    assert updated.receipt != message.receipt
    with pytest.raises(ConflictError):
        await queue.delete(message)
    again = await one(queue)
    assert (again.body, again.dequeue_count) == ("new é", 2)


async def test_update_hides_longer_and_keeps_the_body(queue: Queue, clock: Clock) -> None:
    """An update without a body keeps it and renews the lease."""
    await queue.send("body")
    message = await queue.update(await one(queue, visibility=1), visibility=60)
    await clock.sleep(1.2)
    assert await queue.receive() == []
    await queue.update(message, visibility=0)
    assert (await one(queue)).body == "body"


async def test_delay(queue: Queue, clock: Clock) -> None:
    """A delayed message waits, rounded up to whole seconds, and counts as there."""
    await queue.send("later", delay=0.4)
    assert await queue.receive() == []
    assert await queue.depth() == 1
    await clock.sleep(1.2)
    assert (await one(queue)).body == "later"


async def test_send_many(queue: Queue) -> None:
    """All bodies of a batch arrive, and at most 32 at a time are handed out."""
    bodies = {f"body {n}" for n in range(70)}
    await queue.send_many(sorted(bodies))
    assert await queue.depth() == 70
    batches = [await queue.receive() for _ in range(4)]
    assert [len(batch) for batch in batches] == [32, 32, 6, 0]
    assert {message.body for batch in batches for message in batch} == bodies


async def test_send_many_of_nothing(queue: Queue) -> None:
    """An empty batch is done at once."""
    await queue.send_many([])
    assert await queue.depth() == 0


async def test_send_many_reports_what_was_not_stored(queue: Queue) -> None:
    """One body that cannot be stored fails the batch: whoever sent it must not checkpoint."""
    with pytest.raises(StorageRefusedError, match="RequestBodyTooLarge"):
        await queue.send_many(["a", "b" * 50_000, "c"])


async def test_largest_body(queue: Queue) -> None:
    """48 KiB fit once base64 has made 64 of them; one byte more, or none at all, is refused."""
    await queue.send("x" * 48 * 1024)
    assert len((await one(queue)).body) == 48 * 1024
    for refused in ("x" * (48 * 1024 + 1), ""):
        with pytest.raises(StorageRefusedError):
            await queue.send(refused)


async def test_longest_delay(queue: Queue) -> None:
    """The service holds a message back for 7 days and no longer."""
    await queue.send("x", delay=7 * 86400)
    with pytest.raises(StorageRefusedError):
        await queue.send("x", delay=7 * 86400 + 1)


async def test_base64_on_the_wire(azurite: Azurite) -> None:
    """What lies in the queue is base64 of UTF-8, as the Functions host expects it, and never expires."""
    storage = connect(azurite.connection_string, prefix="wire")
    try:
        await storage.create("user-changes")
        await storage.queues_by_name["user-changes"].send('{"é":1}')
    finally:
        await storage.close()
    async with QueueClient.from_connection_string(azurite.connection_string, "wireuser-changes") as plain:
        (peeked,) = await plain.peek_messages()
    assert base64.b64decode(peeked.content).decode() == '{"é":1}'
    assert peeked.expires_on is not None
    assert peeked.expires_on.year == 9999


@pytest.fixture
async def foreign(azurite: Azurite) -> AsyncIterator[Storage]:
    """A poison queue with three messages of which the second is not base64, and a storage that reads it."""
    storage = connect(azurite.connection_string, prefix="foreign")
    await storage.create("user-changes-poison")
    queue = storage.queues_by_name["user-changes-poison"]
    async with QueueClient.from_connection_string(azurite.connection_string, "foreignuser-changes-poison") as plain:
        await plain.clear_messages()
        await queue.send("before")
        await plain.send_message('{"v":1}')
        await queue.send("behind")
        yield storage
    await storage.close()


async def test_a_body_that_is_not_base64_hides_no_other(foreign: Storage) -> None:
    """Peeked or received, it comes as it is stored, and says that no function can read it."""
    queue = foreign.queues_by_name["user-changes-poison"]
    expected = [("before", True), ('{"v":1}', False), ("behind", True)]
    assert [(each.body, each.readable) for each in await queue.peek()] == expected
    assert [(each.body, each.readable) for each in await queue.receive()] == expected


async def test_sifting_deletes_what_is_done_and_shows_the_rest_at_once(foreign: Storage) -> None:
    """The rest keeps its text, and is not hidden from the next who looks."""

    async def readable(message: Poisoned) -> bool:
        return message.readable

    await foreign.poison.sift("user-changes", readable)
    assert [each.body for each in await foreign.poison.peek("user-changes")] == ['{"v":1}']
    assert await foreign.poison.depth("user-changes") == 1
    assert await foreign.poison.depth("feed-pages") == 0  # there is no such queue yet
    await foreign.poison.sift("feed-pages", readable)


async def test_shuffled_delivery_is_repeatable() -> None:
    """With a seed the twin gives messages in an order that is neither the sent one nor left to chance."""

    class Fixed:
        def now(self) -> datetime:
            return datetime(2026, 1, 1, tzinfo=UTC)

        async def sleep(self, seconds: float) -> None: ...

    async def order(rng: Random | None) -> list[str]:
        queue = MemoryQueue(Fixed(), rng=rng)
        await queue.send_many([str(n) for n in range(30)])
        return [message.body for message in await queue.receive()]

    in_order = [str(n) for n in range(30)]
    assert await order(None) == in_order
    assert await order(Random(7)) == await order(Random(7)) != in_order
    assert sorted(await order(Random(7))) == sorted(in_order)
