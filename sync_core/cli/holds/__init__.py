"""`xtsync holds`, `approve` and `reject`: the deletions that the guard holds, and a decision about what was shown."""

from .command import add_parser

__all__ = ["add_parser"]
