"""Newcomers who wait for the creation guard, as documents, and a person's word that lets them in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from .rendering import document


@document
class CreationStatus:
    """How many newcomers of one sync wait for a person, and since when the first of them.

    `approved` were let in and come with their next look. `used` of `limit` invitations count in the window now; both
    are null where the guard is off. `code` stands for `waiting`, and is null where nobody waits. `approved_by` and
    `approved_at` are of the last approval.
    """

    sync: str
    waiting: int
    since: datetime | None
    approved: int
    used: int | None
    limit: int | None
    window_s: float | None
    code: str | None
    approved_by: str | None
    approved_at: datetime | None


@document
class CreationList:
    syncs: Sequence[CreationStatus]


@document
class CreationApproval:
    """So many newcomers of this sync are let in: those who have waited the longest. `error`: the round starts later."""

    sync: str
    by: str
    approved: int
    waiting: int
    error: str | None


@document
class CreationRequest:
    """The code of one sync, as the list shows it."""

    code: str
