"""Notices over a real connection: what arrives, and what an answer means."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sync_core.model import Kind, Notice, Occasion, Receiver, ReceiverKind, Week
from sync_core.model.errors import ConfigError, NotDeliveredError, UnavailableError
from sync_core.notify.messages import key_of, signed
from sync_core.notify.messenger import HttpMessenger
from tests.support.listener import Listener

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HOOK = Receiver(kind=ReceiverKind.WEBHOOK, address="XTSYNC_NOTIFY_HOOK", secret="XTSYNC_NOTIFY_KEY")
TEAMS = Receiver(kind=ReceiverKind.TEAMS, address="XTSYNC_NOTIFY_HOOK")
NOW = datetime.now(UTC)
NOTICE = Notice(
    id="n1-began", occasion=Occasion.HELD, about="contoso-to-fabrikam", over=False, count=88, since=NOW, at=NOW
)
PAGE = "https://app.example/api/ops/"


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


def messenger(listener: Listener) -> HttpMessenger:
    return HttpMessenger({"XTSYNC_NOTIFY_HOOK": listener.url, "XTSYNC_NOTIFY_KEY": KEY}, PAGE)


def check_of_the_documentation() -> Any:
    """The receiver's check, as docs/operations.md shows it."""
    text = Path("docs/operations.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?def is_ours.*?)```", text, re.DOTALL)
    assert code is not None
    names: dict[str, Any] = {}
    exec(code[1], names)
    return names["is_ours"]


async def test_a_webhook_has_a_signature_that_the_documented_check_accepts(listener: Listener) -> None:
    """And nothing else passes it: another body, another key, another time."""
    await messenger(listener).send(HOOK, replace(NOTICE, at=datetime.now(UTC)))
    ((headers, body),) = listener.posts
    is_ours = check_of_the_documentation()
    assert is_ours(headers, body, KEY)
    assert not is_ours(headers, body + b" ", KEY)
    assert not is_ours(headers, body, "whsec_" + base64.b64encode(bytes(32)).decode())
    assert not is_ours({**headers, "webhook-id": "n2-began"}, body, KEY)
    old = str(int((NOW - timedelta(minutes=6)).timestamp()))
    again = signed("n1-began", int(old), body, key_of(KEY, ""))
    assert not is_ours({**headers, **again}, body, KEY)


async def test_a_webhook_says_what_stands_and_where_to_look(listener: Listener) -> None:
    """In words, too, and without a name of anybody."""
    await messenger(listener).send(HOOK, NOTICE)
    ((headers, body),) = listener.posts
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == {
        "id": "n1-began",
        "occasion": "held",
        "state": "began",
        "about": "contoso-to-fabrikam",
        "count": 88,
        "since": NOW.isoformat(),
        "at": NOW.isoformat(),
        "text": "contoso-to-fabrikam: 88 deletions or disables are held and wait for a person",
        "link": "https://app.example/api/ops/#/holds",
    }


async def test_a_channel_gets_an_adaptive_card(listener: Listener) -> None:
    """Unsigned: the address of the workflow is its secret."""
    await messenger(listener).send(TEAMS, NOTICE)
    ((headers, body),) = listener.posts
    assert "webhook-signature" not in headers
    (attachment,) = json.loads(body)["attachments"]
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert "88 deletions" in card["body"][1]["text"]
    assert card["actions"][0]["url"] == "https://app.example/api/ops/#/holds"


async def test_a_week_is_told_in_numbers_and_in_words(listener: Listener) -> None:
    """A program gets both; a channel has the words."""
    week = Week(sync="contoso-to-fabrikam", events={Kind.SOFT_DELETED: 2}, waiting={Occasion.HELD: 5})
    calm = Week(sync="back", events={}, waiting={})
    notice = replace(NOTICE, occasion=Occasion.WEEKLY, about="", weeks=[week, calm])
    words = ["contoso-to-fabrikam: 2 soft-deleted; now 5 held", "back: nothing happened; now nobody waits"]
    await messenger(listener).send(HOOK, notice)
    await messenger(listener).send(TEAMS, notice)
    (_, hook), (_, teams) = listener.posts
    assert json.loads(hook)["text"].splitlines()[1:] == words
    assert json.loads(hook)["weeks"][0] == {
        "sync": "contoso-to-fabrikam",
        "events": {"soft_deleted": 2},
        "waiting": {"held": 5},
    }
    shown = [block["text"] for block in json.loads(teams)["attachments"][0]["content"]["body"]]
    assert shown[1] == f"The week from {NOW:%Y-%m-%d}"
    assert shown[2:4] == words


@pytest.mark.parametrize("status", [301, 400, 401, 404, 410, 429])
async def test_an_answer_that_refuses_is_no_delivery(listener: Listener, status: int) -> None:
    """Also a redirect: a notice goes nowhere but where the setting says. The address is not in the error."""
    listener.status = status
    with pytest.raises(NotDeliveredError, match=f"^XTSYNC_NOTIFY_HOOK answered {status}$"):
        await messenger(listener).send(TEAMS, NOTICE)
    assert len(listener.posts) == 1


@pytest.mark.parametrize("status", [500, 503, 0])
async def test_an_answer_that_fails_leaves_it_open(listener: Listener, status: int) -> None:
    """It may have been taken all the same."""
    listener.status = status
    with pytest.raises(UnavailableError, match=r"^XTSYNC_NOTIFY_HOOK "):
        await messenger(listener).send(TEAMS, NOTICE)


async def test_nobody_listens(listener: Listener) -> None:
    """Then it certainly did not arrive."""
    listener.close()
    with pytest.raises(NotDeliveredError, match=r"^XTSYNC_NOTIFY_HOOK cannot be reached"):
        await messenger(listener).send(TEAMS, NOTICE)


async def test_a_setting_that_is_missing_is_named(listener: Listener) -> None:
    """Neither addresses nor secrets are in sync.yaml."""
    missing = Receiver(kind=ReceiverKind.TEAMS, address="XTSYNC_NOTIFY_OTHER")
    with pytest.raises(ConfigError, match="XTSYNC_NOTIFY_OTHER"):
        await messenger(listener).send(missing, NOTICE)


@pytest.mark.parametrize("secret", ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "whsec_%%%"])
def test_a_secret_that_is_none_is_refused_without_showing_it(secret: str) -> None:
    """The remedy makes one."""
    with pytest.raises(ConfigError, match="openssl rand") as caught:
        key_of(secret, "XTSYNC_NOTIFY_KEY")
    assert secret not in str(caught.value)


def test_the_signature_is_that_of_the_specification() -> None:
    """As its own library makes it: standardwebhooks 1.1.0, Webhook(KEY).sign("n1-began", 1614265330, '{"a": 1}')."""
    headers = signed("n1-began", 1614265330, b'{"a": 1}', key_of(KEY, ""))
    assert headers["webhook-signature"] == "v1,Gh16Mj1hELXcVEUo/YINQ/83JzG0Zitr8b2sfFoCB8c="
