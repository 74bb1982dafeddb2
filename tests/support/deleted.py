"""How long deletedItems keeps what is in it."""

from __future__ import annotations

from collections.abc import MutableMapping
from datetime import datetime, timedelta

from sync_core.ports import Clock

# https://learn.microsoft.com/entra/fundamentals/users-restore
KEPT = timedelta(days=30)


class Retention:
    """Empties deletedItems: the time of an object begins when it is first seen there."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: dict[str, datetime] = {}

    def expire[T](self, deleted: MutableMapping[str, T]) -> None:
        now = self._clock.now()
        self._since = {each: self._since.get(each, now) for each in deleted}
        for each, since in self._since.items():
            if now - since >= KEPT:
                del deleted[each]
