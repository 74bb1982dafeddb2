"""What a table promises: the twin and the real one alike."""

from __future__ import annotations

import asyncio
import math

import pytest

from sync_core.model.errors import ConflictError
from sync_core.storage.concurrency import for_each
from sync_core.storage.errors import StorageRefusedError
from sync_core.storage.table import Row, Table, Value, after_prefix, key, unkey


def row(rk: str = "r", pk: str = "p", **values: Value) -> Row:
    return Row(pk=pk, rk=rk, values=values)


async def keys(table: Table, pk: str | None = "p", rk_from: str = "", rk_to: str = "") -> list[str]:
    return [each.rk async for each in table.query(pk, rk_from=rk_from, rk_to=rk_to)]


async def fill(table: Table, rows: list[Row]) -> None:
    async def insert(each: Row) -> None:
        await table.insert(each)

    await for_each(rows, insert)


async def test_missing_row_is_none(table: Table) -> None:
    """A row that nobody wrote reads as None."""
    assert await table.get("p", "nobody") is None


async def test_insert_then_get(table: Table) -> None:
    """A row comes back with its values and with the etag that inserting gave."""
    etag = await table.insert(row(text="a", number=1, yes=True, half=0.5))
    assert await table.get("p", "r") == Row(
        pk="p", rk="r", values={"text": "a", "number": 1, "yes": True, "half": 0.5}, etag=etag
    )


async def test_insert_of_existing_row_conflicts(table: Table) -> None:
    """Inserting twice is a conflict and leaves the first row alone."""
    await table.insert(row(n=1))
    with pytest.raises(ConflictError):
        await table.insert(row(n=2))
    stored = await table.get("p", "r")
    assert stored is not None
    assert stored.values == {"n": 1}


async def test_replace_drops_old_columns(table: Table) -> None:
    """Replacing replaces the whole row: a column that is not given is gone."""
    first = await table.insert(row(a=1, b=2))
    second = await table.replace(row(b=3), first)
    assert second != first
    assert await table.get("p", "r") == Row(pk="p", rk="r", values={"b": 3}, etag=second)


async def test_replace_with_stale_etag_conflicts(table: Table) -> None:
    """Of two writers who read the same row, the second to write loses."""
    etag = await table.insert(row(n=1))
    await table.replace(row(n=2), etag)
    with pytest.raises(ConflictError):
        await table.replace(row(n=3), etag)


async def test_replace_of_missing_row_conflicts(table: Table) -> None:
    """Replacing a row that was deleted meanwhile is a lost race, not a new row."""
    etag = await table.insert(row(n=1))
    await table.delete("p", "r", etag)
    with pytest.raises(ConflictError):
        await table.replace(row(n=2), etag)
    assert await table.get("p", "r") is None


async def test_concurrent_replaces_one_wins(table: Table) -> None:
    """Eight writers with the same etag: one wins and seven are told."""
    etag = await table.insert(row(n=0))
    results = await asyncio.gather(*(table.replace(row(n=n), etag) for n in range(8)), return_exceptions=True)
    assert sum(isinstance(result, ConflictError) for result in results) == 7
    stored = await table.get("p", "r")
    assert stored is not None
    assert stored.etag in results


async def test_upsert_never_conflicts(table: Table) -> None:
    """Upserting inserts, and then replaces whatever is there."""
    await table.upsert(row(a=1))
    etag = await table.upsert(row(b=2))
    assert await table.get("p", "r") == Row(pk="p", rk="r", values={"b": 2}, etag=etag)


async def test_delete(table: Table) -> None:
    """Deleting is conditional on the etag if there is one, and idempotent if there is none."""
    stale = await table.insert(row(n=1))
    etag = await table.replace(row(n=2), stale)
    with pytest.raises(ConflictError):
        await table.delete("p", "r", stale)
    await table.delete("p", "r", etag)
    with pytest.raises(ConflictError):
        await table.delete("p", "r", etag)
    await table.delete("p", "r")
    assert await table.get("p", "r") is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        "plain",
        "it's 'quoted' \"twice\"",
        "Zoë Ångström 李雷 🎉 \U0001f468\u200d\U0001f469",
        "line\nbreak\ttab",
        "2026-01-02T03:04:05.678901Z",
        0,
        -1,
        2**31 - 1,
        2**31,
        -(2**63),
        2**63 - 1,
        0.1,
        -1e-9,
        1e300,
        3.0,
        True,
        False,
    ],
    ids=repr,
)
async def test_value_survives(table: Table, value: Value) -> None:
    """Every value comes back equal, by a read, by a listing, and by a filter on it."""
    await table.insert(row(value=value))
    stored = await table.get("p", "r")
    assert stored is not None
    assert stored.values == {"value": value}
    assert type(stored.values["value"]) in {type(value), int}  # a whole float may come back as an int
    where = {} if isinstance(value, float) else {"value": value}
    assert [each.values async for each in table.query("p", where=where)] == [{"value": value}]


