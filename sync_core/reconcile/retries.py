"""The look that comes when it is due: of somebody who is parked, or of whom Graph refused some attributes."""

from __future__ import annotations

from datetime import datetime

from ..model import Link, Nomination, Why
from ..ports import Queues


async def try_again(queues: Queues, link: Link, *, at: datetime, now: datetime) -> None:
    """`link` says already that it waits until `at`: otherwise `out_of_date` would drop the message."""
    retry = Nomination(sync=link.sync, user=link.source_id, why=Why.RETRY, at=at)
    await queues.nominate([retry], delay=max((at - now).total_seconds(), 0))
