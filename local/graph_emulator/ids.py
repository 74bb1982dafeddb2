"""Identifiers from the injected source of chance, so that one seed names the same objects every time."""

from random import Random
from uuid import UUID


def guid(rng: Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))


def is_guid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
