"""Two tenants behind the Graph ports, and what people and administrators do in them: as twins, or in the emulator.

A case that is written against `Tenants` holds for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

from entra_graph_emulator.directory.objects import User
from entra_graph_emulator.testing import BASE, CONTOSO, FABRIKAM, World
from entra_graph_emulator.transport import EmulatorTransport
from sync_core.graph.client import GraphClient
from sync_core.graph.credentials import EmulatorCredential
from sync_core.graph.groups import GraphGroups
from sync_core.graph.source import GraphSource
from sync_core.graph.subscriptions import GraphSubscriptions
from sync_core.graph.target import GraphTarget
from sync_core.model import Json, Marker, SourceUser
from sync_core.ports import GroupDirectory, SourceDirectory, SubscriptionApi, TargetDirectory

from .clock import ManualClock
from .directories import MemoryGroups, MemorySource
from .faults import Faults
from .subscriptions import MemorySubscriptions
from .target import MemoryTarget

OWNER = "extension_0123456789abcdef0123456789abcdef_xtsyncOwner"
MARKER = Marker(attribute=OWNER, sync="a-to-b", tenant_id=CONTOSO, source_id="aaaaaaaa-0000-0000-0000-000000000001")
NOBODY = "99999999-9999-9999-9999-999999999999"
PUBLIC_URL = "https://sync.example"
# What nobody without a directory role may write of an administrator.
# https://learn.microsoft.com/graph/api/resources/users#who-can-perform-sensitive-actions
SENSITIVE = ("accountEnabled", "mobilePhone", "otherMails", "userPrincipalName")


class Tenants(Protocol):
    """Contoso, whose people are read, and Fabrikam, whose users are written."""

    @property
    def source(self) -> SourceDirectory: ...
    @property
    def groups(self) -> GroupDirectory: ...
    @property
    def target(self) -> TargetDirectory: ...
    @property
    def subscriptions(self) -> SubscriptionApi: ...

    def now(self) -> datetime: ...
    def later(self, by: timedelta) -> None: ...
    def ask_for(self, *attributes: str) -> None:
        """From now on `source` reads these attributes besides the ones that every read shows."""
        ...

    # Contoso
    def person(self, name: str, **attributes: Json) -> str: ...
    def change(self, user_id: str, **attributes: Json) -> None: ...
    def set_manager(self, user_id: str, manager_id: str | None) -> None: ...
    def delete(self, user_id: str) -> None: ...
    def restore(self, user_id: str) -> None: ...
    def purge(self, user_id: str) -> None: ...
    def group(self, *members: str) -> str: ...
    def join(self, group: str, member: str) -> None: ...
    def leave(self, group: str, member: str) -> None: ...
    def dissolve(self, group: str) -> None: ...
    def page_by(self, size: int) -> None:
        """So many entries of the users' delta query come on a page."""
        ...

    # Fabrikam
    def employee(self, address: str) -> str:
        """A user of Fabrikam itself who has this address."""
        ...

    async def redeem(self, target_id: str) -> None:
        """This guest accepts the invitation."""
        ...

    def account(self, target_id: str) -> Mapping[str, Json]: ...
    def make_administrator(self, target_id: str) -> None: ...
    def replicate_within(self, time: timedelta) -> None:
        """For so long an account made from now on is not there for everybody."""
        ...


async def followed(tenants: Tenants, link: str | None = None) -> tuple[list[SourceUser], str]:
    """A whole round of the users' delta query, and the link to the next one."""
    users: list[SourceUser] = []
    while True:
        page = await tenants.source.delta_page(link)
        users.extend(page.users)
        if page.delta_link:
            return users, page.delta_link
        link = page.next_link


def _person(name: str, attributes: Mapping[str, Json]) -> dict[str, Json]:
    address = f"{name}@contoso.com"
    return {
        "accountEnabled": True,
        "displayName": name,
        "mailNickname": name,
        "userPrincipalName": address,
        "mail": address,
        **attributes,
    }


class MemoryTenants:
    """Tenants: the twins."""

    def __init__(self) -> None:
        self._clock, self._faults = ManualClock(), Faults()
        self.source = MemorySource(self._clock, self._faults)
        self.groups = MemoryGroups(self.source, self._faults, self._clock)
        self.target = MemoryTarget(self._clock, self._faults)
        self.subscriptions = MemorySubscriptions(self._clock, self._faults, f"{PUBLIC_URL}/api/graph/notifications")
        self._made = 0

    def now(self) -> datetime:
        return self._clock.now()

    def later(self, by: timedelta) -> None:
        self._clock.advance(by)

    def ask_for(self, *attributes: str) -> None:
        self.source.ask_for(attributes)

    def person(self, name: str, **attributes: Json) -> str:
        user_id = self._new_id()
        self.source.users[user_id] = {"id": user_id, **_person(name, attributes)}
        return user_id

    def change(self, user_id: str, **attributes: Json) -> None:
        self.source.users[user_id].update(attributes)

    def set_manager(self, user_id: str, manager_id: str | None) -> None:
        self.change(user_id, manager=manager_id)

    def delete(self, user_id: str) -> None:
        self.source.soft_delete(user_id)

    def restore(self, user_id: str) -> None:
        self.source.restore(user_id)

    def purge(self, user_id: str) -> None:
        self.source.purge(user_id)

    def group(self, *members: str) -> str:
        group = self._new_id()
        self.source.groups[group] = set(members)
        return group

    def join(self, group: str, member: str) -> None:
        self.source.groups[group].add(member)

    def leave(self, group: str, member: str) -> None:
        self.source.groups[group].remove(member)

    def dissolve(self, group: str) -> None:
        del self.source.groups[group]

    def page_by(self, size: int) -> None:
        self.source.page_size = size

    def employee(self, address: str) -> str:
        user_id = self._new_id()
        self.target.add(user_id, address, external=False)
        return user_id

    async def redeem(self, target_id: str) -> None:
        self.target.users[target_id].redeemed = True

    def account(self, target_id: str) -> Mapping[str, Json]:
        return self.target.users[target_id].attributes

    def make_administrator(self, target_id: str) -> None:
        self.target.refuses = dict.fromkeys(SENSITIVE, "403 Authorization_RequestDenied")

    def replicate_within(self, time: timedelta) -> None:
        self.target.replication = time

    def _new_id(self) -> str:
        self._made += 1
        return f"aaaaaaaa-0000-0000-0000-{self._made:012d}"


