"""The fresh read that a decision rests on: one user and, for a sync with assigned groups, what they are a member of.

Every path that decides reads through here: reconciling, confirming a deletion, a dry run.
"""

from __future__ import annotations

from dataclasses import replace

from .model import Link, LinkState, SourceUser, Sync
from .ports import SourceDirectory


async def read_afresh(directory: SourceDirectory, sync: Sync, user_id: str, link: Link) -> SourceUser:
    """Raises whatever the directory raises: a membership that could not be read is not the lack of one.

    Somebody who may lose their account because no group has them costs one more question: is every group there?
    """
    assigned = sync.assigned
    if assigned is None or user_id.lower() in assigned.members:
        return await directory.read_user(user_id)
    source = await directory.read_user(user_id, assigned.groups)
    if source.absent or source.member_of or link.state is LinkState.SEEN:
        return source
    return replace(source, missing_groups=frozenset(await directory.missing_groups(assigned.groups)))
