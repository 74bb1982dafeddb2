"""Storage in an Azure storage account.

storage = connect("UseDevelopmentStorage=true")
storage = connect_with_credential(table_uri=..., queue_uri=..., credential=...)
"""

from __future__ import annotations

from azure.core.credentials_async import AsyncTokenCredential

from .azure_account import AzureAccount
from .queues import ALL_QUEUES
from .repositories import TABLES, Storage, assemble_storage


def connect(connection_string: str, *, prefix: str = "") -> Storage:
    """Storage by a connection string with an account key or a shared access signature, or by Azurite's.

    `prefix` (lower-case letters and digits) precedes every name, so that several deployments can share one account.
    Raises ValueError for a malformed string.
    """
    return _open(AzureAccount.from_connection_string(connection_string), prefix)


def connect_with_credential(*, table_uri: str, queue_uri: str, credential: AsyncTokenCredential) -> Storage:
    """Storage by Entra tokens. A URI is one such as `https://<account>.table.core.windows.net`.

    The caller closes the credential.
    """
    return _open(AzureAccount.from_credential(table_uri, queue_uri, credential))


def _open(account: AzureAccount, prefix: str = "") -> Storage:
    tables = {name: account.table(prefix + name) for name in TABLES}
    queues = {name: account.queue(prefix + name) for name in ALL_QUEUES}
    return assemble_storage(
        tables,
        queues,
        creators={
            **{name: table.create for name, table in tables.items()},
            **{name: queue.create for name, queue in queues.items()},
        },
        closers=(account.close,),
    )
