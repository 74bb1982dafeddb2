"""The caller of an operator endpoint and their roles, from the header that App Service authentication writes.

Any sender can write such a header. It proves something only behind App Service authentication, which removes
it from requests that come from outside and puts its own in place; XTSYNC_OPERATOR_ENDPOINTS says that it is there.
https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

HEADER = "x-ms-client-principal"

_LONGEST = 64 * 1024  # characters; requests with larger headers do not get here
_OBJECT_ID = ("http://schemas.microsoft.com/identity/claims/objectidentifier", "oid")
_ROLES = ("roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role")


class Role(StrEnum):
    """App roles of the registration "(operators)", infra/modules/operators.bicep."""

    READER = "Reader"
    OPERATOR = "Operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    object_id: str
    roles: frozenset[str]


def read_principal(header: str) -> Principal | None:
    """None for anything that Entra and App Service authentication would not have written."""
    if len(header) > _LONGEST:
        return None
    try:
        document = json.loads(base64.b64decode(header, validate=True))
        if document["auth_typ"] != "aad":
            return None
        claims = list(_claims(document["claims"]))
        (object_id,) = {value.lower() for name, value in claims if name in _OBJECT_ID}
        return Principal(
            object_id=str(UUID(object_id)), roles=frozenset(value for name, value in claims if name in _ROLES)
        )
    except (binascii.Error, ValueError, KeyError, TypeError, RecursionError):
        return None


def _claims(claims: object) -> Iterator[tuple[str, str]]:
    """A claim with several values comes as several claims of the same type."""
    if not isinstance(claims, list):
        raise TypeError
    for claim in claims:
        name, value = claim["typ"], claim["val"]
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError
        yield name, value
