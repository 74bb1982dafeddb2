"""What becomes of somebody who leaves, as sync.yaml says it: one word, or a list of stages."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

from .. import model
from .durations import DURATION, duration

_WORDS = [each.value for each in model.Deprovision]
_SHORTEST, _LONGEST = timedelta(hours=1), timedelta(days=365)
_EXAMPLE = "[disable, { after: 14d, then: soft_delete }]"

_WORD = {"type": "string", "enum": _WORDS}
LEAVES: dict[str, Any] = {
    "anyOf": [
        _WORD,
        {
            "type": "array",
            "minItems": 1,
            "items": {
                "anyOf": [
                    _WORD,
                    {
                        "type": "object",
                        "properties": {"after": {"type": "string", "pattern": DURATION}, "then": _WORD},
                        "required": ["after", "then"],
                        "additionalProperties": False,
                    },
                ]
            },
        },
    ]
}


def leaves(value: object) -> model.Leaves:
    """The value of the model. Raises ValueError, which says what is wrong with which stage.

    A list of a single word is that word: the two mean the same, so they have one fingerprint.
    """
    if not isinstance(value, list):
        return _word(value, f"must be one of {', '.join(_WORDS)}, or a list of stages such as {_EXAMPLE}")
    if not value:
        raise ValueError(f"needs at least one stage, such as {_EXAMPLE}")
    stages = tuple(_stage(number, each) for number, each in enumerate(value, 1))
    for before, stage in pairwise(stages):
        if stage.then.takes <= before.then.takes:
            raise ValueError(
                f"each stage takes more away than the one before it, in the order {', '.join(_in_order())}:"
                f" {stage.then} cannot follow {before.then}"
            )
    if stages[-1].then is model.Deprovision.LEAVE:
        if stages[-1].after:
            raise ValueError("a stage that leaves the user as they are needs no time: say `leave`")
        return model.Deprovision.LEAVE
    if len(stages) == 1 and not stages[0].after:
        return stages[0].then
    return model.Stages(stages=stages)


def _stage(number: int, value: object) -> model.Stage:
    where = f"stage {number}"
    if not isinstance(value, dict):
        if number > 1:
            raise ValueError(f"{where} needs a time: {{ after: 14d, then: {value} }}")
        return model.Stage(then=_word(value, f"{where} must be one of {', '.join(_WORDS)}, or have after and then"))
    if unknown := value.keys() - {"after", "then"}:
        raise ValueError(f"{where}: {', '.join(sorted(map(str, unknown)))} is not known here; it has after and then")
    if missing := {"after", "then"} - value.keys():
        raise ValueError(f"{where}: {' and '.join(sorted(missing))} is missing")
    try:
        after = duration(value["after"])
    except ValueError as error:
        raise ValueError(f"{where}: after {error}") from None
    if not _SHORTEST <= after <= _LONGEST:
        raise ValueError(f"{where}: after must be from 1h to 365d")
    return model.Stage(then=_word(value["then"], f"{where}: then must be one of {', '.join(_WORDS)}"), after=after)


def _word(value: object, otherwise: str) -> model.Deprovision:
    if isinstance(value, str) and value in _WORDS:
        return model.Deprovision(value)
    raise ValueError(otherwise)


def _in_order() -> list[str]:
    return sorted(_WORDS, key=lambda word: model.Deprovision(word).takes)
