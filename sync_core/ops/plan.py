"""The changes that would come if every user were looked at now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager

from ..assembly import Runtime
from ..decision.look import Look
from ..model import Hold, Nomination, Postpone, Stay, Sync
from ..model.errors import SyncError
from ..ports import PlanExtent
from . import documents
from .changes import shown
from .documents import FailedUser, PlannedUser
from .looks import values_now
from .plain import kind_in_words
from .rehearsal import Planned, Rehearsal
from .sentences import of_extent
from .words import many

# Changes that take access away come first, then refusals and errors.
_ORDER = (
    *("SoftDelete", "Disable", "Hold", "Refuse", "error"),
    *("Adopt", "Restore", "Invite", "Update", "ResetRedemption", "HandOver", "Unlink", "LetGo", "Forget", "Stay"),
)

# Opens a stage of the work, by its title and size, and is told how much of it is done.
type Progress = Callable[[str, int | None], AbstractContextManager[Callable[[int], None]]]


async def plan(runtime: Runtime, syncs: Iterable[Sync], progress: Progress, *, values: bool = False) -> documents.Plan:
    """`runtime` is in read-only mode.

    With `values` each update has those to be written and those of now, which costs a read of its target user.
    Raises UnavailableError where a feed cannot be read to its end, and OtherTenantError for a sync that is stopped.
    """
    by_name = {sync.name: await runtime.configurations.check(sync) for sync in syncs}
    rehearsal, planned = Rehearsal.of(runtime, by_name), []
    extents = dict.fromkeys(sorted(by_name), PlanExtent())
    for tenant in sorted({sync.source.key for sync in by_name.values()}):
        with progress(f"reading {tenant}", None) as read:
            nominees = await _nominees(rehearsal, tenant, read, extents)
        with progress(f"deciding on {many(len(nominees), 'user')}", len(nominees)) as decided:
            async for each in rehearsal.decide(nominees):
                planned.append(each)
                extents[each.sync] = extents[each.sync].more(looked_at=1, both=each.linked)
                decided(len(planned))
    users: dict[str, list[PlannedUser | FailedUser]] = {name: [] for name in sorted(by_name)}
    with progress("reading what would change", len(planned)) as done:
        for number, each in enumerate(planned, 1):
            user = await user_plan(runtime, each, values=values)
            if user is not None:
                users[each.sync].append(user)
            done(number)
    return documents.Plan(syncs=[sync_plan(name, of, shown_extent(extents[name])) for name, of in users.items()])


async def _nominees(
    rehearsal: Rehearsal, tenant: str, read: Callable[[int], None], extents: dict[str, PlanExtent]
) -> list[Nomination]:
    """Those of a full round, and those with another manager than was applied. Adds the linked users to `extents`."""
    nominated = await rehearsal.nominees(tenant, read)
    found = {(each.sync, each.user): each for each in nominated if each.sync in extents}
    cursor = ""
    while (more := await rehearsal.compared(cursor, tenant)) is not None:
        some, differ = more
        extents[some.sync] = extents[some.sync].more(linked=some.linked)
        found |= {(each.sync, each.user): each for each in differ}
        cursor = some.cursor
    return list(found.values())


def shown_extent(of: PlanExtent | None) -> documents.PlanExtent:
    """None: it is not known."""
    looked_at, passed_over = (None, None) if of is None else (of.looked_at, of.passed_over)
    return documents.PlanExtent(
        looked_at=looked_at, passed_over=passed_over, sentences=of_extent(looked_at, passed_over)
    )


def sync_plan(sync: str, users: Sequence[PlannedUser | FailedUser], extent: documents.PlanExtent) -> documents.SyncPlan:
    users = sorted(users, key=_rank)
    counts = Counter(user.kind for user in users)
    return documents.SyncPlan(sync=sync, counts=counts, words=words_of(counts), users=users, extent=extent)


def words_of(kinds: Iterable[str]) -> Mapping[str, str]:
    return {kind: kind_in_words(kind) for kind in kinds}


async def user_plan(runtime: Runtime, planned: Planned, *, values: bool) -> PlannedUser | FailedUser | None:
    """None: nothing would happen to this user."""
    if isinstance(planned.look, SyncError):
        return FailedUser(user=planned.user, reason=str(planned.look), hint=planned.look.hint)
    look = planned.look
    try:
        now = await values_now(runtime, look) if values else None
    except SyncError as error:
        return FailedUser(user=planned.user, reason=str(error), hint=error.hint)
    change = shown(look.change, values=values, before=now)
    if isinstance(change, documents.Skip) or (isinstance(change, documents.Stay) and change.until is None):
        return None
    return PlannedUser(user=planned.user, target_id=look.link.target_id, why=_why(look), planned=change)


def _why(look: Look) -> str:
    """Why access would be taken away, or else why the user is in scope."""
    taken = look.change.postponed if isinstance(look.change, Postpone) else look.change
    taken = taken.held if isinstance(taken, Hold) else taken
    return look.cause if taken.removes or isinstance(taken, Stay) else look.verdict.reason


def _rank(user: PlannedUser | FailedUser) -> tuple[int, str]:
    change = user.foreseen.change if isinstance(user, PlannedUser) else user.change
    return _ORDER.index(change), user.user
