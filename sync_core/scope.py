"""Who is in: the verdict on one freshly read user. Pure.

Every internal user is, as far as assignment and filters let them in; both have to. An assigned group that does not
exist (any more) lets nobody in and puts nobody out: who deletes a group has not said that its members shall go.
"""

from __future__ import annotations

from .filters import judge, scope_attributes
from .model import SourceUser, Sync, Verdict

__all__ = ["by_assignment", "by_filters", "scope", "scope_attributes"]

_SHOWN = 3  # groups named in a verdict


def scope(sync: Sync, source: SourceUser) -> Verdict:
    assigned, filtered = by_assignment(sync, source), by_filters(sync, source)
    if not sync.filters:
        return assigned
    if sync.assigned is None:
        return filtered
    # Out is out, whatever cannot be decided besides; and what cannot be decided is not in.
    verdicts = sorted((assigned, filtered), key=lambda verdict: (verdict.in_scope, verdict.undecided))
    if verdicts[0].in_scope:
        return Verdict(in_scope=True, reason=f"{assigned.reason}; {filtered.reason}")
    return verdicts[0]


def by_filters(sync: Sync, source: SourceUser) -> Verdict:
    return judge(sync.filters, source.attributes) if sync.filters else Verdict(in_scope=True, reason="no filter")


def by_assignment(sync: Sync, source: SourceUser) -> Verdict:
    """Undecided of somebody in a listing: a listing knows no memberships."""
    assigned = sync.assigned
    if assigned is None:
        return Verdict(in_scope=True, reason="all internal users")
    if source.id.lower() in assigned.members:
        return Verdict(in_scope=True, reason="assigned by id")
    if source.member_of is None and assigned.groups:
        return Verdict(in_scope=False, reason="memberships are not known", undecided=True)
    if source.member_of:
        return Verdict(in_scope=True, reason=f"member of {_named(source.member_of)}")
    if source.missing_groups:
        return Verdict(in_scope=False, reason=f"there is no {_named(source.missing_groups)}", undecided=True)
    return Verdict(
        in_scope=False, reason=f"not a member of {_named(assigned.groups)}" if assigned.groups else "not assigned"
    )


def _named(groups: frozenset[str]) -> str:
    shown, more = sorted(groups)[:_SHOWN], len(groups) - _SHOWN
    return ", ".join(f"group {each}" for each in shown) + (f" and {more} more" if more > 0 else "")
