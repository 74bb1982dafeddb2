"""RE2, through its compiled module: google-re2's layer in Python finds some empty matches in bytes twice."""

from __future__ import annotations

from typing import Any

from re2 import _re2

from .faults import DotNetError

type Spans = list[tuple[int, int]]  # of the match and of each group; (-1, -1) for a group that took no part

_ANYWHERE, _WHOLE = _re2.RE2.Anchor.UNANCHORED, _re2.RE2.Anchor.ANCHOR_BOTH
_MAX_PROGRAM = 10_000  # instructions: at worst, RE2 looks at each of them for each character


def _options() -> Any:
    options = _re2.RE2.Options()
    options.encoding = _re2.RE2.Options.Encoding.LATIN1
    options.log_errors = False  # it would write to standard error, and quote the pattern
    options.max_mem = 8 << 20  # bytes per pattern, RE2's default: states beyond it are made anew, more slowly
    return options


class Engine:
    """One compiled pattern over bytes. Raises DotNetError when RE2 refuses it."""

    def __init__(self, source: str) -> None:
        self._re2 = _re2.RE2(source.encode("ascii"), _options())
        if not self._re2.ok() or self._re2.ProgramSize() > _MAX_PROGRAM:
            raise DotNetError("the pattern becomes too large for RE2; count to less, or write * or +")

    def search(self, data: bytes, start: int) -> Spans | None:
        """The leftmost match at or after `start`; of several there, the one that .NET would find."""
        spans: Spans = self._re2.Match(_ANYWHERE, data, start, len(data))
        return spans if spans[0][0] >= 0 else None

    def matches_whole(self, data: bytes) -> bool:
        return bool(self._re2.Match(_WHOLE, data, 0, len(data))[0][0] >= 0)
