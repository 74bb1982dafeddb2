"""What the tests of the expression language share: one clock, one seed, one way to evaluate."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from random import Random

from sync_core.mapping import expressions
from sync_core.mapping.expressions import Context, Flow
from sync_core.model import Attributes, Json

NOW = datetime(2025, 7, 30, 12, 0, tzinfo=UTC)


def context(
    *, now: datetime = NOW, seed: int = 1, existing: Collection[str] | None = None, domain: str | None = None
) -> Context:
    return Context(now=now, random=Random(seed), existing_target_values=existing, default_domain=domain)


def value(text: str, source: Attributes | None = None, known: Context | None = None) -> Json | Flow:
    return expressions.compile(text, looked_up=True).evaluate(source or {}, known or context())


def x(text: str, attribute: Json) -> Json | Flow:
    """The value of an expression over [x]."""
    return value(text, {"x": attribute})


def plain(found: object) -> object:
    """Numbers and booleans as their .NET strings, as they surface in a directory."""
    if isinstance(found, list):
        return [plain(item) for item in found]
    return str(found) if isinstance(found, bool | int | float) else found
