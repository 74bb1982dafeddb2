"""Posts of Graph: validation handshakes, change notifications, lifecycle events. Pure, and quick to import.

A post is only a hint that a user may have changed. Still only Graph may give hints. An item counts when its
subscription is ours, its tenant is the subscription's, and its client state has the stored hash. Every other item is
refused, counted, and never put on a queue.
https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ..model import FeedRun, LifecycleEvent, Nomination, Why, is_object_id
from ..model.messages import TARGET, USERS, encode, format_time
from ..telemetry.port import Kind, span

# Far above what Graph sends in one post, far below what would hurt.
MAX_BODY = 1024 * 1024
LIFECYCLE_EVENTS = frozenset({"reauthorizationRequired", "subscriptionRemoved", "missed"})

type Item = Mapping[str, object]
type Message = Nomination | FeedRun | LifecycleEvent

_TOKEN = re.compile(r"[^\x00-\x1f\x7f]{1,4096}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """The parts of an HTTP request that matter here."""

    validation_token: str | None
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One subscription of ours. Its notifications nominate for `syncs`, and ask for a round of `feed`."""

    subscription_id: str
    tenant: str
    tenant_id: str
    client_state_hash: str
    syncs: Sequence[str]
    config: str  # fingerprint of this process's configuration
    feed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    text: str = ""
    messages: Sequence[str] = ()  # bodies for the queue, to be stored before the answer is given
    rounds: Sequence[str] = ()  # bodies for `feed-pages`
    refused: Mapping[str, int] = field(default_factory=dict)  # reason -> items


class RefusedItemError(Exception):
    """One item of a post does not count; the others still do."""


