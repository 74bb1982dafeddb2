"""The loopback ports of the local stack, and the variable of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from local.processes import ChildFailedError, is_free

# The variable of each port, and its default.
_PORTS = {
    "graph": ("GRAPH_EMULATOR_PORT", "8040"),
    "functions": ("FUNCTIONS_PORT", "7071"),
    "blob": ("AZURITE_BLOB_PORT", "10000"),
    "queue": ("AZURITE_QUEUE_PORT", "10001"),
    "table": ("AZURITE_TABLE_PORT", "10002"),
}


@dataclass(slots=True, kw_only=True)
class Ports:
    """0 picks a free port. `from_environment` has the documented defaults."""

    graph: int = 0
    functions: int = 0
    blob: int = 0
    queue: int = 0
    table: int = 0

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Ports:
        """Raises ChildFailedError with the name of a variable that is no port."""
        ports = cls(**{part: _port(name, environ.get(name) or default) for part, (name, default) in _PORTS.items()})
        picked = [port for part in _PORTS if (port := getattr(ports, part)) != 0]
        if len(set(picked)) != len(picked):
            raise ChildFailedError(f"each port has to be another one: {', '.join(name for name, _ in _PORTS.values())}")
        return ports

    def refuse_occupied(self) -> None:
        """Raises ChildFailedError if something listens already. To post to a stranger could do anything."""
        taken = {part: getattr(self, part) for part in _PORTS if not is_free(getattr(self, part))}
        if taken:
            said = ", ".join(
                f"port {port} is in use (set {_PORTS[part][0]} to another)" for part, port in taken.items()
            )
            raise ChildFailedError(said)


def _port(name: str, text: str) -> int:
    if not text.isdecimal() or not int(text) < 65536:
        raise ChildFailedError(f"{name} is not a port: {text}")
    return int(text)
