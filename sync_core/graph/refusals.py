"""Which attributes a refused PATCH was refused for, as far as Graph's answer tells.

A PATCH is all or nothing, so one attribute that may not be written holds back all others. Most refusals name it; two
only say what kind of user this is, and then it is the attributes that such users refuse. Conflicts are left out: an
address that somebody else bears is free again some day, so that user is parked and tried again.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from ..model.errors import GraphRefusedError

# Of administrators, only an app with a directory role may write these.
# https://learn.microsoft.com/graph/api/resources/users#who-can-perform-sensitive-actions
SENSITIVE = frozenset({"accountEnabled", "businessPhones", "mobilePhone", "otherMails"})
# What Exchange, or the directory on premises, keeps for itself.
# https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-known-issues
ELSEWHERE = frozenset({"mail", "onPremisesExtensionAttributes", "showInAddressList"})
_ELSEWHERE = ("originated within an external service", "on-premises mastered")
_CONFLICT = ("same value for property", "conflicting object")
_NAMES = re.compile(r"'([A-Za-z]\w*)'|[Pp]ropert(?:y|ies):? (\w+)|\b(extension_\w+)")
_MEMBER = re.compile(r"extensionAttribute\d+", re.IGNORECASE)


def refused_attributes(error: GraphRefusedError, sent: Collection[str]) -> set[str]:
    """Those of `sent` that this refusal is about; empty when it cannot be told."""
    message = error.message.lower()
    if error.status not in {400, 403} or any(text in message for text in _CONFLICT):
        return set()
    named = {_written_as(name).lower() for found in _NAMES.findall(error.message) for name in found if name}
    names = {name for name in sent if name.lower() in named}
    if not names and any(text in message for text in _ELSEWHERE):
        names = set(sent) & ELSEWHERE
    if not names and error.status == 403:
        names = set(sent) & SENSITIVE
    return names


def _written_as(name: str) -> str:
    """Members of one complex property are refused by their own name."""
    return "onPremisesExtensionAttributes" if _MEMBER.fullmatch(name) else name
