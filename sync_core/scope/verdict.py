"""The scope's verdict on one user: in, out, or undecided. Pure.

An internal user is in if both the assignment and the filters let them in.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from ..model import SourceState, SourceUser, Sync, Verdict
from .filters import NEGATED, judge, scope_attributes
from .memberships import is_member, named, why_unknown

__all__ = ["groups_asked", "groups_decide", "keeps_out", "kept_out", "memberships_only", "scope", "scope_attributes"]

# Of a user who is nobody: memberships do not depend on it.
_ANY_TIME = datetime.min.replace(tzinfo=UTC)


def scope(sync: Sync, source: SourceUser) -> Verdict:
    """If groups decide, a user in a listing is undecided: a listing knows no memberships."""
    if source.external:
        return Verdict(in_scope=False, reason="external")
    if not sync.filters:
        return _by_assignment(sync, source)
    filtered = judge(sync.filters, source)
    if sync.assigned is None:
        return filtered
    # Precedence: out, then undecided, then in.
    assigned = _by_assignment(sync, source)
    verdicts = sorted((assigned, filtered), key=lambda verdict: (verdict.in_scope, verdict.undecided))
    if verdicts[0].in_scope:
        return Verdict(in_scope=True, reason=f"{assigned.reason}; {filtered.reason}")
    return verdicts[0]


def _by_assignment(sync: Sync, source: SourceUser) -> Verdict:
    assigned = sync.assigned
    if assigned is None:
        return Verdict(in_scope=True, reason="all internal users")
    if source.id.lower() in assigned.members:
        return Verdict(in_scope=True, reason="assigned by id")
    if not assigned.groups:
        return Verdict(in_scope=False, reason="not assigned")
    member = is_member(source, assigned.groups)
    if member is None:
        return Verdict(in_scope=False, reason=why_unknown(source, assigned.groups), undecided=True)
    if member:
        return Verdict(in_scope=True, reason=f"member of {named(assigned.groups & (source.member_of or set()))}")
    return Verdict(in_scope=False, reason=f"not a member of {named(assigned.groups)}")


def groups_asked(sync: Sync, user_id: str) -> frozenset[str]:
    """The groups to ask for. A user who is assigned by id needs none of the assigned groups."""
    assigned = sync.assigned
    if assigned is None or user_id.lower() not in assigned.members:
        return sync.groups
    return replace(sync, assigned=None).groups


def memberships_only(sync: Sync) -> Sync:
    """The same sync with only the group part of its scope. A user who is out by that part is out by the whole."""
    filters = [replace(each, clauses=[clause for clause in each.clauses if clause.groups]) for each in sync.filters]
    return replace(sync, filters=filters)


def keeps_out(sync: Sync) -> bool:
    """Whether somebody may come into scope by leaving a group."""
    return any(clause.groups and clause.operator in NEGATED for each in sync.filters for clause in each.clauses)


def kept_out(sync: Sync, source: SourceUser) -> bool:
    """Whether groups alone put this user out: then it takes a change of groups to bring them in."""
    return bool(sync.groups) and scope(memberships_only(sync), source).out


def groups_decide(sync: Sync) -> bool:
    """Whether nobody can be in scope but members of its groups, and users who are assigned by id."""
    return kept_out(sync, SourceUser(id="", state=SourceState.LIVE, member_of=frozenset(), read_at=_ANY_TIME))
