"""The changes that would come if every user were looked at now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager

from ..assembly import Runtime
from ..model import Sync
from ..model.errors import SyncError
from . import documents
from .changes import shown
from .documents import FailedUser, PlannedUser
from .rehearsal import Planned, Rehearsal
from .words import many

# Changes that take access away come first, then refusals and errors.
_ORDER = ("SoftDelete", "Disable", "Hold", "Refuse", "error", "Adopt", "Restore", "Invite", "Update", "LetGo", "Forget")

# Opens a stage of the work, by its title and size, and is told how much of it is done.
type Progress = Callable[[str, int | None], AbstractContextManager[Callable[[int], None]]]


async def plan(runtime: Runtime, syncs: Iterable[Sync], progress: Progress) -> documents.Plan:
    """`runtime` is in read-only mode. Raises UnavailableError where a feed cannot be read to its end."""
    by_name = {sync.name: sync for sync in syncs}
    rehearsal, planned = Rehearsal.of(runtime), []
    for tenant in sorted({sync.source.key for sync in by_name.values()}):
        with progress(f"reading {tenant}", None) as read:
            nominees = [each for each in await rehearsal.nominees(tenant, read) if each.sync in by_name]
        with progress(f"deciding on {many(len(nominees), 'user')}", len(nominees)) as decided:
            async for each in rehearsal.decide(nominees):
                planned.append(each)
                decided(len(planned))
    return documents.Plan(
        syncs=[_sync_plan(name, [each for each in planned if each.sync == name]) for name in sorted(by_name)]
    )


def _sync_plan(sync: str, planned: Sequence[Planned]) -> documents.SyncPlan:
    users = sorted((user for each in planned if (user := _user(each)) is not None), key=_rank)
    return documents.SyncPlan(sync=sync, counts=Counter(user.kind for user in users), users=users)


def _user(planned: Planned) -> PlannedUser | FailedUser | None:
    """None: nothing would happen to this user."""
    if isinstance(planned.look, SyncError):
        return FailedUser(user=planned.user, reason=str(planned.look), hint=planned.look.hint)
    change = shown(planned.look.change)
    if isinstance(change, documents.Skip):
        return None
    return PlannedUser(user=planned.user, target_id=planned.look.link.target_id, planned=change)


def _rank(user: PlannedUser | FailedUser) -> tuple[int, str]:
    return _ORDER.index(user.change), user.user
