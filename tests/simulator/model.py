"""The invariants of docs/architecture.md, section 4, checked by somebody who knows nothing of the engine.

Everything is concluded from both directories as they are at the end, from what went over the wire, and from the
world's own record of what others did. No link, hold or feed record is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from local.graph_emulator import User
from local.graph_emulator.directory import relations
from local.graph_emulator.directory.relations import transitive_members

from .ceiling import ceiling_kept
from .evidence import Broken, Evidence, Owned, ownership
from .expected import blank_as_none, expected
from .history import Exchange
from .plan import OWNER_ATTRIBUTE

# An approval lasts a day; a worker that got it just before its end may take a while to act.
_APPROVAL = timedelta(hours=24, minutes=30)
_MONTH = timedelta(days=30)
# From the confirming read to the DELETE nothing is waited for but, at worst, a new token: a request has 40 s for both.
_FRESH = timedelta(seconds=45)


def check(evidence: Evidence) -> list[Broken]:
    owned = ownership(evidence)
    return [
        *_no_bugs(evidence),
        *_only_ours_written(evidence, owned),
        *_only_own_domains_invited(evidence),
        *_others_untouched(evidence, owned),
        *_no_delete_without_fresh_read(evidence, owned),
        *_guard_kept(evidence, owned),
        *ceiling_kept(evidence),
        *_both_agree(evidence, owned),
        *_no_address_logged(evidence),
    ]


def _no_bugs(evidence: Evidence) -> Iterator[Broken]:
    for bug in evidence.bugs:
        yield Broken(invariant=0, text=f"the program failed: {bug}")


def _only_ours_written(evidence: Evidence, owned: Owned) -> Iterator[Broken]:
    """Invariant 1."""
    for target_id, first in owned.raced.items():
        text = f"{target_id[:8]}, invited by hand, was written to at {first.done_at}"
        yield Broken(invariant=1, text=text)
    seen: set[str] = set()
    for each in evidence.target_writes:
        if each.path == "/invitations":
            continue
        owner = owned.source_of.get(each.object_id)
        about = each.taken.user if each.taken else "nobody"
        if owner != about and each.object_id not in seen:
            seen.add(each.object_id)
            whose = "not ours" if owner is None else f"of {owner[:8]}"
            yield Broken(
                invariant=1,
                text=f"{each.method} {each.path} for {about[:8]} at {each.done_at}: {each.object_id[:8]} is {whose}",
            )


def _only_own_domains_invited(evidence: Evidence) -> Iterator[Broken]:
    """Invariant 1: nobody of another organisation is invited under an employee's name."""
    for each in evidence.target_writes:
        if each.path == "/invitations" and _foreign(evidence, str(each.body["invitedUserEmailAddress"])):
            yield Broken(invariant=1, text=f"{each.object_id[:8]} of another organisation was invited")


def _foreign(evidence: Evidence, address: str) -> bool:
    return address.rpartition("@")[2].lower() not in evidence.source.domains


def _others_untouched(evidence: Evidence, owned: Owned) -> Iterator[Broken]:
    """Invariant 1, seen from the other side: everybody else's users are as everybody else left them."""
    for target_id, properties in evidence.deeds.untouched.items():
        if target_id in owned.source_of:
            continue
        user = evidence.target.find(target_id)
        if (user.properties if user is not None else {}) != properties:
            yield Broken(invariant=1, text=f"{target_id[:8]} is not ours, and is not as others left it")


