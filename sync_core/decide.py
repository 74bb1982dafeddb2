"""The decision: one pure function, and the table it implements.

| source | scope | link | target | change |
|---|---|---|---|---|
| there, and external (itself a B2B user) | any | any | any | Skip(external): no loops, no onward hops |
| live | in | none | nobody | Invite, then attributes |
| disabled | in | none | any | Skip(disabled): never provisioned for the first time while disabled |
| live | in | none | one B2B user with that address | Adopt if policy allows, else Refuse(unadopted) |
| live | in | none | an internal user with that address | Refuse(internal user): never touched |
| live | in | none | several candidates | Refuse(ambiguous) |
| live | in | none | a user linked to another source user | Refuse(already linked) |
| live or disabled | in, ignored by an expression | any | any | Skip(ignored): left as it is |
| live or disabled | undecided: a filter failed | any | any | Refuse(undecided): neither let in nor deprovisioned |
| live or disabled | in | linked | present, desired = last applied | Skip(no change): no target call at all |
| live or disabled | in | linked | present, differs | Update(only the attributes that differ) |
| disabled | in | linked | enabled | Disable through the accountEnabled mapping; counts for the guard |
| live | in | linked | soft-deleted by us | Restore, then attributes |
| disabled | in | linked | soft-deleted | Skip(disabled): it comes back when it is enabled |
| live | in | linked | soft-deleted or purged by somebody else | policy: Restore, or Refuse(deleted in target) |
| live or disabled | out | linked | present | SoftDelete (or disable, or leave: policy), through the guard |
| soft-deleted or gone | - | linked | present | SoftDelete (or by policy), through the guard |
| soft-deleted or gone | - | linked | deleted | Skip(no change); Forget when nobody can bring it back |
| any | any | inviting | the guest of our own unfinished invitation | Adopt, whatever the policy; then as linked |
| any | any | none | not ours | nothing, ever |

"Present" is what the link says; only a write that meets a 404 corrects it. The guard is asked afterwards (guard.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from .model import (
    MANAGER,
    SOFT_DELETE_RETENTION,
    Adopt,
    Adoption,
    Attributes,
    Change,
    DeletedInTarget,
    Deprovision,
    Desired,
    Disable,
    Forget,
    Invite,
    Json,
    Link,
    LinkState,
    Policy,
    Reason,
    Refuse,
    Restore,
    Skip,
    SoftDelete,
    SourceState,
    SourceUser,
    TargetUser,
    Update,
    Verdict,
    fingerprint,
)


def decide(
    source: SourceUser,
    verdict: Verdict,
    link: Link,
    desired: Desired,
    policy: Policy,
    candidates: Sequence[TargetUser] = (),
) -> Change:
    """The change for one user; see the table above. `candidates` bear the user's address in the target tenant."""
    if not source.absent and source.external:
        return Skip(reason=Reason.EXTERNAL)
    if not link.ours:
        return _unlinked(source, verdict, link, desired, policy, candidates)
    if source.absent:
        return _deprovision(link, source, policy.source_deleted, f"source user {source.state}")
    if verdict.undecided:
        return Refuse(reason=Reason.UNDECIDED, detail=verdict.reason)
    if not verdict.in_scope:
        return _deprovision(link, source, policy.out_of_scope, f"out of scope: {verdict.reason}")
    if desired.ignored:
        return Skip(reason=Reason.IGNORED)
    if link.state is LinkState.LINKED:
        return _changed(source, link, desired)
    if source.state is SourceState.DISABLED:
        return Skip(reason=Reason.DISABLED)
    if link.state is LinkState.LOST and policy.deleted_in_target is DeletedInTarget.LEAVE:
        return Refuse(reason=Reason.DELETED_IN_TARGET)
    return Restore()


def needs_candidates(source: SourceUser, verdict: Verdict, link: Link) -> bool:
    """Whether the decision depends on who bears the address in the target tenant."""
    if link.ours:
        return False
    eligible = source.state is SourceState.LIVE and verdict.in_scope and not source.external
    return eligible or link.state is LinkState.INVITING


