"""The command line as a whole: help, exit codes, errors, colour."""

from __future__ import annotations

import shlex
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync_core.cli.__main__ import COMMANDS, build_parser, main
from sync_core.model.errors import UnavailableError
from tests.support.cli import ADA, NAME, SETTINGS, Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def _parsers(parser: ArgumentParser) -> Iterator[ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            for child in action.choices.values():
                yield from _parsers(child)


def _examples(parser: ArgumentParser) -> list[str]:
    return [line.strip() for line in (parser.epilog or "").splitlines() if line.startswith("  xtsync ")]


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """`xtsync --help` lists all commands and the exit codes."""
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    names = [
        name for parser in build_parser()._actions if isinstance(parser, _SubParsersAction) for name in parser.choices
    ]
    assert names == list(COMMANDS)
    for name in names:
        assert f"    {name} " in shown
    assert "3 needs approval" in shown


def test_every_help_has_an_example_that_parses() -> None:
    """Each command and action shows at least one example, and the parser takes it."""
    for parser in _parsers(build_parser()):
        examples = _examples(parser)
        assert examples, parser.prog
        for example in examples:
            if "COMMAND" not in example:
                build_parser().parse_args(shlex.split(example)[1:])


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` says the version of pyproject.toml."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("xtsync 0.")


@pytest.mark.parametrize("argv", [[], ["nonsense"], ["sync"], ["status", "--jso"], ["holds", "approve"]])
def test_wrong_usage_is_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What the parser does not understand ends with exit code 2 and the usage."""
    assert main(argv) == 2
    assert "usage: xtsync" in capsys.readouterr().err


def test_expected_error_is_a_line_and_a_hint(bench: Bench) -> None:
    """An error of the tree shows as one line with a hint and no traceback, and the runtime is closed."""
    bench.faults.fail_next("source.read_user", UnavailableError("503 (request abc)"))
    result = bench.run("sync", ADA)
    assert (result.code, bench.closed) == (1, 1)
    assert result.err.splitlines()[0] == "error: 503 (request abc)"
    assert result.err.splitlines()[1].startswith("hint: ")
    assert "Traceback" not in result.err


def test_error_as_json(bench: Bench) -> None:
    """With --json the error is an object on standard output too."""
    result = bench.run("sync", "not-a-user", "--json")
    assert result.code == 2
    assert result.json["error"]["code"] == "Usage"
    assert result.json["error"]["hint"]


def test_foreign_error_shows_its_kind_only(bench: Bench) -> None:
    """The text of an unexpected error may quote anything: it is shown with --debug alone."""
    bench.faults.fail_next("source.read_user", ValueError("secret-ish"), ValueError("secret-ish"))
    result = bench.run("sync", ADA)
    assert result.code == 1
    assert "unexpected ValueError" in result.err
    assert "secret-ish" not in result.err
    debugged = bench.run("sync", ADA, "--debug")
    assert "Traceback" in debugged.err
    assert "secret-ish" in debugged.err


def test_ctrl_c_exits_130(bench: Bench) -> None:
    """An interrupted command says so in one line, and still closes its runtime."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    bench.source.on_read = interrupt
    result = bench.run("sync", ADA, "--sync", NAME)
    assert (result.code, result.err, bench.closed) == (130, "interrupted\n", 1)


def test_no_secret_is_printed(bench: Bench) -> None:
    """Whatever fails, no setting's value is on the screen."""
    bench.environ = {**SETTINGS, "AzureWebJobsStorage": "AccountKey=hush", "XTSYNC_WRITE_BUDGET": "hush2"}
    for argv in (["status"], ["validate", "--settings"], ["status", "--json", "--debug"]):
        result = bench.run(*argv)
        assert result.code == 2
        assert "hush" not in result.out + result.err


def test_colour_only_on_a_terminal_that_wants_it(bench: Bench) -> None:
    """Escape codes appear on a terminal that knows them, not in a pipe nor with NO_COLOR; words are the same."""
    bench.environ = {**SETTINGS, "TERM": "dumb"}
    assert "\x1b" not in bench.run("validate", terminal=True).out
    bench.environ = {**SETTINGS, "TERM": "xterm-256color"}
    assert "\x1b[32m" in bench.run("validate", terminal=True).out
    assert "\x1b" not in bench.run("validate").out
    bench.environ = {**SETTINGS, "NO_COLOR": "1"}
    quiet = bench.run("status", terminal=True).out
    assert "\x1b[3" not in quiet
    assert "MISSING" in quiet
