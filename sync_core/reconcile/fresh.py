"""The fresh read that a decision rests on: one user and, where the scope asks for groups, which of those they are in.

Every path that decides reads through here: reconciling, confirming a deletion, a dry run.
"""

from __future__ import annotations

from dataclasses import replace

from ..model import Link, LinkState, SourceState, SourceUser, Sync
from ..ports import SourceDirectory
from ..scope.verdict import groups_asked, scope


async def read_afresh(directory: SourceDirectory, sync: Sync, user_id: str, link: Link) -> SourceUser:
    """Raises whatever the directory raises: a membership that could not be read is not the lack of one.

    Where something would come of not being in a group, that costs one more question: is every such group there?
    """
    groups = groups_asked(sync, user_id)
    if not groups:
        return await directory.read_user(user_id)
    source = await directory.read_user(user_id, groups)
    others = groups - (source.member_of or frozenset())
    if source.absent or not _hinges_on(others, sync, source, link):
        return source
    return replace(source, missing_groups=frozenset(await directory.missing_groups(others)))


def suffices(sync: Sync, source: SourceUser, before: Link, after: Link) -> bool:
    """Whether what was read with one link in mind is all that has to be known of what became of it."""
    others = groups_asked(sync, source.id) - (source.member_of or frozenset())
    if source.absent or not others:
        return True
    unasked = replace(source, missing_groups=frozenset())
    return _hinges_on(others, sync, unasked, before) or not _hinges_on(others, sync, unasked, after)


def _hinges_on(others: frozenset[str], sync: Sync, source: SourceUser, link: Link) -> bool:
    """Whether it would change something if those groups that do not have this user did not exist."""
    if scope(sync, source).in_scope:
        # Who is linked is not always in: perhaps they were disabled, or a write broke off.
        disabled = link.disabled and source.state is SourceState.LIVE
        nothing_comes_of_it = link.state is LinkState.LINKED and not (link.kept_out or link.dirty or disabled)
    else:
        nothing_comes_of_it = link.state is LinkState.SEEN
    if nothing_comes_of_it:
        return False
    return scope(sync, replace(source, missing_groups=others)).undecided
