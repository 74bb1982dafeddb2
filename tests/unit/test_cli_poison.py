"""`xtsync poison`: seen, put back, removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync_core.model import FeedRun, LifecycleEvent, Nomination, Why
from sync_core.model.messages import FEED_PAGES, SUBSCRIPTION_EVENTS, USER_CHANGES, encode, poison_queue
from tests.support.cli import ADA, NAME, Bench, Result
from tests.support.clock import START

BODIES = {
    USER_CHANGES: encode(Nomination(sync=NAME, user=ADA, why=Why.OPERATOR, at=START)),
    FEED_PAGES: encode(FeedRun(tenant="contoso", feed="users", round="r")),
    SUBSCRIPTION_EVENTS: encode(LifecycleEvent(tenant="contoso", event="missed", at=START)),
}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def ids(bench: Bench) -> list[str]:
    return [each["id"] for each in bench.run("poison", "--json").json["messages"]]


def keep(bench: Bench, body: str = "x") -> None:
    bench.do(bench.storage.activity.poisoned(USER_CHANGES, "kept-1", body, START))


def received(bench: Bench, queue: str) -> list[str]:
    return [each.body for each in bench.do(bench.storage.queues_by_name[queue].receive())]


def test_nothing_was_set_aside(bench: Bench) -> None:
    """Then it says so."""
    assert bench.run("poison") == Result(code=0, out="No message was set aside.\n", err="")


def test_the_raw_message_is_shown(bench: Bench) -> None:
    """What lies on a poison queue unreadable, and what is kept; nothing in a body can give orders to a terminal."""
    bench.put(poison_queue(FEED_PAGES), '{"v":1}\x1b[2J')
    keep(bench, "not ours")
    lines = [line.split() for line in bench.run("poison").out.splitlines()]
    assert ["m1", "feed-pages", "on", "the", "poison", "queue", "UNREADABLE", '{"v":1}\\x1b[2J'] in lines
    assert ["kept-1", "user-changes", "kept", "0.0", "s", "ago", "not", "ours"] in lines


@pytest.mark.parametrize("queue", BODIES)
def test_an_unreadable_message_of_ours_is_put_back(bench: Bench, queue: str) -> None:
    """Somebody sent it without base64: its function gets it as we send it."""
    bench.put(poison_queue(queue), BODIES[queue])
    assert bench.run("poison", "put-back", *ids(bench)).out == "1 message put back\n"
    assert received(bench, queue) == [BODIES[queue]]
    assert ids(bench) == []


def test_a_kept_message_is_put_back(bench: Bench) -> None:
    """After a fix of the program, which had failed on it five times."""
    keep(bench, BODIES[USER_CHANGES])
    assert bench.run("poison", "put-back", "kept-1").code == 0
    assert received(bench, USER_CHANGES) == [BODIES[USER_CHANGES]]
    assert ids(bench) == []


def test_a_body_of_nobody_is_not_put_back(bench: Bench) -> None:
    """It would fail five times more; the way out is named, and the message stays where it is."""
    bench.put(poison_queue(USER_CHANGES), "hello")
    result = bench.run("poison", "put-back", "m1")
    assert result.code == 1
    assert "the body is not JSON" in result.err
    assert "xtsync poison remove m1" in result.err
    assert ids(bench) == ["m1"]


def test_a_removed_message_is_gone(bench: Bench) -> None:
    """Wherever it lay, and no other is."""
    bench.put(poison_queue(USER_CHANGES), "first")
    bench.put(poison_queue(USER_CHANGES), "second")
    keep(bench)
    first, second, kept = ids(bench)
    assert bench.run("poison", "remove", first, kept, "--yes").out == "2 messages removed\n"
    assert ids(bench) == [second]


def test_removing_asks_first(bench: Bench) -> None:
    """No is no."""
    keep(bench)
    assert bench.run("poison", "remove", "kept-1", answer="n\n", terminal=True).code == 1
    assert ids(bench) == ["kept-1"]


def test_an_id_that_is_not_there_is_wrong_usage(bench: Bench) -> None:
    """With the command that lists ids."""
    result = bench.run("poison", "remove", "nobody", "--yes")
    assert result.code == 2
    assert "xtsync poison" in result.err
