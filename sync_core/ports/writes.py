"""The ids that Graph gives to the writes of one change.

The adapter notes them, and whoever makes the change collects them: no method of the target directory has to hand them
through. The context variable keeps the looks apart that one process takes at the same time.
https://learn.microsoft.com/graph/best-practices-concept#reliability-and-support (header `request-id`)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_noted: ContextVar[list[str] | None] = ContextVar("noted", default=None)


@contextmanager
def noted_writes() -> Iterator[list[str]]:
    """The ids of the writes that Graph accepts meanwhile, in order."""
    ids: list[str] = []
    token = _noted.set(ids)
    try:
        yield ids
    finally:
        _noted.reset(token)


def note_write(request_id: str) -> None:
    """Graph accepted a write. Nothing is kept if nobody collects."""
    ids = _noted.get()
    if ids is not None and request_id:
        ids.append(request_id)
