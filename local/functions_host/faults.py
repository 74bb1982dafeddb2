"""The faults for which an application is refused at start, all in one error."""

from collections.abc import Iterable


class AppRefusedError(Exception):
    """The application cannot be started. Each of `faults` says where it is, what it is and what to do."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("the application was refused:\n" + "\n".join(f"  - {fault}" for fault in self.faults))
