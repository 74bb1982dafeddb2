"""Access tokens: JSON Web Tokens without a valid signature.

Their claims: `tid` is the tenant, `appid` the caller, `roles` its application permissions (absent: all), `nbf` and
`exp` the lifetime. https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
"""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from entra_graph_emulator.wire.errors import unauthenticated

LIFETIME_S: Final = 3599
_GRAPH_APP: Final = "00000003-0000-0000-c000-000000000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """`roles` None: every permission."""

    app: str
    tenant: str
    roles: frozenset[str] | None = None

    def may(self, any_of: Iterable[str]) -> bool:
        return self.roles is None or not self.roles.isdisjoint(any_of)


def issue(
    *,
    tenant: str,
    app: str,
    now: datetime,
    roles: Iterable[str] | None = None,
    audience: str = "https://graph.microsoft.com",
    lifetime_s: float = LIFETIME_S,
) -> str:
    claims: dict[str, Any] = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{tenant}/",
        "iat": int(now.timestamp()),
        "nbf": int(now.timestamp()),
        "exp": int(now.timestamp() + lifetime_s),
        "appid": app,
        "tid": tenant,
        "ver": "1.0",
    }
    if roles is not None:
        claims["roles"] = list(roles)
    return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(claims)}.unsigned"


def read(authorization: str | None, now: datetime) -> Caller:
    """Raises 401 InvalidAuthenticationToken."""
    if not authorization or not authorization.lower().startswith("bearer "):
        raise unauthenticated("Access token is empty.")
    claims = _claims(authorization[7:].strip())
    try:
        expires, begins = float(claims["exp"]), float(claims.get("nbf", 0))
        caller = Caller(app=str(claims["appid"]), tenant=str(claims["tid"]), roles=_roles(claims))
    except (KeyError, TypeError, ValueError):
        raise unauthenticated("Access token validation failure.") from None
    if not begins <= now.timestamp() + 1 or not now.timestamp() < expires:
        raise unauthenticated("Lifetime validation failed, the token is expired.")
    if not _is_graph(claims.get("aud", _GRAPH_APP)):
        raise unauthenticated("Access token validation failure. Invalid audience.")
    return caller


def _roles(claims: Mapping[str, Any]) -> frozenset[str] | None:
    roles = claims.get("roles")
    return None if roles is None else frozenset(str(role) for role in roles)


def _is_graph(audience: Any) -> bool:
    try:
        host = urlsplit(str(audience)).hostname or ""
    except ValueError:
        return False
    return audience == _GRAPH_APP or "graph" in host or host in {"localhost", "127.0.0.1", "::1"}


@lru_cache(maxsize=256)
def _claims(token: str) -> Mapping[str, Any]:
    """Cached: a caller sends the same token for an hour, and decoding was a sixth of the cost of a small request."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, binascii.Error):
        raise unauthenticated("IDX14100: JWT is not well formed, there are no dots (.).") from None
    if not isinstance(claims, dict):
        raise unauthenticated("Access token validation failure.")
    return claims


def _part(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")
