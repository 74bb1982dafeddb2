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


def security_identifier(object_id: str) -> str:
    """Entra's form: the sixteen bytes of the id, as Windows stores them, as four little-endian numbers."""
    try:
        raw = UUID(object_id).bytes_le
    except ValueError:  # a tenant made by a test may have ids of another form
        raw = object_id.encode().ljust(16, b"\0")
    return "S-1-12-1-" + "-".join(str(int.from_bytes(raw[at : at + 4], "little")) for at in (0, 4, 8, 12))
