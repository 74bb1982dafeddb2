"""Which attributes of a linked target user are not as we left them, and which of them are written again. Pure.

The record has digests alone, so that a feed compares those. A look has the values. What Graph made of a value of ours
is no difference: it trims text, orders lists and stores an empty value as null.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from ..mapping.attributes import EXTENSION_ATTRIBUTES, EXTENSION_PARENT
from ..mapping.sources import nothing
from ..model import (
    ENABLED,
    MANAGER,
    READ_ROLES,
    Apply,
    Attributes,
    Blocked,
    Desired,
    Edited,
    Json,
    Link,
    Sync,
    TargetUser,
    fingerprint,
)

# So many repairs of one user within a day, and somebody else still writes another value: it is shown, not fought.
ROUNDS_OF_A_FIGHT = 3
A_DAY = timedelta(days=1)

# Texts that Graph stores in another case than they were sent.
_CASELESS = frozenset({"mail", "otherMails", "usageLocation", "preferredLanguage", "userType"})
# Microsoft advises against it, and a guest's may read back as null: only a rule's own policy has it compared.
# https://learn.microsoft.com/graph/api/resources/user
_UNTOLD = frozenset({"showInAddressList"})


def policies(sync: Sync) -> Mapping[str, Edited]:
    """What becomes of an edit of each target attribute that is written always. No rule names the ownership marker.

    Left out are a reference, which no listing shows, access, which has a policy of its own, and what the app may not
    read.
    """
    default = sync.policy.drift.attributes
    steady = [rule for rule in sync.mapping if rule.apply is Apply.ALWAYS]
    found = {
        _property(rule.target): rule.drift or (Edited.LEAVE if rule.target in _UNTOLD else default) for rule in steady
    }
    if sync.owner_attribute is not None:
        found[sync.owner_attribute] = default
    return {name: each for name, each in found.items() if name not in {MANAGER, ENABLED, *READ_ROLES}}


def compared(sync: Sync) -> Sequence[str]:
    """The attributes of target users that are asked for: those of which an edit is not left alone."""
    return sorted(name for name, each in policies(sync).items() if each is not Edited.LEAVE)


def unlike(sync: Sync, link: Link, found: Attributes) -> list[str]:
    """The attributes of which the record has another value. One that `found` lacks counts as null.

    What we did not write, or what Graph refused, has no value on record.
    """
    known = {name: link.applied[name] for name in compared(sync) if link.applied.get(name) and name not in link.refused}
    return [
        name
        for name, digest in known.items()
        if not any(_recorded(digest, each) for each in _mapped(sync, name, found.get(name)))
    ]


def edited(sync: Sync, link: Link, wanted: Desired, found: Attributes) -> list[str]:
    """The attributes whose value in the target is not the one that is wanted and on record as written."""
    return [
        name
        for name in compared(sync)
        if name in wanted.always
        and name not in link.refused
        and link.applied.get(name) == fingerprint(wanted.always[name])
        and not same(name, wanted.always[name], found.get(name))
    ]


def blocked(link: Link, wanted: Desired, user: TargetUser) -> bool:
    """Somebody else blocked a user whom nothing of ours disables."""
    return not user.enabled and not link.perhaps_disabled and wanted.always.get(ENABLED) is not False


def enforced(sync: Sync, names: Sequence[str]) -> list[str]:
    """Those of the differing attributes that the policy writes again."""
    # Else nothing says that they are to be enabled.
    mapped = any(rule.target == ENABLED and rule.apply is Apply.ALWAYS for rule in sync.mapping)
    access = mapped and sync.policy.drift.blocked_in_target is Blocked.ENFORCE
    of = {**policies(sync), ENABLED: Edited.ENFORCE if access else Edited.REPORT}
    return [name for name in names if of.get(name) is Edited.ENFORCE]


def lately(repairs: Sequence[datetime], now: datetime) -> list[datetime]:
    return [at for at in repairs if now - at < A_DAY]


def same(name: str, wanted: Json, found: Json) -> bool:
    """Whether Graph may have made the one of the other, without anybody's edit."""
    if name == EXTENSION_PARENT and isinstance(wanted, dict):
        parts = found if isinstance(found, dict) else {}
        return all(same("", value, parts.get(key)) for key, value in wanted.items())
    return _normal(name, wanted) == _normal(name, found)


def _normal(name: str, value: Json) -> Json:
    if nothing(value):
        return None
    if isinstance(value, list):
        return sorted((_normal(name, each) for each in value), key=str)
    if not isinstance(value, str):
        return value
    text = " ".join(unicodedata.normalize("NFC", value).split())
    return (text.casefold() if name in _CASELESS else text) or None


def _recorded(digest: str, found: Json) -> bool:
    return digest == fingerprint(found) or (nothing(found) and digest in {fingerprint(None), fingerprint([])})


def _mapped(sync: Sync, name: str, found: Json) -> Sequence[Json]:
    """What the record may have for this value. Extension attributes are one property, in which others have theirs.

    Of those that rules write always, one that was cleared is on record as null, and one that was kept is not.
    """
    if name != EXTENSION_PARENT:
        return [found]
    parts = found if isinstance(found, dict) else {}
    steady = [rule.target for rule in sync.mapping if rule.apply is Apply.ALWAYS and _property(rule.target) == name]
    whole = {target: parts.get(target) for target in steady}
    return [whole, {target: value for target, value in whole.items() if value is not None}]


def _property(target: str) -> str:
    """The property of a user in which an attribute is written."""
    return EXTENSION_PARENT if target in EXTENSION_ATTRIBUTES else target