class BadPostError(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def client_state_hash(client_state: str) -> str:
    return hashlib.sha256(client_state.encode("utf-8", "surrogatepass")).hexdigest()


def known_subscriptions(
    rows: str, syncs: Mapping[str, Sequence[str]], targets: Collection[str], config: str
) -> dict[str, Known]:
    """From the `subscriptions` table as the host's table binding reads it (a JSON array of entities).

    `syncs` names the syncs of each source tenant, and `targets` are the target tenants of which Graph is to tell. The
    rows of tenants that are no longer configured do not count.
    """
    known = {}
    for row in json.loads(rows):
        if not row.get("subscription_id"):
            continue  # it is about to be made
        tenant, resource = row["PartitionKey"], row["RowKey"]
        feed = resource if resource != USERS else TARGET if tenant in targets else None
        if tenant in syncs or feed == TARGET:
            known[row["subscription_id"]] = Known(
                subscription_id=row["subscription_id"],
                tenant=tenant,
                tenant_id=row["tenant_id"],
                client_state_hash=row["client_state_hash"],
                syncs=syncs.get(tenant, ()) if resource == USERS else (),
                config=config,
                feed=feed,
            )
    return known


def receive_notifications(post: Post, known: Mapping[str, Known], now: datetime) -> Answer:
    """Change notifications of users to `user-changes` messages: one for each user and sync, however often they come.

    One of a group does not say who came or went. One of a target tenant does not say whose target user changed. Each
    asks for a round of the feed that does.
    """

    def messages(subscription: Known, item: Item, traceparent: str) -> list[Message]:
        changed, asked = _object_id(item), subscription.feed
        rounds = [] if asked is None else [FeedRun(tenant=subscription.tenant, feed=asked, round=format_time(now))]
        nominations = [
            Nomination(
                sync=sync,
                user=changed,
                why=Why.NOTIFICATION,
                at=now,
                config=subscription.config,
                traceparent=traceparent,
            )
            for sync in subscription.syncs
        ]
        return [*rounds, *nominations]

    return _receive("graph/notifications", post, known, messages)


def receive_lifecycle(post: Post, known: Mapping[str, Known], now: datetime) -> Answer:
    """Lifecycle notifications to `subscription-events` messages."""

    def messages(subscription: Known, item: Item, _: str) -> list[Message]:
        event = item.get("lifecycleEvent")
        if not isinstance(event, str) or event not in LIFECYCLE_EVENTS:
            raise RefusedItemError("no known lifecycle event")
        return [LifecycleEvent(tenant=subscription.tenant, event=event, at=now)]

    return _receive("graph/lifecycle", post, known, messages)


type _Messages = Callable[[Known, Item, str], list[Message]]


def _receive(route: str, post: Post, known: Mapping[str, Known], messages: _Messages) -> Answer:
    """Anybody can post, so a trace that a post claims to be part of is not believed: each begins its own."""
    with span(f"POST {route}", Kind.RECEIVED, {"http.request.method": "POST", "http.route": route}) as under:
        answer = _answer(post, known, messages, under.traceparent)
        under.note({"http.response.status_code": answer.status, "xtsync.refused": sum(answer.refused.values())})
    return answer


def _answer(post: Post, known: Mapping[str, Known], messages: _Messages, traceparent: str) -> Answer:
    if post.validation_token is not None:
        return _handshake(post.validation_token)
    try:
        items = _items(post)
    except BadPostError as error:
        return Answer(status=error.status, text=str(error))
    accepted: dict[Message, None] = {}  # in order, and each message once
    refused: Counter[str] = Counter()
    for item in items:
        try:
            accepted.update(dict.fromkeys(messages(*_proven(item, known), traceparent)))
        except RefusedItemError as error:
            refused[str(error)] += 1
    return Answer(
        status=202,
        messages=tuple(encode(each) for each in accepted if not isinstance(each, FeedRun)),
        rounds=tuple(encode(each) for each in accepted if isinstance(each, FeedRun)),
        refused=dict(refused),
    )


def _handshake(token: str) -> Answer:
    """Echo the decoded token exactly; the answer's headers keep a browser from taking it for a page."""
    if not _TOKEN.fullmatch(token):
        return Answer(status=400, text="validationToken is empty, too long or has control characters")
    return Answer(status=200, text=token)


def _items(post: Post) -> list[object]:
    if post.content_type.partition(";")[0].strip().lower() != "application/json":
        raise BadPostError(415, "the content type is not application/json")
    if len(post.body) > MAX_BODY:
        raise BadPostError(413, f"the body is longer than {MAX_BODY} bytes")
    try:
        body = json.loads(post.body)
    except (ValueError, RecursionError) as error:
        raise BadPostError(400, "the body is not JSON") from error
    items = body.get("value") if isinstance(body, dict) else None
    if not isinstance(items, list):
        raise BadPostError(400, "the body has no list named 'value'")
    return items


def _proven(item: object, known: Mapping[str, Known]) -> tuple[Known, Item]:
    """The item, and the subscription that it proves to belong to."""
    if not isinstance(item, dict):
        raise RefusedItemError("not an object")
    subscription = known.get(str(item.get("subscriptionId")))
    if subscription is None:
        raise RefusedItemError("unknown subscription")
    # Lifecycle notifications come with `organizationId` and no `tenantId`: microsoftgraph/msgraph-sdk-java#1551
    tenants = {str(item[name]).lower() for name in ("tenantId", "organizationId") if item.get(name) is not None}
    if tenants != {subscription.tenant_id.lower()}:
        raise RefusedItemError("wrong tenant")
    client_state = item.get("clientState")
    presented = client_state_hash(client_state if isinstance(client_state, str) else "")
    if not hmac.compare_digest(presented, subscription.client_state_hash):
        raise RefusedItemError("wrong client state")
    return subscription, item


def _object_id(item: Item) -> str:
    data = item.get("resourceData")
    changed = data.get("id") if isinstance(data, dict) else None
    if not isinstance(changed, str) or not is_object_id(changed.lower()):
        raise RefusedItemError("no object id")
    return changed.lower()
