"""What a change wrote: the names of attributes, and the values that the sync has kept for an auditor. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..decision.look import Look
from ..model import ENABLED, Attributes, Change, Invite, Link, Postpone, TargetUser, Written
from ..model.record import as_text


def named(change: Change) -> Attributes:
    """What an event of this change names: of a change that was put off the part that was made."""
    if isinstance(change, Postpone):
        return {} if change.meanwhile is None else change.meanwhile.attributes
    return change.written


def values(look: Look, after: Link) -> tuple[Written, ...]:
    """By attribute, without what Graph refused. An invitation sends none: they are written when its guest is linked.

    The value before is known of attributes that the read of the target user has. No other is read for it.
    """
    if not look.sync.record_values or isinstance(look.change, Invite):
        return ()
    before = {} if look.target is None else _of_target(look.target)
    return tuple(
        Written(attribute=name, value=as_text(value), before=before.get(name), before_known=name in before)
        for name, value in sorted(named(look.change).items())
        if name in look.sync.record_values and name not in after.refused
    )


def joined(first: Iterable[Written], then: Iterable[Written]) -> tuple[Written, ...]:
    """The values of two writes that follow each other: the newer ones, and what was there before the first."""
    every = {each.attribute: each for each in first}
    for each in then:
        known = every.get(each.attribute)
        every[each.attribute] = (
            each if known is None else replace(each, before=known.before, before_known=known.before_known)
        )
    return tuple(every[name] for name in sorted(every))


def _of_target(user: TargetUser) -> Mapping[str, str | None]:
    return {"displayName": user.display_name or None, "mail": user.mail or None, ENABLED: as_text(user.enabled)}
