"""One active listener among all hosts that share a storage account: the holder of a blob's lease.

The host leases for 15 s, the shortest that blobs allow. Others try again every 60 s. After a kill, a host that
starts at once takes over about a minute later. This was seen with the host 4.1037.0.
"""

import logging

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob.aio import BlobLeaseClient, ContainerClient

from local.functions_host.storage import error_code

_log = logging.getLogger(__name__)

LEASE_S = 15
RETRY_S = 60


class Singleton:
    """A lease on one blob. All methods may raise AzureError for reasons other than another host's lease."""

    def __init__(
        self, container: ContainerClient, path: str, *, period_s: int = LEASE_S, retry_s: float = RETRY_S
    ) -> None:
        self._container = container
        self._path = path
        self._lease: BlobLeaseClient | None = None
        self.period_s = period_s
        self.retry_s = retry_s

    async def acquire(self) -> bool:
        """Whether this host is the active one now."""
        try:
            await self._acquire()
        except ResourceNotFoundError:
            await self._create()
            return await self.acquire()
        except HttpResponseError as error:
            if error_code(error) != "LeaseAlreadyPresent":
                raise
            return False
        return True

    async def renew(self) -> None:
        """Raises AzureError if the lease was lost."""
        if self._lease is not None:
            await self._lease.renew()

    async def release(self) -> None:
        """Let another host take over at once."""
        if self._lease is not None:
            lease, self._lease = self._lease, None
            await lease.release()

    async def _acquire(self) -> None:
        lease = BlobLeaseClient(self._container.get_blob_client(self._path))
        await lease.acquire(lease_duration=self.period_s)
        self._lease = lease

    async def _create(self) -> None:
        for step in (self._container.create_container, self._create_blob):
            try:
                await step()
            except ResourceExistsError:
                _log.debug("another host was faster path=%s", self._path)

    async def _create_blob(self) -> None:
        await self._container.upload_blob(self._path, b"")
