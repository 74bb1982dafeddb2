"""Who is in: the verdict on one freshly read user. Pure.

Today every internal user is in scope. Groups, assignments and filters are judged here, and nowhere else.
"""

from __future__ import annotations

from .model import SourceUser, Sync, Verdict


def scope(sync: Sync, source: SourceUser) -> Verdict:  # noqa: ARG001 - the seam for filters and groups
    return Verdict(in_scope=True, reason="all internal users")
