"""What the model has to go by, and what follows from it at once: which target users are ours, and whose."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from entra_graph_emulator import Tenant

from .history import Exchange, Kept, Said
from .others import Deeds
from .plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    invariant: int  # 0: a fault of the program itself
    text: str

    def __str__(self) -> str:
        return f"invariant {self.invariant} broken: {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Birth:
    """When an instance began, and what its sync.yaml says."""

    at: datetime
    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    plan: Plan
    source: Tenant
    target: Tenant
    exchanges: Sequence[Exchange]
    deeds: Deeds
    kinds: Mapping[str, str]  # every source user there ever was
    bugs: Sequence[str]
    logs: Sequence[str]
    births: Mapping[str, Birth] = field(default_factory=dict)  # by name of instance
    said: Sequence[Said] = ()  # about syncs as a whole
    kept: Sequence[Kept] = ()
    rates: Mapping[str, float] = field(default_factory=dict)  # of the faults

    @property
    def target_writes(self) -> list[Exchange]:
        """What reached the target and was done, in order."""
        written = [each for each in self.exchanges if each.tenant == self.target.id and each.is_write and _done(each)]
        done = [each for each in written if not each.path.startswith("/subscriptions")]
        return sorted(done, key=lambda each: each.done_at or each.sent_at)


@dataclass(slots=True, kw_only=True)
class Owned:
    """Which target users are ours, and whose."""

    by_source: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    source_of: dict[str, str] = field(default_factory=dict)
    raced: dict[str, Exchange] = field(default_factory=dict)  # taken from others; the first write to each
    unwritten: dict[str, Exchange] = field(default_factory=dict)  # made by us and never written to; the invitation
    taken_back: dict[str, Exchange] = field(default_factory=dict)  # made by a late invitation of ours; the deletion


def ownership(evidence: Evidence) -> Owned:
    """Ours is whom an invitation of ours has made; with the policy `guests` also whom we began to write to.

    Two source users with one address may both be answered with the same target user: it belongs to the one of them
    that is written to it first, for good.
    """
    owned = Owned()
    inviters: dict[str, set[str]] = defaultdict(set)  # by address: for whom we tried to invite it
    for each in sorted(evidence.exchanges, key=lambda each: each.done_at or each.sent_at):
        if each.tenant != evidence.target.id or not each.is_write:
            continue
        about = each.taken.user if each.taken else ""
        if each.path == "/invitations":
            inviters[_invited_address(each)].add(about)
            if each.created:
                owned.unwritten[each.object_id] = each
                owned.source_of[each.object_id] = about
        elif not _done(each):
            continue
        elif (invitation := owned.unwritten.pop(each.object_id, None)) is not None:
            if about in inviters[_invited_address(invitation)] or evidence.plan.adopt == "guests":
                owned.source_of[each.object_id] = about
            if _is_taking_back(evidence, owned, invitation, each):
                owned.taken_back[each.object_id] = each
        elif each.object_id not in owned.source_of:
            if evidence.plan.adopt == "guests" and _may_be_adopted(evidence, each, about):
                owned.source_of[each.object_id] = about
            elif each.object_id in evidence.deeds.invited:
                owned.source_of[each.object_id] = about
                owned.raced[each.object_id] = each
    for target_id, source_id in owned.source_of.items():
        if target_id not in owned.taken_back:
            owned.by_source[source_id].append(target_id)
    return owned


def _is_taking_back(evidence: Evidence, owned: Owned, invitation: Exchange, write: Exchange) -> bool:
    """Whether the look that sent this invitation deletes its guest, to whom nobody has written, as it came too late.

    The pair was made with another target user before, to whom we have written. Or the invitation was given up: a later
    look found that the person is disabled or gone.
    """
    taken, deletes = write.taken, (write.method, write.path) == ("DELETE", f"/users/{write.object_id}")
    if not deletes or taken is None or taken != invitation.taken:
        return False
    unlinked = {write.object_id, *owned.unwritten, *owned.taken_back}
    if any(each == taken.user for target_id, each in owned.source_of.items() if target_id not in unlinked):
        return True
    reads = [each for each in evidence.exchanges if each.path == f"/users/{taken.user}" and each.seen is not None]
    since = [each for each in reads if each.taken != taken and taken.at < each.sent_at < write.sent_at]
    last = max(since, key=lambda each: each.sent_at, default=None)
    return last is not None and (last.seen == 404 or last.shown.get("accountEnabled") is False)


def _invited_address(invitation: Exchange) -> str:
    return str(invitation.body["invitedUserEmailAddress"]).lower()


def _may_be_adopted(evidence: Evidence, first: Exchange, source_id: str) -> bool:
    """By the first write to somebody's guest. A deletion is one only of a guest with an address that we read."""
    user = evidence.target.find(first.object_id) or evidence.target.find_deleted(first.object_id)
    if first.method != "DELETE":
        return user is None or user.is_guest
    address = evidence.deeds.invited_as.get(first.object_id) if user is None else user.get("mail")
    if address is None or (user is not None and not user.is_guest):
        return False
    reads = [each for each in evidence.exchanges if each.object_id == source_id and each.sent_at < first.sent_at]
    return any((each.shown.get("mail") or each.shown.get("userPrincipalName")) == address for each in reads)


def _done(each: Exchange) -> bool:
    return each.status is not None and 200 <= each.status < 300


def foreign(evidence: Evidence, address: str) -> bool:
    return address.rpartition("@")[2].lower() not in evidence.source.domains
