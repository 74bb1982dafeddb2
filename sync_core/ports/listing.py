"""Notices a listing without an end. Links are followed as they come, and a proxy may answer with the same one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..model.errors import UnavailableError

# A user may stand on several pages of a delta query, and pages may be empty; so the same page may come a few times.
_MOST_REPEATS = 10
_MOST_EMPTY = 100


@dataclass(slots=True)
class Listing:
    """The pages of one listing, as far as one reader follows them."""

    _pages: Counter[int] = field(default_factory=Counter)

    def page(self, items: Sequence[object], link: str | None, next_link: str | None) -> None:
        """`items` came from `link`. Raises UnavailableError if that leads to itself, or if they came too often."""
        if next_link is None:
            return
        if next_link == link:
            raise UnavailableError("a listing whose next page is the same page")
        digest = hash(repr(items))
        self._pages[digest] += 1
        if self._pages[digest] > (_MOST_REPEATS if items else _MOST_EMPTY):
            raise UnavailableError("a listing that gives the same page again and again")
