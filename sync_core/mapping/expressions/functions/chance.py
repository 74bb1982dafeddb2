"""Functions whose result is new at every evaluation. Chance comes from the context, never from the machine."""

from __future__ import annotations

import string
from random import Random
from uuid import UUID

from ..errors import EvaluationError
from ..registry import function
from ..values import Run, Value

_MOST = 256
# https://learn.microsoft.com/windows/security/threat-protection/security-policy-settings/password-must-meet-complexity-requirements
_SPECIAL = "~!@#$%^&*_-+=`|\\(){}[]:;\"'<>,.?/"


@function("Guid()", wants_run=True, volatile=True)
def guid(run: Run) -> Value:
    return str(UUID(int=run.context.random.getrandbits(128), version=4))


@function(
    "RandomString(Length:int, MinimumNumbers:int, MinimumSpecialCharacters:int, MinimumCapital:int,"
    " MinimumLowerCase:int, CharactersToAvoid:text?)",
    wants_run=True,
    volatile=True,
)
def random_string(
    run: Run, length: int, numbers: int, special: int, capital: int, lower: int, avoid: str | None
) -> Value:
    """At least so many of each kind; the rest is drawn from the kinds asked for, or from letters and numbers."""
    wanted = _wanted(length, numbers, special, capital, lower)
    kinds = {
        kind: [char for char in chars if char not in (avoid or "")]
        for kind, chars in zip(
            ("numbers", "special characters", "capitals", "lower-case letters"),
            (string.digits, _SPECIAL, string.ascii_uppercase, string.ascii_lowercase),
            strict=True,
        )
    }
    for count, (kind, chars) in zip(wanted, kinds.items(), strict=True):
        if count and not chars:
            raise EvaluationError(f"CharactersToAvoid leaves no {kind}")
    return _draw(run.context.random, length, wanted, list(kinds.values()))


def _wanted(length: int, numbers: int, special: int, capital: int, lower: int) -> tuple[int, int, int, int]:
    if not 0 <= length <= _MOST:
        raise EvaluationError(f"Length is a number from 0 to {_MOST}")
    if min(numbers, special, capital, lower) < 0:
        raise EvaluationError("a minimum cannot be negative")
    if numbers + special + capital > length:
        raise EvaluationError("Length is less than the minimums together")
    # The reference leaves lower-case letters out of that sum, so they get the room that the others leave.
    return numbers, special, capital, min(lower, length - numbers - special - capital)


def _draw(random: Random, length: int, wanted: tuple[int, ...], kinds: list[list[str]]) -> str:
    chars = [random.choice(pool) for count, pool in zip(wanted, kinds, strict=True) for _ in range(count)]
    rest = [char for count, pool in zip(wanted, kinds, strict=True) if count for char in pool]
    rest = rest or [char for i in (0, 2, 3) for char in kinds[i]]
    missing = length - len(chars)
    if missing and not rest:
        raise EvaluationError("CharactersToAvoid leaves no characters")
    chars += [random.choice(rest) for _ in range(missing)]
    random.shuffle(chars)
    return "".join(chars)
