"""A queue in Azure Queue Storage (or Azurite), with the promises of queue.Queue.

Bodies are base64, as the Functions host expects by default (host.json, queues.messageEncoding). Messages never expire:
by the service's default a nomination would be lost after 7 days. Both are set here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from .azure_calls import attempt, error_code
from .concurrency import for_each
from .queue import MAX_BATCH, Message, check_body, from_wire, to_wire, whole_seconds

_NEVER_EXPIRES = -1


def open_queue(service: QueueServiceClient, name: str) -> AzureQueue:
    """Texts are encoded and decoded here: for one that is not base64 the SDK's own policy fails the whole batch."""
    return AzureQueue(service.get_queue_client(name))


class AzureQueue:
    """queue.Queue."""

    def __init__(self, client: QueueClient) -> None:
        self._client = client

    async def create(self) -> None:
        """Make the queue if it is missing."""

        async def create() -> None:
            try:
                await self._client.create_queue()
            except ResourceExistsError as error:
                if error_code(error) != "QueueAlreadyExists":
                    raise

        await attempt(create)

    async def send(self, body: str, *, delay: float = 0) -> None:
        check_body(body)
        wire, seconds = to_wire(body), whole_seconds(delay)
        await attempt(lambda: self._client.send_message(wire, visibility_timeout=seconds, time_to_live=_NEVER_EXPIRES))

    async def send_many(self, bodies: Sequence[str], *, delay: float = 0) -> None:
        await for_each(bodies, lambda body: self.send(body, delay=delay))

    async def receive(self, *, max_messages: int = MAX_BATCH, visibility: float = 600) -> list[Message]:
        count, seconds = min(max_messages, MAX_BATCH), whole_seconds(visibility, least=1)

        async def receive() -> list[Message]:
            # One page is one request. An iteration over the messages would send requests until the queue is empty.
            pages = self._client.receive_messages(messages_per_page=count, visibility_timeout=seconds).by_page()
            page = await anext(pages, None)
            return [] if page is None else [_message(message) async for message in page]

        return await attempt(receive)

    async def update(self, message: Message, *, visibility: float, body: str | None = None) -> Message:
        if body is not None:
            check_body(body)
        wire, seconds = None if body is None else to_wire(body), whole_seconds(visibility)
        updated = await attempt(
            lambda: self._client.update_message(message.id, message.receipt, wire, visibility_timeout=seconds)
        )
        return replace(message, receipt=updated.pop_receipt or "", body=message.body if body is None else body)

    async def delete(self, message: Message) -> None:
        await attempt(lambda: self._client.delete_message(message.id, message.receipt))

    async def peek(self) -> list[Message]:
        async def peek() -> list[Message]:
            try:
                return [_message(message) for message in await self._client.peek_messages(MAX_BATCH)]
            except ResourceNotFoundError:
                return []

        return await attempt(peek)

    async def depth(self) -> int:
        async def depth() -> int:
            try:
                properties = await self._client.get_queue_properties()
            except ResourceNotFoundError:
                return 0  # the Functions host makes a poison queue when it first needs one
            return properties.approximate_message_count or 0

        return await attempt(depth)


def _message(message: QueueMessage) -> Message:
    return from_wire(
        id=message.id,
        stored=message.content or "",
        receipt=message.pop_receipt or "",
        dequeue_count=message.dequeue_count or 0,
    )
