"""Who is in: the verdict on one freshly read user. Pure.

Every internal user is, unless the sync has filters. Groups and assignments will be judged here, and nowhere else.
"""

from __future__ import annotations

from .filters import judge, scope_attributes
from .model import SourceUser, Sync, Verdict

__all__ = ["scope", "scope_attributes"]


def scope(sync: Sync, source: SourceUser) -> Verdict:
    if not sync.filters:
        return Verdict(in_scope=True, reason="all internal users")
    return judge(sync.filters, source.attributes)
