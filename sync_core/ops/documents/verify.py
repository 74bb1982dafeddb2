"""Newcomers after they came: who of them cannot be used, by cause."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from .rendering import document


class Unusable(StrEnum):
    GONE = "gone"
    INTERNAL = "internal by now"
    BLOCKED = "blocked"
    UNREDEEMED = "has to redeem"
    HIDDEN = "hidden"
    UNKNOWN = "redemption unknown"  # the app may not read whether it is automatic: no fault is known


@document
class UnusableUser:
    """`since` is when the target user became ours."""

    sync: str
    source_id: str
    target_id: str
    cause: Unusable
    since: datetime


@document
class UnusableCause:
    cause: Unusable
    words: str
    remedy: str
    people: int


@document
class Verified:
    """In the order of syncs and object ids. `looked_at` are the pairs that began since `since` and are to be usable.

    Left out are users whom the sync disabled, and those whom the target may not show everywhere yet. `more` as the
    parameter `after` gives the next ones; null at the end.
    """

    at: datetime
    since: datetime
    looked_at: int
    usable: int
    causes: Sequence[UnusableCause]
    users: Sequence[UnusableUser]
    more: str | None