def _unlinked(
    source: SourceUser,
    verdict: Verdict,
    link: Link,
    desired: Desired,
    policy: Policy,
    candidates: Sequence[TargetUser],
) -> Change:
    invited = [user for user in candidates if _invited_by_us(user, link)]
    if len(invited) == 1:
        return Adopt(target_id=invited[0].id)
    if source.absent:
        return Skip(reason=Reason.NOT_OURS)
    if verdict.undecided:
        return Refuse(reason=Reason.UNDECIDED, detail=verdict.reason)
    if not verdict.in_scope:
        return Skip(reason=Reason.OUT_OF_SCOPE)
    if desired.ignored:
        return Skip(reason=Reason.IGNORED)
    if source.state is SourceState.DISABLED:
        return Skip(reason=Reason.DISABLED)
    if source.address is None:
        return Refuse(reason=Reason.NO_ADDRESS)
    if len(candidates) > 1:
        return Refuse(reason=Reason.AMBIGUOUS, detail=", ".join(sorted(user.id for user in candidates)))
    if candidates:
        return _existing(candidates[0], policy)
    display_name = desired.always.get("displayName")
    return Invite(
        address=source.address,
        display_name=display_name if isinstance(display_name, str) else None,
        attributes={**desired.always, **desired.on_create},
    )


def _existing(candidate: TargetUser, policy: Policy) -> Change:
    if not candidate.external:
        return Refuse(reason=Reason.INTERNAL_USER, detail=candidate.id)
    if candidate.linked_to is not None:
        return Refuse(reason=Reason.ALREADY_LINKED, detail=f"{candidate.id} is linked to {candidate.linked_to}")
    if policy.adopt is Adoption.NONE:
        return Refuse(reason=Reason.UNADOPTED, detail=candidate.id)
    return Adopt(target_id=candidate.id)


def _invited_by_us(candidate: TargetUser, link: Link) -> bool:
    """Whether this is the guest of our own unfinished invitation: its mark says so."""
    return (
        link.state is LinkState.INVITING
        and candidate.external
        and candidate.linked_to is None
        and candidate.display_name.startswith(link.invitation_mark)
    )


def _changed(source: SourceUser, link: Link, desired: Desired) -> Change:
    wanted = desired.always
    if not link.created:
        wanted = {**_plain_name(source, link), **desired.always, **desired.on_create}
    differs: dict[str, Json] = {
        name: value
        for name, value in wanted.items()
        if (link.dirty or link.applied.get(name) != fingerprint(value))
        and not (name == MANAGER and value is None and link.unmanaged)
    }
    if not differs:
        return Skip(reason=Reason.NO_CHANGE)
    # A dirty link may have been enabled since it was recorded as disabled: then it is counted once more.
    if differs.get("accountEnabled") is False and (link.dirty or not _disabled(link)):
        return Disable(attributes=differs)
    return Update(attributes=differs)


def _plain_name(source: SourceUser, link: Link) -> Attributes:
    """What takes the mark off the display name when the mapping leaves the name alone."""
    name = source.attributes.get("displayName") or source.address
    return {"displayName": name} if link.invited_at is not None and name else {}


def _disabled(link: Link) -> bool:
    return link.applied.get("accountEnabled") == fingerprint(False)


def _deprovision(link: Link, source: SourceUser, how: Deprovision, why: str) -> Change:
    if link.state is not LinkState.LINKED:
        return _already_deleted(link, source)
    if how is Deprovision.SOFT_DELETE:
        return SoftDelete(why=why)
    if how is Deprovision.LEAVE:
        return Skip(reason=Reason.LEFT)
    if _disabled(link) and not link.dirty:
        return Skip(reason=Reason.NO_CHANGE)
    return Disable(attributes={"accountEnabled": False})


def _already_deleted(link: Link, source: SourceUser) -> Change:
    """A deleted pair is kept while Entra can still restore the target user, and forgotten once it cannot."""
    deleted_at = link.deleted_at or source.read_at
    over = link.state is LinkState.LOST or source.read_at - deleted_at >= SOFT_DELETE_RETENTION
    if source.state is SourceState.GONE and over:
        return Forget()
    return Skip(reason=Reason.NO_CHANGE)
