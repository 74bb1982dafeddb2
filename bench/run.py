"""The argument of every scenario: its size, and the console for its progress."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from .figures import Figure

type Advance = Callable[[float], None]  # takes the part of the total that is done
type Scenario = Callable[[Run], Awaitable[list[Figure]]]


class StalledError(Exception):
    """A scenario that did not end as expected, and so has no figures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    quick: bool
    console: Console  # for progress only: standard error
    scenario: str = ""
    kill_at: float = 0.5  # the part of the users who are there when the host is killed

    def size(self, full: int) -> int:
        """The full size, or a tenth of it in a quick run."""
        return max(1, full // 10) if self.quick else full

    def limit(self, most: float) -> float | None:
        """A limit that is valid at full size only: None in a quick run."""
        return None if self.quick else most

    @contextmanager
    def step(self, title: str, total: float) -> Iterator[Advance]:
        """Show progress: a bar on a terminal, one line otherwise."""
        if not self.console.is_terminal:
            self.console.print(f"{self.scenario}: {title}", highlight=False)
            yield lambda _: None
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True) as progress:
            task = progress.add_task(f"{self.scenario}: {title}", total=total)
            yield lambda done: progress.update(task, completed=done)
