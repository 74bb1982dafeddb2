"""Change notification subscriptions of one tenant. https://learn.microsoft.com/graph/api/resources/subscription"""

from __future__ import annotations

import builtins
from datetime import UTC, datetime

from ..model.errors import ConflictError, GraphRefusedError, UnavailableError
from ..ports import GraphSubscription
from .client import GraphClient, JsonObject, moment

_ALL = "/subscriptions"
_ONE = "/subscriptions/{id}"


class GraphSubscriptions:
    """ports.SubscriptionApi. `public_url` is the address at which Graph reaches this Function app."""

    def __init__(self, client: GraphClient, *, public_url: str) -> None:
        self._client = client
        self._api = f"{public_url.rstrip('/')}/api/graph"

    @property
    def notification_url(self) -> str:
        return f"{self._api}/notifications"

    async def create(self, *, resource: str, client_state: str, expires_at: datetime) -> GraphSubscription:
        body: JsonObject = {
            "changeType": "updated,deleted",  # for users, "updated" covers created, restored and soft-deleted
            "resource": resource,
            "notificationUrl": self.notification_url,
            "lifecycleNotificationUrl": f"{self._api}/lifecycle",  # cannot be added later
            "clientState": client_state,
            "expirationDateTime": _timestamp(expires_at),
            "latestSupportedTlsVersion": "v1_2",
        }
        try:
            return _subscription(await self._client.post(_ALL, body=body))
        except GraphRefusedError as error:
            if error.status == 409:
                raise ConflictError("this resource already has a subscription") from error
            raise

    async def renew(self, subscription_id: str, expires_at: datetime) -> GraphSubscription | None:
        body: JsonObject = {"expirationDateTime": _timestamp(expires_at)}
        try:
            return _subscription(await self._client.patch(_ONE, {"id": subscription_id}, body=body))
        except GraphRefusedError as error:
            if error.status == 404:
                return None
            raise

    async def delete(self, subscription_id: str) -> None:
        try:
            await self._client.delete(_ONE, {"id": subscription_id})
        except GraphRefusedError as error:
            if error.status != 404:
                raise

    async def list(self) -> builtins.list[GraphSubscription]:
        return [_subscription(item) async for item in self._client.pages(_ALL)]


def _timestamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _subscription(answer: JsonObject | None) -> GraphSubscription:
    match answer:
        case {
            "id": str(subscription_id),
            "resource": str(resource),
            "notificationUrl": str(url),
            "expirationDateTime": str(expires),
        }:
            return GraphSubscription(
                id=subscription_id, resource=resource, notification_url=url, expires_at=moment(expires)
            )
    raise UnavailableError("a subscription without id, resource, notificationUrl or expirationDateTime")
