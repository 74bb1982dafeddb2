"""Subscriptions to change notifications: https://learn.microsoft.com/graph/api/resources/subscription"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

from entra_graph_emulator.directory.changes import Change
from entra_graph_emulator.odata.rules import check_names
from entra_graph_emulator.wire.clock import Clock, parse_instant, precise
from entra_graph_emulator.wire.errors import GraphError
from entra_graph_emulator.wire.ids import guid
from entra_graph_emulator.wire.tokens import Caller
from entra_graph_emulator.wire.words import words

SHORTEST: Final = timedelta(minutes=45)
LONGEST: Final = timedelta(minutes=41_760)
PER_APP_AND_TENANT: Final = 100
PER_TENANT: Final = 1_000
PER_APP: Final = 50_000
_RESOURCE: Final = re.compile(
    r"/?(?P<kind>user|group)s(?:/(?P<id>[0-9a-fA-F-]{36})(?P<members>/members)?)?/?", re.IGNORECASE
)
_TLS: Final = ("v1_0", "v1_1", "v1_2", "v1_3")
_PROPERTIES: Final = frozenset(
    words(
        "id applicationId changeType clientState creatorId encryptionCertificate encryptionCertificateId "
        "expirationDateTime includeResourceData latestSupportedTlsVersion lifecycleNotificationUrl "
        "notificationContentType notificationQueryOptions notificationUrl notificationUrlAppId resource vapidPublicKey "
        "webPushEncryptionP256dhPublicKey webPushEncryptionSecret"
    )
)
_WRITABLE: Final = frozenset({"expirationDateTime", "notificationUrl"})


@dataclass(slots=True, kw_only=True)
class Wanted:
    """A request for a subscription that has passed every check but the validation of its URLs.

    `object_id` None: all objects of the `kind`. `members`: only changes of the group's members.
    """

    resource: str
    kind: str
    object_id: str | None
    members: bool
    change_types: tuple[str, ...]
    change_type: str
    notification_url: str
    lifecycle_url: str | None
    client_state: str | None
    tls: str
    expires: datetime

    @property
    def urls(self) -> list[str]:
        """The URLs to validate: both, even if they are equal."""
        return [self.notification_url, *([self.lifecycle_url] if self.lifecycle_url else [])]


@dataclass(slots=True, kw_only=True, eq=False)
class Subscription(Wanted):
    """`reauthorize_at` is the time of the next reauthorizationRequired."""

    id: str
    app: str
    tenant: str
    creator: str
    reauthorize_at: datetime

    def concerns(self, change: Change) -> bool:
        if self.kind != change.kind or self.object_id not in {None, change.user}:
            return False
        return not self.members or "members" in change.properties

    def describe(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "resource": self.resource,
            "applicationId": self.app,
            "changeType": self.change_type,
            "clientState": self.client_state,
            "notificationUrl": self.notification_url,
            "notificationQueryOptions": None,
            "lifecycleNotificationUrl": self.lifecycle_url,
            "expirationDateTime": precise(self.expires),
            "creatorId": self.creator,
            "includeResourceData": None,
            "latestSupportedTlsVersion": self.tls,
            "encryptionCertificate": None,
            "encryptionCertificateId": None,
            "notificationUrlAppId": None,
            "notificationContentType": "application/json",
        }


def check(body: Mapping[str, Any], now: datetime) -> Wanted:
    """The subscription that a POST asks for. Raises 400 for one that Graph refuses."""
    check_names(body, _PROPERTIES, "subscription")
    change_type = _text(body, "changeType")
    types = tuple(each.strip() for each in change_type.split(","))
    for each in types:
        if each not in {"updated", "deleted"}:
            raise invalid(f"Invalid 'changeType' attribute: '{each}'.")
    resource = _text(body, "resource")
    match = _RESOURCE.fullmatch(resource)
    if match is None or (match["members"] and match["kind"].lower() != "group"):
        raise invalid(f"Resource '{resource}' is not supported for subscriptions.")
    if body.get("includeResourceData"):
        raise invalid("includeResourceData is not supported for this resource.")
    if body.get("vapidPublicKey") is not None:
        raise invalid("Web push properties are not supported for this notificationUrl.")
    state = body.get("clientState")
    if state is not None and (not isinstance(state, str) or len(state) > 128):
        raise invalid("Invalid 'clientState' attribute: at most 128 characters.")
    tls = body.get("latestSupportedTlsVersion") or "v1_2"
    if tls not in _TLS:
        raise invalid("Invalid 'latestSupportedTlsVersion' attribute.")
    lifecycle = body.get("lifecycleNotificationUrl")
    return Wanted(
        resource=resource,
        kind=match["kind"].lower(),
        object_id=match["id"] and match["id"].lower(),
        members=match["members"] is not None,
        change_types=types,
        change_type=change_type,
        notification_url=_url(_text(body, "notificationUrl"), "notificationUrl"),
        lifecycle_url=None if lifecycle is None else _url(lifecycle, "lifecycleNotificationUrl"),
        client_state=state,
        tls=tls,
        expires=_expiry(_text(body, "expirationDateTime"), now),
    )


class Subscriptions:
    def __init__(self, *, clock: Clock, rng: Random) -> None:
        self._clock = clock
        self._rng = rng
        self._all: dict[str, Subscription] = {}

    def count(self, tenant: str) -> int:
        return sum(1 for each in self._living() if each.tenant == tenant)

    def of(self, caller: Caller) -> list[Subscription]:
        return [each for each in self._living() if (each.app, each.tenant) == (caller.app, caller.tenant)]

    def of_tenant(self, tenant: str) -> list[Subscription]:
        return [each for each in self._living() if each.tenant == tenant]

    def find(self, subscription_id: str) -> Subscription | None:
        """The subscription; None if it is unknown or has expired."""
        found = self._all.get(subscription_id)
        return found if found is not None and found.expires > self._clock.now() else None

    def get(self, caller: Caller, subscription_id: str) -> Subscription:
        found = self.find(subscription_id)
        if found is None or (found.app, found.tenant) != (caller.app, caller.tenant):
            raise GraphError(404, "ResourceNotFound", "The object was not found.")
        return found

    def check_room(self, caller: Caller, wanted: Wanted) -> None:
        """Raises 409 for a duplicate and 403 over a quota. Called before and after the URLs are validated."""
        mine = self.of(caller)
        for other in mine:
            same = set(other.change_types) == set(wanted.change_types)
            if same and other.resource.strip("/").lower() == wanted.resource.strip("/").lower():
                raise GraphError(
                    409, "Conflict", f"Subscription Id {other.id} already exists for the requested combination"
                )
        everywhere = sum(1 for each in self._living() if each.app == caller.app)
        over = len(mine) >= PER_APP_AND_TENANT or everywhere >= PER_APP
        if over or self.count(caller.tenant) >= PER_TENANT:
            raise GraphError(403, "Forbidden", "The subscription quota of the application in this tenant is exceeded.")

    def create(self, caller: Caller, wanted: Wanted, *, creator: str) -> Subscription:
        now = self._clock.now()
        made = Subscription(
            id=guid(self._rng),
            app=caller.app,
            tenant=caller.tenant,
            creator=creator,
            **asdict(wanted),
            reauthorize_at=_reauthorization(now, wanted.expires),
        )
        self._all[made.id] = made
        return made

    def changes(self, body: Mapping[str, Any]) -> tuple[datetime | None, str | None]:
        """The new expiry and notification URL of a PATCH. Raises 400 for any other property."""
        given = {name for name in body if not name.startswith("@")}
        if not given or not given <= _WRITABLE:
            raise invalid("Only expirationDateTime and notificationUrl can be updated.")
        expiry = body.get("expirationDateTime")
        url = body.get("notificationUrl")
        return (
            None if expiry is None else _expiry(str(expiry), self._clock.now()),
            None if url is None else _url(url, "notificationUrl"),
        )

    def renew(self, subscription: Subscription, expires: datetime) -> None:
        subscription.expires = expires
        self.reauthorize(subscription)

    def reauthorize(self, subscription: Subscription) -> None:
        subscription.reauthorize_at = _reauthorization(self._clock.now(), subscription.expires)

    def delete(self, subscription: Subscription) -> None:
        self._all.pop(subscription.id, None)

    def due_for_reauthorization(self, now: datetime) -> list[Subscription]:
        return [each for each in self._living() if each.lifecycle_url and each.reauthorize_at <= now]

    def reminded(self, subscription: Subscription) -> None:
        """Set the next reminder: halfway to the expiry, at least 15 minutes from now."""
        now = self._clock.now()
        subscription.reauthorize_at = now + max((subscription.expires - now) / 2, timedelta(minutes=15))

    def next_reauthorization(self) -> datetime | None:
        return min((each.reauthorize_at for each in self._living() if each.lifecycle_url), default=None)

    def _living(self) -> Iterator[Subscription]:
        now = self._clock.now()
        for gone in [each.id for each in self._all.values() if each.expires <= now]:
            del self._all[gone]
        return iter(list(self._all.values()))


def invalid(message: str) -> GraphError:
    return GraphError(400, "InvalidRequest", message)


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise invalid(f"Property '{name}' is required.")
    return value


def _url(value: Any, name: str) -> str:
    """The URL. Raises 400 unless it is https, or http to the loopback address, which Graph itself would refuse."""
    refusal = invalid(f"Invalid '{name}' attribute: an https URL is required.")
    try:
        parts = urlsplit(str(value))
    except ValueError:
        raise refusal from None
    loopback = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and loopback)):
        raise refusal
    return str(value)


def _expiry(text: str, now: datetime) -> datetime:
    """The expiry, at least 45 minutes ahead. Raises 400 for one in the past or over 41,760 minutes ahead."""
    try:
        wanted = parse_instant(text)
    except (ValueError, OverflowError):
        raise invalid(f"Invalid 'expirationDateTime' attribute: '{text}'.") from None
    if wanted <= now:
        raise invalid("Subscription expirationDateTime must be in the future.")
    if wanted > now + LONGEST:
        raise invalid("Subscription expiration can only be 41760 minutes in the future.")
    return max(wanted, now + SHORTEST)


def _reauthorization(now: datetime, expires: datetime) -> datetime:
    """The time of the first reminder. No page says it; here a quarter of the life before the end, at most a day."""
    return expires - min((expires - now) / 4, timedelta(days=1))
