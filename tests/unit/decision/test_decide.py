"""The decision table, row by row, and the laws that hold for every row and for what no row foresaw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from sync_core.decision import decide as module
from sync_core.decision.decide import asks_for_address, decide, needs_candidates
from sync_core.decision.invited import made_by_us
from sync_core.mapping import DEFAULT_MAPPING, apply_mapping
from sync_core.model import (
    SOFT_DELETE_RETENTION,
    Adopt,
    Adoption,
    Change,
    DeletedInTarget,
    Deprovision,
    Desired,
    Disable,
    Forget,
    Guarded,
    HandOver,
    Invite,
    Leaving,
    Link,
    LinkState,
    Marker,
    Parked,
    Policy,
    Reason,
    Refuse,
    ResetRedemption,
    Restore,
    Skip,
    SoftDelete,
    SourceState,
    SourceUser,
    Stay,
    TargetUser,
    Unlink,
    Update,
    Verdict,
    fingerprint,
    link_parts,
)
from sync_core.model.link_parts import NOBODY
from tests.support.clock import START
from tests.support.make import (
    ADA,
    ADDRESS,
    BOB,
    GUEST,
    IN,
    MARKER,
    NAME,
    OUT,
    STAGES,
    guest,
    link,
    linked,
    situation,
    source,
)

LIVE, DISABLED = SourceState.LIVE, SourceState.DISABLED
SOFT_DELETED, GONE = SourceState.SOFT_DELETED, SourceState.GONE
LINKED, DELETED, LOST = LinkState.LINKED, LinkState.DELETED, LinkState.LOST

WANTED = apply_mapping(DEFAULT_MAPPING, source().attributes)
WANTED_DISABLED = Desired(always={**WANTED.always, "accountEnabled": False}, on_create=WANTED.on_create)
UNMAPPED = Desired(always={"displayName": "Ada"})
EVERYTHING = {**WANTED.always, **WANTED.on_create}
ADOPTING = Policy(adopt=Adoption.GUESTS)
REVIEWING = Policy(adopt=Adoption.REVIEW)
THEIRS = MARKER.prefix + BOB
UNDECIDED = Verdict(in_scope=False, reason="filter 'A': memberOf IN is open, there is no group", undecided=True)
NONCE = "5eed5eed5eed5eed"
COMPUTED = f"[{fingerprint([NAME, ADA])}]"
MARK = f"{COMPUTED}[{NONCE}]"
RESTORING = Policy(deleted_in_target=DeletedInTarget.RESTORE)
OURS = link(LINKED, target_id=GUEST, applied=linked(WANTED).applied, on_create_written=True)


_DISPLACED = link(DELETED, target_id=GUEST, parked=Parked(until=START, tries=1, reason="address taken in target"))


@dataclass(frozen=True, kw_only=True)
class Case:
    """One situation of a row, and the change that the row promises."""

    source: SourceUser = field(default_factory=source)
    verdict: Verdict = IN
    link: Link = field(default_factory=link)
    desired: Desired = WANTED
    policy: Policy = field(default_factory=Policy)
    candidates: tuple[TargetUser, ...] = ()
    marker: Marker | None = None
    foreign: bool = False
    heir: str | None = None
    kept: datetime | None = None
    change: Change


def skip(reason: Reason) -> Skip:
    return Skip(reason=reason)


_MARKS = ({"creationType": "Invitation"}, {"externalUserState": "Accepted"}, {"userPrincipalName": "a_b#ext#@c.d"})


def _external() -> Iterable[Case]:
    for mark in _MARKS:
        for each in (link(), link(LinkState.INVITING, invited_at=START, invitation_nonce=NONCE)):
            for verdict in (IN, OUT):
                for state in (LIVE, DISABLED):
                    yield Case(
                        source=SourceUser(id=ADA, state=state, attributes=mark, read_at=START),
                        verdict=verdict,
                        link=each,
                        policy=ADOPTING,
                        candidates=(guest(created_at=START),),
                        change=skip(Reason.EXTERNAL),
                    )


def _external_by_now() -> Iterable[Case]:
    why = "the source user is external by now"
    for mark in _MARKS:
        for state in (LIVE, DISABLED):
            converted = SourceUser(id=ADA, state=state, attributes=mark, read_at=START)
            for how, change in (
                (Deprovision.SOFT_DELETE, SoftDelete(why=why)),
                (Deprovision.DISABLE, Disable(attributes={"accountEnabled": False})),
                (Deprovision.LEAVE, skip(Reason.LEFT)),
            ):
                yield Case(source=converted, link=OURS, policy=Policy(out_of_scope=how), change=change)
            yield Case(source=converted, link=link(DELETED, target_id=GUEST), change=skip(Reason.NO_CHANGE))


def _out_of_scope() -> Iterable[Case]:
    for state in (LIVE, DISABLED):
        for each, delete, disable in (
            (OURS, SoftDelete(why="out of scope: no group"), Disable(attributes={"accountEnabled": False})),
            (linked(WANTED_DISABLED), SoftDelete(why="out of scope: no group"), skip(Reason.NO_CHANGE)),
        ):
            yield Case(source=source(state), verdict=OUT, link=each, change=delete)
            for how, change in ((Deprovision.DISABLE, disable), (Deprovision.LEAVE, skip(Reason.LEFT))):
                yield Case(source=source(state), verdict=OUT, link=each, policy=Policy(out_of_scope=how), change=change)


def _source_deleted() -> Iterable[Case]:
    for state in (SOFT_DELETED, GONE):
        for verdict in (IN, OUT):
            yield Case(
                source=source(state), verdict=verdict, link=OURS, change=SoftDelete(why=f"source user {state.value}")
            )
            for how, change in (
                (Deprovision.DISABLE, Disable(attributes={"accountEnabled": False})),
                (Deprovision.LEAVE, skip(Reason.LEFT)),
            ):
                yield Case(
                    source=source(state),
                    verdict=verdict,
                    link=OURS,
                    policy=Policy(source_deleted=how),
                    change=change,
                )


DISABLING = Disable(attributes={"accountEnabled": False})


def _in_stages() -> Iterable[Case]:
    """The days that have passed since the stage before, and what is decided then."""
    policy = Policy(out_of_scope=STAGES, source_deleted=STAGES)
    for user, verdict, why in (
        (source(LIVE), OUT, "out of scope: no group"),
        (source(DISABLED), OUT, "out of scope: no group"),
        (source(SOFT_DELETED), IN, "source user soft-deleted"),
        (source(GONE), OUT, "source user gone"),
    ):
        yield Case(source=user, verdict=verdict, link=OURS, policy=policy, change=DISABLING)
        for days, change in (
            (None, staying(0, 14)),
            (0, staying(0, 14)),
            (13, staying(13, 1)),
            (14, SoftDelete(why=why)),
            (-30, staying(-30, 44)),
        ):
            since = None if days is None else START - timedelta(days=days)
            leaving = None if since is None else Leaving(stage=Deprovision.DISABLE, since=since)
            each = replace(linked(WANTED_DISABLED), leaving=leaving)
            yield Case(source=user, verdict=verdict, link=each, policy=policy, change=change)


def staying(ago: int, due_in: int) -> Stay:
    since, until = START - timedelta(days=ago), START + timedelta(days=due_in)
    leaving = Leaving(stage=Deprovision.DISABLE, since=since, until=until, then=Deprovision.SOFT_DELETE)
    return Stay(reason=Reason.LEAVING, leaving=leaving)


def _kept() -> Iterable[Case]:
    tomorrow, yesterday = START + timedelta(days=1), START - timedelta(days=1)
    fresh = Leaving(stage=Deprovision.LEAVE, since=START, until=tomorrow)
    for policy, then in (
        (Policy(), Deprovision.SOFT_DELETE),
        (Policy(out_of_scope=Deprovision.DISABLE), Deprovision.DISABLE),
        (Policy(out_of_scope=STAGES), Deprovision.DISABLE),
    ):
        change = Stay(reason=Reason.KEPT, leaving=replace(fresh, then=then))
        yield Case(verdict=OUT, link=OURS, policy=policy, kept=tomorrow, change=change)
    for when in (yesterday, START):
        yield Case(verdict=OUT, link=OURS, kept=when, change=SoftDelete(why="out of scope: no group"))
    disabled = replace(linked(WANTED_DISABLED), leaving=Leaving(stage=Deprovision.DISABLE, since=START))
    staged, due = Policy(out_of_scope=STAGES), START + timedelta(days=14)
    for kept, until, reason in (
        (tomorrow, due, Reason.LEAVING),
        (due + timedelta(days=1), due + timedelta(days=1), Reason.KEPT),
    ):
        leaving = Leaving(stage=Deprovision.DISABLE, since=START, until=until, then=Deprovision.SOFT_DELETE)
        change = Stay(reason=reason, leaving=leaving)
        yield Case(verdict=OUT, link=disabled, policy=staged, kept=kept, change=change)


def _both_deleted() -> Iterable[Case]:
    long_ago, lately = START - SOFT_DELETE_RETENTION, START - SOFT_DELETE_RETENTION + timedelta(seconds=1)
    for each, state, change in (
        (link(DELETED, target_id=GUEST, deleted_at=lately), SOFT_DELETED, skip(Reason.NO_CHANGE)),
        (link(DELETED, target_id=GUEST, deleted_at=lately), GONE, skip(Reason.NO_CHANGE)),
        (link(DELETED, target_id=GUEST, deleted_at=long_ago), SOFT_DELETED, skip(Reason.NO_CHANGE)),
        (link(DELETED, target_id=GUEST, deleted_at=long_ago), GONE, Forget()),
        (link(DELETED, target_id=GUEST), GONE, skip(Reason.NO_CHANGE)),
        (link(LOST, target_id=GUEST), SOFT_DELETED, skip(Reason.NO_CHANGE)),
        (link(LOST, target_id=GUEST), GONE, Forget()),
    ):
        yield Case(source=source(state), link=each, change=change)


def _own_invitation() -> Iterable[Case]:
    inviting = link(LinkState.INVITING, invited_at=START, invitation_nonce=NONCE)
    ours = guest(created_at=START, display_name=f"{MARK} Ada")
    for state in SourceState:
        for verdict in (IN, OUT):
            for policy in (Policy(), ADOPTING):
                for marker in (None, MARKER):
                    yield Case(
                        source=source(state),
                        verdict=verdict,
                        link=inviting,
                        policy=policy,
                        candidates=(ours,),
                        marker=marker,
                        change=Adopt(target_id=GUEST),
                    )


def _marked() -> Iterable[Case]:
    ours = guest(marker=MARKER.text)
    for state in SourceState:
        for verdict in (IN, OUT, UNDECIDED):
            for policy in (Policy(), ADOPTING, REVIEWING):
                for found in ((ours,), (guest("another"), ours), (guest("theirs", external=False), ours)):
                    yield Case(
                        source=source(state),
                        verdict=verdict,
                        policy=policy,
                        candidates=found,
                        marker=MARKER,
                        change=Adopt(target_id=GUEST),
                    )


def _marked_and_blocked() -> Iterable[Case]:
    blocked = guest(enabled=False, marker=MARKER.text)
    adopted = Adopt(target_id=GUEST)
    undecided = Refuse(reason=Reason.UNDECIDED, detail=UNDECIDED.reason)
    for verdict, refused in ((IN, Refuse(reason=Reason.BLOCKED, detail=GUEST)), (UNDECIDED, undecided)):
        for policy in (Policy(), ADOPTING):
            yield Case(verdict=verdict, policy=policy, marker=MARKER, candidates=(blocked,), change=refused)
        approved = link(approved_target=GUEST)
        yield Case(verdict=verdict, link=approved, marker=MARKER, candidates=(blocked,), change=adopted)
    yield Case(verdict=OUT, marker=MARKER, candidates=(blocked,), change=adopted)
    for state in (DISABLED, SOFT_DELETED, GONE):
        yield Case(source=source(state), marker=MARKER, candidates=(blocked,), change=adopted)


def _marked_in_vain() -> Iterable[Case]:
    linked_to = f"{NAME}/{BOB}"
    for state in SourceState:
        for found, reason, detail in (
            ((guest(external=False),), Reason.INTERNAL_USER, GUEST),
            ((guest(linked_to=linked_to),), Reason.ALREADY_LINKED, f"{GUEST} is linked to {linked_to}"),
            ((guest(linked_to=linked_to, abandoned=True),), Reason.ABANDONED, GUEST),
            ((guest("guest-2"), guest("guest-1")), Reason.AMBIGUOUS, "guest-1, guest-2"),
            ((guest("guest-2"), guest("guest-1", external=False)), Reason.AMBIGUOUS, "guest-1, guest-2"),
        ):
            yield Case(
                source=source(state),
                policy=ADOPTING,
                candidates=tuple(replace(each, marker=MARKER.text) for each in found),
                marker=MARKER,
                change=Refuse(reason=reason, detail=detail),
            )


def _not_ours() -> Iterable[Case]:
    for each in (guest(), guest(external=False), guest(created_at=START), guest(linked_to=f"{NAME}/{BOB}")):
        for seen in (link(), link(LinkState.INVITING, invited_at=START - timedelta(days=2))):
            for state in (SOFT_DELETED, GONE):
                yield Case(source=source(state), link=seen, candidates=(each,), change=skip(Reason.NOT_OURS))
            for state in (LIVE, DISABLED):
                yield Case(
                    source=source(state),
                    verdict=OUT,
                    link=seen,
                    candidates=(each,),
                    change=skip(Reason.OUT_OF_SCOPE),
                )


MOVED = {**WANTED.always, "department": "Sales"}
_INVITE = Invite(address=ADDRESS, display_name="Ada", attributes=EVERYTHING)
IGNORED = Desired(always={}, ignored=True)
_REFUSED = Refuse(reason=Reason.UNDECIDED, detail=UNDECIDED.reason)
_TWO = (guest("guest-2"), guest("guest-1", external=False))

# By the whole text of the row: a promise that changes has to change its cases.
ROWS: Mapping[str, Iterable[Case]] = {
    "there, and external (itself a B2B user) | any | none | any | Skip(external): no loops, no onward hops": (
        _external()
    ),
    "there, external by now | any | linked | present | SoftDelete (or by policy), through the guard": (
        _external_by_now()
    ),
    "live | in | none | nobody | Invite, through the creation guard; then attributes": (
        Case(change=_INVITE),
        Case(desired=Desired(always={}), change=Invite(address=ADDRESS, display_name=None, attributes={})),
        Case(
            source=SourceUser(id=ADA, state=LIVE, attributes={"mail": None}, read_at=START),
            change=Refuse(reason=Reason.NO_ADDRESS),
        ),
    ),
    "disabled | in | none | any | Skip(disabled): never provisioned for the first time while disabled": (
        Case(source=source(DISABLED), change=skip(Reason.DISABLED)),
        Case(source=source(DISABLED), policy=ADOPTING, candidates=(guest(),), change=skip(Reason.DISABLED)),
    ),
    "any | any | none | one B2B user who bears our marker | Adopt, whatever policy and address; then as linked": (
        _marked()
    ),
    "live | in or undecided | none | likewise, but blocked in the target | Refuse, by the reason, unless approved": (
        _marked_and_blocked()
    ),
    "any | any | none | the same, but internal, linked to another, or several | Refuse, by the reason": (
        _marked_in_vain()
    ),
    "live | in | none | an address of a domain that is not the source's | Refuse(foreign address), unless approved": (
        *(
            Case(
                policy=policy, foreign=True, candidates=found, change=Refuse(reason=Reason.FOREIGN_ADDRESS, detail=who)
            )
            for policy in (Policy(), ADOPTING, REVIEWING)
            for found, who in (((), ""), ((guest(),), GUEST), ((guest(enabled=False),), GUEST))
        ),
        Case(foreign=True, link=link(approved_target=GUEST), candidates=(guest(),), change=Adopt(target_id=GUEST)),
        Case(
            foreign=True,
            candidates=(guest(external=False),),
            change=Refuse(reason=Reason.INTERNAL_USER, detail=GUEST),
        ),
    ),
    "live | in | none | one B2B user with that address | Adopt if the policy allows, else Refuse(unadopted)": (
        Case(policy=ADOPTING, candidates=(guest(),), change=Adopt(target_id=GUEST)),
        Case(candidates=(guest(),), change=Refuse(reason=Reason.UNADOPTED, detail=GUEST)),
        Case(marker=MARKER, candidates=(guest(),), change=Refuse(reason=Reason.UNADOPTED, detail=GUEST)),
    ),
    "live | in | none | likewise, and the policy is review, or it is not the first address | Refuse(needs approval)": (
        Case(
            policy=ADOPTING,
            candidates=(guest(mail="mallory@evil.example"),),
            change=Refuse(reason=Reason.NEEDS_APPROVAL, detail=GUEST),
        ),
        Case(policy=REVIEWING, candidates=(guest(),), change=Refuse(reason=Reason.NEEDS_APPROVAL, detail=GUEST)),
        Case(
            policy=REVIEWING,
            link=link(approved_target="another"),
            candidates=(guest(),),
            change=Refuse(reason=Reason.NEEDS_APPROVAL, detail=GUEST),
        ),
        Case(policy=REVIEWING, link=link(approved_target=GUEST), change=_INVITE),
    ),
    "live | in | none | likewise, but blocked in the target | Refuse(blocked in target): adopting would enable them": (
        *(
            Case(policy=policy, candidates=(guest(enabled=False),), change=Refuse(reason=Reason.BLOCKED, detail=GUEST))
            for policy in (Policy(), ADOPTING, REVIEWING)
        ),
        Case(link=link(approved_target=GUEST), candidates=(guest(enabled=False),), change=Adopt(target_id=GUEST)),
    ),
    "live | in | linked, restore met a conflict | a B2B user with that address: policy or a person | Adopt": (
        Case(link=_DISPLACED, policy=ADOPTING, candidates=(guest("other"),), change=Adopt(target_id="other")),
        Case(
            link=replace(_DISPLACED, approved_target="other"),
            candidates=(guest("other"), guest("third")),
            change=Adopt(target_id="other"),
        ),
    ),
    "live | in | linked, restore met a conflict | anybody else with that address | Refuse(address taken in target)": (
        *(
            Case(
                link=replace(_DISPLACED, approved_target=approved),
                policy=policy,
                candidates=(guest("other", external=external),),
                change=Refuse(reason=Reason.ADDRESS_TAKEN, detail="other"),
            )
            for policy, approved, external in (
                (Policy(), None, True),
                (REVIEWING, None, True),
                (ADOPTING, None, False),
                (Policy(), "other", False),
            )
        ),
        Case(
            link=_DISPLACED,
            policy=ADOPTING,
            candidates=(guest("other"), guest("third")),
            change=Refuse(reason=Reason.ADDRESS_TAKEN, detail="other, third"),
        ),
        Case(link=_DISPLACED, change=Restore()),
        Case(link=link(DELETED, target_id=GUEST), candidates=(guest("other"),), change=Restore()),
    ),
    "live | in | none | the B2B user with that address whom a person approved | Adopt, whatever the policy": (
        *(
            Case(policy=policy, link=link(approved_target=GUEST), candidates=found, change=Adopt(target_id=GUEST))
            for policy in (Policy(), ADOPTING, REVIEWING)
            for found in ((guest(),), (guest("another"), guest()), (guest("theirs", external=False), guest()))
        ),
        *(
            Case(
                link=link(approved_target=GUEST),
                candidates=(guest(**mine),),
                change=Refuse(reason=reason, detail=GUEST + detail),
            )
            for mine, reason, detail in (
                ({"external": False}, Reason.INTERNAL_USER, ""),
                ({"linked_to": f"{NAME}/{BOB}"}, Reason.ALREADY_LINKED, f" is linked to {NAME}/{BOB}"),
                ({"marker": THEIRS}, Reason.ALREADY_LINKED, f" bears the marker {THEIRS}"),
            )
        ),
        Case(
            source=source(DISABLED),
            link=link(approved_target=GUEST),
            candidates=(guest(),),
            change=skip(Reason.DISABLED),
        ),
        Case(verdict=OUT, link=link(approved_target=GUEST), candidates=(guest(),), change=skip(Reason.OUT_OF_SCOPE)),
    ),
    "live | in | none | an internal user with that address | Refuse(internal user): never touched": (
        Case(candidates=(guest(external=False),), change=Refuse(reason=Reason.INTERNAL_USER, detail=GUEST)),
        Case(
            policy=ADOPTING,
            candidates=(guest(external=False),),
            change=Refuse(reason=Reason.INTERNAL_USER, detail=GUEST),
        ),
    ),
    "live | in | none | several candidates | Refuse(ambiguous)": (
        Case(policy=ADOPTING, candidates=_TWO, change=Refuse(reason=Reason.AMBIGUOUS, detail="guest-1, guest-2")),
        Case(
            link=link(LinkState.INVITING, invited_at=START),
            candidates=(guest("guest-1", created_at=START), guest("guest-2", created_at=START)),
            change=Refuse(reason=Reason.AMBIGUOUS, detail="guest-1, guest-2"),
        ),
    ),
    "live | in | none | a user linked to another source user, or of another marker or mark | Refuse(already linked)": (
        *(
            Case(
                policy=ADOPTING,
                candidates=(guest(display_name=f"{link_parts.mark(of, user, nonce)} Ada"),),
                change=Refuse(reason=Reason.ALREADY_LINKED, detail=f"{GUEST} is of another invitation"),
            )
            for of, user, nonce in (
                (NAME, BOB, "0123456789abcdef"),
                ("staff", ADA, "0123456789abcdef"),
                (NAME, BOB, None),
            )
        ),
        Case(
            policy=ADOPTING,
            candidates=(guest(display_name=f"{link_parts.mark(NAME, ADA, 'of lost tables')} Ada"),),
            change=Adopt(target_id=GUEST),
        ),
        Case(
            link=link(approved_target=GUEST),
            candidates=(guest(display_name=f"{link_parts.mark(NAME, BOB, None)} Bob"),),
            change=Adopt(target_id=GUEST),
        ),
        *(
            Case(
                policy=ADOPTING,
                marker=marker,
                candidates=(guest(marker=THEIRS),),
                change=Refuse(reason=Reason.ALREADY_LINKED, detail=f"{GUEST} bears the marker {THEIRS}"),
            )
            for marker in (None, MARKER)
        ),
        Case(
            policy=ADOPTING,
            candidates=(guest(linked_to=f"{NAME}/{BOB}"),),
            change=Refuse(reason=Reason.ALREADY_LINKED, detail=f"{GUEST} is linked to {NAME}/{BOB}"),
        ),
        Case(
            link=link(LinkState.INVITING, invited_at=START),
            candidates=(guest(created_at=START, linked_to=f"{NAME}/{BOB}"),),
            change=Refuse(reason=Reason.ALREADY_LINKED, detail=f"{GUEST} is linked to {NAME}/{BOB}"),
        ),
    ),
    "live | in | none | a user linked to a deleted source user | Refuse(abandoned), unless approved": (
        *(
            Case(policy=policy, candidates=(found,), change=Refuse(reason=Reason.ABANDONED, detail=GUEST))
            for policy in (Policy(), ADOPTING, REVIEWING)
            for found in (
                guest(linked_to=f"{NAME}/{BOB}", abandoned=True),
                guest(linked_to=f"{NAME}/{BOB}", marker=THEIRS, abandoned=True, enabled=False),
                guest(marker=THEIRS, abandoned=True),
            )
        ),
        Case(
            link=link(approved_target=GUEST),
            candidates=(guest(linked_to=f"{NAME}/{BOB}", marker=THEIRS, abandoned=True),),
            change=Adopt(target_id=GUEST),
        ),
    ),
    "live or disabled | in, ignored by an expression | any | any | Skip(ignored): left as it is": (
        *(
            Case(source=source(state), link=each, desired=IGNORED, change=skip(Reason.IGNORED))
            for state in (LIVE, DISABLED)
            for each in (link(), OURS, link(DELETED, target_id=GUEST), link(LOST, target_id=GUEST))
        ),
        Case(policy=ADOPTING, desired=IGNORED, candidates=(guest(),), change=skip(Reason.IGNORED)),
        Case(verdict=OUT, desired=IGNORED, change=skip(Reason.OUT_OF_SCOPE)),
        Case(source=source(GONE), link=OURS, desired=IGNORED, change=SoftDelete(why="source user gone")),
    ),
    "live or disabled | undecided: a filter failed | any | any | Refuse(undecided): neither let in nor deprovisioned": (
        *(
            Case(source=source(state), verdict=UNDECIDED, link=each, change=_REFUSED)
            for state in (LIVE, DISABLED)
            for each in (link(), OURS, link(DELETED, target_id=GUEST), link(LOST, target_id=GUEST))
        ),
        Case(source=source(GONE), verdict=UNDECIDED, link=OURS, change=SoftDelete(why="source user gone")),
    ),
    "disabled | undecided: a filter failed | linked | enabled | Disable, of accountEnabled alone: whatever the scope": (
        Case(
            source=source(DISABLED),
            verdict=UNDECIDED,
            link=OURS,
            desired=WANTED_DISABLED,
            change=Disable(attributes={"accountEnabled": False}),
        ),
        Case(
            source=source(DISABLED),
            verdict=UNDECIDED,
            link=linked(WANTED_DISABLED),
            desired=WANTED_DISABLED,
            change=_REFUSED,
        ),
    ),
    "live or disabled | in | linked | present, desired = last applied | Skip(no change): no target call at all": (
        Case(link=OURS, change=skip(Reason.NO_CHANGE)),
        Case(
            source=source(DISABLED),
            link=linked(WANTED_DISABLED),
            desired=WANTED_DISABLED,
            change=skip(Reason.NO_CHANGE),
        ),
    ),
    "live or disabled | in | linked | present, differs | Update(only the attributes that differ)": (
        Case(link=OURS, desired=Desired(always=MOVED), change=Update(attributes={"department": "Sales"})),
        Case(link=linked(WANTED, dirty=True), change=Update(attributes=WANTED.always)),
        Case(link=linked(WANTED, on_create_written=False), change=Update(attributes=WANTED.on_create)),
        Case(link=linked(WANTED, on_create_written=False, dirty=True), change=Update(attributes=EVERYTHING)),
        Case(link=linked(WANTED_DISABLED), change=Update(attributes={"accountEnabled": True})),
        Case(
            source=source(DISABLED),
            link=linked(WANTED_DISABLED),
            desired=Desired(always={**MOVED, "accountEnabled": False}),
            change=Update(attributes={"department": "Sales"}),
        ),
    ),
    "live | in | linked | disabled by us, and no rule says accountEnabled | Update(accountEnabled): enabled again": (
        Case(link=linked(WANTED_DISABLED), desired=UNMAPPED, change=Update(attributes={"accountEnabled": True})),
        Case(
            link=linked(UNMAPPED, dirty=True, guarded=Guarded.DISABLE),
            desired=UNMAPPED,
            change=Update(attributes={"displayName": "Ada", "accountEnabled": True}),
        ),
        Case(source=source(DISABLED), link=linked(WANTED_DISABLED), desired=UNMAPPED, change=skip(Reason.NO_CHANGE)),
        Case(
            link=linked(WANTED_DISABLED),
            desired=replace(UNMAPPED, left_out={"accountEnabled": "is neither true nor false"}),
            change=skip(Reason.NO_CHANGE),
        ),
        Case(link=linked(UNMAPPED), desired=UNMAPPED, change=skip(Reason.NO_CHANGE)),
    ),
    "disabled | in | linked | enabled | Disable through the accountEnabled mapping; counts for the guard": (
        Case(
            source=source(DISABLED),
            link=OURS,
            desired=WANTED_DISABLED,
            change=Disable(attributes={"accountEnabled": False}),
        ),
        Case(
            source=source(DISABLED),
            link=link(LINKED, target_id=GUEST),
            desired=Desired(always={"accountEnabled": False, "city": "Oslo"}),
            change=Disable(attributes={"accountEnabled": False, "city": "Oslo"}),
        ),
    ),
    "live | in | linked | soft-deleted by us | Restore, then attributes": (
        Case(link=link(DELETED, target_id=GUEST), change=Restore()),
    ),
    "disabled | in | linked | soft-deleted | Skip(disabled): it comes back when it is enabled": (
        Case(source=source(DISABLED), link=link(DELETED, target_id=GUEST), change=skip(Reason.DISABLED)),
        Case(source=source(DISABLED), link=link(LOST, target_id=GUEST), policy=RESTORING, change=skip(Reason.DISABLED)),
    ),
    "live | in | linked | soft-deleted or purged by somebody else | policy: Restore, or Skip(deleted in target)": (
        Case(link=link(LOST, target_id=GUEST), policy=RESTORING, change=Restore()),
        Case(link=link(LOST, target_id=GUEST), change=skip(Reason.DELETED_IN_TARGET)),
    ),
    "live or disabled | out, and in scope of another sync into the same target | linked | present"
    " | HandOver to that sync": (
        Case(
            verdict=Verdict(in_scope=False, reason="no"),
            link=link(LINKED, target_id=GUEST),
            heir="staff",
            change=HandOver(to="staff"),
        ),
        Case(
            source=source(DISABLED),
            verdict=Verdict(in_scope=False, reason="no"),
            link=link(LINKED, target_id=GUEST),
            heir="staff",
            change=HandOver(to="staff"),
        ),
    ),
    "any | any | linked, being handed over | present | HandOver, whatever the scope says by now": (
        Case(link=link(LINKED, target_id=GUEST).hand_over_begun("staff"), change=HandOver(to="staff")),
        Case(
            source=source(GONE),
            link=link(LINKED, target_id=GUEST).hand_over_begun("staff"),
            change=HandOver(to="staff"),
        ),
    ),
    "any | any | linked, and a person ends the pair | any | Unlink, whatever the scope says": (
        Case(link=link(LINKED, target_id=GUEST).hand_over_begun(NOBODY), change=Unlink()),
        Case(source=source(GONE), link=link(LINKED, target_id=GUEST).hand_over_begun(NOBODY), change=Unlink()),
    ),
    "live | in | none | a user whose pair with this user a person ended | Skip(unlinked), unless approved": (
        Case(candidates=(guest(linked_to=f"-/other/{ADA}"),), policy=ADOPTING, change=skip(Reason.UNLINKED)),
        Case(
            link=link(approved_target=GUEST),
            candidates=(guest(linked_to=f"-/{NAME}/{ADA}"),),
            change=Adopt(target_id=GUEST),
        ),
    ),
    "live | in | none | a user whose pair with another user a person ended | Refuse(unlinked), unless approved": (
        Case(
            candidates=(guest(linked_to=f"-/{NAME}/{BOB}"),),
            policy=ADOPTING,
            change=Refuse(reason=Reason.UNLINKED, detail=GUEST),
        ),
        Case(
            link=link(approved_target=GUEST),
            candidates=(guest(linked_to=f"-/{NAME}/{BOB}"),),
            change=Adopt(target_id=GUEST),
        ),
    ),
    "live | in | linked, to be redeemed anew | present, desired = last applied | ResetRedemption": (
        Case(link=linked(WANTED).redeeming(due=True), change=ResetRedemption(address=ADDRESS)),
        Case(
            link=linked(WANTED).redeeming(due=True),
            source=source(DISABLED),
            change=skip(Reason.NO_CHANGE),
        ),
        Case(
            link=linked(WANTED).redeeming(due=True),
            desired=Desired(always={"city": "Oslo"}),
            change=Update(attributes={"city": "Oslo"}),
        ),
    ),
    "live or disabled | out | linked | present | SoftDelete (or disable, or leave: policy), through the guard": (
        _out_of_scope()
    ),
    "soft-deleted or gone | - | linked | present | SoftDelete (or by policy), through the guard": _source_deleted(),
    "out, soft-deleted or gone | - | linked, in stages | present | each stage when it is due, else Stay(leaving)": (
        _in_stages()
    ),
    "out, soft-deleted or gone | - | linked, kept by a person | present | Stay(kept) in place of a removal": (_kept()),
    "soft-deleted or gone | - | linked | deleted | Skip(no change); Forget when nobody can bring it back": (
        _both_deleted()
    ),
    "any | any | inviting, new | the guest of our own unfinished invitation | Adopt, whatever the policy; as linked": (
        _own_invitation()
    ),
    "any | any | none | not ours | nothing, ever": _not_ours(),
}


def _table() -> list[str]:
    lines = [line.strip() for line in (module.__doc__ or "").splitlines() if line.startswith("|")]
    return [line.strip("|").strip() for line in lines[2:]]  # below the head and its rule


@pytest.mark.parametrize("row", _table())
def test_the_decision_follows_the_row(row: str) -> None:
    """Every situation that a row of the table describes yields the change that the row promises."""
    cases = list(ROWS[row])
    assert cases
    for case in cases:
        at = situation(case.source, case.verdict, case.link, case.desired, case.policy, case.candidates, case.marker)
        assert decide(replace(at, foreign=case.foreign, heir=case.heir, kept=case.kept)) == case.change, case


def test_every_row_has_its_cases_and_no_case_lost_its_row() -> None:
    """The table in the docstring and the cases above name the same rows, word for word."""
    assert sorted(_table()) == sorted(ROWS)


@pytest.mark.parametrize("created", [None, START - timedelta(days=2), START, START + timedelta(days=2)])
def test_our_mark_alone_tells_the_guest_of_our_invitation(created: datetime | None) -> None:
    """However late it is found, and whatever the clocks say; even beside others who bear the address."""
    inviting = link(LinkState.INVITING, invited_at=START, invitation_nonce=NONCE)
    found = guest(created_at=created, display_name=f"{MARK} Ada")
    for candidates in ([found], [guest("another"), found]):
        assert decide(situation(source(), IN, inviting, WANTED, Policy(), candidates)) == Adopt(target_id=GUEST)


def test_a_guest_without_our_mark_is_somebody_else_s() -> None:
    """Invited by hand at the very moment of our own invitation: Graph gives us their id, and we leave them alone."""
    inviting = link(LinkState.INVITING, invited_at=START, invitation_nonce=NONCE, target_id=GUEST)
    forged = (f"{COMPUTED} Ada", f"{COMPUTED}[] Ada", f"[{NONCE}] Ada")
    for name in ("Ada", "[0123456789abcdef] Ada", f"Ada {MARK}", "", *forged):
        decided = decide(
            situation(source(), IN, inviting, WANTED, Policy(), [guest(created_at=START, display_name=name)])
        )
        assert decided == Refuse(reason=Reason.UNADOPTED, detail=GUEST)


def test_the_mark_goes_even_when_the_mapping_leaves_the_name_alone() -> None:
    """The first attributes of a user whom we invited always set a plain display name."""
    new = link(LinkState.LINKED, target_id=GUEST, invited_at=START, dirty=True)
    plain = Desired(always={"department": "Sales"})
    decided = decide(situation(source(), IN, new, plain, Policy()))
    assert isinstance(decided, Update)
    assert decided.attributes["displayName"] == source().attributes["displayName"]
    settled = link(LinkState.LINKED, target_id=GUEST, invited_at=START, dirty=True, on_create_written=True)
    assert decide(situation(source(), IN, settled, plain, Policy())) == Update(attributes=plain.always)


def test_a_mark_that_anybody_can_compute_counts_for_the_invited_user_alone() -> None:
    """Rows of version 0.1 have no nonce: the id that our invitation returned tells its guest."""
    old = link(LinkState.INVITING, invited_at=START, target_id=GUEST)
    ours = guest(display_name=f"{COMPUTED} Ada")
    assert made_by_us(old, ours, ADDRESS)
    assert made_by_us(old, ours, None)
    assert not made_by_us(old, replace(ours, id="mallory", mail=ADDRESS, created_at=START), ADDRESS)
    assert not made_by_us(old, replace(ours, display_name="Ada"), ADDRESS)
    assert not made_by_us(replace(old, invitation_nonce=NONCE), ours, ADDRESS)


def test_an_invitation_of_version_0_1_without_an_answer_counts_for_a_new_guest_with_the_address() -> None:
    """A stranger can forge the mark, but neither the address nor the time at which our invitation began."""
    old = link(LinkState.INVITING, invited_at=START)
    ours = guest(display_name=f"{COMPUTED} Ada", mail="Ada@Contoso.example", created_at=START + timedelta(seconds=3))
    assert made_by_us(old, ours, "ada@contoso.EXAMPLE")
    assert made_by_us(old, replace(ours, created_at=START - timedelta(seconds=30)), ADDRESS)
    assert not made_by_us(old, replace(ours, mail="mallory@evil.example"), ADDRESS)
    assert not made_by_us(old, replace(ours, created_at=START - timedelta(minutes=2)), ADDRESS)
    assert not made_by_us(old, replace(ours, created_at=None), ADDRESS)
    assert not made_by_us(old, replace(ours, display_name="Ada"), ADDRESS)
    assert not made_by_us(old, replace(ours, mail=""), None)


def test_nobody_is_ours_by_a_mark_alone() -> None:
    """An invitation has to be open, and the user external and nobody else's."""
    inviting = link(LinkState.INVITING, invited_at=START, invitation_nonce=NONCE)
    ours = guest(display_name=f"{MARK} Ada")
    assert made_by_us(inviting, ours, ADDRESS)
    assert not made_by_us(link(invitation_nonce=NONCE), ours, ADDRESS)
    assert not made_by_us(inviting, replace(ours, external=False), ADDRESS)
    assert not made_by_us(inviting, replace(ours, linked_to="another/one"), ADDRESS)


