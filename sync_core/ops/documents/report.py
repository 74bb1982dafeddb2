"""Everybody's access to a target because of us."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from .rendering import document


class Access(StrEnum):
    """What the record says of the target user."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    HELD = "held"  # enabled or disabled, until a person decides about a deletion


@document
class AccessEntry:
    """One person's access to one target, by the stored pair. `since` is when the target user last became ours.

    `redeemed` is whether the invitation was accepted; null where that was not asked, or the target does not say.
    """

    sync: str
    source_id: str
    target: str
    target_id: str
    access: Access
    since: datetime | None
    redeemed: bool | None


@document
class AccessReport:
    """Everybody who has access, by sync and source user. `at` is when the report was begun."""

    at: datetime
    entries: Sequence[AccessEntry]
