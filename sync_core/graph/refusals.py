"""Which attributes of a PATCH Graph refuses, and what to send next.

A PATCH is all or nothing, so one refused attribute blocks all others. Most refusals name the attribute. Two kinds name
only the kind of user; then the attributes are those that are known to be refused for such users. A conflict names
`proxyAddresses`, which is written through other attributes. If a 400 names nothing, each half is sent by itself.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from itertools import batched

from ..model import Attributes
from ..model.errors import GraphRefusedError

# Attributes of administrators that only an app with a directory role may write.
# https://learn.microsoft.com/graph/api/resources/users#who-can-perform-sensitive-actions
SENSITIVE = frozenset({"accountEnabled", "businessPhones", "mobilePhone", "otherMails"})
# Attributes that only Exchange or the on-premises directory may write.
# https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-known-issues
MASTERED_ELSEWHERE = frozenset({"mail", "onPremisesExtensionAttributes", "showInAddressList"})
_MASTERED_ELSEWHERE = ("originated within an external service", "on-premises mastered")
# Attributes whose addresses Entra adds to the read-only proxyAddresses (microsoft-graph-docs-contrib, issue 8421).
_ADDRESSES = "proxyAddresses"
_PROXIES = frozenset({"mail", "otherMails"})
_CONFLICT = ("same value for property", "conflicting object")
_NAMES = re.compile(r"'([A-Za-z]\w*)'|[Pp]ropert(?:y|ies):? (\w+)|\b(extension_\w+)")
_MEMBER = re.compile(r"extensionAttribute\d+", re.IGNORECASE)


def is_conflict(error: GraphRefusedError) -> bool:
    """Whether another object of the tenant has a value that must be unique, such as an address."""
    said = any(text in error.message.lower() for text in _CONFLICT)
    return error.status in {400, 409} and (said or _ADDRESSES in error.targets)


def divided(error: GraphRefusedError, sent: Attributes) -> tuple[set[str], list[Attributes]]:
    """The names in `sent` that are refused for certain, and what to send next, part by part.

    Raises `error` if it is about none of the attributes.
    """
    names = refused_attributes(error, sent)
    rest = [name for name in sent if name not in names]
    if len(names) > 1 and is_conflict(error):
        return set(), _parts(sent, [rest, *([name] for name in sorted(names))])
    if names:
        return names, _parts(sent, [rest])
    if error.status not in {400, 409}:
        raise error
    if len(sent) == 1:
        return set(sent), []
    return set(), _parts(sent, batched(sent, (len(sent) + 1) // 2, strict=False))


def refused_attributes(error: GraphRefusedError, sent: Collection[str]) -> set[str]:
    """The names in `sent` that this refusal is about; empty if the answer does not tell."""
    message = error.message.lower()
    if error.status not in {400, 403, 409}:
        return set()
    said = {name for found in _NAMES.findall(error.message) for name in found if name}
    named = {_written_as(name).lower() for name in (*error.targets, *said)}
    names = {name for name in sent if name.lower() in named}
    if not names and _ADDRESSES.lower() in named:
        names = set(sent) & _PROXIES
    if not names and any(text in message for text in _MASTERED_ELSEWHERE):
        names = set(sent) & MASTERED_ELSEWHERE
    if not names and error.status == 403:
        names = set(sent) & SENSITIVE
    return names


def _parts(sent: Attributes, names: Iterable[Sequence[str]]) -> list[Attributes]:
    return [{name: sent[name] for name in each} for each in names if each]


def _written_as(name: str) -> str:
    """The property that was sent: Graph names extensionAttribute1 to 15 instead of the property that contains them."""
    return "onPremisesExtensionAttributes" if _MEMBER.fullmatch(name) else name
