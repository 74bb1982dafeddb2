"""What every scenario is given: how large it is to be, and where it tells how far it has come."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from .figures import Figure

type Advance = Callable[[float], None]  # told how much of the total is done by now
type Scenario = Callable[[Run], Awaitable[list[Figure]]]


class StalledError(Exception):
    """What was to be measured did not come to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    quick: bool
    console: Console  # for progress only: standard error
    scenario: str = ""

    def size(self, full: int) -> int:
        """A tenth of it in a quick run."""
        return max(1, full // 10) if self.quick else full

    def limit(self, most: float) -> float | None:
        """A limit that says something at full size only."""
        return None if self.quick else most

    @contextmanager
    def step(self, title: str, total: float) -> Iterator[Advance]:
        """A bar on a terminal, one line elsewhere."""
        if not self.console.is_terminal:
            self.console.print(f"{self.scenario}: {title}", highlight=False)
            yield lambda _: None
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True) as progress:
            task = progress.add_task(f"{self.scenario}: {title}", total=total)
            yield lambda done: progress.update(task, completed=done)
