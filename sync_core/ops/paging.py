"""Where a page of a list by sync and source user goes on."""

from __future__ import annotations

from collections.abc import Iterable

from ..model import Sync, is_object_id
from .errors import no_page


def onwards(syncs: Iterable[Sync], after: str) -> list[tuple[Sync, str]]:
    """The syncs that are left, by name, each with the source id behind which it goes on: none but the first has one.

    `after` is "<sync>/<source id>", or empty for the first page. Raises UsageError for one that no page gave.
    """
    at, _, last = after.partition("/")
    if after and not is_object_id(last):
        raise no_page()
    ordered = sorted(syncs, key=lambda each: each.name)
    return [(each, last if each.name == at else "") for each in ordered if each.name >= at]
