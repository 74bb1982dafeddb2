"""Memberships of a freshly read user in the groups that a scope names. Pure.

Deleting a group is no instruction to deprovision its members, nor to let in the users that it kept out. So a group
that does not exist (any more) makes the verdict undecided.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from ..model import SourceUser

_SHOWN = 3  # groups named in a verdict


def is_member(source: SourceUser, groups: AbstractSet[str]) -> bool | None:
    """Of any of these. None when that is not known: no group was asked for, or one that might have the user is gone."""
    if source.member_of is None:
        return None
    if groups & source.member_of:
        return True
    return None if groups & source.missing_groups else False


def why_unknown(source: SourceUser, groups: AbstractSet[str]) -> str:
    if source.member_of is None:
        return "memberships are not known"
    return f"there is no {named(groups & source.missing_groups)}"


def named(groups: AbstractSet[str]) -> str:
    shown, more = sorted(groups)[:_SHOWN], len(groups) - _SHOWN
    return ", ".join(f"group {each}" for each in shown) + (f" and {more} more" if more > 0 else "")
