"""The pairs of source and target users, and what people do with one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ...model import LinkState
from .rendering import document


@document
class PairEntry:
    """One stored pair. `since` is when the target user last became ours.

    `asked` is what a person asked for, which is not done yet: to end the pair, to move it, or to reset the redemption.
    """

    sync: str
    source_id: str
    target: str
    target_id: str
    state: LinkState
    since: datetime | None
    asked: str | None


@document
class Pairs:
    """One page, by sync and source user. `more` asks for the next one."""

    pairs: Sequence[PairEntry]
    more: str | None


@document
class AskedPair:
    """What a person asked for; the next look does it, at once. `to` is the other source user of a move."""

    sync: str
    source_id: str
    target_id: str
    asked: str
    to: str | None


@document
class UnlinkRequest:
    reason: str


@document
class MoveRequest:
    """To which source user, and in which sync: the same one where none is named."""

    user: str
    sync: str | None = None
