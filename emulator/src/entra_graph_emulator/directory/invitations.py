"""B2B invitations: https://learn.microsoft.com/graph/api/invitation-post

Refused addresses and their messages: https://learn.microsoft.com/entra/external-id/troubleshoot. Messages that no page
gives were seen in public issues. No page says what happens if a soft-deleted guest has the invited address: here the
invitation makes a new user.
"""

import re
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final
from urllib.parse import quote

from entra_graph_emulator.directory.objects import User
from entra_graph_emulator.directory.tenant import Tenant
from entra_graph_emulator.odata.rules import Kind, Property, check, check_names, table, texts
from entra_graph_emulator.wire.clock import Clock, instant
from entra_graph_emulator.wire.errors import GraphError, denied, invalid_value, not_found, value_required
from entra_graph_emulator.wire.ids import guid
from entra_graph_emulator.wire.tokens import Caller

_WRITE_USERS: Final = ("User.ReadWrite.All", "Directory.ReadWrite.All")
# Microsoft's list of characters that an invited address must not have, and the places of dots and hyphens.
_FORBIDDEN: Final = frozenset('~!#$%^&*()+=[]{}\\/|;:"<>?, ')
_ADDRESS: Final = re.compile(r"[^@.\-](?:[^@]*[^@.\-])?@[^@]+\.[^@.]+")
# https://learn.microsoft.com/graph/api/resources/invitation; read-only properties are accepted and ignored.
_PROPERTIES: Final = table(
    Property(name="inviteRedirectUrl", pattern=r"[A-Za-z][A-Za-z0-9+.\-]*://\S+"),
    Property(name="invitedUserType", pattern=r"Guest|Member"),
    Property(name="invitedUserSponsors", kind=Kind.OBJECTS),
    *(Property(name=name, kind=Kind.FLAG) for name in ("resetRedemption", "sendInvitationMessage")),
    *(Property(name=name, kind=Kind.OBJECT) for name in ("invitedUser", "invitedUserMessageInfo")),
    *texts("id", "invitedUserDisplayName", "invitedUserEmailAddress", "inviteRedeemUrl", "status"),
)
# https://learn.microsoft.com/graph/api/resources/invitedusermessageinfo; one more recipient at most.
_MESSAGE: Final = table(
    Property(name="ccRecipients", kind=Kind.OBJECTS),
    Property(name="customizedMessageBody", length=2**20),
    Property(name="messageLanguage", pattern=r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*"),
)


class Invitations:
    """`owner_of` finds the tenant that owns a domain, for automatic redemption."""

    def __init__(self, *, clock: Clock, rng: Random, owner_of: Callable[[str], Tenant | None]) -> None:
        self._clock = clock
        self._rng = rng
        self._owner_of = owner_of

    def invite(self, tenant: Tenant, caller: Caller, body: Mapping[str, Any]) -> dict[str, Any]:
        """The invitation as Graph answers it. Raises GraphError for an address that cannot be invited."""
        address = _required(body, "invitedUserEmailAddress")
        redirect = _required(body, "inviteRedirectUrl")
        _check(body)
        if body.get("resetRedemption"):
            return self._answer(tenant, body, address, redirect, self._reset(tenant, caller, body, address))
        self._check_policy(tenant, address)
        user_type = body.get("invitedUserType") or "Guest"
        strict = tenant.settings.member_invites_need_write
        if user_type == "Member" and strict and not caller.may(_WRITE_USERS):
            raise denied()
        known = tenant.known_by(address)
        internal = next((user for user in known if not user.is_guest), None)
        if internal is not None:
            raise _already(internal, tenant.settings.already_exists_code)
        if known:
            return self._answer(tenant, body, address, redirect, known[0])
        gone = _deleted_guest(tenant, address) if tenant.settings.reinvite_revives_deleted else None
        if gone is not None:
            tenant.restore(gone)
            return self._answer(tenant, body, address, redirect, gone)
        if self._rng.random() < tenant.settings.phantom_invitations:
            return self._answer(tenant, body, address, redirect, None)
        user = self._create(tenant, body, address, user_type)
        _sponsor(tenant, user, body.get("invitedUserSponsors"))
        return self._answer(tenant, body, address, redirect, user)

    def redeem(self, tenant: Tenant, user: User) -> None:
        """Record that the invited person signed in for the first time."""
        tenant.update(user, self._redeemed(tenant, user.properties["userPrincipalName"]))

    def _check_policy(self, tenant: Tenant, address: str) -> None:
        settings = tenant.settings
        inviters = tenant.policies.authorization["allowInvitesFrom"]
        restricted = inviters == "adminsAndGuestInviters" and settings.restricted_invites_refuse_apps
        if not settings.guest_invitations or inviters == "none" or restricted:
            raise GraphError(
                403,
                "Forbidden",
                "Guest invitations not allowed for your company. Contact your company administrator for more details.",
            )
        if _ADDRESS.fullmatch(address) is None or not _FORBIDDEN.isdisjoint(address):
            raise _refused("The invited user email address is not valid.")
        domain = address.rpartition("@")[2].lower()
        groups = {each.lower() for each in settings.group_addresses}
        if address.lower() in groups or tenant.groups.known_by(address) is not None:
            raise _refused("Group email address is not supported")
        home = self._owner_of(domain)
        blocked = home is not None and (
            tenant.policies.blocks("Inbound", home.id) or home.policies.blocks("Outbound", tenant.id)
        )
        if blocked or domain in {each.lower() for each in settings.blocked_domains}:
            raise _refused(
                "This invitation is blocked by cross-tenant access settings. Admins in both your organization and the "
                "invited user's organization must configure cross-tenant access settings to allow the invitation."
            )
        internal = next((user for user in tenant.known_by(address) if not user.is_guest), None)
        if domain in tenant.domains and internal is None:
            raise _refused(
                "This user cannot be invited because the domain of the user's email address is a verified domain of "
                "this directory."
            )

    def _create(self, tenant: Tenant, body: Mapping[str, Any], address: str, user_type: str) -> User:
        nickname = f"{address.replace('@', '_')}#EXT#"
        name = f"{nickname}@{tenant.initial_domain}"
        redeemed = self._consents(tenant, address)
        state = self._redeemed(tenant, name) if redeemed else self._pending()
        # If a contact has the address, the guest is made without it: "Proxy address conflicts" in
        # https://learn.microsoft.com/entra/external-id/troubleshoot
        mail = None if tenant.has_contact(address) else address
        return tenant.create(
            {
                "accountEnabled": True,
                "creationType": "Invitation",
                "displayName": body.get("invitedUserDisplayName") or address.partition("@")[0],
                "mail": mail,
                "mailNickname": nickname[:64],
                "otherMails": [address] if tenant.settings.invited_other_mails else [],
                "proxyAddresses": [f"SMTP:{address}"] if mail else [],
                "userPrincipalName": name,
                "userType": user_type,
                **state,
            },
            visible_in_s=tenant.settings.visibility_s,
        )

    def _consents(self, tenant: Tenant, address: str) -> bool:
        """Whether the cross-tenant access settings of both tenants allow automatic redemption."""
        home = self._owner_of(address.rpartition("@")[2].lower())
        if home is None:
            return False
        inbound = _names(tenant, home) or tenant.policies.consents("inboundAllowed", home.id)
        return inbound and (_names(home, tenant) or home.policies.consents("outboundAllowed", tenant.id))

    def _pending(self) -> dict[str, Any]:
        at = instant(self._clock.now())
        return {"externalUserState": "PendingAcceptance", "externalUserStateChangeDateTime": at}

    def _redeemed(self, tenant: Tenant, name: str) -> dict[str, Any]:
        federated = {"signInType": "federated", "issuer": "ExternalAzureAD", "issuerAssignedId": None}
        return {
            "externalUserState": "Accepted",
            "externalUserStateChangeDateTime": instant(self._clock.now()),
            "identities": [federated, tenant.identity(name)],
        }

    def _reset(self, tenant: Tenant, caller: Caller, body: Mapping[str, Any], address: str) -> User:
        """https://learn.microsoft.com/entra/external-id/reset-redemption-status"""
        invited = body.get("invitedUser")
        user_id = invited.get("id") if isinstance(invited, dict) else None
        if not caller.may(_WRITE_USERS):
            raise denied()
        if not isinstance(user_id, str):
            raise value_required("invitedUser", "Invitation")
        user = tenant.find(user_id)
        if user is None:
            raise not_found(user_id)
        if user.admin:
            raise denied()
        held = [user.properties.get("mail") or "", *(user.properties.get("otherMails") or ())]
        if address.lower() not in {each.lower() for each in held}:
            raise _refused("The invited user email address must be the mail or one of the other mails of the user.")
        tenant.update(user, self._pending() | {"identities": [tenant.identity(user.properties["userPrincipalName"])]})
        return user

    def _answer(
        self, tenant: Tenant, body: Mapping[str, Any], address: str, redirect: str, user: User | None
    ) -> dict[str, Any]:
        if user is not None:
            invited = {"id": user.id, "userPrincipalName": user.properties["userPrincipalName"]}
            accepted = user.properties.get("externalUserState") == "Accepted"
        else:
            name = f"{address.replace('@', '_')}#EXT#@{tenant.initial_domain}"
            invited = {"id": guid(self._rng), "userPrincipalName": name}
            accepted = False
        ticket = quote(
            f"https://invitations.microsoft.com/redeem/?tenant={tenant.id}&user={invited['id']}"
            f"&ticket={quote(guid(self._rng), safe='')}&ver=2.0",
            safe="",
        )
        blank = {
            "messageLanguage": None,
            "customizedMessageBody": None,
            "ccRecipients": [{"emailAddress": {"name": None, "address": None}}],
        }
        return {
            "id": guid(self._rng),
            "inviteRedeemUrl": f"https://login.microsoftonline.com/redeem?rd={ticket}",
            "invitedUserDisplayName": body.get("invitedUserDisplayName"),
            "invitedUserType": body.get("invitedUserType") or "Guest",
            "invitedUserEmailAddress": address,
            "sendInvitationMessage": bool(body.get("sendInvitationMessage", False)),
            "resetRedemption": bool(body.get("resetRedemption", False)),
            "inviteRedirectUrl": redirect,
            "status": "Completed" if accepted else "PendingAcceptance",
            "invitedUserMessageInfo": body.get("invitedUserMessageInfo") or blank,
            "invitedUser": invited,
        }


def _required(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise value_required(name, "Invitation")
    return value


def _check(body: Mapping[str, Any]) -> None:
    check_names(body, _PROPERTIES, "invitation")
    for name in body.keys() & _PROPERTIES.keys():
        check(_PROPERTIES, "Invitation", name, body[name])
    message = body.get("invitedUserMessageInfo") or {}
    check_names(message, _MESSAGE, "invitedUserMessageInfo")
    for name in message.keys() & _MESSAGE.keys():
        check(_MESSAGE, "Invitation", name, message[name])
    if len(message.get("ccRecipients") or ()) > 1:
        raise invalid_value("ccRecipients", "Invitation")


def _sponsor(tenant: Tenant, user: User, sponsors: Any) -> None:
    """Set the sponsors that the invitation names. Without names, an app's invitation has no sponsor."""
    given = sponsors if isinstance(sponsors, list) else []
    ids = [each.get("id") for each in given if isinstance(each, dict)]
    known = [each for each in ids if isinstance(each, str) and tenant.object(each) is not None]
    if known:
        tenant.set_sponsors(user, known)


def _deleted_guest(tenant: Tenant, address: str) -> User | None:
    wanted = address.lower()
    return next(
        (each for each in tenant.deleted_users() if (each.properties.get("mail") or "").lower() == wanted), None
    )


def _names(tenant: Tenant, other: Tenant) -> bool:
    return not {"*", other.id}.isdisjoint(tenant.settings.automatic_redemption)


def _refused(message: str, code: str = "BadRequest") -> GraphError:
    return GraphError(400, code, message)


def _already(user: User, code: str) -> GraphError:
    if user.properties.get("accountEnabled") is False:
        return _refused(
            f"The invited user already exists in the directory as object ID: {user.id}, but the account is blocked "
            "from signing in. If the account is unblocked, they can use that account to sign in to shared apps and "
            "resources.",
            code,
        )
    return _refused(
        f"The invited user already exists in the directory as objectID: {user.id}. They can use that account to sign "
        "in to shared apps and resources.",
        code,
    )
