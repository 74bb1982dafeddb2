"""The sources of access tokens in each cloud: managed identity, certificate, secret, or the emulator.

https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.identity import CredentialUnavailableError, ManagedIdentityCredential
from azure.identity.aio import CertificateCredential, ClientAssertionCredential, ClientSecretCredential

from ..model.errors import GraphRefusedError, UnavailableError
from ..ports import Clock
from .auth import Token, TokenSource
from .failures import retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """The hosts of one Microsoft cloud. https://learn.microsoft.com/graph/deployments"""

    authority: str
    graph_url: str
    exchange_audience: str

    @property
    def scope(self) -> str:
        return f"{self.graph_url}/.default"


# Entra's own failures. AADSTS90033 comes with a 400 as well as with a 503 (azure-sdk-for-python, issue 14241).
# https://learn.microsoft.com/entra/identity-platform/reference-error-codes
_TRANSIENT = frozenset({"AADSTS90006", "AADSTS90012", "AADSTS90024", "AADSTS90033", "AADSTS90055"})
_UNREADABLE = "Unexpected response"
_EXCHANGE = "api://AzureADTokenExchange"

CLOUDS: Mapping[str, Cloud] = {
    "global": Cloud(
        authority="login.microsoftonline.com", graph_url="https://graph.microsoft.com", exchange_audience=_EXCHANGE
    ),
    "usgov": Cloud(
        authority="login.microsoftonline.us",
        graph_url="https://graph.microsoft.us",
        exchange_audience=f"{_EXCHANGE}USGov",
    ),
    "dod": Cloud(
        authority="login.microsoftonline.us",
        graph_url="https://dod-graph.microsoft.us",
        exchange_audience=f"{_EXCHANGE}USGov",
    ),
    "china": Cloud(
        authority="login.chinacloudapi.cn",
        graph_url="https://microsoftgraph.chinacloudapi.cn",
        exchange_audience=f"{_EXCHANGE}China",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    token: str = field(repr=False)
    expires_on: int


class AzureTokenSource:
    """A credential of azure.identity that raises our errors: UnavailableError or GraphRefusedError."""

    def __init__(
        self,
        credential: AsyncTokenCredential,
        close_more: Callable[[], None] | None = None,
        *,
        authority: str = "Entra",
    ) -> None:
        self._credential = credential
        self._authority = authority  # for messages
        self._close_more = close_more

    async def get_token(self, *scopes: str, claims: str | None = None, enable_cae: bool = False) -> Token:
        try:
            return await self._credential.get_token(*scopes, claims=claims, enable_cae=enable_cae)
        except CredentialUnavailableError as error:  # the managed identity endpoint does not answer
            raise UnavailableError("no access token: the credential is not available") from error
        except ClientAuthenticationError as error:
            raise _refused(error) from error
        except (AzureError, AttributeError, LookupError, TypeError, ValueError) as error:
            # azure.identity fails with other errors than its own on an answer that is not a JSON object.
            raise UnavailableError(f"no access token from {self._authority} ({type(error).__name__})") from error

    async def close(self) -> None:
        await self._credential.close()
        if self._close_more is not None:
            self._close_more()


def federated_identity(*, tenant_id: str, app_id: str, identity_client_id: str, cloud: Cloud) -> TokenSource:
    """A user-assigned managed identity, federated into the app registration, so that there is no secret.

    There is one credential for each tenant. The app registration is multi-tenant and needs consent in each.
    """
    identity = ManagedIdentityCredential(client_id=identity_client_id)

    def assertion() -> str:
        # azure.identity.aio calls this function synchronously, so the credential is a synchronous one. About once an
        # hour, a call to the local identity endpoint blocks the event loop.
        token: str = identity.get_token(f"{cloud.exchange_audience}/.default").token
        return token

    credential = ClientAssertionCredential(tenant_id, app_id, assertion, authority=cloud.authority)
    return AzureTokenSource(credential, identity.close, authority=cloud.authority)


def client_certificate(*, tenant_id: str, app_id: str, path: str, cloud: Cloud) -> TokenSource:
    """A certificate with its private key, in a file in PEM or PKCS 12 format."""
    credential = CertificateCredential(tenant_id, app_id, path, authority=cloud.authority)
    return AzureTokenSource(credential, authority=cloud.authority)


def client_secret(*, tenant_id: str, app_id: str, secret: str, cloud: Cloud) -> TokenSource:
    credential = ClientSecretCredential(tenant_id, app_id, secret, authority=cloud.authority)
    return AzureTokenSource(credential, authority=cloud.authority)


class EmulatorCredential:
    """Tokens of the Graph emulator's token endpoint. Raises UnavailableError or GraphRefusedError."""

    def __init__(
        self,
        *,
        base_url: str,
        tenant_id: str,
        app_id: str,
        clock: Clock,
        secret: str = "emulator",  # noqa: S107 (the emulator takes any)
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._url = f"{self._base_url}/{tenant_id}/oauth2/v2.0/token"
        self._form = {"grant_type": "client_credentials", "client_id": app_id, "client_secret": secret}
        self._clock = clock
        self._http = httpx.AsyncClient(transport=transport, timeout=10)

    async def get_token(self, *scopes: str, claims: str | None = None, enable_cae: bool = False) -> Token:  # noqa: ARG002
        asked_at = self._clock.now().timestamp()
        try:
            response = await self._http.post(self._url, data={**self._form, "scope": " ".join(scopes)})
            response.raise_for_status()
            answer = response.json()
            return AccessToken(token=answer["access_token"], expires_on=int(asked_at + float(answer["expires_in"])))
        except httpx.HTTPStatusError as error:
            answer = error.response
            raise _no_token(answer.status_code, answer.text, answer.headers) from error
        except (httpx.HTTPError, KeyError, TypeError, ValueError) as error:
            raise UnavailableError(f"no access token from {self._base_url} ({type(error).__name__})") from error

    async def close(self) -> None:
        await self._http.aclose()


def _refused(error: ClientAuthenticationError) -> UnavailableError | GraphRefusedError:
    """azure.identity raises this error for every answer without a token, also for one that may pass."""
    answer: object = getattr(error, "response", None)
    status = getattr(answer, "status_code", None)
    if answer is None and _UNREADABLE in str(error):  # a gateway's page instead of Entra's JSON
        return UnavailableError("no access token: the answer cannot be read")
    headers: Mapping[str, str] = getattr(answer, "headers", None) or {}
    return _no_token(status if isinstance(status, int) else 401, str(error), headers, refusal=401)


def _no_token(
    status: int, text: str, headers: Mapping[str, str], *, refusal: int | None = None
) -> UnavailableError | GraphRefusedError:
    """`refusal` replaces the status of a refusal."""
    code = _entra_code(text)
    if not 400 <= status < 500 or status in {408, 429} or code in _TRANSIENT or "temporarily_unavailable" in text:
        wait = retry_after({name.lower(): value for name, value in headers.items()}, datetime.now(UTC))
        return UnavailableError(f"no access token ({status} {code})", retry_after=wait)
    return GraphRefusedError(status=refusal or status, code=code)


def _entra_code(text: str) -> str:
    """The AADSTS code in an error text. The text itself is dropped, since it quotes ids.

    https://learn.microsoft.com/entra/identity-platform/reference-error-codes
    """
    code = re.search(r"AADSTS\d+", text)
    return code.group() if code else "NoAccessToken"
