"""One queue as the repositories see it: each message at least once, in any order, invisible during work on it.

The service's limits are checked on our side, for the real queue and for the one in memory.
https://learn.microsoft.com/rest/api/storageservices/queue-service-rest-api
"""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from .errors import StorageRefusedError

MAX_DELAY_S = 7 * 24 * 3600
MAX_BATCH = 32
MAX_BODY_BYTES = 48 * 1024  # of UTF-8; 64 KiB as base64, which adds a third


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as received. `receipt` is valid until the message is received or updated again; a peek gives none.

    The host gives no function a message that is not `readable`: one that is not base64 of UTF-8. Its `body` is the text
    as stored.
    """

    id: str
    body: str
    receipt: str
    dequeue_count: int
    readable: bool = True


class Queue(Protocol):
    """Every method may raise TransientError or StorageRefusedError. Messages never expire. Times are seconds."""

    async def send(self, body: str, *, delay: float = 0) -> None: ...

    async def send_many(self, bodies: Sequence[str], *, delay: float = 0) -> None:
        """Returns after all are stored. If it raises, some may be stored."""
        ...

    async def receive(self, *, max_messages: int = MAX_BATCH, visibility: float = 600) -> list[Message]:
        """Up to 32 messages, which other receivers do not get for `visibility` seconds."""
        ...

    async def update(self, message: Message, *, visibility: float, body: str | None = None) -> Message:
        """Hide the message for `visibility` seconds from now, with another body if given.

        Raises ConflictError if the receipt is stale.
        """
        ...

    async def delete(self, message: Message) -> None:
        """Raises ConflictError if the receipt is stale: another receiver has the message, or it is gone."""
        ...

    async def peek(self) -> list[Message]:
        """The next visible messages, up to 32, without a receipt. They stay visible. None if there is no such queue."""
        ...

    async def depth(self) -> int:
        """The approximate number of messages, hidden ones included; 0 if there is no such queue."""
        ...


def whole_seconds(seconds: float, *, least: int = 0) -> int:
    """Seconds rounded up to a whole number, as the service wants them: a message may come late, but not early.

    Raises StorageRefusedError above 7 days, the service's limit.
    """
    whole = max(math.ceil(seconds), least)
    if whole > MAX_DELAY_S:
        raise StorageRefusedError(code="OutOfRangeQueryParameterValue", detail="visibilitytimeout")
    return whole


def to_wire(body: str) -> str:
    """The text that is stored: base64 of UTF-8, by the host's own default for messageEncoding."""
    return b64encode(body.encode()).decode()


def from_wire(*, id: str, stored: str, receipt: str = "", dequeue_count: int) -> Message:  # noqa: A002 - a message's own
    """The message of a stored text; a text that nobody can decode is passed on, so that it does not hide its batch."""
    try:
        body, readable = b64decode(stored, validate=True).decode(), True
    except ValueError:
        body, readable = stored, False
    return Message(id=id, body=body, receipt=receipt, dequeue_count=dequeue_count, readable=readable)


def check_body(body: str) -> None:
    """Raises StorageRefusedError for an empty or too large body."""
    # The SDK's encoding policy skips an empty body, which would be stored unencoded.
    if not body or len(body.encode("utf-8", "surrogatepass")) > MAX_BODY_BYTES:
        raise StorageRefusedError(code="RequestBodyTooLarge" if body else "EmptyBody")
