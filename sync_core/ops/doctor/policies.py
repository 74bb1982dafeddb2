"""Settings on which two tenants have to agree. Reading them takes Policy.Read.All, which the app works without.

Where a partner's entry has null, the tenant's default decides.
https://learn.microsoft.com/graph/api/resources/crosstenantaccesspolicy-overview
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from ...model import Json, Tenant
from ...ports import AppOnTenant, Side
from . import remedies
from .finding import Check, Found, failed, ok, warning

_PARTNER = "/policies/crossTenantAccessPolicy/partners/{id}"
_DEFAULT = "/policies/crossTenantAccessPolicy/default"
_CONSENT = "automaticUserConsentSettings"

type JsonObject = Mapping[str, Json]


def checks(app: AppOnTenant, other: Tenant) -> list[Check]:
    """Checks of this tenant's settings for the other end of a sync."""
    out = app.side is Side.SOURCE
    way = f"to {other.key}" if out else f"from {other.key}"
    setting = "outboundAllowed" if out else "inboundAllowed"
    block = "b2bCollaborationOutbound" if out else "b2bCollaborationInbound"
    return [
        Check(
            name=f"redemption {way}",
            looked_at=f"cross-tenant access settings: {_CONSENT}.{setting}",
            look=partial(redemption, app, other, setting),
            by_hand=remedies.look_at_partner(app, other.id, f"{_CONSENT}.{setting}"),
        ),
        Check(
            name=f"collaboration {way}",
            looked_at=f"cross-tenant access settings: {block}",
            look=partial(collaboration, app, other, block),
            by_hand=remedies.look_at_partner(app, other.id, f"{block}.usersAndGroups"),
        ),
    ]


def invitation_check(app: AppOnTenant) -> Check:
    return Check(
        name="invitations",
        looked_at="guest invite settings: allowInvitesFrom",
        look=partial(invitations, app),
        by_hand=remedies.look_at_invitations(app),
    )


def domains_check(app: AppOnTenant) -> Check:
    return Check(
        name="domains",
        looked_at="GET /organization: verifiedDomains",
        look=partial(domains, app),
        by_hand=remedies.domains(app),
    )


async def domains(app: AppOnTenant) -> Found:
    """An address of another domain than the user principal name's is invited only if the tenant has verified it."""
    await app.inspection.get("/organization?$select=verifiedDomains")
    return ok("can be read")


async def redemption(app: AppOnTenant, other: Tenant, setting: str) -> Found:
    """Unless both sides allow it, every user has to accept a prompt first.

    https://learn.microsoft.com/entra/external-id/cross-tenant-access-settings-b2b-collaboration#automatic-redemption-setting
    """
    entry = await app.inspection.get(_PARTNER, id=other.id)
    if (await _effective(app, entry, _CONSENT)).get(setting) is True:
        return ok("automatic")
    remedy = remedies.redemption(app, other.id, setting, has_entry=entry is not None)
    return failed(f"{setting} is off: every user has to accept a prompt first", *remedy)


async def collaboration(app: AppOnTenant, other: Tenant, name: str) -> Found:
    """Only a block of everybody is a fault; finer rules are the tenant's own decision."""
    entry = await app.inspection.get(_PARTNER, id=other.id)
    users = _object((await _effective(app, entry, name)).get("usersAndGroups"))
    if users.get("accessType") == "blocked" and "AllUsers" in _targets(users):
        return failed(
            f"{name} blocks everybody", *remedies.unblock(app, other.id, name.removeprefix("b2bCollaboration"))
        )
    return ok("not blocked for everybody")


async def invitations(app: AppOnTenant) -> Found:
    """https://learn.microsoft.com/graph/api/resources/authorizationpolicy"""
    policy = await app.inspection.get("/policies/authorizationPolicy") or {}
    inviters = str(policy.get("allowInvitesFrom"))
    match inviters:
        case "none":
            return failed("nobody may invite guests", *remedies.allow_invitations(app))
        case "adminsAndGuestInviters":  # no page says whether an app with User.Invite.All is among them
            return warning(f"{inviters}: may keep the app from inviting", *remedies.allow_invitations(app))
        case _:
            return ok(inviters)


async def _effective(app: AppOnTenant, entry: JsonObject | None, name: str) -> JsonObject:
    """The partner's own setting over the default's, property by property."""
    own = _object((entry or {}).get(name))
    default = _object((await app.inspection.get(_DEFAULT) or {}).get(name))
    return {**default, **{each: value for each, value in own.items() if value is not None}}


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _targets(users: JsonObject) -> list[Json]:
    targets = users.get("targets")
    return [_object(each).get("target") for each in targets] if isinstance(targets, list) else []
