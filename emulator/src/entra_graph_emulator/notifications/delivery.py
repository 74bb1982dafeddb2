"""Change notifications on their way: the posts to make, their times, and their retries. It sends nothing itself.

Source: https://learn.microsoft.com/graph/change-notifications-delivery-webhooks. An answer of 2xx within 3 s is a
delivery. After any other answer the post is repeated for up to 4 hours, with a growing pause and 10 s to answer.

If over 10 % of an endpoint's answers in a 10-minute window take more than 3 s, it is slow: new notifications wait 10
minutes. If over 15 % take more than 10 s, it is dropped: new notifications are lost for 10 minutes.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from random import Random
from typing import Any, Final, Protocol

from entra_graph_emulator.directory.changes import Change, What
from entra_graph_emulator.directory.tenant import Tenant
from entra_graph_emulator.notifications.subscriptions import Subscription, Subscriptions
from entra_graph_emulator.wire.clock import Clock

_WINDOW: Final = timedelta(minutes=10)
_PENALTY: Final = timedelta(minutes=10)
_GIVE_UP: Final = timedelta(hours=4)
_FIRST_TIMEOUT_S: Final = 3.0
_RETRY_TIMEOUT_S: Final = 10.0
_FIRST_PAUSE_S: Final = 5.0
_LONGEST_PAUSE_S: Final = 600.0


@dataclass(slots=True, kw_only=True)
class DeliverySettings:
    """Set by `PUT /_emulator/delivery`. While not `enabled`, notifications are lost.

    `burst` is the most notifications of one change: Graph commonly sends one for each property. With `shuffle`,
    `delay_s` is the longest delay instead of every one, so that later changes overtake earlier ones.
    `lifecycle_tenant` is the name under which lifecycle notifications have the tenant: `organizationId` was seen, too
    (msgraph-sdk-java, issue 1551).
    """

    enabled: bool = True
    drop: float = 0.0
    duplicate: float = 0.0
    delay_s: float = 0.0
    shuffle: bool = False
    burst: int = 2
    judge_from: int = 10  # the fewest answers in a window that are judged; no page gives the number
    batch: int = 50
    lifecycle_tenant: str = "tenantId"
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingPost:
    """One POST to make. `number` identifies it, `timeout_s` is the time to answer, `attempt` starts at 1."""

    number: int
    url: str
    headers: dict[str, str]
    body: bytes
    timeout_s: float
    attempt: int
    began: datetime
    items: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PostOutcome:
    """`status` None: no answer. `elapsed_s` is on the emulator's clock."""

    status: int | None
    elapsed_s: float
    content_type: str = ""
    body: str = ""


class Poster(Protocol):
    """Posts to a subscriber: the only way in which the emulator reaches anything outside."""

    async def __call__(self, url: str, *, headers: dict[str, str], body: bytes, timeout_s: float) -> PostOutcome: ...


@dataclass(frozen=True, slots=True, order=True)
class _Waiting:
    due: datetime
    rank: float
    number: int
    url: str = field(compare=False)
    payload: dict[str, Any] | PendingPost = field(compare=False)


@dataclass(slots=True, kw_only=True)
class _Endpoint:
    window_began: datetime
    answers: int = 0
    slow: int = 0
    missed: int = 0
    slow_until: datetime | None = None
    dropped_until: datetime | None = None

    def judge(self, now: datetime, judge_from: int) -> None:
        if now - self.window_began < _WINDOW:
            return
        if self.answers >= max(1, judge_from):
            if self.missed / self.answers > 0.15:
                self.dropped_until = now + _PENALTY
            elif self.slow / self.answers > 0.10:
                self.slow_until = now + _PENALTY
        self.window_began, self.answers, self.slow, self.missed = now, 0, 0, 0

    def state(self, now: datetime) -> str:
        if self.dropped_until is not None and now < self.dropped_until:
            return "drop"
        return "slow" if self.slow_until is not None and now < self.slow_until else "healthy"


