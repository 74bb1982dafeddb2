"""The parts of the emulator that the commands under `/_emulator` read and change."""

from typing import Protocol

from entra_graph_emulator.control.faults import Faults
from entra_graph_emulator.control.findings import Findings
from entra_graph_emulator.control.requestlog import RequestLog
from entra_graph_emulator.directory.invitations import Invitations
from entra_graph_emulator.directory.tenant import Tenant
from entra_graph_emulator.notifications.delivery import Delivery
from entra_graph_emulator.notifications.subscriptions import Subscriptions
from entra_graph_emulator.wire.clock import Clock
from entra_graph_emulator.wire.throttle import Throttle


class Controlled(Protocol):
    """`Emulator` fulfils it. Commands do not import `Emulator`, because it is assembled from them."""

    clock: Clock
    throttle: Throttle
    faults: Faults
    findings: Findings
    log: RequestLog
    subscriptions: Subscriptions
    delivery: Delivery
    invitations: Invitations

    @property
    def tenants(self) -> list[Tenant]: ...
    def tenant(self, tenant_id: str) -> Tenant: ...
    def create_tenant(
        self, tenant_id: str, *, display_name: str, domain: str, users: int = 0, seed: int = 0
    ) -> Tenant: ...
    def add_people(self, tenant: Tenant, count: int, *, seed: int = 0) -> None: ...
    def reset(self) -> None: ...
