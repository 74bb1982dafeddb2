"""What storage adds to the tree of errors: requests that the service will never accept, and rows from the future.

PermanentError
+- StorageRefusedError    the service said no, and will say so again
+- NewerSchemaError       a newer release wrote this row
"""

from __future__ import annotations

from ..model.errors import PermanentError


class StorageRefusedError(PermanentError):
    """Keeps the service's error code and a name of ours; never the body, a key or a value."""

    hint = "Check the storage account, its tables and queues, and the roles of this app (docs/deploy.md)."

    def __init__(self, *, code: str, status: int = 400, detail: str = "") -> None:
        super().__init__(f"storage refused: {status} {code}" + (f" ({detail})" if detail else ""))
        self.status = status
        self.storage_code = code

    @property
    def code(self) -> str:
        return f"{self.status} {self.storage_code}"


class NewerSchemaError(PermanentError):
    hint = "A newer release wrote this row: deploy that release again, or a newer one."

    def __init__(self, *, kind: str, version: object) -> None:
        super().__init__(f"a {kind} row of version {version}, which this release cannot read")
