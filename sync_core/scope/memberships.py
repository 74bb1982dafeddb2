"""What a fresh read says of a user's membership in groups that a scope names. Pure.

A group that does not exist (any more) lets nobody in and puts nobody out: who deletes a group has not said that its
members shall go, or that those whom it kept out shall come.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from ..model import SourceUser

_SHOWN = 3  # groups named in a verdict


def is_member(source: SourceUser, groups: AbstractSet[str]) -> bool | None:
    """Of any of these; None when that is not known: nobody asked, or one that might have the user is not there."""
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
