"""Requests of an operator that are not carried out."""

from __future__ import annotations

from ..model.errors import SyncError


class UsageError(SyncError):
    """The request cannot work as it was made: it names something that is not there, or says too little."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def no_page() -> UsageError:
    """For an `after` that no page gave."""
    return UsageError(
        "`after` is not the `more` of a page", hint="Take `more` as the page before gave it, or leave it out."
    )


class RefusedError(SyncError):
    """The request was understood and not carried out."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint
