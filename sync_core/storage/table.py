"""One table as the repositories see it, the rules that Azure Table Storage puts on rows, and nothing of Azure's SDK.

The rules are checked on our side for the real table and for its twin alike: both then refuse the same rows with the
same error. https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
"""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote, unquote

from .errors import StorageRefusedError

type Value = str | int | float | bool
type Wanted = str | int | bool  # Azurite cannot parse some of the numbers that a float may print as

PAGE_ROWS = 1000  # the service's own limit
MAX_TEXT_BYTES = 64 * 1024  # of UTF-16
MAX_ROW_BYTES = 1024 * 1024
MAX_KEY_BYTES = 1024
MAX_PROPERTIES = 252  # 255, of which the two keys and the time stamp take three

_FORBIDDEN_IN_KEYS = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f]")
_PROPERTY_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
_INT64 = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One entity. Absent values are absent: there is no null. Times are text (messages.format_time)."""

    pk: str
    rk: str
    values: Mapping[str, Value]
    etag: str = ""  # set on every row that was read

    def text(self, name: str) -> str:
        """A text column; empty when absent."""
        return str(self.values.get(name, ""))


class Table(Protocol):
    """Every method may raise TransientError or StorageRefusedError."""

    async def get(self, pk: str, rk: str) -> Row | None: ...

    async def insert(self, row: Row) -> str:
        """Gives the new etag. ConflictError when the row exists."""
        ...

    async def replace(self, row: Row, etag: str) -> str:
        """All columns at once; gives the new etag. ConflictError when the row was changed since, or is gone."""
        ...

    async def upsert(self, row: Row) -> str:
        """Insert, or replace whatever is there."""
        ...

    async def delete(self, pk: str, rk: str, etag: str | None = None) -> None:
        """With an etag: ConflictError when changed or gone. Without: a missing row is fine."""
        ...

    def query(
        self,
        pk: str | None,
        *,
        rk_from: str = "",
        rk_to: str = "",
        where: Mapping[str, Wanted] | None = None,
        select: Sequence[str] = (),
        limit: int | None = None,
    ) -> AsyncIterator[Row]:
        """Rows in order of their keys: `rk_from` <= RK < `rk_to` (empty: open), all columns of `where` equal.

        Read in pages, not as of one moment: a row that changes meanwhile may be seen before or after its change.
        Keys and etag always come along; `select` limits the other columns (none: all).
        """
        ...


def key(text: str) -> str:
    """Any text as a legal key, reversibly, keeping plain names as they are. Never yields `:`, our separator.

    Escapes are written =2F, not %2F: a per cent sign in a key is legal, yet several tools decode it twice.
    """
    return quote(text, safe="", errors="surrogatepass").replace("%", "=")


def unkey(text: str) -> str:
    return unquote(text.replace("=", "%"), errors="surrogatepass")


def after_prefix(prefix: str) -> str:
    """The end of the range of keys that begin with `prefix`."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def check_row(row: Row) -> None:
    """Raise StorageRefusedError for what the service would refuse."""
    check_keys(row.pk, row.rk)
    if len(row.values) > MAX_PROPERTIES:
        raise StorageRefusedError(code="TooManyProperties")
    size = 4 + 2 * (len(row.pk) + len(row.rk))
    for name, value in row.values.items():
        size += 8 + 2 * len(name) + _checked_size(name, value)
    if size > MAX_ROW_BYTES:
        raise StorageRefusedError(code="EntityTooLarge")


def check_keys(pk: str, rk: str) -> None:
    for text in (pk, rk):
        if _FORBIDDEN_IN_KEYS.search(text):
            raise StorageRefusedError(code="KeyHasForbiddenCharacter")
        if _utf16_bytes(text) > MAX_KEY_BYTES:
            raise StorageRefusedError(code="KeyValueTooLarge")


def _checked_size(name: str, value: Value) -> int:
    if not _PROPERTY_NAME.fullmatch(name):
        raise StorageRefusedError(code="PropertyNameInvalid", detail=name)
    if isinstance(value, str):
        size = _utf16_bytes(value)
        if size > MAX_TEXT_BYTES:
            raise StorageRefusedError(code="PropertyValueTooLarge", detail=name)
        return size
    # JSON has no word for infinity, and none of our columns needs one.
    if not (math.isfinite(value) if isinstance(value, float) else -_INT64 <= value < _INT64):
        raise StorageRefusedError(code="InvalidValueType", detail=name)
    return 8


def _utf16_bytes(text: str) -> int:
    if text.isascii():
        return 2 * len(text)
    try:
        return len(text.encode("utf-16-le"))
    except UnicodeEncodeError as error:  # half a surrogate pair: cannot be sent as UTF-8
        raise StorageRefusedError(code="InvalidInput") from error
