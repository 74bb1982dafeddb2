"""A fixed set of histories for every run of the suite; `make simulate` lives through many more."""

import os
import subprocess
import sys
from dataclasses import replace
from functools import cache

import pytest

from .mutations import IN_GROUPS, MUTATIONS
from .simulation import Verdict, simulate, tell
from .stories import STORIES

# Short ones, which between them meet nearly every fault and every change.
SEEDS = (2, 3, 7, 8, *range(10, 16), *range(17, 22), *range(24, 30), 31, 32, 33, 35, 36, 38, 39, 40, 41)
GROUP_SEEDS = (2, 3, *range(5, 10))  # where the scope names groups; 1 and 4 take half a minute each
# A seed at which each deliberate fault shows.
FOUND_AT = {
    "internal-unseen": 23,
    "month-uncounted": 1007,
    "no-fresh-read": 2,
    "no-invitation-mark": 19,
    "old-file-judges": 314,
    "refused-is-done": 230,
    "reports-not-told": 9,
}


# A story is decided by its first few reads of links, or writes.
MOMENTS = 10


@cache
def lived(seed: int, *, groups: bool = False) -> Verdict:
    """A history that several tests look at is lived through once in each process."""
    return simulate(seed, groups=groups)


@pytest.mark.parametrize("seed", SEEDS)
def test_invariants_hold(seed: int) -> None:
    """Whatever this seed lets happen, no invariant of the architecture breaks."""
    verdict = lived(seed)
    assert not verdict.failed, "\n".join(map(str, verdict.broken))


@pytest.mark.parametrize("seed", GROUP_SEEDS)
def test_invariants_hold_in_groups(seed: int) -> None:
    """People come and go in groups, nested ones, emptied ones and deleted ones: whoever is in has an account."""
    verdict = lived(seed, groups=True)
    assert not verdict.failed, "\n".join(map(str, verdict.broken))


def test_same_seed_same_history() -> None:
    """A history depends on nothing but its seed, not even on what ran before it in the same process."""
    assert simulate(12).lines == lived(12).lines


def test_history_does_not_depend_on_hashes() -> None:
    """Two processes with different hash seeds live through the same history to the last byte."""
    program = "from tests.simulator.simulation import simulate; print(simulate(12).digest)"
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": str(n)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for n in (1, 2)
    }
    assert digests == {lived(12).digest}


@pytest.mark.parametrize("mutation", sorted(FOUND_AT))
def test_mutation_is_found(mutation: str) -> None:
    """An engine without one of its rules breaks an invariant, and the same engine with it does not."""
    seed = FOUND_AT[mutation]
    groups = mutation in IN_GROUPS
    assert simulate(seed, mutation=mutation, groups=groups).failed
    assert not lived(seed, groups=groups).failed


@pytest.mark.parametrize("mutation", sorted(STORIES))
def test_mutation_is_found_by_a_story(mutation: str) -> None:
    """At one of the moments at which the story's fault may strike; with all its rules the engine stands each."""
    story = STORIES[mutation]
    moments = [replace(story, nth=n) for n in (range(1, MOMENTS) if story.fault else [1])]
    assert any(tell(moment, mutation=mutation).failed for moment in moments)
    assert not any(tell(moment).failed for moment in moments)


def test_every_mutation_is_looked_for() -> None:
    """By a seed or by a story."""
    assert {*FOUND_AT, *STORIES} == {*MUTATIONS}
