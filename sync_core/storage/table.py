"""One table as the repositories see it, and Azure Table Storage's limits for rows, without Azure's SDK.

The limits are checked on our side, so that the real table and the one in memory refuse the same rows with the same
error. https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
"""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypedDict, Unpack
from urllib.parse import quote, unquote

from .errors import StorageRefusedError

type Value = str | int | float | bool
type Wanted = str | int | bool  # no float: Azurite cannot parse some of the forms in which a float prints

PAGE_ROWS = 1000  # the service's own limit
MAX_TEXT_BYTES = 64 * 1024  # of UTF-16
MAX_ROW_BYTES = 1024 * 1024
MAX_KEY_BYTES = 1024
MAX_PROPERTIES = 252  # the service's 255 without the two keys and the time stamp

_FORBIDDEN_IN_KEYS = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f]")
_PROPERTY_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
_INT64 = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One entity. An absent value has no column, since there is no null. Times are text (messages.format_time)."""

    pk: str
    rk: str
    values: Mapping[str, Value]
    etag: str = ""  # set on every row that was read

    def text(self, name: str) -> str:
        """A text column; empty if absent."""
        return str(self.values.get(name, ""))


class Query(TypedDict, total=False):
    """Which rows: `rk_from` <= RK < `rk_to`, with the values of `where`; `select` names columns, empty for all."""

    rk_from: str
    rk_to: str
    where: Mapping[str, Wanted] | None
    select: Sequence[str]
    limit: int | None


class Table(Protocol):
    """Every method may raise TransientError or StorageRefusedError."""

    async def get(self, pk: str, rk: str) -> Row | None: ...

    async def insert(self, row: Row) -> str:
        """Returns the new etag. Raises ConflictError if the row exists."""
        ...

    async def replace(self, row: Row, etag: str) -> str:
        """Replace all columns; returns the new etag. Raises ConflictError if the row was changed or is gone."""
        ...

    async def upsert(self, row: Row) -> str:
        """Insert the row, or replace all its columns; returns the new etag."""
        ...

    async def delete(self, pk: str, rk: str, etag: str | None = None) -> None:
        """With an etag, raises ConflictError if the row was changed or is gone. Without one, it may be missing."""
        ...

    def query(self, pk: str | None, **options: Unpack[Query]) -> AsyncIterator[Row]:
        """Rows in the order of their keys, with `rk_from` <= RK < `rk_to` and the values of `where`.

        An empty bound is open, an empty `select` means all columns, and `pk` None means all partitions. Keys and etag
        are always set. Rows are read page by page, so a row that changes meanwhile may come before or after its change.
        """
        ...


def key(text: str) -> str:
    """Any text as a legal key; `unkey` gives the text back. Plain names stay unchanged. The key never contains `:`.

    An escape is written =2F instead of %2F: a per cent sign in a key is legal, but several tools decode it twice.
    """
    return quote(text, safe="", errors="surrogatepass").replace("%", "=")


def unkey(text: str) -> str:
    return unquote(text.replace("=", "%"), errors="surrogatepass")


def after_prefix(prefix: str) -> str:
    """The end of the range of keys that begin with `prefix`."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def check_row(row: Row) -> None:
    """Raises StorageRefusedError for a row that the service would refuse."""
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
    # JSON has no infinity, and our columns need none.
    if not (math.isfinite(value) if isinstance(value, float) else -_INT64 <= value < _INT64):
        raise StorageRefusedError(code="InvalidValueType", detail=name)
    return 8


def _utf16_bytes(text: str) -> int:
    if text.isascii():
        return 2 * len(text)
    try:
        return len(text.encode("utf-16-le"))
    except UnicodeEncodeError as error:  # half a surrogate pair, which cannot be sent as UTF-8
        raise StorageRefusedError(code="InvalidInput") from error
