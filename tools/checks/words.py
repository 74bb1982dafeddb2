"""`python -m tools.checks.words`: sentences that cost a reader more time than they need to.

What a program can see of plain words is little: length, first words, and phrases that were a riddle once. The rest is
in CONTRIBUTING.md, under Words.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from . import ceilings, prose
from .ceilings import Finding
from .riddles import RIDDLES
from .source import ROOT, documents, python_files, room

LONGEST_SENTENCE = 30  # words; 25 is the aim
WIDEST_LINE = 120  # columns; ruff holds the same for code
PLACES = ("function_app.py", "sync_core", "local", "emulator", "tests", "tools", "bench")

_FIRST_WORDS = re.compile(r"[(*_]*(Whoever|Whomever|Whom|Who|Likewise|What is)\b[^?]*$")


def findings(root: Path = ROOT) -> Iterator[Finding]:
    for path in python_files(*PLACES, root=root):
        yield from of_paragraphs(path, prose.of_python((root / path).read_text(encoding="utf-8")))
    for path in documents(root):
        text = (root / path).read_text(encoding="utf-8")
        yield from of_paragraphs(path, prose.of_markdown(text))
        yield from _wide_lines(path, text)


def of_paragraphs(path: Path, paragraphs: Iterator[prose.Paragraph]) -> Iterator[Finding]:
    for paragraph in paragraphs:
        said = " ".join(line.strip() for _, line in paragraph.lines)
        for riddle, meaning in RIDDLES.items():
            if riddle in said:
                yield _finding(path, paragraph.lines[0][0], f'"{riddle}" is a riddle', f"say: {meaning}")
        if paragraph.heading:
            continue
        for sentence in paragraph.sentences():
            if sentence.words > LONGEST_SENTENCE:
                what = f"a sentence of {sentence.words} words"
                yield _finding(path, sentence.line, what, "one statement for each sentence, at most 25 words")
            if begins := _FIRST_WORDS.match(sentence.text):
                what = f'a sentence begins with "{begins[1]}"'
                yield _finding(path, sentence.line, what, "put a noun first: who or what does it")


def _wide_lines(path: Path, text: str) -> Iterator[Finding]:
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > WIDEST_LINE and len(line.split()) > 1:
            remedy = "say it in a list" if line.startswith("|") else "break it"
            yield _finding(path, number, f"a line of {len(line)} columns", f"{remedy}; {WIDEST_LINE} are allowed")


def _finding(path: Path, line: int, what: str, remedy: str) -> Finding:
    return Finding(room=room(path), path=path, line=line, what=what, remedy=remedy)


if __name__ == "__main__":
    sys.exit(ceilings.main("words", list(findings())))