def _no_delete_without_fresh_read(evidence: Evidence, owned: Owned) -> Iterator[Broken]:
    """Invariant 2: the last thing this instance read of this user, after it took the message, was a 404.

    Or that groups put them out: one that bars them, or none that lets them in while each of those was there.
    A guest who is nobody's rests on no read of the source: a late invitation made it, and it is taken back.
    """
    for delete in evidence.target_writes:
        if delete.method != "DELETE" or delete.path.endswith("/$ref") or delete.taken is None:
            continue
        if owned.taken_back.get(delete.object_id) is delete:
            continue
        source_id = owned.source_of.get(delete.object_id, delete.taken.user)
        reads = [
            each
            for each in evidence.exchanges
            if each.instance == delete.instance
            and each.tenant == evidence.source.id
            and each.path == f"/users/{source_id}"
            and each.answered_at is not None
            and delete.taken.at <= each.sent_at
            and each.answered_at <= delete.sent_at
        ]
        last = max(reads, key=lambda each: each.answered_at or each.sent_at, default=None)
        if last is not None and last.seen == 200 and _out_of_groups(evidence, last, delete):
            pass
        elif last is None or last.status != 404 or last.seen != 404:
            found = "no read" if last is None else f"a read that said {last.seen}"
            yield Broken(invariant=2, text=f"DELETE {delete.object_id[:8]} at {delete.done_at} rests on {found}")
        elif last.answered_at is not None and delete.sent_at - last.answered_at > _FRESH:
            age = delete.sent_at - last.answered_at
            yield Broken(
                invariant=2, text=f"DELETE {delete.object_id[:8]} at {delete.done_at} rests on a read {age} old"
            )
        elif len(reads) < 2:
            yield Broken(invariant=2, text=f"DELETE {delete.object_id[:8]} at {delete.done_at} was not confirmed")


def _out_of_groups(evidence: Evidence, read: Exchange, delete: Exchange) -> bool:
    """Whether the answer to a question after this read put the user out, with every group there that had to be."""
    asked = [
        each
        for each in evidence.exchanges
        if each.instance == read.instance
        and each.path == f"{read.path}/checkMemberGroups"
        and each.seen == 200
        and each.answered_at is not None
        and read.sent_at <= each.sent_at
        and each.answered_at <= delete.sent_at
    ]
    last = max(asked, key=lambda each: each.sent_at, default=None)
    if last is None or last.member_of is None or delete.sent_at - last.sent_at > _FRESH:
        return False
    wanted, barred = evidence.plan.asked.wanted, evidence.plan.asked.barred
    if not {*barred}.isdisjoint(last.member_of):
        return True
    gone = [group for group, at in evidence.deeds.missing.items() if at < last.sent_at]
    return bool(wanted) and {*wanted}.isdisjoint([*last.member_of, *gone])


