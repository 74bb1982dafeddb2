"""Reads a target tenant and the sources of its syncs once each, and shows what a first sync would meet there.

Requests grow with the pages of the tenants, and with nothing else: nobody is asked for singly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from ...assembly import Runtime
from ...decision.decide import asks_for_address
from ...mapping import source_attributes
from ...model import LinkState, Sync, addresses_of, domain_of
from ...model.errors import DomainsUnknownError, GraphRefusedError
from ...ports import Inventory, Quota, Side, SourceDirectory
from ...reconcile.fresh import is_foreign
from ...scope.verdict import scope_attributes
from ...storage.concurrency import for_each
from .. import documents
from ..documents import Cause, Unseen, Weight
from ..errors import UsageError
from ..plan import Progress
from .causes import remedy_of, weight_of, words_of
from .judging import Asked, Found, Judge, Known, Memberships, named
from .residents import Others, Residents

_IGNORES = "ignoreobjectflow"
_NOT_ALLOWED = frozenset({400, 403})  # 400: this version of Graph does not know the property
_BY_HAND = "grant the app {role} in {tenant} for the time of the preflight (docs/deploy.md#permissions)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """The document, and every trouble by target with the names of people, which the document does not have."""

    document: documents.Preflight
    found: Mapping[str, Sequence[Found]]


async def preflight(runtime: Runtime, syncs: Iterable[Sync], progress: Progress) -> Examined:
    """`runtime` is in read-only mode.

    Raises what reading raises, and OtherTenantError for a sync that is stopped.
    """
    at, asked = runtime.clock.now(), [await runtime.configurations.check(sync) for sync in syncs]
    shown: list[documents.TargetPreflight] = []
    found: dict[str, Sequence[Found]] = {}
    for target in sorted({sync.target.key for sync in asked}):
        work = _Target(runtime, target, [sync for sync in asked if sync.target.key == target], progress)
        shown.append(await work.examine())
        found[target] = work.found
    return Examined(document=documents.Preflight(at=at, targets=shown), found=found)


class _UntoldError(Exception):
    """The tenant does not say."""


@dataclass(frozen=True, slots=True)
class _Domains:
    """The domains of a source tenant as they were read; None: the app may not ask."""

    known: frozenset[str] | None

    async def verified_domains(self) -> frozenset[str]:
        if self.known is None:
            raise DomainsUnknownError
        return self.known

    async def foreign(self, asked: Asked) -> bool | None:
        """None if that cannot be told. The engine's own question, to the answer of before."""
        if not asks_for_address(asked.user, asked.verdict, asked.link):
            return False
        try:
            return await is_foreign(cast(SourceDirectory, self), asked.sync, asked.user)
        except DomainsUnknownError:
            return None


