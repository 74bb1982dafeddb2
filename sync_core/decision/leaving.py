"""The change for the target user of somebody who leaves: by one word of the policy, or in stages. Pure.

A stage comes when its time has passed since the stage before was reached. The link keeps that time. A link without one
begins now, so that a row of another version, or a lost record, makes a stage later and never earlier.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ..model import (
    ENABLED,
    SOFT_DELETE_RETENTION,
    Change,
    Deprovision,
    Disable,
    Forget,
    Leaves,
    Leaving,
    Link,
    LinkState,
    Reason,
    Skip,
    SoftDelete,
    SourceState,
    SourceUser,
    Stage,
    Stages,
    Stay,
    stages_of,
)


def deprovision(link: Link, source: SourceUser, how: Leaves, why: str, *, kept: datetime | None = None) -> Change:
    """`kept`: until when a person keeps this user."""
    if link.state is not LinkState.LINKED:
        return _already_deleted(link, source)
    now, disabled = source.read_at, link.disabled and not link.dirty
    reached, wanted, coming = _progress(how, link.leaving, now, disabled=disabled)
    if wanted is Deprovision.SOFT_DELETE or (wanted is Deprovision.DISABLE and not disabled):
        if kept is not None and kept > now:
            return Stay(reason=Reason.KEPT, leaving=replace(reached, until=kept, then=wanted))
        return SoftDelete(why=why) if wanted is Deprovision.SOFT_DELETE else Disable(attributes={ENABLED: False})
    at_rest = Reason.LEFT if wanted is Deprovision.LEAVE else Reason.NO_CHANGE
    if not isinstance(how, Stages):
        return Skip(reason=at_rest)
    if coming is None:
        return Stay(reason=at_rest, leaving=replace(reached, until=None, then=None))
    due = reached.since + coming.after
    if kept is not None and kept > due:
        return Stay(reason=Reason.KEPT, leaving=replace(reached, until=kept, then=coming.then))
    return Stay(reason=Reason.LEAVING, leaving=replace(reached, until=due, then=coming.then))


def _progress(
    how: Leaves, before: Leaving | None, now: datetime, *, disabled: bool
) -> tuple[Leaving, Deprovision, Stage | None]:
    """The stage that was reached, the state that is due by now, and the stage that comes later.

    A target user who is disabled already has reached that stage by this read. Each stage takes its full time, also when
    several would be over: nobody looked, so nobody knows that the user was away all the while.
    """
    reached = before or Leaving(stage=Deprovision.LEAVE, since=now)
    wanted = Deprovision.LEAVE
    for stage in stages_of(how):
        if stage.then.takes > reached.stage.takes:
            if reached.since + stage.after > now:
                return reached, wanted, stage
            if stage.then is not Deprovision.DISABLE or not disabled:
                return reached, stage.then, None
            reached = Leaving(stage=stage.then, since=now)
        wanted = stage.then
    return reached, wanted, None


def _already_deleted(link: Link, source: SourceUser) -> Change:
    """A deleted pair is kept while Entra can still restore the target user, and forgotten once it cannot."""
    deleted_at = link.deleted_at or source.read_at
    over = link.state is LinkState.LOST or source.read_at - deleted_at >= SOFT_DELETE_RETENTION
    if source.state is SourceState.GONE and over:
        return Forget()
    return Skip(reason=Reason.NO_CHANGE)
