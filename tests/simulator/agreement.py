"""Invariants 4 to 8: when all is quiet, each pair is as the newest source state wants it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from entra_graph_emulator import User
from entra_graph_emulator.directory import relations

from .evidence import Broken, Evidence, Owned, foreign
from .expected import blank_as_none, expected
from .history import Exchange
from .plan import OWNER_ATTRIBUTE
from .scopes import in_scope

_FIGHT = 3  # so many repairs of one user, and the next edit stays for a day
_KNOWN_AFTER = timedelta(seconds=10)  # by all replicas


def both_agree(evidence: Evidence, owned: Owned) -> Iterator[Broken]:
    """Invariants 4 to 8: whatever happened on the way, each pair is as the newest source state wants it."""
    for source_id in evidence.kinds:
        source = evidence.source.find(source_id)
        mine = [target_id for target_id in _ours(evidence, owned, source_id) if evidence.target.find(target_id)]
        known = [target_id for target_id in mine if not _anybodys(evidence, owned, target_id)]
        mine = known or mine  # beside a guest of the pair, one that could be anybody's stays where it is
        if len(mine) > len(evidence.plan.syncs):
            yield Broken(
                invariant=4, text=f"{source_id[:8]} has {len(mine)} target users: {[each[:8] for each in mine]}"
            )
        elif source is None:
            yield from _gone(evidence, source_id, mine, evidence.plan.source_deleted)
        elif _is_external(source):
            if mine:
                yield Broken(invariant=4, text=f"{source_id[:8]} is external and has {mine[0][:8]}")
        elif (scope := in_scope(evidence.plan, evidence.source, source)) is not True:
            if scope is False:
                yield from _gone(evidence, source_id, mine, evidence.plan.out_of_scope)
        elif len(mine) > 1:
            continue  # each sync made one by another address, before either was known to the other
        elif _read_old(evidence, source):
            continue
        elif mine and mine[0] in evidence.deeds.restored and not source.get("accountEnabled"):
            continue  # deleted by somebody in the target, and wanted back there after our last look: the same drift
        elif mine and (_back_unseen(evidence, source, mine[0]) or _waits_for_a_person(evidence, owned, mine[0])):
            continue
        elif mine:
            yield from _alike(evidence, source, evidence.target.user(mine[0]))
            yield from _managed(evidence, owned, source, evidence.target.user(mine[0]))
        elif source.get("accountEnabled") and not _may_be_missing(evidence, owned, source):
            yield Broken(invariant=4, text=f"{source_id[:8]} ({evidence.kinds[source_id]}) has no target user")


def _reads(evidence: Evidence, source: User) -> list[Exchange]:
    path = f"/users/{source.id}"
    return [each for each in evidence.exchanges if each.path == path and each.tenant == evidence.source.id]


def _back_unseen(evidence: Evidence, source: User, target_id: str) -> bool:
    """Whether somebody in the target restored this user, and no look has begun since: the next change finds them."""
    at = evidence.deeds.restored.get(target_id)
    return at is not None and all(each.sent_at < at + _KNOWN_AFTER for each in _reads(evidence, source))


def _read_old(evidence: Evidence, source: User) -> bool:
    """Whether our last read of this user was old, and puts them out by another city: the next change finds them."""
    if "source-reads-old" not in evidence.rates:
        return False
    last = next((each for each in reversed(_reads(evidence, source)) if each.seen == 200), None)
    cities = [city for asked in evidence.plan.syncs.values() for city in asked.cities]
    return bool(cities) and last is not None and last.shown.get("city") != source.get("city")


def _ours(evidence: Evidence, owned: Owned, source_id: str) -> list[str]:
    """Without those who were converted to internal users."""
    return [each for each in owned.by_source.get(source_id, ()) if each not in evidence.deeds.converted]


def _waits_for_a_person(evidence: Evidence, owned: Owned, target_id: str) -> bool:
    """The invitation was unfinished when the tables and its nonce were lost: the guest could be anybody's.

    Or the user was blocked then, and with the tables went who had blocked them. Or somebody blocked a user who is to be
    adopted, or handed over to another sync.
    """
    adopts = bool(evidence.deeds.tables_lost) or evidence.plan.second is not None
    if adopts and _blocked_by_hand(evidence, target_id):
        return True
    return _anybodys(evidence, owned, target_id) or _blocked_since(evidence, target_id, evidence.deeds.tables_lost)


def _anybodys(evidence: Evidence, owned: Owned, target_id: str) -> bool:
    """Whether the invitation was unfinished when the tables, and with them its nonce, were lost."""
    invitation = owned.unwritten.get(target_id)
    moments = evidence.deeds.tables_lost
    return invitation is not None and any((invitation.done_at or invitation.sent_at) <= at for at in moments)


def _blocked_by_hand(evidence: Evidence, target_id: str) -> bool:
    blocked = evidence.target.user(target_id).get("accountEnabled") is False
    return blocked and False in evidence.deeds.edited.get((target_id, "accountEnabled"), ())


def _blocked_since(evidence: Evidence, target_id: str, moments: Sequence[datetime]) -> bool:
    """Whether this target user is blocked, and was by the last write before one of these moments."""
    if evidence.target.user(target_id).get("accountEnabled") is not False:
        return False
    writes = [each for each in evidence.target_writes if each.object_id == target_id and "accountEnabled" in each.body]
    return any(
        [each.body["accountEnabled"] for each in writes if each.done_at and each.done_at <= at][-1:] == [False]
        for at in moments
    )


def _gone(evidence: Evidence, source_id: str, mine: Sequence[str], policy: str) -> Iterator[Broken]:
    """The source user is soft-deleted, gone or out of scope."""
    for target_id in mine:
        user = evidence.target.user(target_id)
        match policy:
            case "leave":
                continue
            case "disable" if user.get("accountEnabled") is False or _enabled_unseen(evidence, target_id):
                continue
        if evidence.deeds.tables_lost and user.get(OWNER_ATTRIBUTE) is None:
            continue  # nobody had come to mark the guest, and nobody is left in the source to be looked at
        if target_id in evidence.deeds.restored:  # somebody in the target wanted it back; drift is not repaired
            continue
        yield Broken(invariant=4, text=f"{source_id[:8]} is gone or out, and {target_id[:8]} is still there")


def _enabled_unseen(evidence: Evidence, target_id: str) -> bool:
    """Whether somebody enabled this user by hand, and no operator has looked since: drift is found by them alone."""
    at = evidence.deeds.switched.get(target_id)
    enabled = evidence.target.user(target_id).get("accountEnabled") is True
    return enabled and at is not None and all(looked < at + _KNOWN_AFTER for looked in evidence.deeds.looked)


def _alike(evidence: Evidence, source: User, target: User) -> Iterator[Broken]:
    mail = expected(source).get("mail")
    taken = _address_taken(evidence, target, mail) or (mail and evidence.target.has_contact(str(mail)))
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
    drifted = any(each in {*evidence.deeds.restored, *evidence.deeds.converted} for each in theirs)
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
        if found[name] != value
        and not _left_by_hand(evidence, target_id, name, found[name])
        and name not in evidence.target.settings.unnamed_refusals  # to the end
    ]


def _left_by_hand(evidence: Evidence, target_id: str, name: str, found: object) -> bool:
    """Whether somebody in the target gave it this value, and it may stay. One who was enabled is disabled again."""
    if found not in evidence.deeds.edited.get((target_id, name), ()):
        return False
    if (name, found) == ("accountEnabled", True):
        return _enabled_unseen(evidence, target_id)
    drift, by_hand = evidence.plan.drift, evidence.deeds.edited
    enforced = drift.blocked if name == "accountEnabled" else drift.attributes
    if enforced != "enforce":
        return True
    edits = [len(values) for (edited, _), values in by_hand.items() if edited == target_id]
    return sum(edits) >= _FIGHT or sum(map(len, by_hand.values())) > drift.repairs


def _may_be_missing(evidence: Evidence, owned: Owned, source: User) -> bool:
    """Whether there is a reason, in the directories and in what others did, to leave an enabled user without one."""
    address = str(source.get("mail") or source.get("userPrincipalName"))
    if foreign(evidence, address):
        return True
    former = owned.by_source.get(source.id, [])
    internal = [each for each in former if each in evidence.deeds.converted]
    if any(_marked(evidence, each) or evidence.target.find_deleted(each) for each in internal):
        return True  # an internal user bears this one's marker, or was deleted as such: left alone
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
    if any(each.id in evidence.deeds.converted or _blocked_by_hand(evidence, each.id) for each in bearers):
        return True
    if evidence.plan.adopt == "guests" and len(bearers) == 1 and bearers[0].is_guest:
        owner = owned.source_of.get(bearers[0].id)
        if owner is None:  # where a contact of the target has the address, a guest has no `mail`, and a person decides
            return str(bearers[0].get("mail")).lower() != address.lower()
        return owner != source.id
    return bool(bearers)


def _marked(evidence: Evidence, target_id: str) -> bool:
    user = evidence.target.find(target_id)
    return user is not None and user.get(OWNER_ATTRIBUTE) is not None


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
    target = evidence.target
    return any(target.known_by(address) or target.has_contact(address) for address in [name, *proxies])


def _address_taken(evidence: Evidence, target: User, mail: object) -> bool:
    others = evidence.target.known_by(str(mail)) if mail else []
    return any(other.id != target.id for other in others)


def _is_external(user: User) -> bool:
    return user.is_guest
