"""The attributes that Graph refused in a PATCH, as far as its answer tells.

A PATCH is all or nothing, so one refused attribute blocks all others. Most refusals name the attribute. Two kinds name
only the kind of user; then the attributes are those that are known to be refused for such users. Conflicts are left
out: an address that another user has may become free, so the user is parked and tried again.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from ..model.errors import GraphRefusedError

# Attributes of administrators that only an app with a directory role may write.
# https://learn.microsoft.com/graph/api/resources/users#who-can-perform-sensitive-actions
SENSITIVE = frozenset({"accountEnabled", "businessPhones", "mobilePhone", "otherMails"})
# Attributes that only Exchange or the on-premises directory may write.
# https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-known-issues
MASTERED_ELSEWHERE = frozenset({"mail", "onPremisesExtensionAttributes", "showInAddressList"})
_MASTERED_ELSEWHERE = ("originated within an external service", "on-premises mastered")
_CONFLICT = ("same value for property", "conflicting object")
_NAMES = re.compile(r"'([A-Za-z]\w*)'|[Pp]ropert(?:y|ies):? (\w+)|\b(extension_\w+)")
_MEMBER = re.compile(r"extensionAttribute\d+", re.IGNORECASE)


def refused_attributes(error: GraphRefusedError, sent: Collection[str]) -> set[str]:
    """The names in `sent` that this refusal is about; empty if the answer does not tell."""
    message = error.message.lower()
    if error.status not in {400, 403} or any(text in message for text in _CONFLICT):
        return set()
    named = {_written_as(name).lower() for found in _NAMES.findall(error.message) for name in found if name}
    names = {name for name in sent if name.lower() in named}
    if not names and any(text in message for text in _MASTERED_ELSEWHERE):
        names = set(sent) & MASTERED_ELSEWHERE
    if not names and error.status == 403:
        names = set(sent) & SENSITIVE
    return names


def _written_as(name: str) -> str:
    """The property that was sent: Graph names extensionAttribute1 to 15 instead of the property that contains them."""
    return "onPremisesExtensionAttributes" if _MEMBER.fullmatch(name) else name
