"""`xtsync notify`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import ADA, CONFIG, NAME, SETTINGS, Bench
from tests.support.listener import Listener

NOTIFY = """
notify:
  - { teams: XTSYNC_NOTIFY_TEAMS, events: [held] }
"""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    (tmp_path / "sync.yaml").write_text(CONFIG + NOTIFY)
    return bench


@pytest.fixture
def listener(bench: Bench) -> Iterator[Listener]:
    listener = Listener()
    bench.environ = {**SETTINGS, "XTSYNC_NOTIFY_TEAMS": listener.url}
    yield listener
    listener.close()


def poll(bench: Bench) -> None:
    async def upkeep() -> None:
        runtime = bench.runtime()
        await runtime.upkeep.noticing.tell(await runtime.upkeep.measure.run())

    bench.do(upkeep())


def test_a_receiver_is_tried_out(bench: Bench, listener: Listener) -> None:
    """One message, of which nothing is stored."""
    before = bench.stored()
    tried = bench.run("notify", "--test")
    assert (tried.code, tried.out) == (0, "XTSYNC_NOTIFY_TEAMS: it took the message\n")
    assert len(listener.posts) == 1
    assert bench.stored() == before


def test_a_receiver_that_refuses_is_a_fault(bench: Bench, listener: Listener) -> None:
    """The answer is named, and the address is not."""
    listener.status = 404
    tried = bench.run("notify", "--test", "--json")
    assert tried.code == 1
    assert tried.json == {
        "receivers": [{"receiver": "XTSYNC_NOTIFY_TEAMS", "error": "XTSYNC_NOTIFY_TEAMS answered 404"}]
    }


def test_an_address_that_is_missing_here_is_named(bench: Bench) -> None:
    """It is an app setting, and this command needs it, too."""
    assert "XTSYNC_NOTIFY_TEAMS" in bench.run("notify", "--test").out


def test_what_stands_and_who_was_told(bench: Bench, listener: Listener) -> None:
    """By a poll of the function app."""
    calm = bench.run("notify")
    assert calm.out == "XTSYNC_NOTIFY_TEAMS (teams): every sync\n  held\nnothing stands in the way\n"
    bench.hold(ADA)
    poll(bench)
    assert len(listener.posts) == 1
    shown = " ".join(bench.run("notify").out.split())
    assert f"{NAME}: deletions or disables are held and wait for a person since" in shown
    assert "told to XTSYNC_NOTIFY_TEAMS" in shown
    (standing,) = bench.run("notify", "--json").json["standing"]
    assert (standing["event"], standing["about"], standing["told"]) == ("held", NAME, True)


def test_nobody_is_told_of_anything(bench: Bench) -> None:
    """The remedy is in sync.yaml."""
    (bench.folder / "sync.yaml").write_text(CONFIG)
    result = bench.run("notify")
    assert (result.code, "under notify" in result.err) == (1, True)
