"""The check on words: what it finds, and that it says where and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.checks import words
from tools.checks.riddles import RIDDLES


def found(root: Path, name: str, text: str) -> list[str]:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return [str(finding) for finding in words.findings(root)]


def test_a_long_sentence_is_found(tmp_path: Path) -> None:
    """Thirty words pass; thirty-one do not."""
    assert found(tmp_path, "sync_core/a.py", f'"""{"word " * 29}word."""\n') == []
    assert found(tmp_path, "sync_core/a.py", f'"""{"word " * 30}word."""\n') == [
        "sync_core/a.py:1: a sentence of 31 words; one statement for each sentence, at most 25 words"
    ]


@pytest.mark.parametrize("first", ["Who", "Whoever", "Whom", "Likewise", "What is"])
def test_a_first_word_that_hides_the_subject_is_found(tmp_path: Path, first: str) -> None:
    """In a docstring, a comment and a document, but not in a question."""
    for name, text in {
        "tests/a.py": f'"""Text. {first} left, loses access."""\n',
        "tools/a.py": f"# {first} left, loses access.\n",
        "docs/a.md": f"# A page\n\n**One.** {first} left, loses access.\n",
    }.items():
        assert len(found(tmp_path, name, text)) == 1
        assert found(tmp_path, name, text.replace("access.", "access?")) == []


def test_words_that_only_begin_alike_are_none(tmp_path: Path) -> None:
    """`Whole` and `Whose` are other words."""
    assert found(tmp_path, "docs/a.md", "Whole pages are read. Whose they are is said.\n") == []


@pytest.mark.parametrize("riddle", RIDDLES)
def test_no_riddle_comes_back(tmp_path: Path, riddle: str) -> None:
    """Also broken across two lines of a comment."""
    half, _, rest = f"It says {riddle} here.".rpartition(" ")
    [finding] = [each for each in found(tmp_path, "local/a.py", f"# {half}\n# {rest}\n") if "riddle" in each]
    assert finding == f'local/a.py:1: "{riddle}" is a riddle; say: {RIDDLES[riddle]}'


def test_a_wide_line_of_a_document_is_found(tmp_path: Path) -> None:
    """Also a row of a table; a long address that cannot be broken is let be."""
    assert found(tmp_path, "README.md", "x" * 130) == []
    assert found(tmp_path, "README.md", f"| {'x' * 60} | {'x' * 60} |") == [
        "README.md:1: a line of 127 columns; say it in a list; 120 are allowed"
    ]
    assert found(tmp_path, "README.md", f"{'word. ' * 20}end")[0].endswith("break it; 120 are allowed")
