"""Receivers of notices, and what they were told of, as documents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ...model import Occasion, ReceiverKind
from .rendering import document


@document
class NoticeReceiver:
    """`receiver` is the app setting with its address. `syncs` is empty where it is told of all."""

    receiver: str
    kind: ReceiverKind
    events: Sequence[Occasion]
    syncs: Sequence[str]


@document
class StandingNotice:
    """Something that stands in the way. `told`: its receiver has heard of it."""

    receiver: str
    event: Occasion
    about: str
    since: datetime
    told: bool


@document
class Notices:
    receivers: Sequence[NoticeReceiver]
    standing: Sequence[StandingNotice]


@document
class TriedReceiver:
    """`error` says why a test message did not arrive; null: it did."""

    receiver: str
    error: str | None


@document
class TriedReceivers:
    receivers: Sequence[TriedReceiver]
