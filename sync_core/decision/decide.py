"""The decision: one pure function, and the table it implements.

| source | scope | link | target | change |
|---|---|---|---|---|
| there, and external (itself a B2B user) | any | none | any | Skip(external): no loops, no onward hops |
| there, external by now | any | linked | present | SoftDelete (or by policy), through the guard |
| live | in | none | nobody | Invite, through the creation guard; then attributes |
| disabled | in | none | any | Skip(disabled): never provisioned for the first time while disabled |
| any | any | none | one B2B user who bears our marker | Adopt, whatever policy and address; then as linked |
| live | in or undecided | none | likewise, but blocked in the target | Refuse, by the reason, unless approved |
| any | any | none | the same, but internal, linked to another, or several | Refuse, by the reason |
| live | in | none | an address of a domain that is not the source's | Refuse(foreign address), unless approved |
| live | in | none | one B2B user with that address | Adopt if the policy allows, else Refuse(unadopted) |
| live | in | none | likewise, and the policy is review, or it is not the first address | Refuse(needs approval) |
| live | in | none | likewise, but blocked in the target | Refuse(blocked in target): adopting would enable them |
| live | in | none | the B2B user with that address whom a person approved | Adopt, whatever the policy |
| live | in | none | an internal user with that address | Refuse(internal user): never touched |
| live | in | none | several candidates | Refuse(ambiguous) |
| live | in | none | a user linked to another source user, or of another marker or mark | Refuse(already linked) |
| live | in | none | a user linked to a deleted source user | Refuse(abandoned), unless approved |
| live or disabled | in, ignored by an expression | any | any | Skip(ignored): left as it is |
| live or disabled | undecided: a filter failed | any | any | Refuse(undecided): neither let in nor deprovisioned |
| disabled | undecided: a filter failed | linked | enabled | Disable, of accountEnabled alone: whatever the scope |
| live or disabled | in | linked | present, desired = last applied | Skip(no change): no target call at all |
| live or disabled | in | linked | present, differs | Update(only the attributes that differ) |
| live | in | linked | disabled by us, and no rule says accountEnabled | Update(accountEnabled): enabled again |
| disabled | in | linked | enabled | Disable through the accountEnabled mapping; counts for the guard |
| live | in | linked | soft-deleted by us | Restore, then attributes |
| live | in | linked, restore met a conflict | a B2B user with that address: policy or a person | Adopt |
| live | in | linked, restore met a conflict | anybody else with that address | Refuse(address taken in target) |
| disabled | in | linked | soft-deleted | Skip(disabled): it comes back when it is enabled |
| live | in | linked | soft-deleted or purged by somebody else | policy: Restore, or Skip(deleted in target) |
| live or disabled | out, and in scope of another sync into the same target | linked | present | HandOver to that sync |
| any | any | linked, being handed over | present | HandOver, whatever the scope says by now |
| any | any | linked, and a person ends the pair | any | Unlink, whatever the scope says |
| live | in | none | a user whose pair with this user a person ended | Skip(unlinked), unless approved |
| live | in | none | a user whose pair with another user a person ended | Refuse(unlinked), unless approved |
| live | in | linked, to be redeemed anew | present, desired = last applied | ResetRedemption |
| live or disabled | out | linked | present | SoftDelete (or disable, or leave: policy), through the guard |
| soft-deleted or gone | - | linked | present | SoftDelete (or by policy), through the guard |
| out, soft-deleted or gone | - | linked, in stages | present | each stage when it is due, else Stay(leaving) |
| out, soft-deleted or gone | - | linked, kept by a person | present | Stay(kept) in place of a removal |
| soft-deleted or gone | - | linked | deleted | Skip(no change); Forget when nobody can bring it back |
| any | any | inviting, new | the guest of our own unfinished invitation | Adopt, whatever the policy; as linked |
| any | any | none | not ours | nothing, ever |

"Present" is what the link says. A write that meets a 404 corrects it, and so does an operator's look. Before a linked
target user is changed it is read: one that was converted to an internal user is let go instead (unless_internal). The
guard is asked afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..model import (
    ENABLED,
    MANAGER,
    Adopt,
    Adoption,
    Attributes,
    Change,
    DeletedInTarget,
    Desired,
    Disable,
    HandOver,
    Invite,
    Json,
    Link,
    LinkState,
    Marker,
    Policy,
    Reason,
    Refuse,
    ResetRedemption,
    Restore,
    Skip,
    SourceState,
    SourceUser,
    TargetUser,
    Unlink,
    Update,
    Verdict,
    fingerprint,
)
from ..model.link_parts import NOBODY, invited_for_another
from .invited import made_by_us
from .leaving import deprovision


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything that one decision rests on.

    `candidates` bear the user's address in the target tenant, or `marker`: the ownership marker of this user, where
    one is configured. `foreign`: the address to invite is of no domain of the source tenant, and of none that the
    configuration names. `heir`: another sync of the same source into the same target that has the user in scope.
    `kept`: until when a person keeps a user who leaves.
    """

    source: SourceUser
    verdict: Verdict
    link: Link
    desired: Desired
    policy: Policy
    candidates: Sequence[TargetUser] = ()
    marker: Marker | None = None
    foreign: bool = False
    heir: str | None = None
    kept: datetime | None = None