def _guard_kept(evidence: Evidence, owned: Owned) -> Iterator[Broken]:
    """Invariant 3, counted in who really lost access, without what a person had approved. A person counts once.

    From a guest who was taken back nobody lost access.
    """
    plan = evidence.plan
    removals = [each for each in evidence.target_writes if each.removed and each.done_at is not None]
    counted = [each for each in removals if owned.taken_back.get(each.object_id) is not each]
    free = [each for each in counted if not _approved(each, evidence.deeds.approved)]
    for window, times in ((plan.window, 1), (_MONTH, plan.month_times)):
        limit = max(times * plan.min_count, _most_ours(evidence) * times * plan.max_percent // 100)
        for n, last in enumerate(free):
            assert last.done_at is not None
            # With the tables went the count.
            since = max([last.done_at - window, *(at for at in evidence.deeds.tables_lost if at < last.done_at)])
            within = {each.object_id for each in free[: n + 1] if each.done_at and each.done_at > since}
            if len(within) > limit:
                yield Broken(invariant=3, text=f"{len(within)} removed in {window} up to {last.done_at}, limit {limit}")
                return


def _approved(removal: Exchange, approvals: Sequence[tuple[datetime, str]]) -> bool:
    assert removal.done_at is not None
    user = removal.taken.user if removal.taken else ""
    return any(source_id == user and at <= removal.done_at <= at + _APPROVAL for at, source_id in approvals)


def _most_ours(evidence: Evidence) -> int:
    """The percentage is of links; there were never more of them than users of ours."""
    return sum(each.created for each in evidence.exchanges) + len(evidence.deeds.untouched)


def _both_agree(evidence: Evidence, owned: Owned) -> Iterator[Broken]:
    """Invariants 4 to 8: whatever happened on the way, each pair is as the newest source state wants it."""
    for source_id in evidence.kinds:
        source = evidence.source.find(source_id)
        mine = [target_id for target_id in owned.by_source.get(source_id, ()) if evidence.target.find(target_id)]
        if len(mine) > 1:
            yield Broken(
                invariant=4, text=f"{source_id[:8]} has {len(mine)} target users: {[each[:8] for each in mine]}"
            )
        elif source is None:
            yield from _gone(evidence, source_id, mine, evidence.plan.source_deleted)
        elif _is_external(source):
            if mine:
                yield Broken(invariant=4, text=f"{source_id[:8]} is external and has {mine[0][:8]}")
        elif (scope := in_scope(evidence, source)) is not True:
            if scope is False:
                yield from _gone(evidence, source_id, mine, evidence.plan.out_of_scope)
        elif mine and mine[0] in evidence.deeds.restored and not source.get("accountEnabled"):
            continue  # deleted by somebody in the target, and wanted back there after our last look: the same drift
        elif mine and _waits_for_a_person(evidence, owned, mine[0]):
            continue
        elif mine:
            yield from _alike(evidence, source, evidence.target.user(mine[0]))
            yield from _managed(evidence, owned, source, evidence.target.user(mine[0]))
        elif source.get("accountEnabled") and not _may_be_missing(evidence, owned, source):
            yield Broken(invariant=4, text=f"{source_id[:8]} ({evidence.kinds[source_id]}) has no target user")


def _waits_for_a_person(evidence: Evidence, owned: Owned, target_id: str) -> bool:
    """The invitation was unfinished when the tables and its nonce were lost: the guest could be anybody's.

    Or the user was blocked then, and with the tables went who had blocked them.
    """
    invitation, lost = owned.unwritten.get(target_id), evidence.deeds.tables_lost
    unfinished = invitation is not None and any((invitation.done_at or invitation.sent_at) <= at for at in lost)
    return unfinished or _blocked_since(evidence, target_id, lost)


def _blocked_since(evidence: Evidence, target_id: str, moments: Sequence[datetime]) -> bool:
    """Whether this target user is blocked, and was by the last write before one of these moments."""
    if evidence.target.user(target_id).get("accountEnabled") is not False:
        return False
    writes = [each for each in evidence.target_writes if each.object_id == target_id and "accountEnabled" in each.body]
    return any(
        [each.body["accountEnabled"] for each in writes if each.done_at and each.done_at <= at][-1:] == [False]
        for at in moments
    )


def in_scope(evidence: Evidence, source: User) -> bool | None:
    """Whether the scope's groups, as the source's own directory has them, let this user in; None: one is not there."""
    asked = evidence.plan.asked
    wanted = _among(evidence, source, asked.wanted) if asked.wanted else True
    barred = _among(evidence, source, asked.barred)
    if wanted is False or barred is True:
        return False
    return None if wanted is None or barred is None else True


def _among(evidence: Evidence, source: User, groups: Sequence[str]) -> bool | None:
    there = [group for each in groups if (group := evidence.source.groups.find(each)) is not None]
    if any(source in transitive_members(evidence.source, group) for group in there):
        return True
    return None if len(there) < len(groups) else False


def _gone(evidence: Evidence, source_id: str, mine: Sequence[str], policy: str) -> Iterator[Broken]:
    """The source user is soft-deleted, gone or out of scope."""
    for target_id in mine:
        user = evidence.target.user(target_id)
        match policy:
            case "leave":
                continue
            case "disable" if user.get("accountEnabled") is False:
                continue
        if evidence.deeds.tables_lost and user.get(OWNER_ATTRIBUTE) is None:
            continue  # nobody had come to mark the guest, and nobody is left in the source to be looked at
        if target_id in evidence.deeds.restored:  # somebody in the target wanted it back; drift is not repaired
            continue
        yield Broken(invariant=4, text=f"{source_id[:8]} is gone or out, and {target_id[:8]} is still there")


def _alike(evidence: Evidence, source: User, target: User) -> Iterator[Broken]:
    taken = _address_taken(evidence, target, expected(source).get("mail"))
    for name, found, value in _differences(evidence, source, target.id, target.properties):
        if name == "mail" and taken:
            continue  # Graph refuses it until the address is free, and nothing else
        invariant = 5 if name in {"userType", "showInAddressList"} else 6
        yield Broken(
            invariant=invariant, text=f"{name} of {target.id[:8]} is {found!r}, {source.id[:8]} wants {value!r}"
        )


def _managed(evidence: Evidence, owned: Owned, source: User, target: User) -> Iterator[Broken]:
    """The manager of the target user is the target user of the source user's manager, and nobody else."""
    if not evidence.plan.managers:
        return
    boss = relations.manager(evidence.source, source)
    found = relations.manager(evidence.target, target)
    bosses = [] if source.manager is None else owned.by_source.get(source.manager, [])
    theirs = [target_id for target_id in bosses if evidence.target.find(target_id)]
    if found is not None and found.id not in theirs:
        yield Broken(invariant=4, text=f"{target.id[:8]} reports to {found.id[:8]}, {source.id[:8]} does not")
    # Drift is not repaired: who was away for a while and was brought back by others may have lost their reports.
    drifted = any(each in evidence.deeds.restored for each in theirs)
    if found is None and boss is not None and theirs and not drifted and _complete(evidence, owned, boss, theirs[0]):
        yield Broken(invariant=4, text=f"{target.id[:8]} reports to nobody, {source.id[:8]} to {boss.id[:8]}")


def _complete(evidence: Evidence, owned: Owned, source: User, target_id: str) -> bool:
    """Whether nothing keeps this pair from being one."""
    return not _is_external(source) and not _waits_for_a_person(evidence, owned, target_id)


def _differences(
    evidence: Evidence, source: User, target_id: str, properties: Mapping[str, object] | None = None
) -> list[tuple[str, object, object]]:
    """Name, found, wanted; of the target user as it is, or as it was when others deleted it."""
    seen = evidence.deeds.last_seen.get(target_id, {}) if properties is None else properties
    found = {name: blank_as_none(seen.get(name)) for name in expected(source)}
    return [
        (name, found[name], value)
        for name, value in expected(source).items()
        if found[name] != value and found[name] not in evidence.deeds.edited.get((target_id, name), ())
    ]


def _may_be_missing(evidence: Evidence, owned: Owned, source: User) -> bool:
    """Whether there is a reason, in the directories and in what others did, to leave an enabled user without one."""
    address = str(source.get("mail") or source.get("userPrincipalName"))
    if _foreign(evidence, address):
        return True
    former = owned.by_source.get(source.id, [])
    deleted = [target_id for target_id in former if evidence.target.find_deleted(target_id)]
    by_others = [target_id for target_id in former if target_id in evidence.deeds.last_seen]
    if evidence.plan.deleted_in_target == "leave" and (by_others or _adopted_unwritten(evidence, owned, address)):
        return True
    # Nothing is written to a user who is as wanted, so nobody meets the 404 that would tell.
    if any(not _differences(evidence, source, target_id) for target_id in by_others):
        return True
    if any(_cannot_be_restored(evidence, target_id) for target_id in deleted):
        return True
    if deleted:
        return False
    bearers = evidence.target.known_by(address)
    if evidence.plan.adopt == "guests" and len(bearers) == 1 and bearers[0].is_guest:
        return owned.source_of.get(bearers[0].id, source.id) != source.id
    return bool(bearers)


def _adopted_unwritten(evidence: Evidence, owned: Owned, address: str) -> bool:
    """Whether others deleted a guest whom policy lets us adopt, perhaps after the adoption and before a write."""
    return evidence.plan.adopt == "guests" and any(
        target_id not in owned.source_of and str(seen.get("mail")).lower() == address.lower()
        for target_id, seen in evidence.deeds.last_seen.items()
    )


def _cannot_be_restored(evidence: Evidence, target_id: str) -> bool:
    """Somebody else has one of its addresses by now."""
    user = evidence.target.find_deleted(target_id)
    assert user is not None, f"{target_id} is not among the deleted users"
    name = user.properties["userPrincipalName"].removeprefix(user.id.replace("-", ""))
    proxies = [each.partition(":")[2] for each in user.get("proxyAddresses") or ()]
    return any(evidence.target.known_by(address) for address in [name, *proxies])


def _address_taken(evidence: Evidence, target: User, mail: object) -> bool:
    others = evidence.target.known_by(str(mail)) if mail else []
    return any(other.id != target.id for other in others)


def _no_address_logged(evidence: Evidence) -> Iterator[Broken]:
    """Invariant 11."""
    for line in evidence.logs:
        if "@" in line:
            yield Broken(invariant=11, text=f"an address in a log line: {line}")


def _is_external(user: User) -> bool:
    return user.is_guest
