"""The error of storage in the tree of model/errors.py: a request that the service refused, and would refuse again."""

from __future__ import annotations

from ..model.errors import PermanentError


class StorageRefusedError(PermanentError):
    """Has the service's error code and a name of ours as `detail`; never a body, a key or a value."""

    hint = "Check the storage account, its tables and queues, and the roles of this app (docs/deploy.md)."

    def __init__(self, *, code: str, status: int = 400, detail: str = "") -> None:
        super().__init__(f"storage refused: {status} {code}" + (f" ({detail})" if detail else ""))
        self.status = status
        self.storage_code = code

    @property
    def code(self) -> str:
        return f"{self.status} {self.storage_code}"