@dataclass(slots=True)
class _Target:
    """One target tenant, and the syncs into it that were asked for."""

    runtime: Runtime
    key: str
    syncs: Sequence[Sync]
    progress: Progress
    found: list[Found] = field(default_factory=list)
    unseen: list[Unseen] = field(default_factory=list)
    quota: Quota | None = None
    domains: set[str] = field(default_factory=set)  # of the sources

    async def examine(self) -> documents.TargetPreflight:
        claims, known = await self._links()
        judge = Judge(
            residents=Residents(claims),
            contacts=Others(),
            deleted=Others(),
            known=known,
            memberships={sync.name: await self._memberships(sync) for sync in self.syncs},
            ignoring={sync.name for sync in self.syncs if _may_ignore(sync)},
        )
        with self.progress(f"reading {self.key}", None) as done:
            await self._read(judge, done)
        for source in sorted({sync.source.key for sync in self.syncs}):
            with self.progress(f"reading {source}", None) as done:
                await self._compare(judge, source, done)
        self._orphans(judge.residents)
        self._room(judge.counts)
        return self._document(judge)

    async def _links(self) -> tuple[Mapping[str, str], Mapping[str, Known]]:
        """The owners of target users, and the links of each sync into the tenant, asked for or not."""
        claims: dict[str, str] = {}
        known: dict[str, Known] = {}
        into = self.syncs[0].target.id
        for sync in self.runtime.config.syncs.values():
            if sync.target.id != into:
                continue
            paired, approved = set(), {}
            async for link in self.runtime.storage.links.every(sync.name):
                if link.ours or link.state is LinkState.INVITING:
                    paired.add(link.source_id)
                elif link.approved_target is not None:
                    approved[link.source_id] = link
                if link.ours and link.target_id is not None:
                    claims[link.target_id] = link.owner
            known[sync.name] = Known(paired=paired, approved=approved)
        return claims, known

    async def _memberships(self, sync: Sync) -> Memberships:
        inventory, members = _inventory(self.runtime, sync.source.key, Side.SOURCE), {}
        for group in sorted(sync.groups):
            found = await inventory.members(group)
            if found is not None:
                members[group] = found
        return Memberships(members=members, missing=sync.groups - members.keys())

    async def _read(self, judge: Judge, done: Callable[[int], None]) -> None:
        inventory, read = _inventory(self.runtime, self.key, Side.TARGET), 0
        markers = {sync.owner_attribute for sync in self.syncs if sync.owner_attribute is not None}

        async def all_of[T](listing: AsyncIterator[T], add: Callable[[T], None]) -> None:
            nonlocal read
            async for each in listing:
                add(each)
                read += 1
                done(read)

        async def quota() -> None:
            self.quota = await inventory.quota()
            if self.quota is None:
                raise _UntoldError

        parts: Sequence[Callable[[], Awaitable[None]]] = (
            lambda: all_of(inventory.residents(markers), judge.residents.add),
            lambda: self._seen(
                "mail contacts", "OrgContact.Read.All", all_of(inventory.contacts(), judge.contacts.add)
            ),
            lambda: self._seen("soft-deleted users", "User.Read.All", all_of(inventory.deleted(), judge.deleted.add)),
            lambda: self._seen("the quota of the directory", "Organization.Read.All", quota()),
        )
        await for_each(parts, lambda part: part())

    async def _seen(self, what: str, role: str, reading: Awaitable[None]) -> None:
        """Of what the app may not read nothing is said, but that."""
        try:
            await reading
        except _UntoldError:
            refused = True
        except GraphRefusedError as error:
            refused = error.status in _NOT_ALLOWED
            if not refused:
                raise
        else:
            return
        remedy = _BY_HAND.format(role=role, tenant=self.key)
        self.unseen.append(Unseen(what=f"{what} of {self.key}", remedy=remedy))

    async def _domains(self, source: str) -> _Domains:
        """Asked once, also where the answer is a refusal."""
        try:
            return _Domains(await self.runtime.engine.sources[source].verified_domains())
        except DomainsUnknownError as error:
            self.unseen.append(Unseen(what=f"the domains of {source}", remedy=error.hint))
            return _Domains(None)

    async def _compare(self, judge: Judge, source: str, done: Callable[[int], None]) -> None:
        """Everybody of one source, as their page is read; those whose candidates are another's at the end."""
        syncs = [sync for sync in self.syncs if sync.source.key == source]
        names = {name for sync in syncs for name in source_attributes(sync.mapping) | scope_attributes(sync)}
        domains = await self._domains(source)
        self.domains |= domains.known or set()
        later: list[tuple[Asked, Collection[str]]] = []
        read = 0
        async for user in _inventory(self.runtime, source, Side.SOURCE).people(names):
            judge.residents.see(addresses_of(user.attributes))
            for asked in filter(None, (judge.asked(sync, user) for sync in syncs)):
                known = replace(asked, foreign=await domains.foreign(asked))
                if formers := judge.formers(known):
                    later.append((known, formers))
                else:
                    self.found += judge.judge(known)
            read += 1
            done(read)
        formers = {each for _, some in later for each in some}
        directory = self.runtime.engine.sources[source]
        gone = formers - await directory.existing(sorted(formers)) if formers else set()
        for asked, _ in later:
            self.found += judge.judge(asked, gone)

    def _orphans(self, residents: Residents) -> None:
        for guest in residents.unseen_guests():
            if domain_of(guest.mail) in self.domains:
                name = named(guest.display_name, guest.mail)
                self.found.append(Found(cause=Cause.ORPHANED, target_id=guest.id, target_name=name))

    def _room(self, counts: Counter[str]) -> None:
        if self.quota is not None and self.quota.used + counts["invited"] > self.quota.total:
            self.found.append(Found(cause=Cause.QUOTA))

    def _document(self, judge: Judge) -> documents.TargetPreflight:
        counts, quota = judge.counts, self.quota
        causes = [_cause(cause, some) for cause in Cause if (some := [e for e in self.found if e.cause is cause])]
        return documents.TargetPreflight(
            target=self.key,
            syncs=sorted(sync.name for sync in self.syncs),
            users=len(judge.residents),
            guests=judge.residents.guests,
            in_scope=counts["in_scope"],
            linked=counts["linked"],
            invited=counts["invited"],
            adopted=counts["adopted"],
            quota=None if quota is None else documents.DirectoryQuota(used=quota.used, total=quota.total),
            causes=sorted(causes, key=lambda each: list(Weight).index(each.weight)),
            unseen=sorted(self.unseen, key=lambda each: each.what),
        )


def _cause(cause: Cause, some: Sequence[Found]) -> documents.PreflightCause:
    return documents.PreflightCause(
        cause=cause,
        weight=weight_of(cause),
        words=words_of(cause),
        remedy=remedy_of(cause),
        people=len({(each.sync, each.source_id or each.target_id) for each in some}),
        findings=[
            documents.PreflightFinding(
                sync=each.sync, source_id=each.source_id, target_id=each.target_id, code=each.code
            )
            for each in some
        ],
    )


def _may_ignore(sync: Sync) -> bool:
    return any(_IGNORES in (rule.expression or "").lower() for rule in sync.mapping)


def _inventory(runtime: Runtime, tenant: str, side: Side) -> Inventory:
    for app in runtime.apps:
        if app.tenant.key == tenant and app.side is side:
            return app.inventory
    raise UsageError(f"no app is known of {tenant}", hint="Run it with the settings of the deployment.")