def test_an_internal_user_never_comes_of_an_invitation() -> None:
    """An internal user who appears under the address is refused, however well the time fits."""
    found = guest(external=False, created_at=START)
    decided = decide(situation(source(), IN, link(LinkState.INVITING, invited_at=START), WANTED, ADOPTING, [found]))
    assert decided == Refuse(reason=Reason.INTERNAL_USER, detail=GUEST)


def test_the_target_is_only_asked_who_bears_an_address_when_the_answer_matters() -> None:
    """A linked, absent, disabled, external or out-of-scope user costs no search, unless an invitation is open."""
    assert needs_candidates(source(), IN, link())
    assert not needs_candidates(source(), IN, OURS)
    assert not needs_candidates(source(), OUT, link())
    assert not needs_candidates(source(DISABLED), IN, link())
    assert not needs_candidates(source(GONE), IN, link())
    assert not needs_candidates(source(creationType="Invitation"), IN, link())
    assert needs_candidates(source(GONE), OUT, link(LinkState.INVITING))


def test_the_marker_is_looked_for_while_nobody_came_to_an_end_with_the_user() -> None:
    """Also for users who are to have no access, external ones among them: once. Never without a marker."""
    looked_at = link(etag="1", read_at=START)
    for user, verdict in ((source(DISABLED), IN), (source(), OUT), (source(SOFT_DELETED), IN), (source(GONE), IN)):
        for unsettled in (
            link(),
            link(approved_target=GUEST),
            replace(looked_at, parked=Parked(until=START, tries=1, reason="")),
        ):
            assert needs_candidates(user, verdict, unsettled, MARKER)
            assert not needs_candidates(user, verdict, unsettled)
        assert not needs_candidates(user, verdict, looked_at, MARKER)
        assert not needs_candidates(user, verdict, OURS, MARKER)
    assert needs_candidates(source(creationType="Invitation"), OUT, link(), MARKER)


def test_the_address_of_who_is_not_to_be_invited_is_not_asked_for() -> None:
    """The target is searched for the marker alone."""
    assert asks_for_address(source(), IN, link())
    assert not asks_for_address(source(), OUT, link())
    assert not asks_for_address(source(DISABLED), IN, link())


def test_a_dirty_record_that_says_disabled_is_not_believed_by_the_policy() -> None:
    """When a write may have happened that was never recorded, out of scope disables once more."""
    record = link(LINKED, target_id=GUEST, applied={"accountEnabled": fingerprint(False)}, dirty=True)
    decided = decide(situation(source(), OUT, record, WANTED, Policy(out_of_scope=Deprovision.DISABLE)))
    assert decided == Disable(attributes={"accountEnabled": False})
