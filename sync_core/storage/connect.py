"""Storage in an Azure storage account.

storage = connect("UseDevelopmentStorage=true")
storage = connect_with_credential(table_uri=..., queue_uri=..., credential=...)
"""

from __future__ import annotations

from azure.core.credentials_async import AsyncTokenCredential

from .azure_account import AzureAccount
from .queues import ALL_QUEUES
from .repositories import TABLES, Storage, WrapQueue, WrapTable, assemble_storage


def connect(
    connection_string: str,
    *,
    prefix: str = "",
    wrap_table: WrapTable | None = None,
    wrap_queue: WrapQueue | None = None,
) -> Storage:
    """With an account key or a shared access signature; also `UseDevelopmentStorage=true`.

    `prefix` (lower-case letters and digits) goes before every name, so that several may share one account.
    """
    return _azure(AzureAccount.from_connection_string(connection_string), prefix, wrap_table, wrap_queue)


def connect_with_credential(
    *,
    table_uri: str,
    queue_uri: str,
    credential: AsyncTokenCredential,
    prefix: str = "",
    wrap_table: WrapTable | None = None,
    wrap_queue: WrapQueue | None = None,
) -> Storage:
    """With Entra tokens: `https://<account>.table.core.windows.net` and the like. The caller closes the credential."""
    account = AzureAccount.from_credential(table_uri, queue_uri, credential)
    return _azure(account, prefix, wrap_table, wrap_queue)


def _azure(account: AzureAccount, prefix: str, wrap_table: WrapTable | None, wrap_queue: WrapQueue | None) -> Storage:
    tables = {name: account.table(prefix + name) for name in TABLES}
    queues = {name: account.queue(prefix + name) for name in ALL_QUEUES}
    return assemble_storage(
        tables,
        queues,
        wrap_table=wrap_table,
        wrap_queue=wrap_queue,
        creators={
            **{name: table.create for name, table in tables.items()},
            **{name: queue.create for name, queue in queues.items()},
        },
        closers=(account.close,),
    )
