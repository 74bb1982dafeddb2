"""What a person agrees to when approving held deletions: a code that stands for one list, and for no other. Pure.

Between looking and approving, another user may be held. The code is a digest over exactly the users listed, so an
approval never covers somebody whom its author has not seen. (octodns binds a plan by its checksum likewise.)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ...guard.deletions import waiting
from ...ops.holds import code
from ...ports import HoldRecord
from ..words import many
from ..world import RefusedError, UsageError


def check(holds: Sequence[HoldRecord], given: str) -> None:
    """Raise RefusedError, saying what changed, unless the code stands for these holds."""
    now_code = code(holds)
    if given == now_code:
        return
    stood_for = given.partition("-")[0]
    if not stood_for.isdecimal():
        raise UsageError(
            f"'{given}' is no code", hint="`xtsync holds` shows the code of the list, such as 12-3f9a07c1."
        )
    raise RefusedError(
        f"the list changed: {given} stands for {many(int(stood_for), 'hold')}, and the list has {len(holds)} now"
        f"{_newcomers(holds, given)}; nothing was decided",
        hint="Look at the list again with `xtsync holds` (and the same --sync), then use its code.",
    )


def _newcomers(holds: Sequence[HoldRecord], given: str) -> str:
    """Who was held since, when leaving out the newest gives the list that the code stands for."""
    newest = sorted(holds, key=lambda hold: hold.held_at, reverse=True)
    for count in range(1, len(newest) + 1):
        if code(newest[count:]) == given:
            return f" (new: {', '.join(hold.source_id for hold in newest[:count])})"
    return " (some were decided, released or held anew)"


def choose(holds: Sequence[HoldRecord], users: Sequence[str], now: datetime) -> list[HoldRecord]:
    """The holds to decide: those that wait, or exactly the users named, whatever was decided of them before."""
    if not users:
        return [hold for hold in holds if waiting(hold, now)]
    wanted = {user.lower() for user in users}
    unknown = wanted - {hold.source_id.lower() for hold in holds}
    if unknown:
        raise RefusedError(
            f"not held: {', '.join(sorted(unknown))}; nothing was decided",
            hint="Name source users as `xtsync holds` lists them.",
        )
    return [hold for hold in holds if hold.source_id.lower() in wanted]
