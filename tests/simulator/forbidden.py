"""What a file of sync.yaml, or a person, forbids: judged by what was written, and by whom."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sync_core.model import Control

from .evidence import Broken, Evidence
from .history import Exchange

# An instance reads at most every two seconds what people said, and asks right before each request.
OBEYED_WITHIN = timedelta(seconds=2)
# A process learns within two seconds, and the delays of its storage, that another one leads.
_LEARNT_WITHIN = timedelta(seconds=20)
_LEARNT_SLOWLY = timedelta(minutes=40)  # where each step may take 700 s
# A leader that was not seen for fifteen minutes has lost the lead; it says every five that it is there.
_SURELY_LEADS_FOR = timedelta(minutes=9)
_CLOCKS_DIFFER = timedelta(seconds=7)


# A look that began before a conversion, or on an answer that was old, may still write. A deletion rests on a new read.
# A request that was on its way before it is nobody's fault: it is only no longer known what others left.
_READS_OLD = timedelta(seconds=10)
_CONFIRMED = timedelta(seconds=45)


def converted_left_alone(evidence: Evidence) -> Iterator[Broken]:
    """One who was converted to an internal user is never deleted, blocked or overwritten."""
    for target_id, at in evidence.deeds.converted.items():
        of_user = [each for each in evidence.target_writes if each.object_id == target_id]
        since = [each for each in of_user if (each.done_at or each.sent_at) > at]
        for each in (each for each in since if each.sent_at > at):
            late = each.taken is None or each.taken.at > at + _READS_OLD
            if late or (each.method == "DELETE" and each.sent_at > at + _READS_OLD + _CONFIRMED):
                yield Broken(invariant=1, text=f"{_said(each)}, who is internal since {at}")
        user = evidence.target.find(target_id)
        if not since and (user.properties if user is not None else {}) != evidence.deeds.untouched[target_id]:
            yield Broken(invariant=1, text=f"{target_id[:8]} is internal, and is not as others left it")


def nothing_forbidden_written(evidence: Evidence) -> Iterator[Broken]:
    for each in evidence.target_writes:
        birth = evidence.births.get(each.instance)
        if birth is None:
            continue
        if birth.plan.writes_nothing:
            yield Broken(invariant=1, text=f"{_said(each)} by an instance whose file writes nothing")
        elif each.taken is not None and each.taken.user and each.taken.sync not in birth.plan.syncs:
            yield Broken(invariant=1, text=f"{_said(each)} for {each.taken.sync}, which that file does not have")
        if (control := _control(evidence, each)) is not None:
            yield Broken(invariant=4, text=f"{_said(each)} while {control}")
        if each.removed and not _led(evidence, each):
            yield Broken(invariant=2, text=f"{_said(each)} by an instance whose file did not lead")


def _control(evidence: Evidence, write: Exchange) -> Control | None:
    """What a person had said that forbids this write. With all tables, that is lost, too."""
    began = write.begun_at or write.sent_at
    for said in evidence.said:
        forgotten = any(said.since <= at <= began for at in evidence.deeds.tables_lost)
        about = write.taken is not None and write.taken.sync == said.sync
        if not about or forgotten or not said.since + OBEYED_WITHIN <= began <= said.until:
            continue
        if said.control is Control.PAUSED or write.removed:
            return said.control
    return None


def _led(evidence: Evidence, write: Exchange) -> bool:
    """Whether the file of this instance may have led when it began the look that this write is of.

    Another file surely leads where one of its instances has judged somebody lately, and none with this file has
    started since that one did. With all tables went who leads: then whichever comes first takes the lead.
    """
    if write.taken is None or all(birth.plan == evidence.plan for birth in evidence.births.values()):
        return True
    plan, began = evidence.births[write.instance].plan, write.taken.at
    late = _LEARNT_SLOWLY if "slow" in evidence.rates else _LEARNT_WITHIN
    since_then = max([began - _SURELY_LEADS_FOR, *(at for at in evidence.deeds.tables_lost if at <= began)])
    for each in evidence.exchanges:
        if each.taken is None or not each.taken.user or not since_then <= each.sent_at <= began - late:
            continue
        other = evidence.births[each.instance]
        since = [birth.plan for birth in evidence.births.values() if other.at - _CLOCKS_DIFFER <= birth.at <= began]
        if other.plan != plan and plan not in since:
            return False
    return True


def _said(write: Exchange) -> str:
    return f"{write.method} {write.path} {write.object_id[:8]} at {write.done_at} by {write.instance}"
