"""The access token of one client, and the gate that every request passes on its way out.

The gate is the last thing before the wire: whatever a caller or the SDK did before, a request to another host, with
another tenant's token, or a write in read-only mode does not leave.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import logging
import re
from typing import TYPE_CHECKING, Any, Protocol

import httpx
from kiota_abstractions.authentication import AuthenticationProvider

from ..model.errors import ReadOnlyError, UnavailableError, WrongTenantError

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation

    from ..ports import Clock

# POSTs that change nothing, by name. https://learn.microsoft.com/graph/api/directoryobject-getbyids
_READ_ONLY_POSTS = re.compile(r"/(directoryObjects/getByIds|(users|directoryObjects)/[^/]+/checkMemberGroups)")
_REFRESH_BEFORE = 300.0  # seconds of life left; azure.identity, too, renews from here on


# At INFO, httpx logs the URL of each request, and ours have addresses in filters and delta tokens in links.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class Token(Protocol):
    @property
    def token(self) -> str: ...

    @property
    def expires_on(self) -> int:
        """Unix time."""
        ...


class TokenSource(Protocol):
    """What we need of a credential: azure.identity.aio's credentials fit as they are."""

    async def get_token(self, *scopes: str, claims: str | None = None, enable_cae: bool = False) -> Token: ...

    async def close(self) -> None: ...


class BearerAuthentication(AuthenticationProvider):
    """Puts the token on each request: one fetch for all who wait, kept until shortly before it expires."""

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
        request.headers.remove("Authorization")  # the SDK sends a challenged request again, and headers add up
        request.headers.add("Authorization", f"Bearer {token}")

    def forget(self) -> None:
        """Graph did not take the token: fetch another one next time."""
        self._token = None

    async def current(self) -> str:
        """The token that the next request bears; raises what the credential raises."""
        if not self._fresh():
            async with self._lock:
                if not self._fresh():
                    self._token = await self._source.get_token(self._scope, enable_cae=True)
        assert self._token is not None
        return self._token.token

    def _fresh(self) -> bool:
        return self._token is not None and self._token.expires_on - self._clock.now().timestamp() > _REFRESH_BEFORE

    async def _renew(self, challenge: str) -> str:
        """Answer a claims challenge: the token was revoked before its time (continuous access evaluation)."""
        try:
            claims = base64.b64decode(challenge).decode()
        except ValueError as error:
            raise UnavailableError("a claims challenge that cannot be read") from error
        token = await self._source.get_token(self._scope, claims=claims, enable_cae=True)
        self._token = token
        return token.token


class Gate:
    """What may leave: to this Graph only, for this tenant only, and no write in read-only mode."""

    def __init__(self, *, base_url: str, tenant_id: str, read_only: bool) -> None:
        self._base = httpx.URL(base_url)
        self._tenant_id = tenant_id.lower()
        self._read_only = read_only
        self._checked = ""  # the header that was last found good

    def writes(self, method: str, url: httpx.URL | str) -> bool:
        """Whether a request is a write; raises ReadOnlyError when it is and may not be."""
        if method == "GET":
            return False
        if method == "POST" and _READ_ONLY_POSTS.fullmatch(httpx.URL(url).path.removeprefix(self._base.path)):
            return False
        if self._read_only:
            raise ReadOnlyError(f"{method} in read-only mode")
        return True

    def ours(self, link: str) -> bool:
        """Whether a link leads to this Graph: another host must never receive our token."""
        try:
            return self._is_ours(httpx.URL(link))
        except httpx.InvalidURL:
            return False

    def _is_ours(self, url: httpx.URL) -> bool:
        here = (self._base.scheme, self._base.host, self._base.port)
        inside = url.path.startswith(f"{self._base.path}/")
        return (url.scheme, url.host, url.port) == here and not url.userinfo and inside

    async def check(self, request: httpx.Request) -> None:
        """The hook that httpx calls with every request, as it will go out."""
        if not self._is_ours(request.url):
            raise UnavailableError("a request to another host was stopped")
        self.writes(request.method, request.url)
        # Reads, too: read with another tenant's token, every user of the right one looks deleted.
        authorization = request.headers.get("Authorization", "")
        if authorization != self._checked:
            if tenant_of(authorization.removeprefix("Bearer ")) != self._tenant_id:
                raise WrongTenantError("the access token is for another tenant, or does not say for which")
            self._checked = authorization


def tenant_of(token: str) -> str | None:
    """The `tid` claim. The signature is Graph's to check: here we only compare what the token says it is."""
    tenant = claims_of(token).get("tid")
    return None if tenant is None else str(tenant).lower()


def claims_of(token: str) -> dict[str, Any]:
    """What an access token says of itself; nothing when it is none of the kind that can be read."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}
