"""`xtsync rename`, `move` and `remove`: what is shown, what is asked, and that a dry run does nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from sync_core.assembly import Directories, assemble
from sync_core.config.file import load_config
from tests.support.cli import ADA, BOB, CONFIG, Bench

NEW = CONFIG.replace("name: contoso-to-fabrikam", "name: people")
MOVED = CONFIG.replace("22222222-2222-2222-2222-222222222222", "33333333-3333-3333-3333-333333333333")
OTHER = MOVED.replace("name: contoso-to-fabrikam", "name: other")
# What each command is typed as, the sync.yaml that was deployed before it, and what it says about the two users.
COMMANDS = {
    "rename contoso-to-fabrikam people": (NEW, "would be those of people"),
    "move contoso-to-fabrikam": (MOVED, "would be let go of, and stay in the former target"),
    "remove contoso-to-fabrikam --keep-users": (OTHER, "would be let go of, and stay in the target"),
    "remove contoso-to-fabrikam --delete-users": (CONFIG, "would lose access"),
}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    deploy(bench, CONFIG)
    bench.link(ADA)
    bench.link(BOB)
    bench.hold_two()
    return bench


def deploy(bench: Bench, text: str) -> None:
    """The function app started with this file, and its poll took the lead."""
    bench.clock.advance(timedelta(minutes=1))
    (bench.folder / "sync.yaml").write_text(text)
    nothing = Directories(sources={}, groups={}, targets={}, subscriptions={})
    config = load_config(bench.folder / "sync.yaml")
    app = assemble(config, nothing, bench.storage, bench.clock, started=bench.clock.now())
    assert bench.do(app.configurations.leads())


@pytest.mark.parametrize("command", COMMANDS)
def test_a_dry_run_says_whom_it_is_about_and_does_nothing(bench: Bench, command: str) -> None:
    """Users, holds, and what follows."""
    text, what = COMMANDS[command]
    deploy(bench, text)
    before = bench.stored()
    result = bench.run(*command.split(), "--dry-run")
    assert (result.code, result.err) == (0, "")
    assert f"2 linked users {what}" in result.out
    assert "2 holds" in result.out
    assert bench.stored() == before


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_is_done_that_nobody_confirmed(bench: Bench, command: str) -> None:
    """Neither by another answer than yes, nor where nobody sits."""
    deploy(bench, COMMANDS[command][0])
    before = bench.stored()
    assert bench.run(*command.split(), answer="n\n").code == 1
    assert bench.run(*command.split()).code == 2
    assert bench.stored() == before


@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_confirmed_is_done(bench: Bench, command: str) -> None:
    """The answer for programs says that it was."""
    deploy(bench, COMMANDS[command][0])
    result = bench.run(*command.split(), "--json", answer="y\n")
    assert (result.code, result.json["done"], result.json["linked"]) == (0, True, 2)
    assert "2 linked users would" in result.err


@pytest.mark.parametrize(
    ("command", "error", "hint"),
    [
        ("rename contoso-to-fabrikam peple", "no sync is named 'peple'", "Take a name of sync.yaml"),
        ("rename people contoso-to-fabrikam", "nothing is stored of a sync 'people'", "Stored are:"),
        ("move contoso-to-fabrikam", "there is nothing to move", "Change `source` or `target`"),
        ("remove contoso-to-fabrikam --keep-users", "sync.yaml still has", "Take it out"),
        ("remove contoso-to-fabrikam --cancel", "is not being removed", "xtsync status"),
    ],
)
def test_what_cannot_be_done_names_the_way_out(bench: Bench, command: str, error: str, hint: str) -> None:
    """And changes nothing."""
    before = bench.stored()
    result = bench.run(*command.split(), "--yes")
    assert result.code == 2
    assert error in result.err
    assert hint in result.err
    assert bench.stored() == before


def test_a_file_that_is_not_deployed_yet_is_no_ground_to_act(bench: Bench) -> None:
    """The app would undo it, or do it by another file."""
    (bench.folder / "sync.yaml").write_text(NEW)
    result = bench.run("rename", "contoso-to-fabrikam", "people", "--yes")
    assert result.code == 1
    assert "still works by a sync.yaml that has 'contoso-to-fabrikam'" in result.err
