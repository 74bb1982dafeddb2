"""What a fresh read of the linked target user forbids, whatever source and record ask for. Pure."""

from __future__ import annotations

from ..model import ENABLED, Blocked, Change, HandOver, LetGo, Link, Reason, Refuse, Restore, TargetUser, Update


def unless_internal(change: Change, target: TargetUser | None) -> Change:
    """The change, or LetGo if the target user is internal by now. `target` is a fresh read; None: there is no user.

    One who was deleted as an internal user is not restored, and nobody is invited in their place: a person decides.
    """
    if target is None or target.external:
        return change
    deleted = isinstance(change, Restore)
    return Refuse(reason=Reason.INTERNAL_USER, detail=target.id) if deleted else LetGo(target_id=target.id)


def unless_blocked(change: Change, target: TargetUser | None, link: Link, policy: Blocked = Blocked.RESPECT) -> Change:
    """A user whom somebody else blocked in the target stays so: a hand-over, which would enable, waits for a person.

    A write that repairs a record, or follows a restore, has everything but `accountEnabled`, unless the policy enables
    whom others blocked. `target` is a fresh read.
    """
    if target is None or target.enabled or link.perhaps_disabled:
        return change
    if isinstance(change, HandOver):
        return Refuse(reason=Reason.BLOCKED, detail=link.target_id or "")
    if isinstance(change, Update) and change.attributes.get(ENABLED) is True and policy is Blocked.RESPECT:
        return Update(attributes={name: value for name, value in change.attributes.items() if name != ENABLED})
    return change
