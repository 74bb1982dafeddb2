"""Calls to Azure's SDK: a few short retries, and our errors for its own, chained, without bodies or addresses."""

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
_BUSY = {"ServerBusy"}  # storage's throttling: status 503 instead of 429
_CODE_IN_BODY = re.compile(r'"code":\s*"(\w+)"')
_BEING_DELETED = {"TableBeingDeleted", "QueueBeingDeleted"}

# Seconds before each retry: enough for a connection that was closed while idle, or for a partition that moved. After a
# longer outage the queue delivers the message again.
_PAUSES_S = (0.1, 0.5)


def client_options() -> dict[str, Any]:
    """Options of both clients. Time-outs are in seconds, for one attempt."""
    return {
        # `attempt` retries instead: the tables client would sleep for any Retry-After and block the invocation.
        "retry_total": 0,
        "connection_timeout": 5,
        "read_timeout": 15,
        # With True, aiohttp looks for proxies and a .netrc at every request, which takes a third of its CPU time.
        "use_env_settings": bool(getproxies()),
    }


class NoTokenError(AzureError):
    """The credential gave no token for storage."""


class Tokens:
    """A credential that raises NoTokenError.

    azure.identity's own error has no HTTP response, and the tables client fails on that.
    """

    def __init__(self, credential: AsyncTokenCredential) -> None:
        self._credential = credential

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        try:
            return await self._credential.get_token(*scopes, **options)
        except ClientAuthenticationError as error:
            raise NoTokenError("no token") from error

    async def close(self) -> None:
        """The caller that made the credential closes it."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...


async def attempt[T](action: Callable[[], Awaitable[T]]) -> T:
    """Await `action`, and up to twice more if storage does not answer. Raises the errors of `translate`.

    Throttling is raised at once: the caller waits. If a write was done and its answer was lost, it is done again. Then
    an insert or a replace raises ConflictError, and a message is sent twice. The core expects both.
    """
    pauses = iter(_PAUSES_S)
    while True:
        try:
            return await action()
        except (AzureError, AttributeError) as raised:
            error = _sdk_error(raised)
            ours = translate(error)
            pause = next(pauses, None)
            if pause is None or not isinstance(ours, UnavailableError) or ours.retry_after:
                raise ours from error
        await asyncio.sleep(pause)


def _sdk_error(raised: AzureError | AttributeError) -> AzureError:
    """The SDK's error. Raises any other one again.

    If the answer to an insert breaks off, the tables client fails while it reads the response of its own error.
    """
    error = raised.__context__ if isinstance(raised, AttributeError) else raised
    if isinstance(error, AzureError):
        return error
    raise raised


def translate(error: AzureError) -> SyncError:
    """Our error for an error of the SDK: UnavailableError, ConflictError, ThrottledError or StorageRefusedError."""
    status = error.status_code if isinstance(error, HttpResponseError) else None
    if isinstance(error, NoTokenError):
        return UnavailableError("no token for storage: is there a managed identity, or is `az login` needed?")
    if status is None or status < 400:  # connection, DNS, time-out; or an answer that cannot be read
        return UnavailableError(f"storage did not answer{_where(error)}: {type(error).__name__}")
    code = error_code(error)
    wait = _retry_after(error)
    if status == 412 or code in _LOST_RACES:
        return ConflictError(f"storage: {status} {code}")
    if status == 429 or code in _BUSY:
        return ThrottledError(f"storage: {status} {code}", retry_after=wait)
    if status >= 500 or status == 408 or code in _BEING_DELETED:
        return UnavailableError(f"storage: {status} {code}", retry_after=wait)
    return StorageRefusedError(status=status, code=code)


def _where(error: AzureError) -> str:
    """Host and port that could not be reached, if aiohttp says them: a wrong address is the usual cause."""
    cause = error.inner_exception
    host, port = getattr(cause, "host", None), getattr(cause, "port", None)
    return f" at {host}:{port}" if host and port else ""


def error_code(error: AzureError) -> str:
    """The service's error code: from the SDK, else from the header, else from the body (tables have no such header)."""
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
