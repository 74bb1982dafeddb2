"""Wakes the listener of a queue as soon as a queue output of this process sends a message to it.

The real host has the same shortcut and the same limit. A message from the application's own client, or from another
instance, waits for the next poll.
"""

import asyncio
from collections import defaultdict


class WakeUps:
    """One event per listener, under the name of its queue."""

    def __init__(self) -> None:
        self._events: defaultdict[str, list[asyncio.Event]] = defaultdict(list)

    def listen(self, queue: str) -> asyncio.Event:
        """The event that a message to that queue sets. The listener clears it before it polls."""
        event = asyncio.Event()
        self._events[queue].append(event)
        return event

    def notify(self, queue: str) -> None:
        """Wake the listeners of a queue to which this process sent a message."""
        for event in self._events[queue]:
            event.set()
