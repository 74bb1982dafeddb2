"""What the sample application of tests/contract says on a queue."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import TextBase64DecodePolicy, TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient

type Note = dict[str, Any]


class Mailbox:
    """What the sample application said on one queue, kept until a test asks for it."""

    def __init__(self, connection_string: str, queue: str) -> None:
        self._queue = queue_client(connection_string, queue)
        self._bodies: list[str] = []

    async def bodies(self, wanted: Callable[[str], bool], *, count: int = 1, within_s: float = 10.0) -> list[str]:
        """The bodies that are wanted, as soon as they are `count`: with 0, those that are there now."""
        async with asyncio.timeout(within_s):
            await self._read()
            while len(found := [body for body in self._bodies if wanted(body)]) < count:
                await self._read()
        return found

    async def notes(self, *, count: int = 1, within_s: float = 10.0, **expected: object) -> list[Note]:
        """The same for JSON bodies that hold the expected values."""

        def wanted(body: str) -> bool:
            note = json.loads(body)
            return all(note.get(name) == value for name, value in expected.items())

        return [json.loads(body) for body in await self.bodies(wanted, count=count, within_s=within_s)]

    async def close(self) -> None:
        await self._queue.close()

    async def _read(self) -> None:
        try:
            async for message in self._queue.receive_messages():
                self._bodies.append(message.content)
                await self._queue.delete_message(message)
        except ResourceNotFoundError:
            pass
        await asyncio.sleep(0.05)


def queue_client(connection_string: str, queue: str) -> QueueClient:
    return QueueClient.from_connection_string(
        connection_string,
        queue,
        message_encode_policy=TextBase64EncodePolicy(),
        message_decode_policy=TextBase64DecodePolicy(),
    )
