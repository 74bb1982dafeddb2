"""The fresh read that a decision rests on: one user and, where the scope asks for groups, which of those they are in.

Every path that decides reads through here: reconciling, confirming a deletion, a dry run.
"""

from __future__ import annotations

from dataclasses import replace

from .model import Link, LinkState, SourceUser, Sync
from .ports import SourceDirectory
from .scope import scope


async def read_afresh(directory: SourceDirectory, sync: Sync, user_id: str, link: Link) -> SourceUser:
    """Raises whatever the directory raises: a membership that could not be read is not the lack of one.

    Where something would come of not being in a group, that costs one more question: is every such group there?
    """
    groups = _asked(sync, user_id)
    if not groups:
        return await directory.read_user(user_id)
    source = await directory.read_user(user_id, groups)
    others = groups - (source.member_of or frozenset())
    if source.absent or not _hinges_on(others, sync, source, link):
        return source
    return replace(source, missing_groups=frozenset(await directory.missing_groups(others)))


def _asked(sync: Sync, user_id: str) -> frozenset[str]:
    """Whoever is assigned by id needs none of the assigned groups."""
    assigned = sync.assigned
    if assigned is None or user_id.lower() not in assigned.members:
        return sync.groups
    return replace(sync, assigned=None).groups


def _hinges_on(others: frozenset[str], sync: Sync, source: SourceUser, link: Link) -> bool:
    """Whether it would change something if those groups that do not have this user did not exist."""
    if scope(sync, source).in_scope:
        nothing_comes_of_it = link.state is LinkState.LINKED and not link.kept_out
    else:
        nothing_comes_of_it = link.state is LinkState.SEEN
    if nothing_comes_of_it:
        return False
    return scope(sync, replace(source, missing_groups=others)).undecided
