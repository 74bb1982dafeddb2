"""One tenant's directory: users, deleted items and managers, and the log of all their changes.

Its groups, apps and policies are objects of their own: `Groups`, `Apps`, `Policies`.

Plain and synchronous. It checks the rules for any caller: uniqueness and existence. The rules for HTTP callers
(permissions, throttling, the window after a create) are checked before it is called.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final, TypeAlias

from entra_graph_emulator.directory.apps import Apps
from entra_graph_emulator.directory.changes import Change, ChangeLog, What
from entra_graph_emulator.directory.groups import Groups
from entra_graph_emulator.directory.objects import DirectoryObject, User
from entra_graph_emulator.directory.past import Past
from entra_graph_emulator.directory.policies import Policies
from entra_graph_emulator.directory.settings import TenantSettings
from entra_graph_emulator.directory.shelf import Shelf
from entra_graph_emulator.odata.filters import Filter
from entra_graph_emulator.odata.user_schema import age_classification, merged
from entra_graph_emulator.wire.clock import Clock, instant
from entra_graph_emulator.wire.errors import bad_request, conflict, not_found
from entra_graph_emulator.wire.ids import guid, security_identifier

# https://learn.microsoft.com/graph/api/resources/directory: deleted items are kept for 30 days.
_CONTACT: Final = "00000000-0000-0000-0000-00000000c0c0"  # stands for the contact in the details of a conflict
RETENTION: Final = timedelta(days=30)

Listener: TypeAlias = Callable[["Tenant", int, Change], None]


class Tenant:
    """`domain` is the first verified domain; the initial one under onmicrosoft.com is derived from it."""

    def __init__(
        self, *, tenant_id: str, display_name: str, domain: str, clock: Clock, rng: Random, listener: Listener
    ) -> None:
        self.id = tenant_id
        self.display_name = display_name
        self.initial_domain = _initial(domain)
        self.domains = list(dict.fromkeys((domain.lower(), self.initial_domain)))
        self.settings = TenantSettings()
        self.log = ChangeLog()
        self.delta_generation = 0
        self.delta_reset_form = "gone"
        self.rounds: dict[Hashable, list[Any]] = {}  # the result of a long delta round, kept for its next page
        self.app_roles: dict[str, list[str]] = {}
        self.role_holders: set[str] = set()  # apps with a directory role, which may touch administrators
        self.policies = Policies()
        self.created_at = clock.now()
        self._clock = clock
        self._rng = rng
        self._listener = listener
        self._live: Shelf[User] = Shelf()
        self._deleted: Shelf[User] = Shelf()
        self._past = Past()
        self._order: list[str] = []
        self._guests = 0
        self.groups = Groups(self, clock=clock, rng=rng)
        self.apps = Apps(tenant_id, clock=clock, rng=rng)

    # Reading

    @property
    def user_count(self) -> int:
        """All live users, guests included."""
        return len(self._live)

    @property
    def ever_created(self) -> int:
        """All users ever created, purged ones included."""
        return len(self._order)

    @property
    def guest_count(self) -> int:
        return self._guests

    @property
    def deleted_count(self) -> int:
        return len(self._deleted)

    def users(self, clause: Filter | None = None) -> list[User]:
        return self._live.find(clause)

    def users_after(self, ordinal: int, most: int, visible: Callable[[User], bool]) -> list[User]:
        """The first users created after that one, in order, without looking at the rest of the tenant."""
        found: list[User] = []
        for _, user_id in self.ever(ordinal + 1):
            user = self._live.get(user_id)
            if user is not None and visible(user):
                found.append(user)
                if len(found) == most:
                    break
        return found

    def object(self, object_id: str) -> DirectoryObject | None:
        """A live object of any kind."""
        return self._live.get(object_id) or self.groups.find(object_id) or self.apps.find(object_id)

    def deleted_users(self, clause: Filter | None = None) -> list[User]:
        return self._deleted.find(clause)

    def ever(self, first: int) -> Iterator[tuple[int, str]]:
        """Ordinal and id of every user ever created, from ordinal `first` on."""
        return ((ordinal, self._order[ordinal]) for ordinal in range(first, len(self._order)))

    def find(self, key: str) -> User | None:
        """A live user by id or user principal name."""
        user = self._live.get(key) or self._live.get(key.lower())
        if user is None and "@" in key:
            user = next(iter(self._live.holders("userPrincipalName", key)), None)
        return user

    def user(self, key: str) -> User:
        """Raises 404 Request_ResourceNotFound."""
        user = self.find(key)
        if user is None:
            raise not_found(key)
        return user

    def find_then(self, key: str, moment: datetime) -> User | None:
        """A user as it was at a moment since `read_lag_s` was set; one who is known by id alone if deleted."""
        user = self.find(key)
        return self._past.at(key if user is None else user.id, moment, user)

    def find_deleted(self, user_id: str) -> User | None:
        return self._deleted.get(user_id)

    def known_by(self, address: str) -> list[User]:
        """Live users whose principal name, mail, proxy addresses or other mails hold the address."""
        keys = (("mail", address), ("userPrincipalName", address), ("otherMails", address))
        found = [user for name, value in keys for user in self._live.holders(name, value)]
        found += self._live.holders("proxyAddresses", f"smtp:{address}")
        return list({user.id: user for user in found}.values())

    def has_contact(self, address: str) -> bool:
        """Whether a mail contact bears the address. Contacts are a setting: no endpoint shows them."""
        return address.lower() in {each.lower() for each in self.settings.contact_addresses}

    # Writing

    def create(self, properties: Mapping[str, Any], *, visible_in_s: float = 0.0) -> User:
        """Make a user from properties as they are stored. Only uniqueness is checked; secrets are not kept."""
        now = self._clock.now()
        user_id = properties.get("id") or guid(self._rng)
        stored: dict[str, Any] = {
            "id": user_id,
            "businessPhones": [],
            "createdDateTime": instant(now),
            "userType": "Member",
            **properties,
        }
        stored.pop("passwordProfile", None)
        stored.setdefault("lastPasswordChangeDateTime", stored["createdDateTime"])
        stored.setdefault("securityIdentifier", security_identifier(user_id))
        stored.update(age_classification(stored, stored))
        if stored.get("mail"):
            stored.setdefault("proxyAddresses", [f"SMTP:{stored['mail']}"])
        stored.setdefault("identities", [self.identity(stored["userPrincipalName"])])
        self._check_unique(user_id, stored)
        user = User(
            id=user_id,
            ordinal=len(self._order),
            properties=stored,
            visible_at=now + timedelta(seconds=visible_in_s),
            created_at_position=len(self.log),
        )
        self._order.append(user_id)
        self._remember(user_id)
        self._live.add(user)
        self._guests += user.is_guest
        self._record(user_id, What.CREATED)
        return user

    def update(self, user: User, changes: Mapping[str, Any]) -> None:
        """A write that changes nothing is not logged."""
        new = {name: merged(name, user.properties.get(name), value) for name, value in changes.items()}
        new.update(age_classification(new, user.properties | new))
        if new.pop("passwordProfile", None) is not None:
            new["lastPasswordChangeDateTime"] = instant(self._clock.now())
        new = {name: value for name, value in new.items() if user.properties.get(name) != value}
        if new.get("mail"):
            new["proxyAddresses"] = _with_primary(user.properties.get("proxyAddresses") or [], new["mail"])
        if not new:
            return
        self._check_unique(user.id, new)
        self._remember(user.id)
        self._live.change(user, new)
        self._record(user.id, What.UPDATED, frozenset(new))

    def set_manager(self, user: User, manager: str | None) -> None:
        old = user.manager
        if old == manager:
            return
        if old is not None and (boss := self._anywhere(old)) is not None:
            boss.reports.pop(user.id, None)
        if manager is not None:
            self.user(manager).reports[user.id] = None
        self._remember(user.id)
        user.manager = manager
        self._record(user.id, What.UPDATED, frozenset({"manager"}), old)

    def delete(self, user: User) -> None:
        """Move the user to deletedItems. The id in front of the principal name frees that name for others."""
        self._remember(user.id)
        self._live.remove(user)
        self._guests -= user.is_guest
        user.deleted_at = self._clock.now()
        user.properties["userPrincipalName"] = user.id.replace("-", "") + user.properties["userPrincipalName"]
        user.properties["deletedDateTime"] = instant(user.deleted_at)
        self._deleted.add(user)
        self._record(user.id, What.DELETED)
        if self.settings.deletion_drops_references:
            self._drop_references(user)

    def restore(self, user: User, *, principal_name: str | None = None, drop_conflicting: bool = False) -> None:
        """https://learn.microsoft.com/graph/api/directory-deleteditems-restore"""
        old_name = user.properties["userPrincipalName"].removeprefix(user.id.replace("-", ""))
        back = {"userPrincipalName": principal_name or old_name, "deletedDateTime": None}
        proxies = user.properties.get("proxyAddresses") or []
        if drop_conflicting:
            back["proxyAddresses"] = [each for each in proxies if not self._live.holders("proxyAddresses", each)]
        self._check_unique(user.id, {"proxyAddresses": proxies, **back})
        self._remember(user.id)
        self._deleted.remove(user)
        user.deleted_at = None
        user.properties.update(back)
        del user.properties["deletedDateTime"]
        self._live.add(user)
        self._guests += user.is_guest
        self._record(user.id, What.RESTORED)

    def purge(self, user: User) -> None:
        self._deleted.remove(user)
        self._drop_references(user)
        if user.manager is not None and (boss := self._anywhere(user.manager)) is not None:
            boss.reports.pop(user.id, None)
        self.groups.forget(user)
        self._record(user.id, What.PURGED)

    def _drop_references(self, user: User) -> None:
        """Clear the manager of every user who reports to this one."""
        for report in list(user.reports):
            if (subordinate := self._anywhere(report)) is not None:
                subordinate.manager = None
                self._record(report, What.UPDATED, frozenset({"manager"}), user.id)
        user.reports.clear()

    def expire(self, now: datetime) -> None:
        """Purge the objects that have been in deletedItems for 30 days. `Emulator` calls it before each request."""
        self.groups.expire(now)
        over = []
        for user in self._deleted:  # in the order of deletion: after the first young one all are young
            if user.deleted_at is None or now - user.deleted_at < RETENTION:
                break
            over.append(user)
        for user in over:
            self.purge(user)

    def identity(self, principal_name: str) -> dict[str, str]:
        return {
            "signInType": "userPrincipalName",
            "issuer": self.initial_domain,
            "issuerAssignedId": principal_name,
        }

    def _remember(self, user_id: str) -> None:
        """Before a change, if reads may be old."""
        if self.settings.read_lag_s:
            self._past.remember(user_id, self._live.get(user_id), self._clock.now())

    def _anywhere(self, user_id: str) -> User | None:
        return self._live.get(user_id) or self._deleted.get(user_id)

    def set_sponsors(self, user: User, sponsors: Iterable[str]) -> None:
        user.sponsors = tuple(dict.fromkeys(sponsors))
        self._record(user.id, What.UPDATED, frozenset({"sponsors"}))

    def _record(
        self, user_id: str, what: What, properties: frozenset[str] = frozenset(), old_manager: str | None = None
    ) -> None:
        change = Change(self._clock.now(), user_id, what, properties, old_manager)
        self.announce(self.log.append(change), change)

    def announce(self, position: int, change: Change) -> None:
        """Tell the listener, which delivers notifications; `position` is the change's place in its log."""
        self._listener(self, position, change)

    def _check_unique(self, user_id: str, properties: Mapping[str, Any]) -> None:
        if self._anywhere(user_id) is not None and "id" in properties:
            raise bad_request(f"An object with id {user_id} exists.")
        unique = [("userPrincipalName", properties.get("userPrincipalName"))]
        unique += [("proxyAddresses", each) for each in properties.get("proxyAddresses") or ()]
        for name, value in unique:
            for other in self._live.holders(name, value) if value else ():
                if other.id != user_id:
                    raise conflict(name, other.id)
        for address in properties.get("proxyAddresses") or ():
            self._check_others(address.partition(":")[2])

    def _check_others(self, address: str) -> None:
        """A contact's address conflicts like a user's (microsoft-graph-docs-contrib, issue 8421); so does a group's."""
        if self.has_contact(address):
            raise conflict("proxyAddresses", _CONTACT, "Contact")
        group = self.groups.known_by(address)
        if group is not None:
            raise conflict("proxyAddresses", group.id, "Group")


def _initial(domain: str) -> str:
    domain = domain.lower()
    return domain if domain.endswith(".onmicrosoft.com") else f"{domain.split('.', maxsplit=1)[0]}.onmicrosoft.com"


def _with_primary(proxies: Iterable[str], mail: str) -> list[str]:
    """Setting mail makes it the primary proxy address; the old primary stays as a secondary one."""
    others = [each for each in proxies if each.lower() != f"smtp:{mail.lower()}"]
    return [f"SMTP:{mail}", *("smtp:" + each[5:] if each.startswith("SMTP:") else each for each in others)]
