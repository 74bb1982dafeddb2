"""Every address by which a search finds a user. Pure."""

from __future__ import annotations

from .users import PRINCIPAL_NAME
from .values import Attributes, Json

_SMTP = "smtp:"
# The attributes that have them. https://learn.microsoft.com/graph/api/invitation-post says how to look for an invitee.
ADDRESSES = (PRINCIPAL_NAME, "mail", "proxyAddresses", "otherMails")


def addresses_of(user: Attributes) -> frozenset[str]:
    """In lower case, as Graph compares them without regard to case. Of a contact, too: it has two of the attributes."""
    proxies = (each[len(_SMTP) :] for each in _texts(user.get("proxyAddresses")) if each.startswith(_SMTP))
    single = (each for name in (PRINCIPAL_NAME, "mail") for each in _texts([user.get(name)]))
    return frozenset(filter(None, (*single, *proxies, *_texts(user.get("otherMails")))))


def _texts(value: Json) -> list[str]:
    return [each.lower() for each in value if isinstance(each, str)] if isinstance(value, list) else []
