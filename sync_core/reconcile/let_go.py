"""A nomination for a sync that is paused is let go; what no full round would find is kept.

A full round follows when the sync goes on. It compares attributes and memberships, and asks who still exists. It cannot
know of a reference to a manager, of a person who asked, or of a write that was cut off: those links become dirty. Only
linked users are looked for after they left. So the nomination of a user whose invitation or restore is not over stays
on the queue, and so does that of a parked one. Nobody reads the user now, who may be back and leave again. So a clock
of stages begins anew.
"""

from __future__ import annotations

from ..model import LinkState, Nomination, Why
from ..ports import Links, Queues
from ..ports.swap import until_saved

# A nomination that is kept is here again after this (seconds).
KEPT_FOR = 300.0
# What led to these, a full round sees as well.
_SEEN_AGAIN = frozenset({Why.NOTIFICATION, Why.FEED, Why.ABSENT, Why.MARKED, Why.TARGET})


async def let_go(links: Links, queues: Queues, nomination: Nomination, *, redelivered: bool) -> None:
    seen_again = nomination.why in _SEEN_AGAIN and not nomination.attempt and not redelivered

    async def attempt() -> None:
        link = await links.get(nomination.sync, nomination.user)
        if link is None:
            return
        cut_off = link.unfinished and link.state is not LinkState.LINKED
        if cut_off or (link.parked is not None and nomination.why is Why.RETRY):
            await queues.nominate([nomination.tried_again()], delay=KEPT_FOR)
        elif link.state is LinkState.LINKED and not link.dirty and not seen_again:
            await links.save(link.returned().distrusted())
        elif link.state is LinkState.LINKED and link.leaving is not None:
            await links.save(link.returned())

    await until_saved(attempt)
