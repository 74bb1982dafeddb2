"""What users were like before their latest changes: a replica that is behind answers from here."""

from collections import deque
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from entra_graph_emulator.directory.objects import User

_KEPT: Final = timedelta(minutes=5)


class Past:
    def __init__(self) -> None:
        self._states: dict[str, deque[tuple[datetime, User | None]]] = {}

    def remember(self, user_id: str, user: User | None, until: datetime) -> None:
        """`user` as it is until now, or None for one who is not there."""
        states = self._states.setdefault(user_id, deque())
        while states and until - states[0][0] > _KEPT:
            states.popleft()
        states.append((until, None if user is None else replace(user, properties=dict(user.properties))))

    def at(self, user_id: str, moment: datetime, now: User | None) -> User | None:
        """`now` is what the user is like today."""
        return next((user for until, user in self._states.get(user_id, ()) if until > moment), now)
