"""The twin of Graph's subscription API, behind the port.

Every call goes through `Faults`, which counts it and may make it fail. The cases in tests/contract/test_directory_*
hold for this twin and for the real adapter alike.
"""

from __future__ import annotations

import builtins
from dataclasses import replace
from datetime import datetime, timedelta

from sync_core.model.errors import ConflictError, GraphRefusedError
from sync_core.ports import Clock, GraphSubscription

from .faults import Faults

# Of users and groups. https://learn.microsoft.com/graph/api/resources/subscription#subscription-lifetime
LONGEST = timedelta(minutes=41_760)


class MemorySubscriptions:
    """ports.SubscriptionApi: one subscription for each resource, as Graph has it for one app."""

    def __init__(
        self, clock: Clock, faults: Faults, notification_url: str = "https://app.example/api/graph/notifications"
    ) -> None:
        self._clock, self._faults = clock, faults
        self.notification_url = notification_url
        self.subscriptions: dict[str, GraphSubscription] = {}
        self.client_states: dict[str, str] = {}
        self._made = 0

    async def create(self, *, resource: str, client_state: str, expires_at: datetime) -> GraphSubscription:
        return await self._faults.call("subscriptions.create", self._create(resource, client_state, expires_at))

    async def renew(self, subscription_id: str, expires_at: datetime) -> GraphSubscription | None:
        return await self._faults.call("subscriptions.renew", self._renew(subscription_id, expires_at))

    async def delete(self, subscription_id: str) -> None:
        await self._faults.call("subscriptions.delete", self._delete(subscription_id))

    async def list(self) -> builtins.list[GraphSubscription]:
        return await self._faults.call("subscriptions.list", self._list())

    async def _create(self, resource: str, client_state: str, expires_at: datetime) -> GraphSubscription:
        self._check(expires_at)
        if any(old.resource == resource for old in await self._list()):
            raise ConflictError("there is a subscription for this resource already")
        self._made += 1
        made = GraphSubscription(
            id=f"subscription-{self._made}",
            resource=resource,
            notification_url=self.notification_url,
            expires_at=expires_at,
        )
        self.subscriptions[made.id] = made
        self.client_states[made.id] = client_state
        return made

    async def _renew(self, subscription_id: str, expires_at: datetime) -> GraphSubscription | None:
        self._check(expires_at)
        old = next((each for each in await self._list() if each.id == subscription_id), None)
        if old is None:
            return None
        self.subscriptions[subscription_id] = replace(old, expires_at=expires_at)
        return self.subscriptions[subscription_id]

    async def _delete(self, subscription_id: str) -> None:
        self.subscriptions.pop(subscription_id, None)

    async def _list(self) -> builtins.list[GraphSubscription]:
        """Graph forgets a subscription when it expires."""
        now = self._clock.now()
        self.subscriptions = {each.id: each for each in self.subscriptions.values() if each.expires_at > now}
        return [*self.subscriptions.values()]

    def _check(self, expires_at: datetime) -> None:
        if expires_at - self._clock.now() > LONGEST:
            raise GraphRefusedError(status=400, code="ExtensionError")
