"""Users who wait for a person to say that a B2B user of the target is theirs, and that person's approval.

The approval is kept on the user's link and stands for one target user. The next look uses it up: if that look finds
another target user, or none, nobody is adopted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..assembly import Runtime
from ..decision.look import Look, if_approved
from ..model import Adopt, Kind, Link, Nomination, Reason, SourceUser, Sync, TargetUser, Why
from ..model.errors import ConflictError, SyncError
from . import documents
from .adoption_rows import Row, code_of
from .changes import in_words, shown, way_out
from .errors import RefusedError, UsageError
from .kept import keep
from .names import find_user
from .parked import parked_users
from .plain import change_in_words, reason_in_words

WAITS_FOR_ADOPTION = frozenset(
    {
        Reason.NEEDS_APPROVAL,
        Reason.UNADOPTED,
        Reason.AMBIGUOUS,
        Reason.BLOCKED,
        Reason.ADDRESS_TAKEN,
        Reason.ABANDONED,
        Reason.UNLINKED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The adoption that an approval would stand for."""

    sync: Sync
    source: SourceUser
    target: TargetUser
    link: Link


async def waiting_users(runtime: Runtime, syncs: Iterable[Sync]) -> documents.WaitingUsers:
    parked = await parked_users(runtime.storage.links, syncs, runtime.clock.now())
    return documents.WaitingUsers(
        waiting=[
            documents.WaitingUser(
                sync=user.sync,
                source_id=user.source_id,
                reason=user.reason,
                text=reason_in_words(user.reason),
                next_try_at=user.next_try_at,
            )
            for user in parked
            if user.reason in WAITS_FOR_ADOPTION
        ]
    )


async def offer(runtime: Runtime, user: str, sync: str | None, target: str | None) -> Offer:
    """From a fresh look at the user. Raises RefusedError where nobody is to be adopted, saying why."""
    decided = await _look(runtime, user, sync)
    candidate = _candidate(decided, target)
    change = if_approved(decided, candidate.id)
    if not isinstance(change, Adopt):
        raise RefusedError(
            f"{candidate.id} cannot be adopted: {in_words(shown(change))}; nothing was decided",
            hint=way_out(change) or "",
        )
    return Offer(sync=decided.sync, source=decided.source, target=candidate, link=decided.link)


async def choices(runtime: Runtime, sync: Sync, user: str) -> documents.AdoptionChoices:
    """From a fresh look at the user, with the names of those who may be meant."""
    decided = await runtime.engine.preview(await runtime.configurations.check(sync), user)
    return documents.AdoptionChoices(
        sync=sync.name,
        source_id=user,
        decision=change_in_words(shown(decided.change)),
        choices=[choice(decided, target) for target in decided.candidates],
    )


def choice(decided: Look, target: TargetUser) -> documents.AdoptionChoice:
    change = if_approved(decided, target.id)
    return documents.AdoptionChoice(
        target_id=target.id,
        name=target.display_name,
        address=target.mail,
        external=target.external,
        enabled=target.enabled,
        created_at=target.created_at,
        linked_to=target.linked_to,
        refused=None if isinstance(change, Adopt) else change_in_words(shown(change)),
    )


async def offers(runtime: Runtime, rows: Sequence[Row], sync: str | None) -> tuple[list[Offer], list[str]]:
    """An offer for each row of source and target user, and a line for each row that makes none."""
    made: list[Offer] = []
    faults: list[str] = []
    for row in rows:
        try:
            made.append(await _offer_of(runtime, row, sync))
        except SyncError as error:
            faults.append(f"line {row.line}: {row.user}: {error}")
    times = Counter(each.target.id for each in made)
    faults += [
        f"{each.source.id}: {each.target.id} is named for another user, too"
        for each in made
        if times[each.target.id] > 1
    ]
    return made, faults


async def _offer_of(runtime: Runtime, row: Row, sync: str | None) -> Offer:
    """Raises RefusedError if either user is not as they were shown."""
    if sync is not None and row.sync not in {None, sync}:
        raise UsageError(f"the row is of {row.sync}", hint=f"Leave --sync out, or the rows of other syncs than {sync}.")
    made = await offer(runtime, row.user, row.sync or sync, row.target)
    if row.code is not None and row.code != code_of(made.sync, made.source, made.target):
        raise RefusedError("what was shown has changed since", hint="Look again: xtsync preflight")
    return made


async def approve(runtime: Runtime, offered: Offer, *, by: str) -> documents.ApprovedAdoption:
    """The function app takes the next look at once."""
    sync, user = offered.sync.name, offered.source.id
    try:
        await runtime.storage.links.save(offered.link.approved(offered.target.id))
    except ConflictError as error:
        raise RefusedError(
            "the user was looked at by somebody else at this moment; nothing was decided", hint="Try again."
        ) from error
    await keep(runtime, Kind.APPROVED, [(sync, user)], by=by, reason="adoption", target_id=offered.target.id)
    nomination = Nomination(sync=sync, user=user, why=Why.APPROVED, at=runtime.clock.now())
    await runtime.storage.queues.nominate([nomination])
    return documents.ApprovedAdoption(sync=sync, source_id=user, target_id=offered.target.id)


async def approve_all(runtime: Runtime, made: Iterable[Offer], *, by: str) -> documents.ApprovedAdoptions:
    """Each by itself: one that changed meanwhile stops no other."""
    approved: list[documents.ApprovedAdoption] = []
    changed: list[documents.User] = []
    for each in made:
        try:
            approved.append(await approve(runtime, each, by=by))
        except RefusedError:
            changed.append(documents.User(sync=each.sync.name, user=each.source.id))
    return documents.ApprovedAdoptions(approved=approved, changed=changed)


async def _look(runtime: Runtime, user: str, sync: str | None) -> Look:
    """A look in the one sync that is meant. Raises OtherTenantError for a sync that is stopped."""
    found = await find_user(runtime, user, sync)
    looks = [
        await runtime.engine.preview(await runtime.configurations.check(each), source_id) for each, source_id in found
    ]
    meant = [decided for decided in looks if decided.candidates] or looks
    if len(meant) > 1:
        names = ", ".join(decided.sync.name for decided in meant)
        raise UsageError("more than one sync may be meant", hint=f"Name it with --sync: {names}.")
    return meant[0]


def _candidate(decided: Look, target: str | None) -> TargetUser:
    """The only candidate, or the one with this id."""
    found = [user for user in decided.candidates if target is None or user.id.lower() == target.lower()]
    if target is None and len(found) > 1:
        ids = ", ".join(sorted(user.id for user in found))
        raise RefusedError("several target users may be meant; nothing was decided", hint=f"Add --target ID: {ids}.")
    if not found:
        whom = "nobody is there to adopt" if target is None else f"{target} is not among those who may be adopted"
        next_look = in_words(shown(decided.change))
        raise RefusedError(f"{whom}; nothing was decided", hint=f"What the next look does: {next_look}.")
    return found[0]
