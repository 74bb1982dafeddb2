"""One storage account on one event loop. All tables share one HTTP session, and all queues share another."""

from __future__ import annotations

from azure.core.credentials_async import AsyncTokenCredential
from azure.data.tables.aio import TableServiceClient
from azure.storage.queue.aio import QueueServiceClient

from .azure_calls import Tokens, client_options
from .azure_queue import AzureQueue, open_queue
from .azure_table import AzureTable


class AzureAccount:
    def __init__(self, tables: TableServiceClient, queues: QueueServiceClient) -> None:
        self._tables = tables
        self._queues = queues

    @classmethod
    def from_connection_string(cls, text: str) -> AzureAccount:
        """`UseDevelopmentStorage=true` means Azurite on its usual ports. Raises ValueError for malformed text."""
        text = text.strip().rstrip(";")
        return cls(
            TableServiceClient.from_connection_string(text, **client_options()),
            QueueServiceClient.from_connection_string(text, **client_options()),
        )

    @classmethod
    def from_credential(cls, table_uri: str, queue_uri: str, credential: AsyncTokenCredential) -> AzureAccount:
        """The caller closes the credential."""
        tokens = Tokens(credential)
        return cls(
            TableServiceClient(table_uri, credential=tokens, **client_options()),
            QueueServiceClient(queue_uri, credential=tokens, **client_options()),
        )

    def table(self, name: str) -> AzureTable:
        return AzureTable(self._tables.get_table_client(name))

    def queue(self, name: str) -> AzureQueue:
        return open_queue(self._queues, name)

    async def close(self) -> None:
        try:
            await self._tables.close()
        finally:
            await self._queues.close()
