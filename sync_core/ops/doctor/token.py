"""Checks of one app's access token on one tenant.

https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ...model import READ_ROLES, Json
from ...model.errors import GraphRefusedError, SyncError
from ...ports import AppOnTenant, Side
from . import remedies
from .finding import Found, failed, ok

# Entra allows its own tokens as much: they are valid from five minutes before they were issued.
MAX_SKEW = timedelta(minutes=5)
# A read that the least permission of either side allows.
ONE_USER = "/users?$top=1&$select=id"

_LEAST_ROLES = {
    Side.SOURCE: ("User.Read.All",),
    Side.TARGET: ("User.DeleteRestore.All", "User.Invite.All", "User.ReadWrite.All"),
}
_FOR_GROUPS = ("GroupMember.Read.All",)


def least_roles(side: Side, *, groups: bool = False, attributes: Collection[str] = ()) -> tuple[str, ...]:
    """As infra/roles.bicep grants them; `groups`: a scope names some. `attributes` are read: some need another role."""
    if side is Side.TARGET:
        return _LEAST_ROLES[side]
    guarded = (role for name, role in READ_ROLES.items() if name in attributes)
    return (*_LEAST_ROLES[side], *(_FOR_GROUPS if groups else ()), *guarded)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """The claims of a token, or the error that came in its place."""

    claims: Mapping[str, Json] | None = None
    error: SyncError | None = None

    @classmethod
    async def of(cls, app: AppOnTenant) -> Token:
        try:
            return cls(claims=await app.inspection.claims())
        except SyncError as error:
            return cls(error=error)

    def claim(self, name: str) -> Json:
        return (self.claims or {}).get(name)

    def time(self, name: str) -> datetime | None:
        value = self.claim(name)
        return datetime.fromtimestamp(value, UTC) if isinstance(value, int | float) else None


async def issued(app: AppOnTenant, token: Token) -> Found:
    match token.error:
        case None:
            return ok("was issued")
        case GraphRefusedError(graph_code=code):
            meaning, remedy = remedies.refused_token(app, code)
            return failed(meaning, *remedy)
        case error:
            return failed(
                f"none: {error}",
                "Is the network there, and the identity that the settings name?",
                "xtsync validate --settings",
            )


async def tenant(app: AppOnTenant, token: Token) -> Found:
    """A token of another tenant is never used: with it every user of the right one would look deleted."""
    issued_for = str(token.claim("tid") or "").lower()
    if issued_for == app.tenant.id.lower():
        return ok(issued_for)
    return failed(
        f"the token is for {issued_for or 'no tenant'}, sync.yaml says {app.tenant.id}",
        f"Nothing is read or written until they agree. If {issued_for} is {app.tenant.key}, put that into sync.yaml:",
        f"{app.tenant.key}: {{ id: {issued_for} }}",
        "If not, the credential is another tenant's:",
        "xtsync validate --settings",
    )


async def roles(app: AppOnTenant, token: Token, *, groups: bool = False, attributes: Collection[str] = ()) -> Found:
    least, given = least_roles(app.side, groups=groups, attributes=attributes), token.claim("roles")
    if given is None and app.silent_roles:
        return ok("every one")
    missing = [role for role in least if not isinstance(given, list) or role not in given]
    if not missing:
        return ok(", ".join(least))
    return failed(
        f"missing: {', '.join(missing)}",
        *remedies.consent(app),
        "The link asks for what infra/roles.bicep lists. What is granted now (ids are those of that file):",
        remedies.roles_granted(app),
        *(remedies.GUARDED_READS if set(missing) & {*READ_ROLES.values()} else ()),
    )


async def clock(app: AppOnTenant, token: Token, now: datetime) -> Found:
    """The times of this machine, the token and Graph have to agree: events are ordered by comparing them."""
    answered_at = app.inspection.answered_at
    fault = _token_skew(token, now) or _graph_skew(answered_at, now)
    if fault:
        return failed(fault, *remedies.clock(app))
    if answered_at is None:
        return ok("within the life of the token")
    return ok(f"{abs((now - answered_at).total_seconds()):.0f} s from Graph's")


async def graph(app: AppOnTenant) -> Found:
    await app.inspection.get(ONE_USER)
    return ok("answers")


def _token_skew(token: Token, now: datetime) -> str:
    begins, ends = token.time("nbf") or token.time("iat"), token.time("exp")
    if begins is not None and begins - now > MAX_SKEW:
        return f"a new token is valid only in {_minutes(begins - now)}: the clock here is behind, or the issuer's ahead"
    if ends is not None and ends <= now:
        return f"a new token expired {_minutes(now - ends)} ago: the clock here is ahead, or the issuer's behind"
    return ""


def _graph_skew(answered_at: datetime | None, now: datetime) -> str:
    if answered_at is None or abs(now - answered_at) <= MAX_SKEW:
        return ""
    return (
        f"the clock here is {_minutes(abs(now - answered_at))} {'ahead of' if now > answered_at else 'behind'} Graph's"
    )


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:.0f} min"
