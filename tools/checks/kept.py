"""Definitions that look dead and are not, each with its reader. A test says so when one is no longer needed here."""

from __future__ import annotations

KEPT = {
    # Called or read by a library.
    "model_config": "pydantic reads it",
    "OperatorEndpoints.ENTRA": "pydantic parses it from XTSYNC_OPERATOR_ENDPOINTS",
    "_Loader.yaml_implicit_resolvers": "PyYAML reads it",
    "DeletedInTarget.RESTORE": "parsed from sync.yaml; the code compares with the other value",
    "BearerAuthentication.authenticate_request": "the Graph SDK calls it for every request",
    "pytest_addoption": "pytest calls it where the package is installed",
    "_SameSite.Lax": "Microsoft's worker looks it up by name",
    "_SameSite.Strict": "Microsoft's worker looks it up by name",
    "_SameSite.ExplicitNone": "Microsoft's worker looks it up by name",
    # Fields of documents that only programs read: ops/documents renders them.
    "SyncStatus.deletions_in_window": "read by programs",
    "FeedStatus.completed_age_s": "read by programs",
    "SubscriptionStatus.expires_in_s": "read by programs",
    "ParkedUser.next_try_in_s": "read by programs",
    "Validation.valid": "read by programs",
    # The emulator in one process with its user, who drives time and deliveries by hand: docs/graph-emulator.md.
    "Delivery.next_due": "the simulator's clock goes to it",
    "Emulator.deliver": "delivers what is due, without a server",
    "serving.port": "a program of somebody else chooses it",
    "serving.seed": "a program of somebody else chooses it",
    "serving.strict": "a program of somebody else chooses it",
    "World.contoso": "a tenant that every test of the emulator may use",
    "World.fabrikam": "a tenant that every test of the emulator may use",
    # Where tests and the simulator put their hands in: slow and failing tables, small pages, seeds.
    "connect.prefix": "test runs share one Azurite and keep apart by it",
    "die_with_parent.death_signal": "a host that a test starts is asked to stop, not killed",
    "memory_storage.rng": "the simulator's seed",
    "memory_storage.wrap_table": "tests make a table fail",
    "memory_storage.wrap_queue": "tests make a queue fail",
    "TableLinks.page_rows": "a contract test reads across pages without a thousand rows",
}
