"""Storage clients by the name of the setting that holds their connection string. One set per event loop."""

from contextlib import AsyncExitStack
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.data.tables.aio import TableServiceClient
from azure.storage.blob.aio import BlobServiceClient, ContainerClient
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from local.functions_host.settings import Settings

HOST_STORAGE = "AzureWebJobsStorage"

# Shorter than the SDK's 15 s: the next poll is a retry anyway, and a stop should not wait for a retry.
_RETRIES: dict[str, Any] = {"retry_total": 2, "initial_backoff": 1, "increment_base": 2}
# Without this, aiohttp looks for a proxy and a .netrc at every request, each in a thread.
_DIRECT: dict[str, Any] = {"use_env_settings": False}


class Storage:
    """Clients are made on first use, share one transport per service and account, and are closed together."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self._queues: dict[str, QueueServiceClient] = {}
        self._tables: dict[str, TableServiceClient] = {}
        self._blobs: dict[str, BlobServiceClient] = {}

    def queue(self, connection: str, name: str) -> QueueClient:
        """A client that neither encodes nor decodes: bodies are the host's business."""
        text = self._connection_string(connection)
        if text not in self._queues:
            client = QueueServiceClient.from_connection_string(text, **_RETRIES, **_DIRECT)
            self._stack.push_async_callback(client.close)
            self._queues[text] = client
        return self._queues[text].get_queue_client(name)

    def tables(self, connection: str) -> TableServiceClient:
        """The table service of that account."""
        text = self._connection_string(connection)
        if text not in self._tables:
            client = TableServiceClient.from_connection_string(text, **_DIRECT)
            self._stack.push_async_callback(client.close)
            self._tables[text] = client
        return self._tables[text]

    def host_container(self) -> ContainerClient:
        """The container of the leases and states of timers."""
        text = self._connection_string(HOST_STORAGE)
        if text not in self._blobs:
            client = BlobServiceClient.from_connection_string(text, **_RETRIES, **_DIRECT)
            self._stack.push_async_callback(client.close)
            self._blobs[text] = client
        return self._blobs[text].get_container_client("azure-webjobs-hosts")

    async def close(self) -> None:
        """Close every client."""
        await self._stack.aclose()

    def _connection_string(self, connection: str) -> str:
        value = self._settings.connection(connection or HOST_STORAGE)
        if value is None:
            raise LookupError(f"the connection {connection} is not set")
        return value


def error_code(error: HttpResponseError) -> str:
    """The storage service's own code, such as QueueNotFound; some errors carry it only as a header."""
    code = getattr(error, "error_code", None)
    if code is None and error.response is not None:
        code = getattr(error.response, "headers", {}).get("x-ms-error-code")
    return str(getattr(code, "value", code) or "")
