"""The hosts of each cloud, the emulator's tokens, and our errors for an answer without a token."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx

from ..model.errors import GraphRefusedError, UnavailableError
from ..ports import Clock
from .auth import Token, trusted
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
        self._http = httpx.AsyncClient(transport=transport, verify=transport is not None or trusted(), timeout=10)

    async def get_token(self, *scopes: str, claims: str | None = None, enable_cae: bool = False) -> Token:  # noqa: ARG002
        asked_at = self._clock.now().timestamp()
        try:
            response = await self._http.post(self._url, data={**self._form, "scope": " ".join(scopes)})
            response.raise_for_status()
            answer = response.json()
            return AccessToken(token=answer["access_token"], expires_on=int(asked_at + float(answer["expires_in"])))
        except httpx.HTTPStatusError as error:
            answer = error.response
            raise no_token(answer.status_code, answer.text, answer.headers) from error
        except (httpx.HTTPError, KeyError, TypeError, ValueError) as error:
            raise UnavailableError(f"no access token from {self._base_url} ({type(error).__name__})") from error

    async def close(self) -> None:
        await self._http.aclose()


def no_token(
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
