"""Identifiers from the given source of random numbers, so that one seed makes the same ids every time."""

import re
from random import Random
from typing import Final
from uuid import UUID

_GUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def guid(rng: Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))


def is_guid(text: str) -> bool:
    return _GUID.fullmatch(text) is not None
