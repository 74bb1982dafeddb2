"""Prose in Python and Markdown files: paragraphs with the line of each word, and sentences.

Code, pictures and the borders of tables are no prose. Each cell of a table is a paragraph.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

Line = tuple[int, str]
_FENCE = re.compile(r"\s*(```|~~~)")
_ITEM = re.compile(r"^\s*(?:[-*]|\d+\.)\s+")
_COLUMNS = re.compile(r"\s{2,}|\s*\|\s*")
_PICTURE = re.compile(r"--+|<--|──|^\s*[|+]+\s*$|^\s*>>>")
_PRAGMA = re.compile(r"#+[!:]?\s*(?:(?:noqa|type|pragma|fmt|mypy):\s*[\w\[\], -]*?(?:\s- |$))?")
_CODE = re.compile(r"`[^`]+`")
_TARGET = re.compile(r"\]\([^)]*\)|<https?:[^>]*>")
_END = re.compile(r"(?<![\s(][A-Za-z])(?<!e\.g)(?<!i\.e)(?<!\bvs)(?<!\bcf)[.!?][\"')\]*_]*(?:\s+|$)(?!\.)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    lines: tuple[Line, ...]
    heading: bool = False

    def sentences(self) -> Iterator[Sentence]:
        """Code between backticks counts as one word, and the address of a link as none."""
        starts, text = [], ""
        for _, line in self.lines:
            starts.append(len(text))
            text += line.strip() + " "
        masked = _TARGET.sub(lambda match: "]" + " " * (len(match[0]) - 1), text)
        masked = _CODE.sub(lambda match: "X" * len(match[0]), masked)
        begin = 0
        for end in [match.end() for match in _END.finditer(masked)] + [len(text)]:
            words = [word for word in masked[begin:end].split() if any(map(str.isalnum, word))]
            if words:
                number, _ = self.lines[bisect_right(starts, begin) - 1]
                yield Sentence(line=number, text=text[begin:end].strip(), words=len(words))
            begin = end


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    line: int
    text: str
    words: int


def of_python(source: str) -> Iterator[Paragraph]:
    """Docstrings (each string that stands as a statement), then comments. Raises SyntaxError."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield from _paragraphs(_docstring(lines, node.value))
    yield from _comments(source)


def of_markdown(text: str) -> Iterator[Paragraph]:
    """Without fenced code and without the fields between two lines of `---` at the top."""
    numbered = list(enumerate(text.splitlines(), 1))
    if numbered and numbered[0][1] == "---":
        end = next((number for number, line in numbered[1:] if line == "---"), 0)
        numbered = numbered[end:]
    yield from _paragraphs(numbered)


def _docstring(lines: list[str], node: ast.Constant) -> list[Line]:
    assert node.end_lineno is not None
    found = list(enumerate(lines[node.lineno - 1 : node.end_lineno], node.lineno))
    first = re.sub(r'^\s*[rRuU]?("""|\'\'\'|"|\')', "", found[0][1])
    found[0] = (node.lineno, first)
    found[-1] = (found[-1][0], re.sub(r'("""|\'\'\'|"|\')\s*(#.*)?$', "", found[-1][1]))
    return found


def _comments(source: str) -> Iterator[Paragraph]:
    """Comments below one another in the same column are one text; one beside code stands for itself."""
    together: list[tuple[int, int, str]] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            beside = bool(token.line[:column].strip())
            follows = together and together[-1][:2] == (row - 1, column) and not beside
            if not follows:
                yield from _paragraphs([(number, text) for number, _, text in together])
                together = []
            together.append((row, -1 if beside else column, _PRAGMA.sub("", token.string, count=1)))
    yield from _paragraphs([(number, text) for number, _, text in together])


def _paragraphs(lines: Iterable[Line]) -> Iterator[Paragraph]:
    together: list[Line] = []
    fenced = False
    for number, line in lines:
        fence = bool(_FENCE.match(line))
        apart = fence or fenced or not line.strip() or _is_table(line) or line.startswith("#")
        if (apart or _ITEM.match(line)) and together:
            yield Paragraph(lines=tuple(together))
            together = []
        if fence:
            fenced = not fenced
        elif fenced or _PICTURE.search(line) or line.strip().startswith("<!--"):
            continue
        elif line.startswith("#"):
            yield Paragraph(lines=((number, line.lstrip("# ")),), heading=True)
        elif _is_table(line):
            yield from (Paragraph(lines=((number, cell),)) for cell in _COLUMNS.split(line.strip()) if cell)
        elif line.strip():
            together.append((number, _ITEM.sub("", line, count=1)))
    if together:
        yield Paragraph(lines=tuple(together))


def _is_table(line: str) -> bool:
    return line.lstrip().startswith("|") or bool(re.search(r"\S\s{2,}\S", line.strip()))
