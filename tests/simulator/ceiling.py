"""The creation guard's ceiling, checked by somebody who knows nothing of the engine: from what went over the wire."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from .evidence import Broken, Evidence

# From a permit to the first try, at worst: the worker dies in between, and its message comes back.
_LATE = timedelta(minutes=20)
# What an instance takes for Graph's no.
_REFUSALS = frozenset({400, 403, 404, 409})


def ceiling_kept(evidence: Evidence) -> Iterator[Broken]:
    """Invariant 3: nobody is invited beyond the ceiling but by a person's word, nor by one of before they came.

    A permit is asked for before the first try, and an invitation that is tried again needs no other.
    """
    plan, deeds = evidence.plan, evidence.deeds
    if plan.ceiling is None:
        return
    limit = max([plan.ceiling, *(count for _, count in deeds.ceilings)])
    first = _first_tries(evidence)
    for last in sorted(first.values()):
        begins = max([last - plan.window + _LATE, *(at for at in deeds.tables_lost if at < last)])
        words = [(at, people) for at, people in deeds.let_in if at <= last and _stands(evidence, at, begins)]
        for since in (None, *(at for at, _ in words)):
            invited = [
                user
                for user, at in first.items()
                if begins < at <= last and (since is None or deeds.hired[user] > since)
            ]
            allowed = limit + sum(people for at, people in words if since is None or at > since)
            if len(invited) > allowed:
                text = f"{len(invited)} of those who came after {since} invited up to {last}, allowed {allowed}"
                yield Broken(invariant=3, text=text)
                return


def _stands(evidence: Evidence, said: datetime, begins: datetime) -> bool:
    """A word holds for the file it was said of: until an edit, and again when the file is as it was."""

    def in_force(at: datetime) -> int | None:
        return ([evidence.plan.ceiling] + [count for edited, count in evidence.deeds.ceilings if edited <= at])[-1]

    return said > begins or in_force(said) == in_force(begins)


def _first_tries(evidence: Evidence) -> dict[str, datetime]:
    """When each person was first invited of those for whom a guest was made.

    A try that made nobody and was heard to be refused was none: it gave its permit back.
    """
    sent = [each for each in evidence.exchanges if each.path == "/invitations" and each.taken is not None]
    tries = [each for each in sent if each.created or each.seen not in _REFUSALS]
    made = {each.taken.user for each in tries if each.created and each.taken}
    first: dict[str, datetime] = {}
    for each in sorted(tries, key=lambda each: each.sent_at):
        if each.taken is not None and each.taken.user in made:
            first.setdefault(each.taken.user, each.sent_at)
    return first
