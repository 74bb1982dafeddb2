"""Append blobs of one container, by the REST interface: two requests are no reason for another library.

https://learn.microsoft.com/rest/api/storageservices/append-block (looked up 2026-11-30)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Self
from urllib.parse import quote

from azure.core import AsyncPipelineClient
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.storage.queue import AccountSasPermissions, ResourceTypes, Services, generate_account_sas
from azure.storage.queue.aio import QueueServiceClient

from ..model.errors import ConflictError
from .azure_calls import Tokens, attempt, client_options
from .errors import StorageRefusedError

_VERSION = "2021-12-02"  # blocks of up to 4 MiB
_SCOPE = "https://storage.azure.com/.default"
_SIGNED_FOR = timedelta(hours=1)
_AZURITE = "http://127.0.0.1:10000/devstoreaccount1"  # of `UseDevelopmentStorage=true`

type _Client = AsyncPipelineClient[HttpRequest, AsyncHttpResponse]


class AppendBlobs:
    """ports.RecordBlobs."""

    def __init__(
        self, container_url: str, *, credential: AsyncTokenCredential | None = None, signature: str = ""
    ) -> None:
        policies = [] if credential is None else [AsyncBearerTokenCredentialPolicy(Tokens(credential), _SCOPE)]
        self._client: _Client = AsyncPipelineClient(container_url, policies=policies, **client_options())
        self._url, self._signature = container_url, signature

    @classmethod
    def from_connection_string(cls, text: str, container: str) -> Self:
        """With an account key, as Azurite has one, or with a shared access signature. Raises ValueError."""
        parts = dict(part.split("=", 1) for part in text.strip().split(";") if "=" in part)
        account = QueueServiceClient.from_connection_string(text.strip().rstrip(";"))
        usual = f"https://{account.account_name}.blob.{parts.get('EndpointSuffix', 'core.windows.net')}"
        url = _AZURITE if "UseDevelopmentStorage" in parts else parts.get("BlobEndpoint", usual)
        signature = parts.get("SharedAccessSignature") or generate_account_sas(
            str(account.account_name),
            account.credential.account_key,
            resource_types=ResourceTypes(object=True),
            permission=AccountSasPermissions(add=True, create=True, write=True),
            expiry=datetime.now(UTC) + _SIGNED_FOR,
            services=Services(blob=True),
        )
        return cls(f"{url.rstrip('/')}/{container}", signature=signature)

    async def append(self, name: str, content: bytes) -> None:
        """One block of at most 4 MiB. A new blob is made first; if another process makes it meanwhile, that is it."""
        try:
            await self._append(name, content)
        except StorageRefusedError as error:
            if error.storage_code != "BlobNotFound":
                raise
            await self._create(name)
            await self._append(name, content)

    async def close(self) -> None:
        await self._client.close()

    async def _append(self, name: str, content: bytes) -> None:
        await self._put(name, "comp=appendblock", {}, content)

    async def _create(self, name: str) -> None:
        kind = {"x-ms-blob-type": "AppendBlob", "x-ms-blob-content-type": "application/x-ndjson"}
        try:
            await self._put(name, "", {**kind, "If-None-Match": "*"}, b"")
        except ConflictError:
            return
        except StorageRefusedError as error:
            if error.storage_code != "BlobAlreadyExists":
                raise

    async def _put(self, name: str, query: str, headers: Mapping[str, str], content: bytes) -> None:
        url = f"{self._url}/{quote(name)}?{'&'.join(filter(None, (query, self._signature)))}"
        sent = {"x-ms-version": _VERSION, "Content-Length": str(len(content)), **headers}

        async def put() -> None:
            response = await self._client.send_request(HttpRequest("PUT", url, headers=sent, content=content))
            if response.status_code >= 400:
                raise HttpResponseError(response=response)

        await attempt(put)