class Delivery:
    def __init__(self, *, clock: Clock, rng: Random, subscriptions: Subscriptions) -> None:
        self.settings = DeliverySettings()
        self.counts = {"queued": 0, "delivered": 0, "retried": 0, "given_up": 0, "lost": 0}
        self._clock = clock
        self._rng = rng
        self._subscriptions = subscriptions
        self._heap: list[_Waiting] = []
        self._endpoints: dict[str, _Endpoint] = {}
        self._made = 0

    def reseed(self) -> None:
        """Restart the random numbers of drop, duplicate and shuffle from `settings.seed`."""
        self._rng = Random(self.settings.seed)

    def announce(self, tenant: Tenant, position: int, change: Change) -> None:
        """Queue the notifications of a change."""
        if change.what is What.RESTORED and not tenant.settings.restore_notifies:
            return
        kind = "deleted" if change.what is What.PURGED else "updated"
        for subscription in self._subscriptions.of_tenant(tenant.id):
            if kind in subscription.change_types and subscription.concerns(change):
                for n in range(self._copies(change)):
                    self._queue(subscription, _item(subscription, change, kind, position * 10 + n))

    def remind(self, subscriptions: Iterable[Subscription]) -> None:
        """Queue a reauthorizationRequired for each subscription that has a lifecycle URL."""
        for each in subscriptions:
            if each.lifecycle_url is not None:
                self._push(self._clock.now(), each.lifecycle_url, _lifecycle_item(each, self.settings.lifecycle_tenant))

    def due(self, now: datetime) -> list[PendingPost]:
        """The posts that are due, several items for one URL together. Give each to `completed` afterwards."""
        late = self._subscriptions.due_for_reauthorization(now)
        self.remind(late)
        for subscription in late:
            self._subscriptions.reminded(subscription)
        posts: list[PendingPost] = []
        fresh: dict[str, list[dict[str, Any]]] = {}
        while self._heap and self._heap[0].due <= now:
            waiting = heappop(self._heap)
            if isinstance(waiting.payload, PendingPost):
                posts.append(waiting.payload)
            else:
                fresh.setdefault(waiting.url, []).append(waiting.payload)
        for url, items in fresh.items():
            posts += self._batches(url, items, now)
        if self.settings.shuffle:
            self._rng.shuffle(posts)
        return posts

    def next_due(self) -> datetime | None:
        """The time at which `due` next has a post, if nothing else happens.

        Public for a caller that moves the clock itself, such as a simulator: it can go straight to that time.
        """
        reauthorization = self._subscriptions.next_reauthorization()
        times = [self._heap[0].due] if self._heap else []
        return min(times + ([reauthorization] if reauthorization is not None else []), default=None)

    def completed(self, post: PendingPost, status: int | None, elapsed_s: float) -> None:
        """Record the endpoint's answer to `post`: its status, None for no answer, and the time it took."""
        now = self._clock.now()
        endpoint = self._endpoint(post.url, now)
        endpoint.answers += 1
        endpoint.slow += elapsed_s >= _FIRST_TIMEOUT_S
        endpoint.missed += elapsed_s >= _RETRY_TIMEOUT_S
        if status is not None and 200 <= status < 300 and elapsed_s <= post.timeout_s:
            self.counts["delivered"] += post.items
            return
        again = now + timedelta(seconds=min(_FIRST_PAUSE_S * 2 ** (post.attempt - 1), _LONGEST_PAUSE_S))
        if again - post.began > _GIVE_UP:
            self.counts["given_up"] += post.items
            return
        self.counts["retried"] += post.items
        self._push(again, post.url, self._again(post))

    def describe(self) -> dict[str, Any]:
        now = self._clock.now()
        states = {url: endpoint.state(now) for url, endpoint in self._endpoints.items()}
        return {**self.counts, "waiting": len(self._heap), "endpoints": states}

    def forget(self, subscription_id: str) -> None:
        """Drop the waiting notifications of a deleted subscription; posts that are being retried go on."""
        kept = [
            each
            for each in self._heap
            if isinstance(each.payload, PendingPost) or each.payload["subscriptionId"] != subscription_id
        ]
        heapify(kept)
        self._heap = kept

    def _copies(self, change: Change) -> int:
        return max(1, min(self.settings.burst, len(change.properties) or 2))

    def _queue(self, subscription: Subscription, item: dict[str, Any]) -> None:
        now = self._clock.now()
        settings = self.settings
        state = self._endpoint(subscription.notification_url, now).state(now)
        if not settings.enabled or state == "drop" or self._rng.random() < settings.drop:
            self.counts["lost"] += 1
            return
        delay = self._rng.uniform(0, settings.delay_s) if settings.shuffle else settings.delay_s
        wait = timedelta(seconds=delay) + (_PENALTY if state == "slow" else timedelta())
        copies = 1 + (self._rng.random() < settings.duplicate)
        for _ in range(copies):
            self._push(now + wait, subscription.notification_url, item)

    def _push(self, due: datetime, url: str, payload: dict[str, Any] | PendingPost) -> None:
        self._made += 1
        self.counts["queued"] += not isinstance(payload, PendingPost)
        rank = self._rng.random() if self.settings.shuffle else 0.0
        heappush(self._heap, _Waiting(due, rank, self._made, url, payload))

    def _batches(self, url: str, items: Sequence[dict[str, Any]], now: datetime) -> Iterable[PendingPost]:
        ordered = self._rng.sample(items, len(items)) if self.settings.shuffle else items
        for first in range(0, len(ordered), self.settings.batch):
            part = ordered[first : first + self.settings.batch]
            self._made += 1
            yield PendingPost(
                number=self._made,
                url=url,
                headers={"Content-Type": "application/json; charset=utf-8"},
                body=json.dumps({"value": part}, separators=(",", ":")).encode(),
                timeout_s=_FIRST_TIMEOUT_S,
                attempt=1,
                began=now,
                items=len(part),
            )

    def _again(self, post: PendingPost) -> PendingPost:
        return PendingPost(
            number=post.number,
            url=post.url,
            headers=post.headers,
            body=post.body,
            timeout_s=_RETRY_TIMEOUT_S,
            attempt=post.attempt + 1,
            began=post.began,
            items=post.items,
        )

    def _endpoint(self, url: str, now: datetime) -> _Endpoint:
        endpoint = self._endpoints.setdefault(url, _Endpoint(window_began=now))
        endpoint.judge(now, self.settings.judge_from)
        return endpoint


