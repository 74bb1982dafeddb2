"""Where notices of a test end up."""

from __future__ import annotations

from sync_core.model import Notice, Receiver
from sync_core.model.errors import NotDeliveredError


class Postbox:
    """ports.Messenger that keeps what it is given, and fails as often as it is told."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Notice]] = []
        self.faults: list[Exception] = []

    async def send(self, receiver: Receiver, notice: Notice) -> None:
        fault = self.faults.pop(0) if self.faults else None
        if not isinstance(fault, NotDeliveredError):
            self.sent.append((receiver.address, notice))
        if fault is not None:
            raise fault

    @property
    def said(self) -> list[tuple[str, str, bool]]:
        return [(address, notice.occasion.value, notice.over) for address, notice in self.sent]