def decide(at: Situation) -> Change:
    """The change for one user; see the table above."""
    source, verdict, link = at.source, at.verdict, at.link
    if not link.ours:
        return _unlinked(at)
    if link.heir == NOBODY:
        return Unlink()
    if (heir := link.heir or at.heir) is not None:
        return HandOver(to=heir)
    if source.absent:
        return deprovision(link, source, at.policy.source_deleted, f"source user {source.state}", kept=at.kept)
    if source.external:
        return deprovision(link, source, at.policy.out_of_scope, "the source user is external by now", kept=at.kept)
    if verdict.undecided:
        return _disabled_at_least(at) or Refuse(reason=Reason.UNDECIDED, detail=verdict.reason)
    if not verdict.in_scope:
        return deprovision(link, source, at.policy.out_of_scope, f"out of scope: {verdict.reason}", kept=at.kept)
    if at.desired.ignored:
        return Skip(reason=Reason.IGNORED)
    if link.state is LinkState.LINKED:
        change = _changed(source, link, at.desired)
        return _redemption(source, link) or change if isinstance(change, Skip) else change
    if source.state is SourceState.DISABLED:
        return Skip(reason=Reason.DISABLED)
    if link.state is LinkState.LOST and at.policy.deleted_in_target is DeletedInTarget.LEAVE:
        return Skip(reason=Reason.DELETED_IN_TARGET)
    if displaced(link) and (found := _chosen(at.candidates, link)):
        return _instead(found, at)
    return Restore()


def displaced(link: Link) -> bool:
    """The target user could not be restored: another object has its address, perhaps a guest to adopt instead."""
    gone = link.state in {LinkState.DELETED, LinkState.LOST}
    return gone and link.parked is not None and link.parked.reason == Reason.ADDRESS_TAKEN


def _unexplored(link: Link) -> bool:
    """Never read to the end, or parked: the target may hold a user of ours that this record does not know."""
    return link.state is LinkState.SEEN and (link.read_at is None or link.parked is not None)


def asks_for_address(source: SourceUser, verdict: Verdict, link: Link) -> bool:
    """Whether the decision depends on who bears the address in the target tenant."""
    eligible = source.state is SourceState.LIVE and verdict.in_scope and not source.external
    if link.ours:
        return eligible and displaced(link)
    return eligible or link.state is LinkState.INVITING


def needs_candidates(source: SourceUser, verdict: Verdict, link: Link, marker: Marker | None = None) -> bool:
    """Whether the decision depends on who bears the address, or the ownership marker.

    The marker is looked for even when the user should have no access: once the tables were lost, no other read would
    ever take it away. That is one search for each user that we do not know.
    """
    return asks_for_address(source, verdict, link) or (marker is not None and _unexplored(link))


