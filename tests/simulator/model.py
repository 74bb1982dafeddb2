"""The invariants of docs/architecture.md, section 4, checked by somebody who knows nothing of the engine.

Everything is concluded from both directories as they are at the end, from what went over the wire, and from the
world's own record of what others did. No link, hold or feed record is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from .agreement import both_agree
from .ceiling import ceiling_kept
from .deletions import no_delete_without_fresh_read
from .evidence import Broken, Evidence, Owned, foreign, ownership
from .forbidden import converted_left_alone, nothing_forbidden_written
from .history import Exchange
from .stages import nobody_kept_lost_access, stages_kept

# An approval lasts a day; a worker that got it just before its end may take a while to act.
_APPROVAL = timedelta(hours=24, minutes=30)
_MONTH = timedelta(days=30)


def check(evidence: Evidence) -> list[Broken]:
    owned = ownership(evidence)
    return [
        *_no_bugs(evidence),
        *_only_ours_written(evidence, owned),
        *_only_own_domains_invited(evidence),
        *_others_untouched(evidence, owned),
        *no_delete_without_fresh_read(evidence, owned),
        *_guard_kept(evidence, owned),
        *ceiling_kept(evidence),
        *nothing_forbidden_written(evidence),
        *stages_kept(evidence, owned),
        *nobody_kept_lost_access(evidence, owned),
        *converted_left_alone(evidence),
        *both_agree(evidence, owned),
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
        if each.path == "/invitations" and foreign(evidence, str(each.body["invitedUserEmailAddress"])):
            yield Broken(invariant=1, text=f"{each.object_id[:8]} of another organisation was invited")


def _others_untouched(evidence: Evidence, owned: Owned) -> Iterator[Broken]:
    """Invariant 1, seen from the other side: everybody else's users are as everybody else left them."""
    for target_id, properties in evidence.deeds.untouched.items():
        if target_id in owned.source_of:
            continue
        user = evidence.target.find(target_id)
        if (user.properties if user is not None else {}) != properties:
            yield Broken(invariant=1, text=f"{target_id[:8]} is not ours, and is not as others left it")


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
            recent = [each.object_id for each in free[: n + 1] if each.done_at and each.done_at > since]
            within = {owned.source_of.get(target_id, target_id) for target_id in recent}
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


def _no_address_logged(evidence: Evidence) -> Iterator[Broken]:
    """Invariant 11."""
    for line in evidence.logs:
        if "@" in line:
            yield Broken(invariant=11, text=f"an address in a log line: {line}")
