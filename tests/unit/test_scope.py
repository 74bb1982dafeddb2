"""Scope: today every internal user is in."""

from __future__ import annotations

from hypothesis import given

from sync_core.model import SourceUser
from sync_core.scope import scope
from tests.support.make import sources, sync


@given(sources)
def test_everybody_is_in_scope_and_the_verdict_says_why(source: SourceUser) -> None:
    """Nobody is deleted for a scope that nobody configured."""
    verdict = scope(sync(), source)
    assert verdict.in_scope
    assert verdict.reason
