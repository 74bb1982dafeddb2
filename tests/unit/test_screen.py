"""Text of a directory on a terminal: it moves no cursor, and makes no line of its own."""

from __future__ import annotations

from io import StringIO

import pytest

from sync_core.cli.screen import Screen


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("escape", ["\x1b[2K\x1b[1A", "\x1b]0;title\x07", "\x9b2K"])
@pytest.mark.parametrize("how", ["line", "table"])
def test_text_of_a_directory_moves_no_cursor(escape: str, how: str) -> None:
    """The text comes from directories, not from us: markup is off for that reason, and so have escapes to be."""
    out = Terminal()
    screen = Screen(out, {"TERM": "xterm", "NO_COLOR": "1"})
    name = f"Ada {escape}Lovelace"
    screen.line(name) if how == "line" else screen.table(["name"], [[name]])
    assert escape[:3] not in out.getvalue()


def test_a_name_makes_no_line_of_its_own() -> None:
    """One person, one line: a second one in the list of holds or before an approval would be forged."""
    out = StringIO()
    Screen(out, {}).line("guest-1 Ada\nguest-2 Bob")
    assert out.getvalue().count("\n") == 1
