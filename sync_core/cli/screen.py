"""Output: tables for people, in colour on a terminal and plain and unwrapped elsewhere; JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TextIO
from unicodedata import category

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ..ops import spreadsheet
from ..ops.documents import as_json

type Cell = str | Text

_UNWRAPPED = 100_000
# They turn the direction of what follows, so that a name could change how the rest of its line reads.
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Screen:
    def __init__(self, stream: TextIO, environ: Mapping[str, str]) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._console = Console(
            file=stream,
            force_terminal=self._terminal,
            _environ=environ,  # TERM, and NO_COLOR: https://no-color.org
            width=None if self._terminal else _UNWRAPPED,
            markup=False,  # the text comes from configuration and directories, not from us
            highlight=False,
            emoji=False,
        )

    def line(self, text: Cell = "") -> None:
        self._console.print(_inert(text), soft_wrap=True)

    def heading(self, text: str) -> None:
        self.line(Text(text, style="bold"))

    def table(self, headers: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """Where the window is too narrow, each row becomes a block of lines: ids are copied, so they stay whole."""
        table = Table(box=SIMPLE_HEAD if self._terminal else None, pad_edge=False, header_style="bold")
        for header in headers:
            table.add_column(header, no_wrap=True)
        for row in rows:
            table.add_row(*map(_inert, row))
        needed = self._console.measure(table, options=self._console.options.update(max_width=_UNWRAPPED)).maximum
        if needed > self._console.width:
            self._blocks(headers, rows)
            return
        with self._console.capture() as drawn:
            self._console.print(table)
        self._stream.writelines(f"{line.rstrip()}\n" for line in drawn.get().splitlines())

    def _blocks(self, headers: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        width = max(map(len, headers))
        for row in rows:
            for header, cell in zip(headers, row, strict=True):
                self.line(Text.assemble((f"{header:<{width}}  ", "bold"), cell))
            self.line()

    @contextmanager
    def progress(self, title: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
        """A bar on a terminal, nothing elsewhere. The function that it yields takes the number done so far."""
        if not self._terminal:
            yield lambda _: None
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self._console, transient=True) as progress:
            task = progress.add_task(title, total=total)
            yield lambda done: progress.update(task, completed=done)

    def csv(self, cells: Sequence[spreadsheet.Cell]) -> None:
        self._stream.write(spreadsheet.line(cells))

    def json(self, document: object) -> None:
        """One of ops/documents, or JSON from elsewhere."""
        self._stream.write(json.dumps(as_json(document), indent=2, ensure_ascii=False) + "\n")


def _inert(cell: Cell) -> Cell:
    """Text of a directory moves no cursor and makes no line of its own: control characters become visible."""
    plain = cell.plain if isinstance(cell, Text) else cell
    if not any(map(_is_control, plain)):
        return cell
    shown = "".join("\N{REPLACEMENT CHARACTER}" if _is_control(each) else each for each in plain)
    return Text(shown, style=cell.style) if isinstance(cell, Text) else shown


def _is_control(character: str) -> bool:
    return category(character) in {"Cc", "Zl", "Zp"} or character in _TURNS


def warning(text: str) -> Text:
    """The words carry the meaning; colour only helps to find them."""
    return Text(text, style="bold red")


def good(text: str) -> Text:
    return Text(text, style="green")
