"""The fresh read that a decision rests on: one user, the scope's verdict, and what was asked about groups for it.

Every path that decides reads through here: reconciling, confirming a removal, a dry run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..model import (
    ANY_DOMAIN,
    PRINCIPAL_NAME,
    InviteBy,
    Link,
    LinkState,
    SourceState,
    SourceUser,
    Sync,
    Verdict,
    domain_of,
)
from ..ports import SourceDirectory
from ..scope.verdict import groups_asked, kept_out, scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One fresh read of one user. The verdict is the scope's on exactly this read."""

    user: SourceUser
    verdict: Verdict
    not_in: frozenset[str] = frozenset()  # the groups that were asked for and do not have this user
    existence_asked: bool = False  # whether it was asked which of those exist

    @property
    def leaves(self) -> bool:
        """Whether this sync wants the user to have no access, for certain."""
        return self.user.absent or self.verdict.out


async def read_afresh(directory: SourceDirectory, sync: Sync, user_id: str, link: Link) -> Reading:
    """Raises whatever the directory raises: a membership that could not be read is not the lack of one.

    If the decision depends on the user not being in a group, Graph is asked whether that group still exists.
    """
    groups = groups_asked(sync, user_id)
    user = await directory.read_user(user_id, groups)
    if sync.invite is InviteBy.PRINCIPAL_NAME:
        user = replace(user, address_in=(PRINCIPAL_NAME,))
    reading = Reading(user=user, verdict=scope(sync, user), not_in=groups - (user.member_of or frozenset()))
    if not _depends_on_absence(sync, reading, link):
        return reading
    missing = frozenset(await directory.missing_groups(reading.not_in))
    if missing:
        user = replace(user, missing_groups=missing)
        reading = replace(reading, user=user, verdict=scope(sync, user))
    return replace(reading, existence_asked=True)


def suffices(sync: Sync, reading: Reading, link: Link) -> bool:
    """Whether this read also answers every question that the link raises as it is now."""
    return reading.existence_asked or not _depends_on_absence(sync, reading, link)


def _depends_on_absence(sync: Sync, reading: Reading, link: Link) -> bool:
    """Whether the decision may rest on the user not being in a group.

    If none of the groups that lack this user existed, would the verdict be undecided?
    """
    if reading.user.absent or not reading.not_in or _nothing_at_stake(sync, reading, link):
        return False
    return scope(sync, replace(reading.user, missing_groups=reading.not_in)).undecided


def _nothing_at_stake(sync: Sync, reading: Reading, link: Link) -> bool:
    """Whether access is already as the verdict wants it, so that a missing group would change nothing."""
    if not reading.verdict.in_scope:
        return link.state is LinkState.SEEN
    if link.state is not LinkState.LINKED or link.dirty:
        return False
    if link.disabled and reading.user.state is SourceState.LIVE:
        return False
    # A user whom groups kept out at the last look has lost access then, or is held: joining again is at stake.
    # The same memberships as then cannot have kept the user out, since they put the user in scope now.
    then = replace(reading.user, member_of=link.member_of, missing_groups=frozenset())
    return link.member_of == reading.user.member_of or not kept_out(sync, then)


async def is_foreign(directory: SourceDirectory, sync: Sync, user: SourceUser) -> bool:
    """Whether the address is of a domain that is neither the source's nor named by the configuration."""
    if user.address is None:
        return False
    domain = domain_of(user.address)
    if user.domain_of_its_own or not sync.domains.isdisjoint({domain, ANY_DOMAIN}):
        return False
    return domain not in await directory.verified_domains()