class EmulatedTenants:
    """Tenants: the real adapters on the emulator, in process. `world` is the emulator's side."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.target.apps.declare_extension(OWNER)
        self.clients = {tenant: self._client(tenant) for tenant in (CONTOSO, FABRIKAM)}
        self.source = self.reader()
        self.groups = GraphGroups(self.clients[CONTOSO])
        self.target = GraphTarget(self.clients[FABRIKAM], ("department",))
        self.subscriptions = GraphSubscriptions(self.clients[CONTOSO], public_url=PUBLIC_URL)

    async def close(self) -> None:
        for client in self.clients.values():
            await client.close()

    def reader(self, *attributes: str) -> GraphSource:
        return GraphSource(self.clients[CONTOSO], self.world.clock, attributes)

    def read_only(self, tenant: str) -> GraphClient:
        return self._client(tenant, read_only=True)

    def fault(self, **values: Json) -> None:
        """https://learn.microsoft.com/graph/errors, on purpose: see Faults of the emulator."""
        self.world.emulator.faults.add(values)

    def requests(self) -> int:
        """How many requests have come in."""
        return int(self.world.emulator.log.report()["last"])

    def now(self) -> datetime:
        return self.world.clock.now()

    def later(self, by: timedelta) -> None:
        self.world.clock.advance(by.total_seconds())

    def ask_for(self, *attributes: str) -> None:
        self.source = self.reader(*attributes)

    def person(self, name: str, **attributes: Json) -> str:
        return self.world.source.create(_person(name, attributes)).id

    def change(self, user_id: str, **attributes: Json) -> None:
        self.world.source.update(self.world.source.user(user_id), attributes)

    def set_manager(self, user_id: str, manager_id: str | None) -> None:
        self.world.source.set_manager(self.world.source.user(user_id), manager_id)

    def delete(self, user_id: str) -> None:
        self.world.source.delete(self.world.source.user(user_id))

    def restore(self, user_id: str) -> None:
        self.world.source.restore(self._deleted(user_id))

    def purge(self, user_id: str) -> None:
        self.world.source.purge(self._deleted(user_id))

    def _deleted(self, user_id: str) -> User:
        return next(user for user in self.world.source.deleted_users() if user.id == user_id)

    def group(self, *members: str) -> str:
        named = {"displayName": "G", "mailNickname": "g", "mailEnabled": False, "securityEnabled": True}
        group = self.world.source.groups.create(named).id
        for member in members:
            self.join(group, member)
        return group

    def join(self, group: str, member: str) -> None:
        found = self.world.source.object(member)
        assert found is not None
        self.world.source.groups.add(self.world.source.groups.get(group), "members", found)

    def leave(self, group: str, member: str) -> None:
        self.world.source.groups.remove(self.world.source.groups.get(group), "members", member)

    def dissolve(self, group: str) -> None:
        self.world.source.groups.delete(self.world.source.groups.get(group))

    def page_by(self, size: int) -> None:
        self.world.source.settings.delta_page_size = size

    def employee(self, address: str) -> str:
        named = {**_person("internal", {}), "userPrincipalName": "internal@fabrikam.com", "mail": address}
        return self.world.target.create({**named, "otherMails": [address]}).id

    async def redeem(self, target_id: str) -> None:
        await self.world.control("POST", f"/tenants/{FABRIKAM}/redeem", {"users": [target_id]})

    def account(self, target_id: str) -> Mapping[str, Json]:
        user = self.world.target.user(target_id)
        return {**user.properties, "manager": user.manager}

    def make_administrator(self, target_id: str) -> None:
        self.world.target.user(target_id).admin = True

    def replicate_within(self, time: timedelta) -> None:
        self.world.target.settings.visibility_s = time.total_seconds()

    def _client(self, tenant: str, *, read_only: bool = False) -> GraphClient:
        transport = EmulatorTransport(self.world.emulator)
        clock = self.world.clock
        credential = EmulatorCredential(
            base_url=BASE, tenant_id=tenant, app_id="app-1", clock=clock, transport=transport
        )
        return GraphClient(
            tenant_id=tenant,
            credential=credential,
            clock=clock,
            graph_url=BASE,
            transport=transport,
            read_only=read_only,
        )
