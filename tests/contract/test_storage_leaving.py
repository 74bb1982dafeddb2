"""The notes of who is due, and whom people keep, over the twin and the real table alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from sync_core.model.errors import ConflictError, NewerSchemaError
from sync_core.ports import Due, KeepRecord
from sync_core.storage.repositories import Storage

AT = datetime(2026, 3, 29, 1, 59, 59, 123457, tzinfo=UTC)
DAY = timedelta(days=1)


def due(days: int, source_id: str = "user.1", sync: str = "a-to-b") -> Due:
    return Due(sync=sync, source_id=source_id, at=AT + days * DAY)


@pytest_asyncio.fixture
async def stored(account: Storage) -> Storage:
    """No rows yet."""
    await account.create("guards")
    return account


async def test_notes_come_in_the_order_of_time(stored: Storage) -> None:
    """Those of a moment and earlier, of one sync, and no more than asked for; a note that comes twice is one."""
    notes = [due(2), due(-1), due(0, "a:b/c"), due(0), due(5)]
    for note in [*notes, due(2), due(-3, sync="b-to-c")]:
        await stored.due.note(note)
    in_order = [due(-1), due(0, "a:b/c"), due(0), due(2), due(5)]
    assert list(await stored.due.before("a-to-b", AT, 10)) == in_order[:3]
    assert list(await stored.due.before("a-to-b", AT, 2)) == in_order[:2]
    assert list(await stored.due.before("a-to-b", AT - timedelta(microseconds=1), 10)) == in_order[:1]
    assert list(await stored.due.page("a-to-b", 2)) == in_order[:2]
    assert list(await stored.due.page("a-to-b", 9, in_order[1])) == in_order[2:]
    assert list(await stored.due.page("a-to-b", 1, in_order[1])) == in_order[2:3]
    await stored.due.drop(due(0))
    await stored.due.drop(due(0))
    assert list(await stored.due.before("a-to-b", AT, 10)) == in_order[:2]
    await stored.due.forget("a-to-b")
    assert list(await stored.due.page("a-to-b", 10)) == []
    assert len(await stored.due.page("b-to-c", 10)) == 1


async def test_whom_a_person_keeps(stored: Storage) -> None:
    """It comes back as it was, and of two who speak at once, one has to read again."""
    record = KeepRecord(sync="a-to-b", source_id="u/1", until=AT + DAY, by="Zoë", at=AT, reason="a handover")
    assert await stored.keeps.get("a-to-b", "u/1") is None
    saved = await stored.keeps.save(record)
    assert await stored.keeps.get("a-to-b", "u/1") == saved
    with pytest.raises(ConflictError):
        await stored.keeps.save(record)
    longer = await stored.keeps.save(replace(saved, until=AT + 2 * DAY))
    with pytest.raises(ConflictError):
        await stored.keeps.drop(saved)
    assert list(await stored.keeps.all("a-to-b")) == [longer]
    assert list(await stored.keeps.all("b-to-c")) == []
    await stored.keeps.drop(longer)
    assert list(await stored.keeps.all("a-to-b")) == []


async def test_a_word_of_a_newer_version_is_not_taken_for_none(stored: Storage) -> None:
    """It raises where one person is asked for, and is left out of the list."""
    await stored.keeps.save(KeepRecord(sync="a-to-b", source_id="u", until=AT, by="op", at=AT, reason=""))
    table = stored.tables_by_name["guards"]
    row = await table.get("keep:a-to-b", "u")
    assert row is not None
    await table.replace(replace(row, values={**row.values, "v": 3}), row.etag)
    with pytest.raises(NewerSchemaError):
        await stored.keeps.get("a-to-b", "u")
    assert list(await stored.keeps.all("a-to-b")) == []
