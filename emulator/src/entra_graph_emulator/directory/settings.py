"""The settings of one tenant, and how JSON changes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


class SettingError(ValueError):
    """A command named a setting that does not exist, or gave it a value of the wrong type."""


@dataclass(slots=True, kw_only=True)
class TenantSettings:
    """Changed by `PUT /_emulator/tenants/{id}/settings`, where they have the same names."""

    # Invitations: https://learn.microsoft.com/graph/api/resources/invitation
    guest_invitations: bool = True
    blocked_domains: list[str] = field(default_factory=list)  # refused by cross-tenant access settings
    group_addresses: list[str] = field(default_factory=list)  # addresses of groups, which cannot be invited
    contact_addresses: list[str] = field(default_factory=list)  # addresses that mail contacts of the tenant bear
    directory_quota: int = 0  # objects the directory may have; 0: `directorySizeQuota` is unknown, as documented
    automatic_redemption: list[str] = field(default_factory=list)  # tenant ids, or "*"; both sides must agree
    phantom_invitations: float = 0.0  # probability that an invitation succeeds and no user appears

    member_invites_need_write: bool = True  # invitedUserType Member takes more than User.Invite.All
    restricted_invites_refuse_apps: bool = True  # allowInvitesFrom adminsAndGuestInviters keeps apps out
    reinvite_revives_deleted: bool = False  # an invited soft-deleted guest is restored instead of made anew
    invited_other_mails: bool = True  # otherMails hold the address straight after an invitation
    already_exists_code: str = "BadRequest"  # of the 400 for an address that a member of the tenant has

    # Tokens: faults of this tenant's token endpoint
    token_error: str = ""  # AADSTS code of a refusal, such as "AADSTS7000229" for an app without consent
    token_tenant: str = ""  # another `tid` than this tenant's
    token_skew_s: float = 0.0  # how far the issuer's clock is ahead (or, below 0, behind)

    # Writes
    sensitive_needs_role: bool = False  # sensitive properties of anybody need an app with a directory role
    external_service_owns_mail: bool = False  # mail and showInAddressList of guests cannot be written
    unnamed_refusals: list[str] = field(default_factory=list)  # properties refused by a 400 that does not name them
    extensions_need_registration: bool = True  # only directory extensions registered in this tenant can be written
    missing_manager_status: int = 404  # DELETE of a manager that is not set: 404, or 204
    deletion_drops_references: bool = False  # reports of a deleted user lose their manager, even if it is restored
    soft_delete_security_groups: bool = True  # otherwise only Microsoft 365 groups go to deletedItems
    directory_etags: bool = False  # If-Match on users is refused with 412; otherwise it is ignored

    # Answers
    select_adds_id: bool = True  # id is shown even if $select leaves it out
    location_form: str = "v1.0"  # of the Location of a 201; "v2" is the other form seen
    restore_notifies: bool = True  # a restore is an `updated` notification

    # Consistency
    visibility_s: float = 0.2  # a new user is 404 for so long
    replication_lag_s: float = 0.0  # younger changes are not in a delta round yet
    read_lag_s: float = 0.0  # each GET of one user is answered by a replica that is up to so far behind

    # Delta
    delta_page_size: int = 200
    delta_shuffle: bool = False
    delta_duplicate: float = 0.0  # probability that an entry comes twice in its page
    delta_replay: int = 0  # changes before the token's position that a round repeats
    delta_empty_pages: float = 0.0  # probability of an empty page with a nextLink before a full one
    delta_seed: int = 0
    delta_silent_deletions: bool = False  # rounds leave soft deletions out (microsoft-graph-docs, issue 4498)
    delta_circle: int = 0  # so often a nextLink leads to its own page (microsoft-graph-docs, issue 4897)
    delta_initial_removed: bool = True  # users in deletedItems show up in an initial round, as @removed
    delta_link_page: int = 500  # members in one entry of groups/delta; the rest come in further entries
    delta_token_days: float = 7.0
    delta_expired_form: str = "syncStateNotFound"
    page_token_minutes: float = 60.0  # no page states the real lifetime


def apply(target: Any, values: Mapping[str, Any]) -> None:
    """Set fields of a dataclass from JSON. Raises SettingError; a whole number is accepted for a decimal."""
    types = {each.name: type(getattr(target, each.name)) for each in fields(target)}
    for name, value in values.items():
        if name not in types:
            raise SettingError(f"no setting is called {name!r}; there are {', '.join(types)}")
        wanted = types[name]
        given = float(value) if wanted is float and type(value) is int else value
        if type(given) is not wanted:
            raise SettingError(f"{name} must be of type {wanted.__name__}, not {type(value).__name__}")
    for name, value in values.items():
        setattr(target, name, float(value) if types[name] is float else value)
