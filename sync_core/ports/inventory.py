"""A whole tenant, listed page by page, for a person who wants to know before anything is written."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ..model import SourceUser, TargetUser


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """A user of the target tenant as a listing shows them. `addresses` are in lower case."""

    user: TargetUser
    addresses: Collection[str]
    pending: bool  # invited, and has not accepted
    markers: Mapping[str, str] = field(default_factory=dict)  # the ownership markers that this user bears, by attribute


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    id: str
    addresses: Collection[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """So many objects a directory has, and may have."""

    used: int
    total: int


class Inventory(Protocol):
    """One app on one tenant. A listing ends with the tenant's last page, or raises."""

    def people(self, attributes: Collection[str]) -> AsyncIterator[SourceUser]:
        """Everybody, with these attributes, those of every decision, and all addresses. Nobody's groups are known."""
        ...

    def residents(self, markers: Collection[str]) -> AsyncIterator[Resident]:
        """Everybody, with the ownership markers in these attributes."""
        ...

    def deleted(self) -> AsyncIterator[Resident]:
        """Users who are soft-deleted."""
        ...

    def contacts(self) -> AsyncIterator[Contact]: ...

    async def members(self, group: str) -> Collection[str] | None:
        """Every user who is a member, through every level; None if there is no such group."""
        ...

    async def quota(self) -> Quota | None:
        """None: the tenant does not say."""
        ...