def _unlinked(at: Situation) -> Change:
    source, verdict, link, marker = at.source, at.verdict, at.link, at.marker
    invited = [user for user in at.candidates if made_by_us(link, user, source.address)]
    if len(invited) == 1:
        return Adopt(target_id=invited[0].id)
    marked = [user for user in at.candidates if marker is not None and user.marker == marker.text]
    if verdict.out:  # another sync's pair: nothing that this user should not have
        marked = [user for user in marked if user.linked_to is None]
    if marked:
        return _marked(_chosen(marked, link), at)
    if source.absent:
        return Skip(reason=Reason.NOT_OURS)
    if source.external:
        return Skip(reason=Reason.EXTERNAL)
    if verdict.undecided:
        return Refuse(reason=Reason.UNDECIDED, detail=verdict.reason)
    if not verdict.in_scope:
        return Skip(reason=Reason.OUT_OF_SCOPE)
    if at.desired.ignored:
        return Skip(reason=Reason.IGNORED)
    if source.state is SourceState.DISABLED:
        return Skip(reason=Reason.DISABLED)
    return _provision(at)


def _provision(at: Situation) -> Change:
    """The source user is to have access, and has no target user of ours."""
    if at.source.address is None:
        return Refuse(reason=Reason.NO_ADDRESS)
    found = _chosen(at.candidates, at.link)
    if len(found) > 1:
        return _ambiguous(found)
    if found and found[0].unlinked_from(at.source.id) and found[0].id != at.link.approved_target:
        return Skip(reason=Reason.UNLINKED)
    if found:
        return _untouchable(found[0], at.link) or _adoption(found[0], at)
    if at.foreign:
        return Refuse(reason=Reason.FOREIGN_ADDRESS)
    return _invitation(at.source.address, at.desired)


def _redemption(source: SourceUser, link: Link) -> Change | None:
    """After all attributes: Graph resets to an address that the target user has by then."""
    may_enter = source.state is SourceState.LIVE and source.address is not None
    return ResetRedemption(address=source.address or "") if link.redeem and may_enter else None


def _invitation(address: str, desired: Desired) -> Change:
    display_name = desired.always.get("displayName")
    return Invite(
        address=address,
        display_name=display_name if isinstance(display_name, str) else None,
        attributes={**desired.always, **desired.on_create},
    )


def _chosen(users: Sequence[TargetUser], link: Link) -> Sequence[TargetUser]:
    """The one of them that a person approved; all of them when it is none of these."""
    return [user for user in users if user.id == link.approved_target] or users


def _marked(users: Sequence[TargetUser], at: Situation) -> Change:
    """The record was lost, and with it who blocked this user: adopting one who is to have access would enable them."""
    if len(users) > 1:
        return _ambiguous(users)
    (user,) = users
    if untouchable := _untouchable(user, at.link):
        return untouchable
    may_have_access = at.source.state is SourceState.LIVE and not at.source.external and not at.verdict.out
    if not may_have_access or user.enabled or user.id == at.link.approved_target:
        return Adopt(target_id=user.id)
    if at.verdict.undecided:
        return Refuse(reason=Reason.UNDECIDED, detail=at.verdict.reason)
    return Refuse(reason=Reason.BLOCKED, detail=user.id)


def _ambiguous(users: Sequence[TargetUser]) -> Change:
    return Refuse(reason=Reason.AMBIGUOUS, detail=", ".join(sorted(user.id for user in users)))


def _untouchable(user: TargetUser, link: Link) -> Change | None:
    """The reason why this user may not be adopted, whatever policy and marker say."""
    if not user.external:
        return Refuse(reason=Reason.INTERNAL_USER, detail=user.id)
    if user.abandoned and user.id != link.approved_target:
        return Refuse(reason=Reason.ABANDONED, detail=user.id)
    if user.unlinked:
        return None if user.id == link.approved_target else Refuse(reason=Reason.UNLINKED, detail=user.id)
    if user.linked_to is not None and not user.abandoned:
        return Refuse(reason=Reason.ALREADY_LINKED, detail=f"{user.id} is linked to {user.linked_to}")
    return None


