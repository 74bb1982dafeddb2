"""Who listens to which queue in this process, so that a queue output wakes its listener at once.

The real host has the same shortcut and the same limit: a message that the application sends with its own client, or
that another instance sends, waits for the next poll.
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
        """A message was put on that queue by this process."""
        for event in self._events[queue]:
            event.set()
