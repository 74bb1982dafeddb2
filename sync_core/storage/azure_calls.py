"""Calls to Azure's SDK: few and short retries, and its errors as ours: chained, without bodies or addresses."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any, Self
from urllib.request import getproxies

from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

from ..model.errors import ConflictError, SyncError, ThrottledError, UnavailableError
from .errors import StorageRefusedError

# https://learn.microsoft.com/rest/api/storageservices/table-service-error-codes, and queue-service-error-codes
_LOST_RACES = {"EntityAlreadyExists", "UpdateConditionNotSatisfied", "MessageNotFound", "PopReceiptMismatch"}
_BUSY = {"ServerBusy"}  # how storage says 429: its status is 503
_CODE_IN_BODY = re.compile(r'"code":\s*"(\w+)"')
_ON_ITS_WAY = {"TableBeingDeleted", "QueueBeingDeleted"}

# Enough for a connection that was closed while idle, or for a moved partition; for more the message comes back.
_PAUSES_S = (0.1, 0.5)


def client_options() -> dict[str, Any]:
    """For both SDKs. Time-outs are in seconds, and for one attempt."""
    return {
        # Retries are ours: the tables client would sleep through any Retry-After, however long, in a held invocation.
        "retry_total": 0,
        "connection_timeout": 5,
        "read_timeout": 15,
        # Otherwise aiohttp looks for proxies and a .netrc at every request, in two threads: a third of its CPU time.
        "use_env_settings": bool(getproxies()),
    }


class NoTokenError(AzureError):
    """There was nobody to ask storage as."""


class Tokens:
    """A credential whose refusals the SDKs pass on: for its own error, the one for tables wants an HTTP response."""

    def __init__(self, credential: AsyncTokenCredential) -> None:
        self._credential = credential

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        try:
            return await self._credential.get_token(*scopes, **options)
        except ClientAuthenticationError as error:
            raise NoTokenError("no token") from error

    async def close(self) -> None:
        """The credential stays its maker's to close."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...


async def attempt[T](action: Callable[[], Awaitable[T]]) -> T:
    """Await `action`, twice more when storage does not answer; being throttled is for the caller to wait out.

    A write that was done although its answer was lost meets itself: an insert or a replace then raises ConflictError,
    and a message is sent twice. Both are what the core expects of storage anyhow.
    """
    pauses = iter(_PAUSES_S)
    while True:
        try:
            return await action()
        except AzureError as error:
            ours = translate(error)
            pause = next(pauses, None)
            if pause is None or not isinstance(ours, UnavailableError) or ours.retry_after:
                raise ours from error
        await asyncio.sleep(pause)


def translate(error: AzureError) -> SyncError:
    status = error.status_code if isinstance(error, HttpResponseError) else None
    if isinstance(error, NoTokenError):
        return UnavailableError("no token for storage: is there a managed identity, or is `az login` needed?")
    if status is None or status < 400:  # connection, DNS, time-out, no token; or an answer that makes no sense
        return UnavailableError(f"storage did not answer: {type(error).__name__}")
    code = error_code(error)
    wait = _retry_after(error)
    if status == 412 or code in _LOST_RACES:
        return ConflictError(f"storage: {status} {code}")
    if status == 429 or code in _BUSY:
        return ThrottledError(f"storage: {status} {code}", retry_after=wait)
    if status >= 500 or status == 408 or code in _ON_ITS_WAY:
        return UnavailableError(f"storage: {status} {code}", retry_after=wait)
    return StorageRefusedError(status=status, code=code)


def error_code(error: AzureError) -> str:
    """The service's own code: as the SDK parsed it, else from the header, else (tables have none) from the body."""
    code = getattr(error, "error_code", None)
    response = getattr(error, "response", None)
    if code is None and response is not None:
        code = response.headers.get("x-ms-error-code")
    if code is None and (in_body := _CODE_IN_BODY.search(str(error))):
        code = in_body[1]
    return str(getattr(code, "value", code) or "unknown")


def _retry_after(error: AzureError) -> float | None:
    response = getattr(error, "response", None)
    try:
        return float(response.headers["Retry-After"]) if response is not None else None
    except (KeyError, ValueError):
        return None
