"""Values that attributes take, their fingerprints, and the attribute names that the core itself knows. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from hashlib import blake2b

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None


type Attributes = Mapping[str, Json]


# The one attribute whose value is another user: set through a reference, resolved through links.
MANAGER = "manager"


# The one that gives and takes access.
ENABLED = "accountEnabled"


# What clauses of scoping filters ask for groups by. No read selects it: whether a user is in a group is asked of Graph.
MEMBER_OF = "memberOf"


# How long Entra keeps a soft-deleted user. https://learn.microsoft.com/graph/api/directory-deleteditems-list
SOFT_DELETE_RETENTION = timedelta(days=30)


# Made once: for each text, `json.dumps` would make another encoder, which costs ten times as much as to use it.
_encoded = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode

_OBJECT_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_object_id(text: str) -> bool:
    """Whether a text is an Entra object id: a GUID with hyphens, in lower case."""
    return _OBJECT_ID.fullmatch(text) is not None


def fingerprint(value: Json) -> str:
    """A short digest of one attribute value; links keep these, so no personal data rests in Table Storage."""
    return blake2b(_encoded(value).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def fingerprints(attributes: Attributes) -> dict[str, str]:
    return {name: fingerprint(value) for name, value in attributes.items()}


def digest(applied: Mapping[str, str]) -> str:
    """One digest over the fingerprints of all attributes: equal digests mean that nothing differs.

    But for the manager, whom an entry of a delta page names only when that changed: see LinkDigest.
    """
    return fingerprint({name: value for name, value in applied.items() if name != MANAGER})
