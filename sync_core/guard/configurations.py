"""Lets one configuration at a time judge, and stops a sync that is of other tenants than it was.

During a rolling upgrade, instances with two files run side by side on one storage. If each judged by its own file, an
old one could undo what a new one did, and nobody would look again. So one configuration *leads*: that of the process
that started last. Processes with another one leave every message on the queue. If the leader is not seen for LEFT_FOR,
the next process takes the lead. Whenever that changes how a sync judges, a full round of its source follows.

An object id means nothing in another directory: there, a 404 is no deletion, and nobody is known. So a sync is of the
two tenants that its record names, whatever sync.yaml says of them now. Another pair under its name stops it: nobody is
invited, changed or deleted until the record and the file agree.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ..model import Assigned, Deprovision, FeedRun, Link, Nomination, Sync
from ..model.errors import OtherConfigurationError, OtherTenantError, RenamedSyncError
from ..ports import Clock, ConfigurationRecord, Links, Queues, Subscriptions, SyncRecord, SyncRecords
from ..ports.swap import until_saved

log = logging.getLogger("xtsync.configuration")

# A leader that was not seen for so long has no instance any more. Longer than from one poll to the next.
LEFT_FOR = timedelta(minutes=15)
# A message that is left to another instance is visible again after so many seconds.
LEFT_AGAIN_S = 20.0
# For so long the records that were read are taken for the stored ones.
FRESH = timedelta(seconds=2)
_SEEN_EVERY = timedelta(minutes=5)
_MOST_CONFIGS = 32


def within(sync: Sync, link: Link) -> Link:
    """The link as one of this sync's tenants. Raises OtherTenantError for a link of others.

    A row of version 0.1 names no tenants and takes those of the sync at its next look. They are the right ones, since
    the sync as a whole was compared with what version 0.1 stored: Configurations._first.
    """
    if link.tenants is None:
        return link.of_tenants(sync.tenants)
    if link.tenants != sync.tenants:
        raise OtherTenantError(_differ(link.tenants, sync))
    return link


def _differ(stored: tuple[str, str], sync: Sync) -> str:
    source, target = stored
    return f"{sync.name}: stored for source {source} and target {target}, sync.yaml has {' and '.join(sync.tenants)}"


def _emptied(sync: Sync) -> Sync:
    """While a sync is removed with its people, nobody is in scope."""
    gone = replace(sync.policy, out_of_scope=Deprovision.SOFT_DELETE, source_deleted=Deprovision.SOFT_DELETE)
    return replace(sync, assigned=Assigned(), filters=(), policy=gone)


@dataclass(frozen=True, slots=True, kw_only=True)
class StampedQueues:
    """ports.Queues: each nomination that is sent says by which configuration."""

    queues: Queues
    config: str

    async def nominate(self, nominations: Sequence[Nomination], *, delay: float = 0) -> None:
        await self.queues.nominate([replace(each, config=self.config) for each in nominations], delay=delay)

    async def continue_feed(self, run: FeedRun, *, delay: float = 0) -> None:
        await self.queues.continue_feed(run, delay=delay)

    async def depths(self) -> Mapping[str, int]:
        return await self.queues.depths()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    at: datetime
    configuration: ConfigurationRecord
    syncs: Mapping[str, SyncRecord]  # by name


@dataclass(frozen=True, slots=True, kw_only=True)
class Configurations:
    """The stored records of configurations and syncs, as one process sees them.

    `started` is when this process did. None: it never leads, as a command of an operator, whose sync.yaml may be
    another one.
    """

    syncs: Mapping[str, Sync]
    config: str  # fingerprint of this process's configuration
    records: SyncRecords
    links: Links
    subscriptions: Subscriptions
    queues: Queues  # these keep the stamp of a message that is left
    clock: Clock
    started: datetime | None
    took_lead: Callable[[], Awaitable[None]]  # called once whenever this configuration takes the lead
    _reads: list[_Read] = field(default_factory=list)  # the last one

    def rehearsed(self, records: SyncRecords) -> Configurations:
        """The same over other records, which this process leads if nobody else does."""
        return replace(self, records=records, started=self.clock.now(), took_lead=_unheard, _reads=[])

    def stamped(self) -> StampedQueues:
        """The queues with this configuration's stamp; a command of an operator has none."""
        return StampedQueues(queues=self.queues, config=self.config if self.started else "")

    async def check(self, sync: Sync) -> Sync:
        """The sync as it is judged now. Raises OtherTenantError for one that is stopped. Stores nothing."""
        _, records = await self.records.all()
        record = records.get(sync.name) or await self._first(sync, records)
        if record.tenants != sync.tenants:
            raise OtherTenantError(_differ(record.tenants, sync))
        return _emptied(sync) if record.removing else sync

    async def leads(self) -> bool:
        """Whether this process may judge users and read feeds."""
        return (await self._read()).configuration.leader == self.config

    async def takes(self, nomination: Nomination, *, redelivered: bool = False) -> bool:
        """Whether this process is to judge. Otherwise the message was sent anew for later, or its sync is stopped.

        The new message of a redelivered one is an attempt, so that no read of the failed try stands for it. An unknown
        fingerprint is of an instance that started this very second. Raises OtherConfigurationError in a process that
        does not join.
        """
        read = await self._read()
        leads = read.configuration.leader == self.config
        if self.started is None:
            if not leads and read.configuration.leader:
                raise OtherConfigurationError
            return True
        unknown = nomination.config not in ("", *read.configuration.configs)
        if not leads or (unknown and self.clock.now() - nomination.at < LEFT_FOR):
            await self._leave(nomination.tried_again() if redelivered else nomination)
            return False
        return not await self.stopped(nomination.sync)

    async def looked(self, nomination: Nomination) -> None:
        """After a look. If another configuration took the lead meanwhile, it looks again: it may have been undone."""
        if (await self._read()).configuration.leader not in ("", self.config):
            await self._leave(nomination.tried_again())

    async def _leave(self, nomination: Nomination) -> None:
        await self.queues.nominate([nomination], delay=LEFT_AGAIN_S)
        log.info("nomination.left sync=%s user=%s", nomination.sync, nomination.user)

    async def stopped(self, name: str) -> bool:
        """Whether this sync is of other tenants now, or not configured."""
        sync, record = self.syncs.get(name), (await self._read()).syncs.get(name)
        return sync is None or record is None or record.tenants != sync.tenants

    async def sync(self, name: str) -> Sync:
        """The sync as it is judged, by the records that were read last."""
        sync, record = self.syncs[name], (await self._read()).syncs.get(name)
        return _emptied(sync) if record is not None and record.removing else sync

    async def since(self, names: Collection[str]) -> Sequence[str]:
        """When these syncs were last judged by another configuration: a round after that is full."""
        return [at.isoformat() for at in await self._since(names)]

    async def heard_of(self, names: Collection[str]) -> None:
        """Wait until no instance judges these syncs by earlier records, so that none undoes what the round finds."""
        heard = max(await self._since(names), default=None)
        if heard is not None and (wait := heard + FRESH - self.clock.now()) > timedelta():
            await self.clock.sleep(min(wait, FRESH).total_seconds())

    async def _since(self, names: Collection[str]) -> Sequence[datetime]:
        records = (await self._read()).syncs
        found = [records.get(name) for name in names]
        return [record.since for record in found if record is not None and record.since is not None]

    def tenant_id(self, tenant: str) -> str:
        tenants = [each for sync in self.syncs.values() for each in (sync.source, sync.target)]
        return next(each.id for each in tenants if each.key == tenant)

    async def _read(self) -> _Read:
        now = self.clock.now()
        if not self._reads or now - self._reads[-1].at >= FRESH:
            self._reads[:] = [await until_saved(lambda: self._read_anew(now))]
        return self._reads[-1]

    async def _read_anew(self, now: datetime) -> _Read:
        """Take the lead from a process that started earlier, or from one that is gone."""
        configuration, syncs = await self.records.all()
        leads = configuration.leader == self.config
        if self.started is not None and (leads or self._may_lead(configuration, self.started, now)):
            syncs = await self._led(syncs, now)
            if not leads or now - configuration.seen_at >= _SEEN_EVERY:
                led_at = configuration.led_at if leads else now
                earlier = [each for each in configuration.configs if each != self.config]
                configs = (*earlier, self.config)[-_MOST_CONFIGS:]
                configuration = await self.records.lead(
                    replace(configuration, configs=configs, led_at=led_at, seen_at=now)
                )
            if not leads:
                log.info("configuration.leads config=%s", self.config)
                await self.took_lead()
        return _Read(at=now, configuration=configuration, syncs=syncs)

    @staticmethod
    def _may_lead(configuration: ConfigurationRecord, started: datetime, now: datetime) -> bool:
        return started > configuration.led_at or now - configuration.seen_at >= LEFT_FOR

    async def _led(self, stored: Mapping[str, SyncRecord], now: datetime) -> Mapping[str, SyncRecord]:
        """The record of each sync says by which rules it is judged from now on; one that is stopped, by none.

        One that comes back to the configuration is not being removed any more: that may be long ago.
        """
        led: dict[str, SyncRecord] = {}
        for name in sorted({*stored, *self.syncs}):
            sync, record = self.syncs.get(name), stored.get(name)
            if record is None:
                try:
                    record = await self._first(self.syncs[name], stored)
                except RenamedSyncError:  # without a record it is stopped: status and doctor say so
                    continue
            config = "" if sync is None or record.tenants != sync.tenants else sync.fingerprint
            since = None if sync is None else record.since
            if (config, since) != (record.config, record.since) or record.etag is None:
                if sync is not None and not config:
                    log.error("sync.stopped sync=%s error=OtherTenant", name)
                removing = record.removing and (sync is None or record.since is not None)
                since = now if config else since
                record = await self.records.save(replace(record, config=config, since=since, removing=removing))
            led[name] = record
        return led

    async def _first(self, sync: Sync, stored: Mapping[str, SyncRecord]) -> SyncRecord:
        """The record of a sync that has none.

        Raises RenamedSyncError if another one's people are between these tenants, and that one is configured no more.
        """
        for name, record in sorted(stored.items()):
            if name not in self.syncs and record.tenants == sync.tenants and await self.links.one(name):
                raise RenamedSyncError(name, sync.name)
        return SyncRecord(name=sync.name, tenants=await self.tenants_of(sync.name, sync))

    async def tenants_of(self, name: str, sync: Sync) -> tuple[str, str]:
        """The ids of the tenants that the links under a name say, or whatever else version 0.1 stored.

        Version 0.1 knew the source by its subscription and the target by its claims. So a slip in sync.yaml that comes
        together with the upgrade is seen, too. `sync` is that of this name, or another one of the same source: its
        tenants are taken where nobody is linked.
        """
        source, target = sync.tenants
        link = await self.links.one(name)
        if link is None:
            return source, target
        if link.tenants is not None:
            return link.tenants
        if link.target_id is not None:
            subscription = await self.subscriptions.get(sync.source.key)
            claims = await self.links.claimed_in(link.target_id, link.owner)
            source = subscription.tenant_id if subscription is not None else source
            target = claims[0] if claims else target
        return source, target


async def _unheard() -> None:
    """Of a rehearsal, nothing goes on record."""
