"""Somebody who calls, and people whom a caller asks about by name, as documents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..principal import Role
from .rendering import document
from .users import User


@document
class Caller:
    """The caller by object id, and those of the roles that the caller has. `at` is the time of the app.

    `syncs` are the names of all syncs.
    """

    id: str
    roles: Sequence[Role]
    at: datetime
    syncs: Sequence[str]


@document
class FindRequest:
    """A source user by address or by object id. It stands in the body, since addresses in paths end in logs."""

    user: str


@document
class Found:
    """The user in each sync whose source tenant knows the user."""

    users: Sequence[User]


@document
class NamesRequest:
    """At most 100 users. A user whom a sync never looked at has no name here."""

    users: Sequence[User]


@document
class NamedUser:
    """Display name and address as they are now. They are personal data: no log and no table has them."""

    sync: str
    user: str
    name: str


@document
class Names:
    names: Sequence[NamedUser]
