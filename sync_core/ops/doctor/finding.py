"""A check, and its answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from ..documents import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Without personal data. `remedy` is in lines: what to do, then links and commands, each on a line alone."""

    verdict: Verdict
    detail: str
    remedy: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """`by_hand` is how an administrator looks where the app has no permission."""

    name: str
    looked_at: str
    look: Callable[[], Awaitable[Found]]
    by_hand: Sequence[str] = ()


def ok(detail: str) -> Found:
    return Found(verdict=Verdict.OK, detail=detail)


def warning(detail: str, *remedy: str) -> Found:
    return Found(verdict=Verdict.WARNING, detail=detail, remedy=remedy)


def failed(detail: str, *remedy: str) -> Found:
    return Found(verdict=Verdict.FAILED, detail=detail, remedy=remedy)


def skipped(detail: str) -> Found:
    return Found(verdict=Verdict.SKIPPED, detail=detail)
