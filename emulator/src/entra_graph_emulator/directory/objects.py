"""The objects of a directory: users, groups, and the entries that stand for apps."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar


@dataclass(slots=True, kw_only=True, eq=False)
class DirectoryObject:
    """`properties` holds every property that was ever set; a cleared one stays there as None.

    Delta shows the difference: a property never set is left out, a cleared one is null. `memberships` are the ids of
    the groups that list the object directly, as an ordered set.
    """

    kind: ClassVar[str] = "directoryObject"

    id: str
    ordinal: int
    properties: dict[str, Any]
    visible_at: datetime
    created_at_position: int = 0
    deleted_at: datetime | None = None
    memberships: dict[str, None] = field(default_factory=dict)

    def get(self, path: str) -> Any:
        """A property by name or by path, such as `onPremisesExtensionAttributes/extensionAttribute1`."""
        head, _, rest = path.partition("/")
        value = self.properties.get(head)
        if not rest:
            return value
        if rest == "$count":
            return float(len(value or ()))
        return value.get(rest) if isinstance(value, dict) else None


@dataclass(slots=True, kw_only=True, eq=False)
class User(DirectoryObject):
    kind: ClassVar[str] = "user"

    manager: str | None = None
    reports: dict[str, None] = field(default_factory=dict)
    sponsors: tuple[str, ...] = ()
    admin: bool = False

    @property
    def is_guest(self) -> bool:
        return self.properties.get("creationType") == "Invitation"


@dataclass(slots=True, kw_only=True, eq=False)
class Group(DirectoryObject):
    """`members` and `owners` are the ids of the direct ones, as ordered sets; soft-deleted users stay in them."""

    kind: ClassVar[str] = "group"

    members: dict[str, None] = field(default_factory=dict)
    owners: dict[str, None] = field(default_factory=dict)

    @property
    def is_unified(self) -> bool:
        return "Unified" in (self.properties.get("groupTypes") or ())

    @property
    def is_hidden(self) -> bool:
        """Whether only members, and apps with a permission for it, see the members."""
        return self.properties.get("visibility") == "HiddenMembership"

    @property
    def is_dynamic(self) -> bool:
        return "DynamicMembership" in (self.properties.get("groupTypes") or ())


@dataclass(slots=True, kw_only=True, eq=False)
class ServicePrincipal(DirectoryObject):
    """`owners` are the ids of users and service principals, as an ordered set."""

    kind: ClassVar[str] = "servicePrincipal"

    owners: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True, eq=False)
class Application(DirectoryObject):
    """`owners` as of a service principal."""

    kind: ClassVar[str] = "application"

    owners: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True, eq=False)
class DirectoryRole(DirectoryObject):
    """An activated role; it is made anew for each request that reads it, and so is a contact."""

    kind: ClassVar[str] = "directoryRole"


@dataclass(slots=True, kw_only=True, eq=False)
class OrgContact(DirectoryObject):
    kind: ClassVar[str] = "orgContact"


@dataclass(slots=True, kw_only=True, eq=False)
class Record(DirectoryObject):
    """An entry that can be listed and filtered but is no directory object, such as an app role assignment."""

    kind: ClassVar[str] = "record"
