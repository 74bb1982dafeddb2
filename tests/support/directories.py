"""Twins of the source tenant's directories: users and groups in dictionaries, behind the ports.

Every call goes through `Faults`, which counts it and may make it fail. The cases in tests/contract/test_directory_*
hold for these twins and for the real adapters alike.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count

from sync_core.mapping import source_attributes
from sync_core.model import MANAGER, Json, SourceState, SourceUser, Sync
from sync_core.model.errors import ResyncRequiredError, UnavailableError
from sync_core.ports import Clock, DeltaPage, GroupChanges
from sync_core.scope.verdict import scope_attributes

from .deleted import Retention
from .faults import Faults

# What every read shows, whatever mapping and scope need besides: the same as GraphSource.
ALWAYS = frozenset(
    {
        *("id", "accountEnabled", "displayName", "mail", "userPrincipalName"),
        *("userType", "creationType", "externalUserState"),
    }
)
# Tokens of directory objects are valid for seven days. https://learn.microsoft.com/graph/delta-query-overview
LINK_LIVES = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """A round of delta pages: its entries, and what everybody was like when it began."""

    entries: Sequence[SourceUser]
    everybody: Mapping[str, SourceUser]
    began: datetime


class MemorySource:
    """ports.SourceDirectory: users by id, deleted users by id, direct members by group.

    The delta query lists what has changed since its link was issued. A page in `pages` comes instead, for the link that
    it stands under.
    """

    def __init__(self, clock: Clock, faults: Faults, attributes: Iterable[str] = ()) -> None:
        self._clock, self._faults = clock, faults
        self.users: dict[str, dict[str, Json]] = {}
        self.deleted: dict[str, dict[str, Json]] = {}
        self.groups: dict[str, set[str]] = {}  # users and groups alike
        self.pages: dict[str | None, DeltaPage | Exception] = {}
        self.page_size = 100
        self.domains = {"contoso.com", "contoso.example"}
        self.on_read: Callable[[], None] = lambda: None  # called right after a user was read
        self.on_page: Callable[[], None] = lambda: None  # called right after a page was read
        self._retention = Retention(clock)
        self._rounds: dict[str, _Round] = {}  # by the link to the next round
        self._numbers = count(1)
        self.ask_for(attributes)

    def ask_for(self, attributes: Iterable[str]) -> None:
        """Reads show these attributes and the ones that every read shows."""
        self.select = ",".join(sorted(ALWAYS.union(attributes)))

    # --- what people and administrators do ---

    def on_next_read(self, work: Callable[[], object]) -> None:
        """Once, right after the next user was read."""

        def once() -> None:
            self.on_read = lambda: None
            work()

        self.on_read = once

    def soft_delete(self, user_id: str) -> None:
        self.deleted[user_id] = self.users.pop(user_id)
        self._retention.expire(self.deleted)

    def restore(self, user_id: str) -> None:
        self.users[user_id] = self.deleted.pop(user_id)

    def purge(self, user_id: str) -> None:
        self.users.pop(user_id, None)
        self.deleted.pop(user_id, None)
        for members in self.groups.values():
            members.discard(user_id)

    # --- the port ---

    async def read_user(self, user_id: str, groups: Collection[str] = ()) -> SourceUser:
        return await self._faults.call("source.read_user", self._read_user(user_id, groups))

    async def missing_groups(self, groups: Collection[str]) -> set[str]:
        return await self._faults.call("source.missing_groups", self._missing_groups(groups))

    async def delta_page(self, link: str | None) -> DeltaPage:
        return await self._faults.call("source.delta_page", self._delta_page(link))

    async def reports(self, user_id: str) -> list[str] | None:
        return await self._faults.call("source.reports", self._reports(user_id))

    async def verified_domains(self) -> frozenset[str]:
        return await self._faults.call("source.verified_domains", self._verified_domains())

    async def existing(self, user_ids: Sequence[str]) -> set[str]:
        return await self._faults.call("source.existing", self._existing(user_ids))

    # --- reading ---

    def entry(self, user_id: str) -> SourceUser:
        """The user as a delta page shows them: without attributes once they are deleted."""
        self._retention.expire(self.deleted)
        now = self._clock.now()
        if user_id in self.users:
            attributes = self._selected(self.users[user_id])
            return SourceUser(id=user_id, state=_live_state(attributes), attributes=attributes, read_at=now)
        state = SourceState.SOFT_DELETED if user_id in self.deleted else SourceState.GONE
        return SourceUser(id=user_id, state=state, read_at=now)

    def nested(self, group: str) -> set[str]:
        """Everything in a group, through every level."""
        found: set[str] = set()
        left = [group]
        while left:
            for each in self.groups.get(left.pop(), set()) - found:
                found.add(each)
                left.append(each)
        return found

    def _selected(self, user: Mapping[str, Json]) -> dict[str, Json]:
        attributes = {name: user.get(name) for name in self.select.split(",")}
        if attributes.get(MANAGER) not in self.users and MANAGER in attributes:
            attributes[MANAGER] = None  # Graph does not show one who is deleted
        return attributes

    async def _read_user(self, user_id: str, groups: Collection[str]) -> SourceUser:
        read = self.entry(user_id)
        if not read.absent:
            read = replace(read, member_of=frozenset(each for each in groups if user_id in self.nested(each)))
        elif user_id in self.deleted:
            attributes = self._selected(self.deleted[user_id])
            attributes.pop(MANAGER, None)  # deletedItems has no relations
            read = replace(read, attributes=attributes)
        self.on_read()
        return read

    async def _missing_groups(self, groups: Collection[str]) -> set[str]:
        return {each for each in groups if each not in self.groups}

    async def _reports(self, user_id: str) -> list[str] | None:
        if user_id not in self.users:
            return None
        return [each for each, user in self.users.items() if user.get(MANAGER) == user_id]

    async def _verified_domains(self) -> frozenset[str]:
        return frozenset(self.domains)

    async def _existing(self, user_ids: Sequence[str]) -> set[str]:
        return {user_id for user_id in user_ids if user_id in self.users}

    # --- the delta query ---

    async def _delta_page(self, link: str | None) -> DeltaPage:
        page = self.pages[link] if link in self.pages else self._page(link)
        self.on_page()
        if isinstance(page, Exception):
            raise page
        if page.delta_link is not None and page.delta_link not in self._rounds:
            self._rounds[page.delta_link] = self._round(entries=())
        return page

    def _page(self, link: str | None) -> DeltaPage:
        """The link to a page is the link to its next round and an offset; without an offset a round begins."""
        following, _, offset = (link or "").partition("@")
        if not offset:
            entries = self._changed_since(following) if following else self._everybody().values()
            new = self._round(entries)
            following = f"since:{next(self._numbers)}"
            self._rounds[following] = new
        if following not in self._rounds:
            raise ResyncRequiredError("no such page")
        listed, first = self._rounds[following].entries, int(offset or 0)
        if (last := first + self.page_size) < len(listed):
            return DeltaPage(users=listed[first:last], next_link=f"{following}@{last}")
        return DeltaPage(users=listed[first:last], delta_link=following)

    def _round(self, entries: Iterable[SourceUser]) -> _Round:
        return _Round(entries=[*entries], everybody=self._everybody(), began=self._clock.now())

    def _everybody(self) -> dict[str, SourceUser]:
        return {user_id: self.entry(user_id) for user_id in (*self.users, *self.deleted)}

    def _changed_since(self, link: str) -> Iterable[SourceUser]:
        known = self._rounds.get(link)
        if known is None or self._clock.now() - known.began > LINK_LIVES:
            raise ResyncRequiredError("the link is dead")
        for user_id in {**known.everybody, **self._everybody()}:
            before, now = known.everybody.get(user_id), self.entry(user_id)
            if before is None or before.absent or now.absent:
                if before is None or before.state is not now.state:
                    yield now
            elif before.attributes != now.attributes:
                same = before.attributes.get(MANAGER) == now.attributes.get(MANAGER)
                yield replace(now, attributes=_without_manager(now.attributes) if same else now.attributes)


def _live_state(attributes: Mapping[str, Json]) -> SourceState:
    match attributes["accountEnabled"]:
        case True:
            return SourceState.LIVE
        case False:
            return SourceState.DISABLED
        case _:
            raise UnavailableError("a user without accountEnabled")


def _without_manager(attributes: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in attributes.items() if name != MANAGER}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Memberships:
    """The direct members of each group when a delta link was issued."""

    members: Mapping[str, frozenset[str]]
    issued: datetime


class FindableSource(MemorySource):
    """The source twin, which also knows user principal names, as GraphSource does."""

    async def find(self, name: str) -> str | None:
        named = [user_id for user_id, user in self.users.items() if user["userPrincipalName"] == name]
        named = named or [user_id for user_id, user in self.deleted.items() if user.get("mail") == name]
        return named[0] if named else None


class MemoryGroups:
    """ports.GroupDirectory over a MemorySource's groups.

    The delta query tells who joined and who left since its link was issued. A page in `pages` comes instead, for the
    link that it stands under.
    """

    def __init__(self, source: MemorySource, faults: Faults, clock: Clock) -> None:
        self._source, self._faults, self._clock = source, faults, clock
        self.pages: dict[str, GroupChanges | Exception] = {}
        self._issued: dict[str, _Memberships] = {}
        self._numbers = count(1)

    async def closure(self, groups: Collection[str]) -> set[str]:
        return await self._faults.call("groups.closure", self._closure(groups))

    async def latest(self, groups: Collection[str]) -> str:
        return await self._faults.call("groups.latest", self._latest())

    async def changes(self, link: str, groups: Collection[str]) -> GroupChanges:
        return await self._faults.call("groups.changes", self._changes(link, groups))

    async def members(self, group: str) -> set[str] | None:
        return await self._faults.call("groups.members", self._members(group))

    async def _closure(self, groups: Collection[str]) -> set[str]:
        known = self._source.groups
        return {
            each for group in groups if group in known for each in (group, *self._source.nested(group) & set(known))
        }

    async def _members(self, group: str) -> set[str] | None:
        if group not in self._source.groups:
            return None
        return self._source.nested(group) & set(self._source.users)

    async def _latest(self) -> str:
        return self._issue(f"latest:{next(self._numbers)}")

    async def _changes(self, link: str, groups: Collection[str]) -> GroupChanges:
        page = self.pages[link] if link in self.pages else self._since(link, groups)
        if isinstance(page, Exception):
            raise page
        if page.delta_link is not None:
            self._issue(page.delta_link)
        return page

    def _issue(self, link: str) -> str:
        members = {group: frozenset(members) for group, members in self._source.groups.items()}
        self._issued[link] = _Memberships(members=members, issued=self._clock.now())
        return link

    def _since(self, link: str, groups: Collection[str]) -> GroupChanges:
        then = self._issued.get(link)
        if then is None or self._clock.now() - then.issued > LINK_LIVES:
            raise ResyncRequiredError("the link is dead")
        joined: list[str] = []
        left: list[str] = []
        regrouped = False
        current = {**then.members, **self._source.groups}
        for group in sorted(groups):
            before, now = then.members.get(group, frozenset()), self._source.groups.get(group)
            if now is None:
                regrouped = regrouped or group in then.members
                continue
            for member in sorted(before ^ now):
                if member in current:  # a group; what agrees with the closure is known
                    regrouped = regrouped or (member in now) != (member in groups)
                else:
                    (joined if member in now else left).append(member)
        return GroupChanges(joined=joined, left=left, regrouped=regrouped, delta_link=f"{link}+")


def needed(syncs: Iterable[Sync]) -> set[str]:
    """What reads have to show so that these syncs can be decided, as sync_core.deployment asks for it."""
    return {name for sync in syncs for name in source_attributes(sync.mapping) | scope_attributes(sync)}


def pages(
    *pages: Sequence[SourceUser], start: str | None = None, end: str = "delta:2"
) -> Mapping[str | None, DeltaPage]:
    """A round of delta pages: from the link `start` on, and at the end the delta link `end`."""
    links = [start, *(f"next:{n}" for n in range(1, len(pages)))]
    following = [*links[1:], None]
    return {
        link: DeltaPage(users=users, next_link=after, delta_link=end if after is None else None)
        for link, users, after in zip(links, pages, following, strict=True)
    }
