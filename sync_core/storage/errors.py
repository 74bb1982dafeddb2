"""The errors of storage in the tree of model/errors.py: refused requests, and rows of a newer release.

PermanentError
+- StorageRefusedError    the service refused a request, and would refuse it again
+- NewerSchemaError       a newer release wrote this row
"""

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


class NewerSchemaError(PermanentError):
    hint = "A newer release wrote this row: deploy that release again, or a newer one."

    def __init__(self, *, kind: str, version: object) -> None:
        super().__init__(f"a {kind} row of version {version}, which this release cannot read")
