"""A change-notification subscription of one tenant: our record, and what Graph itself says of it.

https://learn.microsoft.com/graph/api/subscription-get
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ...model import Json
from ...model.messages import USERS
from ...nominate.subscriptions import kept_at
from ...ports import AppOnTenant, SubscriptionRecord, Subscriptions
from ..documents import Verdict
from ..words import ago
from . import remedies
from .finding import Found, failed, ok, warning

KEEP_OVERDUE = timedelta(hours=3)  # the timer runs every hour


async def recorded(
    app: AppOnTenant, records: Subscriptions, now: datetime, public_url: str, resource: str = USERS
) -> Found:
    """By our own record alone, where the token cannot be used."""
    record = await records.get(app.tenant.key, resource)
    fault = _fault(record, now)
    if fault:
        return failed(fault, *_remedy(public_url))
    return _unkept(record, now) or ok("recorded as live; Graph was not asked")


async def of_groups(app: AppOnTenant, records: Subscriptions, now: datetime, public_url: str, resource: str) -> Found:
    """A missing subscription of groups is a warning: the poll finds changed memberships."""
    found = await live(app, records, now, public_url, resource)
    if found.verdict is not Verdict.FAILED:
        return found
    return warning(
        f"{found.detail}; changed memberships come by poll, within minutes",
        "For seconds, grant Group.Read.All in the source tenant, for which NOTIFY_GROUPS asks: docs/deploy.md.",
    )


async def of_target(app: AppOnTenant, records: Subscriptions, now: datetime, public_url: str) -> Found:
    """A missing one is a warning: the poll finds what somebody else changed."""
    found = await live(app, records, now, public_url)
    if found.verdict is not Verdict.FAILED:
        return found
    return warning(f"{found.detail}; changes in the target come by poll, within minutes", *found.remedy)


async def live(
    app: AppOnTenant, records: Subscriptions, now: datetime, public_url: str, resource: str = USERS
) -> Found:
    """By our record, and then by Graph's."""
    record = await records.get(app.tenant.key, resource)
    fault = _fault(record, now)
    if fault or record is None:
        return failed(fault, *_remedy(public_url))
    known = await app.inspection.get("/subscriptions/{id}", id=record.subscription_id)
    if known is None:
        return failed("Graph does not know it (any more)", *_remedy(public_url))
    expires_at = _time(known.get("expirationDateTime"))
    if expires_at is None or expires_at <= now:
        return failed("Graph says that it has expired", *_remedy(public_url))
    if not str(known.get("notificationUrl")).startswith(f"{public_url}/"):
        return failed(
            "it posts to another address than XTSYNC_PUBLIC_URL",
            "Is this the deployment's own setting? Then the next run of keep_subscriptions replaces it.",
            *remedies.start_timer("keep_subscriptions", public_url),
        )
    return _unkept(record, now) or ok(f"live, expires in {(expires_at - now).total_seconds() / 3600:.0f} h")


def _fault(record: SubscriptionRecord | None, now: datetime) -> str:
    if record is None or not record.subscription_id or record.expires_at is None:
        return "there is none"
    return "it has expired" if record.expires_at <= now else ""


def _unkept(record: SubscriptionRecord | None, now: datetime) -> Found | None:
    """It still lives, but nobody keeps it alive. The alert `no-live-subscription` has the same limit."""
    kept = kept_at(record)
    if kept is None or now - kept <= KEEP_OVERDUE:
        return None
    return failed(
        f"nobody keeps it: it was last renewed {ago(kept, now)}, and is to be every hour",
        "Does Graph refuse? Then subscription.failed is in the log. If nothing is there, keep_subscriptions is off:",
        *remedies.timer_off("SUBSCRIPTION_SCHEDULE"),
    )


def _remedy(public_url: str) -> list[str]:
    return [
        "keep_subscriptions makes a new one within the hour; until then the poll finds what changes.",
        *remedies.start_timer("keep_subscriptions", public_url),
        "If it stays like this: look for subscription.failed in the log; this has to answer 200 from the internet:",
        f"curl -i {public_url}/api/health",
    ]


def _time(value: Json) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