def _adoption(user: TargetUser, at: Situation) -> Change:
    """Adopting a user who was found by address alone."""
    if user.marker is not None and not user.abandoned:  # ours would have been adopted by it
        return Refuse(reason=Reason.ALREADY_LINKED, detail=f"{user.id} bears the marker {user.marker}")
    if user.id == at.link.approved_target:
        return Adopt(target_id=user.id)
    if at.foreign:
        return Refuse(reason=Reason.FOREIGN_ADDRESS, detail=user.id)
    if not user.enabled:
        return Refuse(reason=Reason.BLOCKED, detail=user.id)
    if at.policy.adopt is Adoption.GUESTS and user.mail.lower() == (at.source.address or "").lower():
        if invited_for_another(user.display_name, at.link.sync, at.link.source_id):
            return Refuse(reason=Reason.ALREADY_LINKED, detail=f"{user.id} is of another invitation")
        return Adopt(target_id=user.id)
    reviewed = at.policy.adopt in {Adoption.GUESTS, Adoption.REVIEW}
    reason = Reason.NEEDS_APPROVAL if reviewed else Reason.UNADOPTED
    return Refuse(reason=reason, detail=user.id)


def _instead(found: Sequence[TargetUser], at: Situation) -> Change:
    """Adopting the user who has the address of one who therefore cannot be restored."""
    if len(found) == 1:
        change = _untouchable(found[0], at.link) or _adoption(found[0], at)
        if isinstance(change, Adopt):
            return change
    return Refuse(reason=Reason.ADDRESS_TAKEN, detail=", ".join(sorted(user.id for user in found)))


def _changed(source: SourceUser, link: Link, desired: Desired) -> Change:
    wanted = desired.always
    if not link.on_create_written:
        mapped = {**desired.always, **desired.on_create}
        wanted = {**mapped, **_plain_name(source, link), **mapped}  # in this order
    else:
        # Refused when they were to be written once, and asked for again (Link.asked_again).
        refused = [name for name in desired.on_create if name in link.refused and link.applied.get(name) == ""]
        wanted = {**desired.always, **{name: desired.on_create[name] for name in refused}}
    differs: dict[str, Json] = {
        name: value
        for name, value in wanted.items()
        if (link.dirty or link.applied.get(name) != fingerprint(value))
        and not (name == MANAGER and value is None and link.unmanaged)
    }
    if _disabled_by_us(source, link, desired):
        differs[ENABLED] = True
    if not differs:
        return Skip(reason=Reason.NO_CHANGE)
    # A dirty link may have been enabled since it was recorded as disabled: then it is counted once more.
    if differs.get(ENABLED) is False and (link.dirty or not link.disabled):
        return Disable(attributes=differs)
    return Update(attributes=differs)


def _disabled_at_least(at: Situation) -> Change | None:
    """In scope, this user would be disabled, and out of it deprovisioned: so it need not be known which."""
    linked = at.link.state is LinkState.LINKED and not at.desired.ignored
    change = _changed(at.source, at.link, at.desired) if linked else None
    return Disable(attributes={ENABLED: False}) if isinstance(change, Disable) else None


def _disabled_by_us(source: SourceUser, link: Link, desired: Desired) -> bool:
    """Whether a user who may have access was disabled by policy, perhaps, and no rule of the mapping enables them."""
    mapped = ENABLED in desired.always or ENABLED in desired.left_out
    return link.perhaps_disabled and not mapped and source.state is SourceState.LIVE


def _plain_name(source: SourceUser, link: Link) -> Attributes:
    """If the mapping leaves the display name alone, this takes the invitation's mark off it."""
    name = source.attributes.get("displayName") or source.address
    return {"displayName": name} if link.invited_at is not None and name else {}
