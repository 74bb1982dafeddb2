"""Invariant 2: a deletion rests on fresh reads of exactly that user."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from .evidence import Broken, Evidence, Owned
from .history import Exchange
from .scopes import puts_out

# From the confirming read to the DELETE nothing is waited for but, at worst, a new token: a request has 40 s for both.
_FRESH = timedelta(seconds=45)


def no_delete_without_fresh_read(evidence: Evidence, owned: Owned) -> Iterator[Broken]:
    """The last thing this instance read of this user, after it took the message, was a 404.

    Or it puts the user out of every sync: by an attribute, or by groups, of which those that let people in were there.
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
            for each in _reads(evidence, source_id)
            if each.instance == delete.instance
            and each.answered_at is not None
            and delete.taken.at <= each.sent_at
            and each.answered_at <= delete.sent_at
        ]
        last = max(reads, key=lambda each: each.answered_at or each.sent_at, default=None)
        if last is not None and last.seen == 200 and _out(evidence, owned, last, delete, source_id):
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


def _reads(evidence: Evidence, source_id: str) -> Iterator[Exchange]:
    """Of this source user."""
    path = f"/users/{source_id}"
    return (each for each in evidence.exchanges if each.path == path and each.tenant == evidence.source.id)


def _out(evidence: Evidence, owned: Owned, read: Exchange, delete: Exchange, source_id: str) -> bool:
    """Whether this answer, and those about groups, put the user out of every sync of the file that this instance has.

    A deletion that another look began may still arrive. So it is finished, if the sync that began it has them out. The
    same goes for one of two target users of a person, since the other sync has its own.
    """
    out = _out_of(evidence, read, delete)
    if delete.sent_at - read.sent_at > _FRESH or delete.taken is None:
        return False
    if all(out.values()):
        return True
    others = [
        each
        for each in evidence.target_writes
        if each.sent_at < delete.sent_at and each.object_id != delete.object_id  # made or adopted by us
    ]
    another = any(owned.source_of.get(each.object_id) == source_id for each in others)
    return out.get(delete.taken.sync, False) and (another or _was_out(evidence, delete, source_id))


def _out_of(evidence: Evidence, read: Exchange, at: Exchange) -> dict[str, bool]:
    """For each sync, whether this instance knew that it has the user out, when it sent that request.

    A sync goes by its own question; another one's may be of a moment later.
    """
    questions = [
        each
        for each in evidence.exchanges
        if each.instance == read.instance
        and each.path == f"{read.path}/checkMemberGroups"
        and each.seen == 200
        and each.answered_at is not None
        and at.sent_at - each.sent_at <= _FRESH
        and each.answered_at <= at.sent_at
    ]
    found: dict[str, bool] = {}
    for name, asked in evidence.births[read.instance].plan.syncs.items():
        groups = {*asked.wanted, *asked.barred}
        own = [each for each in questions if groups == {*_asked_for(each)}]
        about = own or [each for each in questions if groups <= {*_asked_for(each)}]
        last = max(about, key=lambda each: each.sent_at, default=None)
        gone = [group for group, since in evidence.deeds.missing.items() if last is not None and since < last.sent_at]
        member_of = None if last is None else last.member_of
        found[name] = puts_out(asked, city=read.shown.get("city"), member_of=member_of, gone=gone)
    return found


def _asked_for(question: Exchange) -> list[str]:
    groups = question.body.get("groupIds")
    return [str(each) for each in groups] if isinstance(groups, list) else []


def _was_out(evidence: Evidence, delete: Exchange, source_id: str) -> bool:
    """Whether an earlier look found the user gone, or out of every sync, and nothing else was written since."""
    writes = [each for each in evidence.target_writes if each.object_id == delete.object_id and each.method != "DELETE"]
    since = max((each.sent_at for each in writes if each.sent_at < delete.sent_at), default=None)
    return any(
        each.seen == 404 or (each.seen == 200 and all(_out_of(evidence, each, _later(each)).values()))
        for each in _reads(evidence, source_id)
        if each.taken != delete.taken and each.sent_at < delete.sent_at and (since is None or each.sent_at > since)
    )


def _later(read: Exchange) -> Exchange:
    """As far after a read as anything may rest on it."""
    return Exchange(
        tenant="", method="", path="", instance=read.instance, taken=read.taken, sent_at=read.sent_at + _FRESH
    )
