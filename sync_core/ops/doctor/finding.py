"""What a check is, what it says, and whose app on which tenant it is about."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNSEEN = "not allowed to see"  # the app has no permission to look; somebody else can
    SKIPPED = "not checked"  # the failure of another check is in the way


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """No personal data in either. `remedy` is in lines: what to do, then links and commands, each on a line alone."""

    verdict: Verdict
    detail: str
    remedy: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """`by_hand` is how somebody with more permissions looks instead."""

    name: str
    looked_at: str
    look: Callable[[], Awaitable[Found]]
    by_hand: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`subject` is a tenant and side, or empty for the deployment as a whole."""

    subject: str
    check: str
    looked_at: str
    found: Found


def ok(detail: str) -> Found:
    return Found(verdict=Verdict.OK, detail=detail)


def warning(detail: str, *remedy: str) -> Found:
    return Found(verdict=Verdict.WARNING, detail=detail, remedy=remedy)


def failed(detail: str, *remedy: str) -> Found:
    return Found(verdict=Verdict.FAILED, detail=detail, remedy=remedy)


def skipped(detail: str) -> Found:
    return Found(verdict=Verdict.SKIPPED, detail=detail)
