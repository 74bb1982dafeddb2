"""What can go wrong, as one tree. Each leaf says what a person can do next; foreign errors are chained, never leaked.

SyncError
+- TransientError           try again after `retry_after` seconds (None: at the usual rate)
|  +- ThrottledError       Graph answered 429, or the shared write budget is used up
|  +- NotVisibleYetError   just created, and Graph does not show it everywhere yet
|  |  +- MissingManagerError   it is the manager, whom a reference was to name
|  +- ConflictError        somebody else changed the stored record first (a lost compare-and-swap)
|  +- UnavailableError     5xx, time-out, connection lost
|     +- UnknownOutcomeError   likewise, in the middle of a write: it may or may not have been done
+- PermanentError          trying again at once cannot mend it: the user is parked
|  +- GraphRefusedError    Graph said no: keeps status, code and request id, never the body
|  +- AccessRefusedError   Graph refused to disable or enable somebody: the rest was written
|  +- AddressTakenError    another object has an address of the user who was to be restored
|  +- DomainsUnknownError  the app may not read the source's domains, on which an invitation depends
|  +- WrongTenantError     the token belongs to another tenant than the configured one
|  +- OtherTenantError     a sync or link is of another tenant than sync.yaml now says
|  |  +- RenamedSyncError    the people of a sync that is no longer configured are of its tenants
|  +- UnconfiguredHeirError   a user is being handed over to a sync that sync.yaml no longer has
|  +- OtherConfigurationError   the function app works by another sync.yaml
|  +- ReadOnlyError        a dry run tried to write
|  +- StorageRefusedError  the storage account said no (storage/errors.py)
|  +- NewerSchemaError     a row was written by a newer version of this program
+- PausedError             the sync may not write now: what was decided is put off
+- ResyncRequiredError     the delta link is no longer good; start the feed over
+- MessageError            a queue message that nobody here wrote
+- ConfigError             sync.yaml or the settings are wrong: every fault, with its place
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .changes import Reason


class SyncError(Exception):
    """Base of all errors that this project raises on purpose."""

    hint = ""

    @property
    def code(self) -> str:
        """A short name for logs and tables: no ids, no addresses, no text from outside."""
        return type(self).__name__.removesuffix("Error")


class TransientError(SyncError):
    def __init__(self, message: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(message or self.hint)
        self.retry_after = retry_after


class ThrottledError(TransientError):
    hint = "The service asked to wait; the work continues by itself."


class NotVisibleYetError(TransientError):
    hint = "Entra has not replicated the new user everywhere yet; the work continues by itself."


class MissingManagerError(NotVisibleYetError):
    hint = "The manager's target user is not there (yet); both are looked at again."


class ConflictError(TransientError):
    hint = "Another worker was faster; the user is looked at again."


class LostRecordError(ConflictError):
    """The write was done, and somebody else changed the link meanwhile: its record is not to be trusted."""


class UnavailableError(TransientError):
    hint = "The service did not answer properly; the work continues by itself."


class NotDeliveredError(TransientError):
    hint = "The receiver of notices did not take it; it is tried again at the next poll."


class UnknownOutcomeError(UnavailableError):
    """A write was on its way, and may even arrive later: the record is not to be trusted."""


class PermanentError(SyncError):
    pass


class GraphRefusedError(PermanentError):
    """Graph refused a request. `message` is for deciding only: it may quote personal data, so it is never logged.

    `targets` names the properties that the error's details are about.
    """

    hint = "See the status and code: a permission, consent or policy of that tenant is missing (docs/deploy.md)."

    def __init__(
        self, *, status: int, code: str, request_id: str = "", message: str = "", targets: Sequence[str] = ()
    ) -> None:
        super().__init__(f"{status} {code} (request {request_id or 'unknown'})")
        if code.startswith("AADSTS"):  # Entra gave no token, so Graph was never asked
            self.hint = _TOKEN_HINTS.get(code, f"Entra gave no access token: `xtsync doctor` says what {code} means.")
        self.status = status
        self.graph_code = code
        self.request_id = request_id
        self.message = message
        self.targets = tuple(targets)

    @property
    def code(self) -> str:
        return f"{self.status} {self.graph_code}"


# https://learn.microsoft.com/entra/identity-platform/reference-error-codes
_NO_CONSENT = "The app has no consent in this tenant: `xtsync doctor` has the address at which to grant it."
_TOKEN_HINTS = {
    "AADSTS65001": _NO_CONSENT,
    "AADSTS700016": _NO_CONSENT,
    "AADSTS7000229": _NO_CONSENT,
    "AADSTS7000215": "The secret is wrong: set XTSYNC_CLIENT_SECRET to the value, not the id, of a secret of the app.",
    "AADSTS7000222": "The secret has expired: add a new one to the app, and set XTSYNC_CLIENT_SECRET to its value.",
    "AADSTS700027": "The certificate of XTSYNC_CERTIFICATE_PATH is not among those of the app: add it there.",
}


class AccessRefusedError(PermanentError):
    """Graph refused to take or to give access: the user is parked, while other refused attributes wait aside.

    It is raised once the link says so, and what else was written.
    """

    hint = (
        "Graph lets no app without an administrator role disable an administrator, or enable one: do it in the"
        " target by hand, which the next look sees."
    )

    REASON = "accountEnabled refused"

    def __init__(self, refusal: str) -> None:
        super().__init__(f"{self.REASON}: {refusal}")
        self._refusal = refusal

    @property
    def code(self) -> str:
        return f"{self.REASON}: {self._refusal}"


class AddressTakenError(PermanentError):
    """A deleted user cannot be restored, because another object of the tenant has one of its addresses by now."""

    hint = "Adopt the guest who has the address (`xtsync adopt USER`), or take the address from it in the target."

    @property
    def code(self) -> str:
        return Reason.ADDRESS_TAKEN


class DomainsUnknownError(PermanentError):
    hint = (
        "The address is in another domain than the user principal name. Grant the app of the source tenant"
        " Organization.Read.All, or name the domain in `matching: {domains: [...]}`."
    )

    def __init__(self) -> None:
        super().__init__("the app may not read the verified domains of the source tenant")


class WrongTenantError(PermanentError):
    hint = "Compare the tenant ids in sync.yaml with the tenant in which the app registration was consented."


class OtherTenantError(PermanentError):
    """The rows under a name are of another source or target tenant than the configuration says.

    `message` names tenants by id, and is fit for people and logs.
    """

    hint = (
        "Put the former tenant ids back in sync.yaml and deploy: the sync goes on with a full round. If another tenant"
        " is meant, `xtsync move SYNC`; the people in the former target stay as they are."
    )


class RenamedSyncError(OtherTenantError):
    """The people of a sync that sync.yaml no longer has are between the tenants of a new one."""

    def __init__(self, former: str, name: str) -> None:
        super().__init__(f"{name}: the people of '{former}', which sync.yaml no longer has, are of the same tenants")
        self.hint = (
            f"Was it renamed? `xtsync rename {former} {name}`. If not, let go of the former:"
            f" `xtsync remove {former} --keep-users`."
        )


class UnconfiguredHeirError(PermanentError):
    """A hand-over was begun, and what became of the sync that takes the user was not said yet."""

    def __init__(self, heir: str) -> None:
        super().__init__(f"the user is being handed over to '{heir}', which sync.yaml no longer has")
        self.hint = (
            f"Was it renamed? `xtsync rename {heir} NAME`. If it was taken out, let go of its people:"
            f" `xtsync remove {heir} --keep-users`."
        )


class OtherConfigurationError(PermanentError):
    hint = "Use the sync.yaml that was deployed last, or deploy this one first; `--dry-run` shows what it would do."

    def __init__(self) -> None:
        super().__init__("the function app works by another sync.yaml than this one; nothing was done")


class NewerSchemaError(PermanentError):
    hint = "A newer release wrote this row: deploy that release again, or a newer one."

    def __init__(self, *, kind: str, version: object) -> None:
        super().__init__(f"a {kind} row of version {version}, which this release cannot read")


class ReadOnlyError(PermanentError):
    hint = "A dry run reads; run the same command without --dry-run to write."


class PausedError(SyncError):
    """No failure: nothing was tried, and the user is looked at again when the sync may write."""

    hint = "Let it go on with `xtsync resume`, or by `mode: run` in sync.yaml: everybody is looked at again then."


class ResyncRequiredError(SyncError):
    hint = "The feed starts over by itself; nothing is concluded from what the old delta link would have said."


class MessageError(SyncError):
    hint = "Only this project writes to its queues; look for another writer."


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault of a configuration. `where` is a line and a path (`sync.yaml:12 syncs[0].target`) or a setting."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class ConfigError(SyncError):
    hint = "Correct the lines above and run `xtsync validate`."

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)
