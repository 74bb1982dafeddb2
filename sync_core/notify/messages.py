"""The body of one message, for a Teams channel and for a webhook. Neither names anybody."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict

from ..model import Json, Notice, Occasion, Week
from ..model.errors import ConfigError, Fault

_SECRET = "whsec_"  # noqa: S105 - the prefix of a secret, not one


def in_words(notice: Notice) -> str:
    if notice.occasion is Occasion.WEEKLY:
        return f"The week from {notice.since:%Y-%m-%d}" if notice.weeks else "The message of each week"
    many = f"{notice.count} " if notice.count else ""
    over = "No more: " if notice.over else ""
    return f"{over}{notice.about}: {many}{notice.occasion.words}"


def week_in_words(week: Week) -> str:
    happened = [f"{count} {kind.replace('_', '-')}" for kind, count in week.events.items()]
    waits = [f"{count} {occasion}" for occasion, count in week.waiting.items()]
    return f"{week.sync}: {', '.join(happened) or 'nothing happened'}; now {', '.join(waits) or 'nobody waits'}"


def for_webhook(notice: Notice, page: str) -> bytes:
    """A JSON object; `link` leads to the view of the operators' page that shows it."""
    return json.dumps(
        {
            "id": notice.id,
            "occasion": notice.occasion.value,
            "state": "over" if notice.over else "began",
            "about": notice.about,
            "count": notice.count,
            "since": notice.since.isoformat(),
            "at": notice.at.isoformat(),
            "text": "\n".join([in_words(notice), *map(week_in_words, notice.weeks)]),
            "link": _link(notice, page),
            **({"weeks": list(map(asdict, notice.weeks))} if notice.occasion is Occasion.WEEKLY else {}),
        }
    ).encode()


def for_teams(notice: Notice, page: str) -> bytes:
    """An Adaptive Card, as the workflow "post to a channel when a webhook request is received" takes it.

    https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
    """
    weeks: list[Json] = [{"type": "TextBlock", "wrap": True, "text": week_in_words(each)} for each in notice.weeks]
    card: Mapping[str, Json] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {"type": "TextBlock", "weight": "bolder", "text": "Cross-tenant sync"},
            {"type": "TextBlock", "wrap": True, "text": in_words(notice)},
            *weeks,
            {
                "type": "TextBlock",
                "isSubtle": True,
                "spacing": "none",
                "text": f"since {notice.since:%Y-%m-%d %H:%M} UTC",
            },
        ],
        "actions": [{"type": "Action.OpenUrl", "title": "Open", "url": _link(notice, page)}],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return json.dumps({"type": "message", "attachments": [attachment]}).encode()


def key_of(secret: str, setting: str) -> bytes:
    """The key of a secret such as `whsec_<base64>`. Raises ConfigError, which names the setting alone."""
    try:
        found = base64.b64decode(secret.removeprefix(_SECRET), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if not secret.startswith(_SECRET) or len(found) < 24:
        message = "must be whsec_ and at least 24 bytes in base64, such as `echo whsec_$(openssl rand -base64 32)`"
        raise ConfigError([Fault(where=setting, message=message)])
    return found


def signed(notice_id: str, timestamp: int, body: bytes, key: bytes) -> Mapping[str, str]:
    """The headers of a signed webhook. https://github.com/standard-webhooks/standard-webhooks (version 1)"""
    content = b".".join((notice_id.encode(), str(timestamp).encode(), body))
    signature = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {"webhook-id": notice_id, "webhook-timestamp": str(timestamp), "webhook-signature": f"v1,{signature}"}


def _link(notice: Notice, page: str) -> str:
    return f"{page}#/{notice.occasion.view}"
