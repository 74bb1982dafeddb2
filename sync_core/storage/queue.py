"""One queue as the repositories see it: at least once, in no promised order, invisible while somebody works on it.

The rules are checked on our side for the real queue and for its twin alike.
https://learn.microsoft.com/rest/api/storageservices/queue-service-rest-api
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from .errors import StorageRefusedError

MAX_DELAY_S = 7 * 24 * 3600
MAX_BATCH = 32
MAX_BODY_BYTES = 48 * 1024  # of UTF-8: 64 KiB once base64 has added a third


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as received. `receipt` is good until the message is received or updated again."""

    id: str
    body: str
    receipt: str
    dequeue_count: int
    inserted_at: datetime


class Queue(Protocol):
    """Every method may raise TransientError or StorageRefusedError. Messages never expire. Times are seconds."""

    async def send(self, body: str, *, delay: float = 0) -> None: ...

    async def send_many(self, bodies: Sequence[str], *, delay: float = 0) -> None:
        """Returns when all are stored; raises when any was not, and then some may be."""
        ...

    async def receive(self, *, max_messages: int = MAX_BATCH, visibility: float = 600) -> list[Message]:
        """Up to 32 messages, hidden from everybody for `visibility` seconds."""
        ...

    async def update(self, message: Message, *, visibility: float, body: str | None = None) -> Message:
        """Hide it for so long from now, perhaps with another body. ConflictError on a stale receipt."""
        ...

    async def delete(self, message: Message) -> None:
        """ConflictError on a stale receipt: somebody else has it now, or it is gone."""
        ...

    async def peek(self) -> list[str]:
        """What the next messages, up to 32, are on the wire: encoded, untouched. They stay where they are."""
        ...

    async def depth(self) -> int:
        """About how many messages, hidden ones included; 0 when there is no such queue yet."""
        ...


def whole_seconds(seconds: float, *, least: int = 0) -> int:
    """The service counts in whole seconds, up to 7 days. Rounds up: too late is safe, too early is not."""
    whole = max(math.ceil(seconds), least)
    if whole > MAX_DELAY_S:
        raise StorageRefusedError(code="OutOfRangeQueryParameterValue", detail="visibilitytimeout")
    return whole


def check_body(body: str) -> None:
    # An empty body would go out unencoded: the SDK's policy skips what is false.
    if not body or len(body.encode("utf-8", "surrogatepass")) > MAX_BODY_BYTES:
        raise StorageRefusedError(code="RequestBodyTooLarge" if body else "EmptyBody")