def _stamp(subscription: Subscription) -> str:
    """The expiry with seven decimals and an offset, unlike in the subscription itself."""
    return subscription.expires.strftime("%Y-%m-%dT%H:%M:%S.%f0+00:00")


def _item(subscription: Subscription, change: Change, kind: str, sequence: int) -> dict[str, Any]:
    resource = f"{change.kind.title()}s/{change.user}"
    links: dict[str, Any] = {}
    if change.link is not None:
        relation, linked, _, added = change.link
        links[f"{relation}@delta"] = [{"id": linked} if added else {"id": linked, "@removed": "deleted"}]
    return {
        "subscriptionId": subscription.id,
        "subscriptionExpirationDateTime": _stamp(subscription),
        "changeType": kind,
        "resource": resource,
        "clientState": subscription.client_state,
        "tenantId": subscription.tenant,
        "resourceData": {
            "@odata.type": f"#Microsoft.Graph.{change.kind.title()}",
            "@odata.id": resource,
            "id": change.user,
            "organizationId": subscription.tenant,
            "sequenceNumber": 636_784_480_000_000_000 + sequence,
            **links,
        },
    }


def _lifecycle_item(subscription: Subscription, tenant_key: str) -> dict[str, Any]:
    return {
        "subscriptionId": subscription.id,
        "subscriptionExpirationDateTime": _stamp(subscription),
        tenant_key: subscription.tenant,
        "clientState": subscription.client_state,
        "lifecycleEvent": "reauthorizationRequired",
    }
