"""One source user against the users of the target: what a look would do, and what would stand in its way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...decision.decide import asks_for_address
from ...decision.look import Look, desired, if_approved, look
from ...model import (
    PRINCIPAL_NAME,
    Adopt,
    Desired,
    Invite,
    InviteBy,
    Link,
    Refuse,
    SourceUser,
    Sync,
    TargetUser,
    Verdict,
)
from ...reconcile.owners import former_owner
from ...scope.verdict import scope
from ..adoption_rows import code_of
from ..documents import Cause
from .residents import Others, Residents

_NOTHING = Desired(always={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One trouble. Names are for people who look now, and rest nowhere."""

    cause: Cause
    sync: str | None = None
    source_id: str | None = None
    source_name: str = ""
    target_id: str | None = None
    target_name: str = ""
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The links of one sync: whose pair there is or begins, and those that a person's word stands on."""

    paired: Collection[str]
    approved: Mapping[str, Link]


@dataclass(frozen=True, slots=True, kw_only=True)
class Memberships:
    """Of the groups of one scope, as they were listed."""

    members: Mapping[str, Collection[str]]
    missing: frozenset[str]

    def of(self, user: SourceUser) -> SourceUser:
        if not (self.members or self.missing):
            return user
        member_of = frozenset(group for group, users in self.members.items() if user.id in users)
        return replace(user, member_of=member_of, missing_groups=self.missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A source user of one sync. `foreign`: see Situation; None if that cannot be told."""

    sync: Sync
    user: SourceUser
    verdict: Verdict
    link: Link
    foreign: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Of one target tenant. `counts` are what became of those who are in scope."""

    residents: Residents
    contacts: Others
    deleted: Others
    known: Mapping[str, Known]
    memberships: Mapping[str, Memberships]
    ignoring: Collection[str]  # syncs whose mapping may say so of somebody
    counts: Counter[str] = field(default_factory=Counter)
    _first: dict[int, tuple[str, str]] = field(default_factory=dict)  # who came first with an address

    def asked(self, sync: Sync, user: SourceUser) -> Asked | None:
        """None for one whom a pair, or an invitation of ours, stands for already."""
        if sync.invite is InviteBy.PRINCIPAL_NAME:
            user = replace(user, address_in=(PRINCIPAL_NAME,))
        user, known = self.memberships[sync.name].of(user), self.known[sync.name]
        verdict = scope(sync, user)
        paired = user.id in known.paired
        self.counts["in_scope"] += verdict.in_scope
        self.counts["linked"] += paired
        if paired:
            return None
        link = known.approved.get(user.id) or Link(sync=sync.name, source_id=user.id)
        return Asked(sync=sync, user=user, verdict=verdict, link=link, foreign=False)

    def formers(self, asked: Asked) -> Collection[str]:
        """The other source users of this sync whose target users the candidates are: are these accounts gone?"""
        owners = (former_owner(asked.sync, asked.link, each) for each in self._candidates(asked).values())
        return {each for each in owners if each is not None}

    def judge(self, asked: Asked, gone: Collection[str] = ()) -> Iterator[Found]:
        """`gone` are the former owners that are deleted in the source."""
        if asked.foreign is None:
            yield _found(Cause.DOMAINS_UNKNOWN, asked)
            return
        candidates = self._candidates(asked, gone)
        decided = self._decided(asked, list(candidates.values()))
        match decided.change:
            case Refuse(reason=reason):
                yield from self._refused(Cause(reason.value), asked, decided, candidates)
            case Invite(address=address):
                self.counts["invited"] += 1
                yield from self._in_the_way(asked, address)
            case Adopt(target_id=target_id):
                self.counts["adopted"] += 1
                yield from self._taken(asked, asked.user.address)
                yield from self._pending(asked, {n: each for n, each in candidates.items() if each.id == target_id})

    def _candidates(self, asked: Asked, gone: Collection[str] = ()) -> dict[int, TargetUser]:
        user, link, marker = asked.user, asked.link, asked.sync.marker(asked.user.id)
        address = user.address if asks_for_address(user, asked.verdict, link) else None
        found = self.residents.candidates(address, marker, link.owner)
        if not gone:
            return found
        return {n: replace(each, abandoned=former_owner(asked.sync, link, each) in gone) for n, each in found.items()}

    def _decided(self, asked: Asked, candidates: Sequence[TargetUser]) -> Look:
        """The mapping matters only where it may say that the user is to be ignored, and costs more than all else."""
        sync = asked.sync
        wanted = desired(sync, asked.user) if sync.name in self.ignoring else _NOTHING
        return look(sync, asked.user, asked.verdict, asked.link, wanted, candidates, foreign=bool(asked.foreign))

    def _refused(
        self, cause: Cause, asked: Asked, decided: Look, candidates: Mapping[int, TargetUser]
    ) -> Iterator[Found]:
        if not candidates:
            yield _found(cause, asked)
        for number, each in candidates.items():
            adoptable = isinstance(if_approved(decided, each.id), Adopt)
            yield _found(cause, asked, each, code_of(asked.sync, asked.user, each) if adoptable else None)
            if adoptable:
                yield from self._pending(asked, {number: each})

    def _pending(self, asked: Asked, candidates: Mapping[int, TargetUser]) -> Iterator[Found]:
        for number, each in candidates.items():
            if self.residents.is_pending(number):
                yield _found(Cause.PENDING, asked, each)

    def _in_the_way(self, asked: Asked, address: str) -> Iterator[Found]:
        yield from self._taken(asked, address)
        for each in self.contacts.bearing(address):
            yield _found(Cause.CONTACT, asked, each)
        for each in self.deleted.bearing(address):
            yield _found(Cause.SOFT_DELETED, asked, each)

    def _taken(self, asked: Asked, address: str | None) -> Iterator[Found]:
        """An invitation, or the guest adopted, is one person's: who comes later is refused as linked to another."""
        mine = (asked.sync.name, asked.user.id)
        if address is not None and self._first.setdefault(hash(address.lower()), mine) != mine:
            yield _found(Cause.SHARED, asked)


def _found(cause: Cause, asked: Asked, target: TargetUser | None = None, code: str | None = None) -> Found:
    name = asked.user.attributes.get("displayName")
    return Found(
        cause=cause,
        sync=asked.sync.name,
        source_id=asked.user.id,
        source_name=named(str(name or ""), asked.user.address),
        target_id=None if target is None else target.id,
        target_name="" if target is None else named(target.display_name, target.mail),
        code=code,
    )


def named(name: str, address: str | None) -> str:
    return " ".join(filter(None, (name, f"<{address}>" if address else "")))
