"""The access token of one client, and the gate that checks every request before it is sent.

The gate is the last step before the network. It stops three kinds of request: one to another host, one with another
tenant's token, and a write in read-only mode.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import logging
import re
import ssl
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import httpx
from kiota_abstractions.authentication import AuthenticationProvider

from ..model.errors import ReadOnlyError, UnavailableError, WrongTenantError

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation

    from ..ports import Clock

# POST requests that only read. https://learn.microsoft.com/graph/api/directoryobject-getbyids
_READ_ONLY_POSTS = re.compile(r"/(directoryObjects/getByIds|(users|directoryObjects)/[^/]+/checkMemberGroups)")
_REFRESH_BEFORE = 300.0  # seconds before the token expires; azure.identity renews from the same point on


# At INFO, httpx logs the URL of each request. Our URLs contain mail addresses (filters) and delta tokens (delta links).
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@cache
def trusted() -> ssl.SSLContext:
    """The certificates of all authorities, for every client of the process: to read them takes 50 ms of CPU."""
    return httpx.create_ssl_context()


class Token(Protocol):
    @property
    def token(self) -> str: ...

    @property
    def expires_on(self) -> int:
        """Unix time."""
        ...


class TokenSource(Protocol):
    """The methods of a credential that this package uses. The credentials of azure.identity.aio have them."""

    async def get_token(self, *scopes: str, claims: str | None = None, enable_cae: bool = False) -> Token: ...

    async def close(self) -> None: ...


class BearerAuthentication(AuthenticationProvider):
    """Puts the token on each request. Waiting requests share one fetch; a token is kept until 300 s before its end."""

    def __init__(self, source: TokenSource, scope: str, clock: Clock) -> None:
        self._source = source
        self._scope = scope
        self._clock = clock
        self._token: Token | None = None
        self._lock = asyncio.Lock()

    async def authenticate_request(
        self,
        request: RequestInformation,
        additional_authentication_context: dict[str, Any] | None = None,
    ) -> None:
        challenge = (additional_authentication_context or {}).get("claims")
        token = await self._renew(challenge) if challenge else await self.current()
        # The SDK sends a challenged request again, and `add` would keep the old header beside the new one.
        request.headers.remove("Authorization")
        request.headers.add("Authorization", f"Bearer {token}")

    def forget(self) -> None:
        """Drop the token, so that the next request fetches another one."""
        self._token = None

    async def current(self) -> str:
        """The token for the next request. Raises the credential's errors."""
        if not self._has_token():
            async with self._lock:
                if not self._has_token():
                    self._token = await self._source.get_token(self._scope, enable_cae=True)
        assert self._token is not None
        return self._token.token

    def _has_token(self) -> bool:
        return self._token is not None and self._token.expires_on - self._clock.now().timestamp() > _REFRESH_BEFORE

    async def _renew(self, challenge: str) -> str:
        """Fetch a token that answers a claims challenge: continuous access evaluation has revoked the old one early."""
        try:
            claims = base64.b64decode(challenge).decode()
        except ValueError as error:
            raise UnavailableError("Graph's claims challenge is not base64 text") from error
        token = await self._source.get_token(self._scope, claims=claims, enable_cae=True)
        self._token = token
        return token.token


class Gate:
    """The check of each request: to this Graph, with this tenant's token, and no write in read-only mode."""

    def __init__(self, *, base_url: str, tenant_id: str, read_only: bool) -> None:
        self._base = httpx.URL(base_url)
        self._tenant_id = tenant_id.lower()
        self._read_only = read_only
        self._checked = ""  # the last Authorization header that passed

    def writes(self, method: str, url: httpx.URL | str) -> bool:
        """Whether a request is a write. Raises ReadOnlyError for a write in read-only mode."""
        if method == "GET":
            return False
        if method == "POST" and _READ_ONLY_POSTS.fullmatch(httpx.URL(url).path.removeprefix(self._base.path)):
            return False
        if self._read_only:
            raise ReadOnlyError(f"{method} in read-only mode")
        return True

    def ours(self, url: str) -> bool:
        """Whether a URL leads to this Graph. Another host must never receive our token."""
        try:
            return self._is_ours(httpx.URL(url))
        except httpx.InvalidURL:
            return False

    def _is_ours(self, url: httpx.URL) -> bool:
        here = (self._base.scheme, self._base.host, self._base.port)
        inside = url.path.startswith(f"{self._base.path}/")
        return (url.scheme, url.host, url.port) == here and not url.userinfo and inside

    async def check(self, request: httpx.Request) -> None:
        """The hook that httpx calls with every request before it is sent.

        Raises UnavailableError (another host), ReadOnlyError, or WrongTenantError (another tenant's token).
        """
        if not self._is_ours(request.url):
            raise UnavailableError("a request to another host was stopped")
        self.writes(request.method, request.url)
        # Reads are checked too: with another tenant's token, every user of this tenant would look deleted.
        authorization = request.headers.get("Authorization", "")
        if authorization != self._checked:
            if tenant_of(authorization.removeprefix("Bearer ")) != self._tenant_id:
                raise WrongTenantError("the access token is for another tenant, or has no tenant id")
            self._checked = authorization


def tenant_of(token: str) -> str | None:
    """The `tid` claim in lower case, or None. It is only compared here; Graph checks the token's signature."""
    tenant = claims_of(token).get("tid")
    return None if tenant is None else str(tenant).lower()


def claims_of(token: str) -> dict[str, Any]:
    """The claims of an access token; empty if the token is not a readable JWT."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}
