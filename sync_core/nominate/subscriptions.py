"""Keeps change-notification subscriptions alive, one for each resource of a tenant, and never a second one.

Every run renews, which also proves that Graph still knows the subscription. By the client state the webhook tells
Graph's posts from forged ones. It is drawn anew for each subscription, and only its SHA-256 is stored.
https://learn.microsoft.com/graph/change-notifications-overview
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ..model import LifecycleEvent
from ..model.errors import ConflictError, SyncError
from ..model.messages import USERS
from ..ports import Clock, GraphSubscription, SubscriptionApi, SubscriptionRecord, Subscriptions
from .rounds import FeedReader
from .webhook import client_state_hash

log = logging.getLogger("xtsync.subscriptions")

# Far below Graph's 29 days: a deployment that was removed is posted to for two more days, not for a month.
LIFETIME = timedelta(days=2)


def kept_at(record: SubscriptionRecord | None) -> datetime | None:
    """When it was last kept; None if never. Version 0.1 wrote no such time, but each keeping is for LIFETIME."""
    if record is None:
        return None
    if record.kept_at is None and record.expires_at is not None:
        return record.expires_at - LIFETIME
    return record.kept_at


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionKeeper:
    apis: Mapping[str, SubscriptionApi]  # by tenant key
    records: Subscriptions
    feeds: FeedReader
    clock: Clock
    new_client_state: Callable[[], str]

    async def keep_all(self) -> None:
        """Keep those of every tenant. The failure of one does not stop the others.

        Only the configuration that leads does this: another one may have another tenant under the same name. Besides,
        what tells the tenants of a sync of version 0.1 is then read before this writes it (Configurations._first).
        """
        if not await self.feeds.lead():
            return
        for tenant, resource in self.feeds.resources():
            try:
                await self.keep(tenant, resource)
            except SyncError as error:
                log.warning("subscription.failed tenant=%s resource=%s error=%s", tenant, resource, error.code)

    async def keep(self, tenant_key: str, resource: str = USERS) -> SubscriptionRecord:
        """Renew this subscription, or create it when there is none (any more)."""
        tenant_id = self.feeds.configurations.tenant_id(tenant_key)
        api = self.apis[tenant_key]
        record = await self.records.get(tenant_key, resource)
        if record is None:
            record = SubscriptionRecord(tenant=tenant_key, tenant_id=tenant_id, resource=resource)
        if record.subscription_id and record.tenant_id == tenant_id:
            now = self.clock.now()
            renewed = await api.renew(record.subscription_id, now + LIFETIME)
            if renewed is not None and renewed.notification_url == api.notification_url:
                log.info("subscription.alive tenant=%s resource=%s subscription=%s", tenant_key, resource, renewed.id)
                return await self.records.save(replace(record, expires_at=renewed.expires_at, kept_at=now))
            if renewed is not None:
                await api.delete(renewed.id)
        return await self._create(api, replace(record, tenant_id=tenant_id))

    async def lifecycle(self, event: LifecycleEvent) -> None:
        """Act on Graph's word about a subscription. https://learn.microsoft.com/graph/change-notifications-lifecycle-events"""
        resources = [resource for tenant, resource in self.feeds.resources() if tenant == event.tenant]
        if not resources:
            log.warning("subscription.unknown_tenant")
        for resource in resources:
            await self.keep(event.tenant, resource)
            if event.event in {"subscriptionRemoved", "missed"}:
                for feed in self.feeds.told_by(event.tenant, resource):
                    await self.feeds.start_round(event.tenant, feed)

    async def _create(self, api: SubscriptionApi, record: SubscriptionRecord) -> SubscriptionRecord:
        client_state = self.new_client_state()
        # The record is stored first, so that only one of two instances goes on.
        record = await self.records.save(
            replace(record, subscription_id="", client_state_hash=client_state_hash(client_state), expires_at=None)
        )
        subscription = await self._create_or_replace(api, record.resource, client_state)
        log.info(
            "subscription.created tenant=%s resource=%s subscription=%s",
            record.tenant,
            record.resource,
            subscription.id,
        )
        return await self.records.save(
            replace(
                record,
                subscription_id=subscription.id,
                expires_at=subscription.expires_at,
                kept_at=self.clock.now(),
            )
        )

    async def _create_or_replace(self, api: SubscriptionApi, resource: str, client_state: str) -> GraphSubscription:
        """An existing subscription is replaced: its client state is stored nowhere."""
        expires_at = self.clock.now() + LIFETIME
        try:
            return await api.create(resource=resource, client_state=client_state, expires_at=expires_at)
        except ConflictError:
            for old in await api.list():
                if old.resource.strip("/") == resource:
                    await api.delete(old.id)
            return await api.create(resource=resource, client_state=client_state, expires_at=expires_at)
