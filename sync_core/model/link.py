"""The stored pair of source and target user, and every step of its life. Pure.

Each step is a method that returns another link. TRANSITIONS says in which states a step may happen and which state
follows; a step in any other state is a mistake of this program and raises ValueError. docs/architecture.md shows the
picture that is made from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from .changes import Adopt, Change, Hold, Postpone, Postponed, Reason, Skip, Stay
from .leaving import Leaving
from .link_parts import LATE, UNSURE, USED_UP, Guarded, LinkState, Parked, Retry, mark, refusing, unapplied
from .link_steps import TRANSITIONS
from .users import Desired, SourceUser, Verdict
from .values import ENABLED, MANAGER, Json, digest, fingerprint, fingerprints


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The stored pair of source and target user, with fingerprints of what was last applied.

    `dirty` stands from before the first write until its record: the fingerprints of a dirty link are not trusted, and
    every attribute is applied again. `refused` has Graph's errors, by attribute: each counts as applied until `retry`.
    """

    sync: str
    source_id: str
    tenants: tuple[str, str] | None = None  # ids of the pair's source and target; None: version 0.1 wrote the row
    state: LinkState = LinkState.SEEN
    target_id: str | None = None
    applied: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    refused_since: Mapping[str, datetime] = field(default_factory=dict)
    retry: Retry | None = None  # of what is refused; None besides: written by an earlier version, and due now
    manager: str | None = None  # the source user's manager at the last look, linked or not
    member_of: frozenset[str] | None = None  # of the scope's groups, at the last look; None: not known
    dirty: bool = False
    on_create_written: bool = False  # the attributes that are written once are in place
    guarded: Guarded | None = None
    approved_target: str | None = None  # the one target user that a person let this user adopt
    read_at: datetime | None = None  # when the source was last read
    noticed_at: datetime | None = None  # when a notification last led to a look
    settle: timedelta | None = None  # so long after it the next one waits; None: an earlier version wrote the row
    invited_at: datetime | None = None
    invitation_nonce: str | None = None  # drawn before our invitation is sent; its guest bears it
    linked_at: datetime | None = None  # when the target user last became ours, or came back
    deleted_at: datetime | None = None
    parked: Parked | None = None
    heir: str | None = None  # the sync, or "<sync>/<source id>", to which this pair is being handed over; or NOBODY
    redeem: bool = False  # the invitation is to be redeemed anew
    waiting_since: datetime | None = None  # since when the creation guard puts this newcomer's invitation off
    away: bool = False  # the last look found the user deleted: meanwhile the source names them as nobody's manager
    leaving: Leaving | None = None  # how far a linked user has come who leaves in stages; None: the first one begins
    etag: str | None = None

    @property
    def ours(self) -> bool:
        return self.state.ours

    @property
    def owner(self) -> str:
        """The name that stands in a claim on a target user."""
        return f"{self.sync}/{self.source_id}"

    @property
    def disabled(self) -> bool:
        """By the record: the last value that we wrote."""
        return self.applied.get(ENABLED) == fingerprint(False)

    @property
    def perhaps_disabled(self) -> bool:
        """By us: by the record, or by a write of which nothing is known."""
        return self.disabled or self.applied.get(ENABLED) == UNSURE or self.guarded is Guarded.DISABLE

    @property
    def waits(self) -> bool:
        """For the creation guard alone: it lets this newcomer in later, or a person does."""
        return self.waiting_since is not None and self.state is LinkState.SEEN and self.parked is None

    @property
    def due(self) -> datetime | None:
        """When the next look comes that waits for this user."""
        return self.parked.until if self.parked else self.retry.due if self.retry else None

    @property
    def unfinished(self) -> bool:
        """Another change follows at once: an invitation asks for its guest, and a new pair for its attributes."""
        return self.dirty or self.state is LinkState.INVITING

    def of_tenants(self, tenants: tuple[str, str]) -> Link:
        return self._after("of_tenants", tenants=tenants)

    @property
    def invitation_mark(self) -> str:
        return mark(self.sync, self.source_id, self.invitation_nonce)

    @property
    def unmanaged(self) -> bool:
        """Our own guest, to whom we never gave a manager: there is none to remove."""
        return self.invited_at is not None and MANAGER not in self.applied

    @property
    def reference(self) -> Json:
        """The `manager` that the reports of this user should have; None while no target user can be referred to.

        Entra drops references to a user that it deletes. So a reference is to one life of the target user: it differs
        from the one before a restore, and is written again.
        """
        if self.state is not LinkState.LINKED:
            return None
        return {"id": self.target_id, "since": self.linked_at.isoformat() if self.linked_at else None}

    @property
    def digest(self) -> str:
        """The text that a feed compares: empty while the record cannot be trusted, or a person waits for a write."""
        return "" if self.dirty or self.redeem or self.state is not LinkState.LINKED else digest(self.applied)

    def invitation_begun(self, at: datetime, nonce: str, address: str = "") -> Link:
        """An earlier invitation of the same link may still arrive, so its mark stays; one of version 0.1 has none."""
        drawn = nonce if self.state is LinkState.SEEN else self.invitation_nonce
        applied = {"mail": fingerprint(address)} if address else {}
        return self._after("invitation_begun", invited_at=at, invitation_nonce=drawn, applied=applied)

    def invited(self, target_id: str) -> Link:
        """Graph answered with this user. Whether it is the guest that we made, the next decision finds out."""
        return self._after("invited", target_id=target_id)

    def invitation_refused(self) -> Link:
        return self._after("invitation_refused")

    def adopted(
        self, target_id: str, *, linked_at: datetime, disabled: bool = False, deleted_at: datetime | None = None
    ) -> Link:
        """The approval and the nonce are used up. Of a former pair, what is given here holds, and nothing else."""
        invited_at = None if self.ours else self.invited_at
        times = {"linked_at": linked_at, "invited_at": invited_at, "deleted_at": deleted_at}
        applied = {ENABLED: fingerprint(False)} if disabled else {}
        return self._after("adopted", target_id=target_id, applied=applied, dirty=True, **times, **USED_UP)

    def approved(self, target_id: str) -> Link:
        """A person said that this user may adopt that target user; the next look uses it up."""
        return self._after("approved", approved_target=target_id)

    def write_begun(self, change: Change) -> Link:
        """Dirty from here until the record. A removal is named, so that one which may still arrive is known of.

        Before a reference is written, `applied` names the manager: whatever comes in between, there may be a reference
        to remove from now on.
        """
        named = {} if change.written.get(MANAGER) is None else {MANAGER: ""}
        guarded = Guarded(change.name) if change.removes else self.guarded
        return self._after("write_begun", dirty=True, guarded=guarded, applied={**named, **self.applied})

    def recorded(
        self, change: Change, *, source: SourceUser, desired: Desired, refused: Mapping[str, str], trusted: bool
    ) -> Link:
        """After a write of what `change` has. An attribute that Graph refused counts as applied until it is due again.

        Access that was to be given or taken and was refused is the exception: it stays unapplied, and counted.
        `trusted`: the link was not dirty before this write, so that the fingerprints of the rest hold.
        """
        sent = change.written
        applied = fingerprints(sent)
        # On-create and steady extension attributes share one property: record the steady part.
        shared = sent.keys() & desired.always.keys() & desired.on_create.keys()
        applied |= fingerprints({name: desired.always[name] for name in shared})
        tracked = [*desired.always, *([ENABLED] if ENABLED in sent else [])]
        if ENABLED in refused:
            applied[ENABLED] = fingerprint(False) if sent[ENABLED] is True and self.disabled else ""
        if ENABLED not in sent and desired.always.get(ENABLED) is True:  # somebody else blocked this user: see decide
            applied[ENABLED] = fingerprint(True)
        elif ENABLED not in sent and self.perhaps_disabled and not trusted:  # a disabling that is held
            applied[ENABLED] = UNSURE
        known = self.applied if trusted else {}
        unsent = desired.names - sent.keys()
        before = {name: code for name, code in self.refused.items() if name in unsent}
        over = change.removes or (ENABLED in sent and self.guarded is Guarded.DISABLE)
        return self._after(
            "recorded",
            **self._applying(source, {name: applied.get(name) or known.get(name, "") for name in tracked}),
            **refusing(self, {**before, **refused}, sent=refused, at=source.read_at),
            dirty=False,
            on_create_written=self.on_create_written or desired.on_create.keys() <= sent.keys(),
            guarded=None if over and ENABLED not in refused else self.guarded,
            read_at=source.read_at,
        )

    def distrusted(self, *, disabling: bool = False) -> Link:
        """The target may differ: every attribute is applied again. `disabling`: perhaps by a disabling of ours."""
        return self._after("distrusted", dirty=True, guarded=Guarded.DISABLE if disabling else self.guarded)

    def drifted(self, names: Sequence[str]) -> Link:
        """Somebody else changed these in the target: they are written again. Without a write, nobody stores this."""
        return self._after("drifted", applied=unapplied(self.applied, names))

    def deletion_begun(self, change: Change, at: datetime) -> Link:
        return self._after("deletion_begun", dirty=True, guarded=Guarded(change.name), deleted_at=at)

    def removal_called_off(self, before: Link) -> Link:
        """It was not sent: nothing of it may still arrive."""
        return self._after("removal_called_off", guarded=before.guarded, deleted_at=before.deleted_at)

    def deleted(self) -> Link:
        """Without noticed_at, so that a restore within the coalescing time is not coalesced away.

        Another worker may still be about to restore a user who was back for minutes: the link stays dirty.
        """
        back = self.linked_at is not None and self.deleted_at is not None and self.deleted_at - self.linked_at < LATE
        return self._after("deleted", dirty=back, guarded=None, noticed_at=None, leaving=None)

    def own_deletion_found(self) -> Link:
        """A write met no user, and a deletion of ours whose record was lost explains it: that one is over."""
        return self._after("own_deletion_found", guarded=None, leaving=None)

    def lost(self) -> Link:
        """A write met no user: somebody else deleted or purged it."""
        return self._after("lost", leaving=None)

    def restore_begun(self, at: datetime) -> Link:
        """If the answer is lost, the account may be there again: a dirty deleted link is looked for."""
        return self._after("restore_begun", dirty=True, linked_at=at)

    def still_deleted(self, at: datetime) -> Link:
        """The target user was not found at `at`. No write of ours can bring it back any more once it is too late."""
        writes = [began for began in (self.linked_at, self.deleted_at) if began is not None]
        late = self.heir is None and all(at - began >= LATE for began in writes)  # a full round finds a hand-over
        return self._after("still_deleted", dirty=self.dirty and not late)

    def restored(self, at: datetime) -> Link:
        """By us, or by somebody else in the target."""
        return self._after("restored", dirty=True, linked_at=at)

    def hand_over_begun(self, to: str) -> Link:
        """From here on this link writes nothing: a worker with an older record loses its compare-and-swap."""
        held = self.guarded if self.guarded is Guarded.HELD else None  # the look that hands over releases it
        return self._after("hand_over_begun", heir=to, dirty=True, guarded=held, leaving=None)

    def hand_over_ended(self) -> Link:
        """The other sync cannot take the pair any more, so it is ours as before."""
        return self._after("hand_over_ended", heir=None)

    def taken_deleted(self, target_id: str, *, deleted_at: datetime | None, disabled: bool = False) -> Link:
        """The pair of another user, whose target user was deleted by us: it can be restored for this one."""
        now = {"applied": {ENABLED: fingerprint(False)} if disabled else {}, "deleted_at": deleted_at}
        return self._after("taken_deleted", target_id=target_id, invited_at=None, **now, **USED_UP)

    def redeeming(self, *, due: bool) -> Link:
        return self._after("redeeming", redeem=due)

    def forgotten(self) -> Link:
        """The link that takes this one's place: it knows nothing, and no row is stored."""
        return Link(sync=self.sync, source_id=self.source_id, state=self._after("forgotten").state)

    def noticed(self, at: datetime, *, settle: timedelta) -> Link:
        return self._after("noticed", noticed_at=at, settle=settle)

    def marker_seen(self) -> Link:
        """A listing of the target shows our marker: the look that found no user there came too early."""
        return self._after("marker_seen", read_at=None)

    def asked_again(self) -> Link:
        """Each attribute that Graph refused is tried once more. Access is not applied anyway: see `recorded`."""
        return self._after("asked_again", applied=unapplied(self.applied, self.refused.keys() - {ENABLED}))

    def looked_at(self, read_at: datetime) -> Link:
        return self._after("looked_at", read_at=read_at)

    def held(self) -> Link:
        """Remember the hold now; a later read that removes nothing releases it."""
        return self._after("held", guarded=Guarded.HELD)

    def concluded(
        self, change: Change, *, source: SourceUser, verdict: Verdict, desired: Desired, asks_groups: bool
    ) -> Link:
        """A look found nothing (more) to do: its view replaces the link's. `asks_groups`: the scope names groups."""
        # A removal that was held and comes later is held still, until a look finds the user back.
        held = isinstance(change, Hold) or (isinstance(change, Stay) and self.guarded is Guarded.HELD)
        link = self._after(
            "concluded",
            parked=None,
            approved_target=None,
            waiting_since=None,
            guarded=Guarded.HELD if held else None,
            member_of=source.member_of if asks_groups else None,
            leaving=change.leaving if isinstance(change, Stay) else self.leaving if isinstance(change, Hold) else None,
        )
        if link.state is LinkState.LINKED and (source.absent or not verdict.in_scope):
            # By None, a full round finds who may have another manager than was applied.
            same = not source.absent and link.applied.get(MANAGER) == fingerprint(desired.always.get(MANAGER))
            return replace(link, manager=source.manager if same else None, away=source.absent)
        if not (isinstance(change, Skip) and change.reason is Reason.NO_CHANGE and link.state is LinkState.LINKED):
            return link
        refused = {name: code for name, code in link.refused.items() if name in desired.names}
        return replace(link, **link._applying(source, fingerprints(desired.always)), **refusing(link, refused))

    def postponed(self, change: Postpone, at: datetime) -> Link:
        """What was decided at `at` is not made now. All stays by which a later full round finds this user.

        That is the groups of the last look, the guard's last word and an approval. A full round compares no reference
        to a manager, so the link of a pair is dirty. The marker of a user who was not adopted is looked for again.
        """
        return self._after(
            "postponed",
            parked=None,
            dirty=self.dirty or (self.state is LinkState.LINKED and MANAGER in change.written),
            read_at=None if self.state is LinkState.SEEN and isinstance(change.postponed, Adopt) else at,
            waiting_since=(self.waiting_since or at) if change.because is Postponed.CREATIONS_FULL else None,
        )

    def decision_refused(self, at: datetime, *, undecided: bool = False) -> Link:
        """A rule forbids what would be done. If nothing could be decided, the guard's last word stands."""
        kept = {} if undecided else {"guarded": None}
        return self._after("decision_refused", read_at=at, approved_target=None, waiting_since=None, **kept)

    def set_aside(self, *, until: datetime, reason: str, at: datetime) -> Link:
        """Parked until the next look is due, once more."""
        parked = Parked(until=until, tries=1 + (self.parked.tries if self.parked else 0), reason=reason)
        return self._after("set_aside", parked=parked, read_at=self.read_at or at)

    def returned(self, *, stays: bool = True) -> Link:
        """The source has this user. One who stays does not leave (any more): a later leaving begins anew."""
        return self._after("returned", leaving=None if stays else self.leaving, away=False)

    def stored(self, etag: str) -> Link:
        return replace(self, etag=etag)

    def _after(self, step: str, **fields: Any) -> Link:
        state = TRANSITIONS[step].get(self.state)
        if state is None:
            raise ValueError(f"a link that is {self.state} cannot be {step}")
        if (self.state, state) == (LinkState.INVITING, LinkState.SEEN):  # it is over: its guest would be shown by now
            fields |= {"target_id": None, "invited_at": None, "invitation_nonce": None}
        ends = self.guarded is Guarded.DISABLE is not fields.get("guarded", self.guarded)
        if ends and (self.dirty or state is not LinkState.LINKED) and step not in {"recorded", "removal_called_off"}:
            fields["applied"] = {**self.applied, ENABLED: UNSURE}
        return replace(self, state=state, **fields)

    def _applying(self, source: SourceUser, applied: Mapping[str, str]) -> dict[str, Any]:
        """With what was applied on this read. Of a manager and of disabling we know, whatever the mapping says."""
        known = (MANAGER, ENABLED) if self.perhaps_disabled else (MANAGER,)
        kept = {name: value for name, value in self.applied.items() if name in known}
        if self.unmanaged and applied.get(MANAGER) in ("", fingerprint(None)):
            applied = {name: value for name, value in applied.items() if name != MANAGER}
        manager = source.manager if MANAGER in source.attributes else self.manager
        return {"applied": {**kept, **applied}, "manager": manager}