async def test_largest_values_are_kept(table: Table) -> None:
    """64 KiB of UTF-16 fit into one column, and several such columns into one row."""
    values: dict[str, Value] = {"a": "x" * 32768, "b": "é" * 32768, "c": "🎉" * 16384}
    await table.insert(Row(pk="p", rk="r", values=values))
    stored = await table.get("p", "r")
    assert stored is not None
    assert stored.values == values


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        (row(a="x" * 32769), "PropertyValueTooLarge"),
        (row(a="🎉" * 16385), "PropertyValueTooLarge"),
        (Row(pk="p", rk="r", values={f"c{n}": "x" * 32000 for n in range(17)}), "EntityTooLarge"),
        (Row(pk="p", rk="r", values={f"c{n}": n for n in range(253)}), "TooManyProperties"),
        (row(a=math.nan), "InvalidValueType"),
        (row(a=2**63), "InvalidValueType"),
        (row(a="\ud800"), "InvalidInput"),
        (row("a/b"), "KeyHasForbiddenCharacter"),
        (row("a\\b"), "KeyHasForbiddenCharacter"),
        (row("a#b"), "KeyHasForbiddenCharacter"),
        (row("a?b"), "KeyHasForbiddenCharacter"),
        (row("a\nb"), "KeyHasForbiddenCharacter"),
        (row(pk="a\x80b"), "KeyHasForbiddenCharacter"),
        (row("k" * 513), "KeyValueTooLarge"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_the_service_refuses(table: Table, refused: Row, code: str) -> None:
    """What the service would never accept is a permanent error, and nothing is written."""
    with pytest.raises(StorageRefusedError, match=code):
        await table.insert(refused)
    assert await keys(table, None) == []


async def test_odd_but_legal_keys(table: Table) -> None:
    """Quotes, blanks, per cent signs and other scripts in keys are kept apart and found again."""
    odd = ["a'b", "a b", "a%2Fb", "a=2Fb", "a+b", "a&b", "ä", "李", "target:1", "A", "a"]
    await fill(table, [row(rk, n=n) for n, rk in enumerate(odd)])
    for n, rk in enumerate(odd):
        stored = await table.get("p", rk)
        assert stored is not None
        assert (stored.rk, stored.values) == (rk, {"n": n})
    assert sorted(await keys(table)) == sorted(odd)
    await for_each(odd, lambda rk: table.delete("p", rk))
    assert await keys(table) == []


@pytest.mark.parametrize("text", ["a/b", "a\\b#c?d", "a:b", "100%", "a=b", "ä\n", "\ud800", ""])
def test_any_text_becomes_a_key(text: str) -> None:
    """`key` turns any text into legal characters without a colon, and `unkey` turns it back."""
    assert unkey(key(text)) == text
    assert not set(key(text)) & set("/\\#?:%\n")


async def test_listing_is_ordered(table: Table) -> None:
    """Rows come in order of their keys, whatever the order in which they were written."""
    for rk in ("b", "c", "a"):
        await table.insert(row(rk))
    await table.insert(row("0", pk="q"))
    assert await keys(table) == ["a", "b", "c"]
    assert await keys(table, None) == ["a", "b", "c", "0"]


async def test_listing_a_range(table: Table) -> None:
    """A range begins with its start and ends before its end."""
    await fill(table, [row(rk) for rk in ("a", "b", "hold:1", "hold:2", "i")])
    assert await keys(table, rk_from="b") == ["b", "hold:1", "hold:2", "i"]
    assert await keys(table, rk_to="b") == ["a"]
    assert await keys(table, rk_from="hold:", rk_to=after_prefix("hold:")) == ["hold:1", "hold:2"]
    assert await keys(table, None, rk_from="b", rk_to="i") == ["b", "hold:1", "hold:2"]


async def test_listing_filters_and_selects(table: Table) -> None:
    """Only rows that have every wanted value come, with the selected columns and their keys and etags."""
    etag = await table.insert(row("a", on=True, name="O'Neil", n=1))
    await table.insert(row("b", on=False, name="O'Neil", n=2))
    await table.insert(row("c", name="O'Neil", n=3))
    found = [each async for each in table.query("p", where={"on": True, "name": "O'Neil"}, select=("n", "absent"))]
    assert found == [Row(pk="p", rk="a", values={"n": 1}, etag=etag)]


async def test_listing_more_than_a_page(table: Table) -> None:
    """A listing goes on over the service's pages of 1,000 rows, and a limit cuts it anywhere."""
    names = [f"{n:05d}" for n in range(1003)]
    await fill(table, [row(rk, odd=bool(n % 2)) for n, rk in enumerate(names)])
    assert await keys(table) == names
    assert await keys(table, None) == names
    assert [each.rk async for each in table.query("p", where={"odd": True})] == names[1::2]
    for limit in (0, 1, 1000, 1001, 5000):
        assert [each.rk async for each in table.query("p", limit=limit)] == names[:limit]
    # No snapshot: what is gone before its page is read does not come, on either table.
    listing = table.query("p")
    assert (await anext(listing)).rk == names[0]
    await table.delete("p", names[-1])
    assert [each.rk async for each in listing] == names[1:-1]
