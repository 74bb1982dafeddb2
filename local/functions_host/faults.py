"""What stops the host from starting, told all at once."""

from collections.abc import Iterable


class AppRefusedError(Exception):
    """The application cannot be started. `faults` are sentences: where, what, and what to do about it."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("the application was refused:\n" + "\n".join(f"  - {fault}" for fault in self.faults))
