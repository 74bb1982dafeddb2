"""Access tokens of Entra: of a managed identity, or with a certificate or a secret.

https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.identity import CredentialUnavailableError, ManagedIdentityCredential
from azure.identity.aio import CertificateCredential, ClientAssertionCredential, ClientSecretCredential

from ..model.errors import GraphRefusedError, UnavailableError
from .auth import Token, TokenSource
from .credentials import Cloud, no_token

_UNREADABLE = "Unexpected response"


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


def _refused(error: ClientAuthenticationError) -> UnavailableError | GraphRefusedError:
    """azure.identity raises this error for every answer without a token, also for one that may pass."""
    answer: object = getattr(error, "response", None)
    status = getattr(answer, "status_code", None)
    if answer is None and _UNREADABLE in str(error):  # a gateway's page instead of Entra's JSON
        return UnavailableError("no access token: the answer cannot be read")
    headers: Mapping[str, str] = getattr(answer, "headers", None) or {}
    return no_token(status if isinstance(status, int) else 401, str(error), headers, refusal=401)
