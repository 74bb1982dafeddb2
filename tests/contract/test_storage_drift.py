"""The target users that are not as we left them, over the twin and the real table alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sync_core.model.errors import ConflictError, NewerSchemaError
from sync_core.ports import DriftRecord, Drifts
from sync_core.storage.repositories import Storage

AT = datetime(2026, 3, 29, 1, 59, 59, 123457, tzinfo=UTC)


def record(source_id: str, sync: str = "a-to-b") -> DriftRecord:
    differs = {"department": AT, "accountEnabled": AT + timedelta(hours=1)}
    return DriftRecord(sync=sync, source_id=source_id, target_id="guest", differs=differs, repairs=[AT, AT])


async def test_a_record_comes_back_as_it_was(account: Storage) -> None:
    """Of two who save at once, one has to read again."""
    await account.create("guards")
    drifts = account.drifts
    assert await drifts.get("a-to-b", "u/1") is None
    saved = await drifts.save(record("u/1"))
    assert await drifts.get("a-to-b", "u/1") == saved
    with pytest.raises(ConflictError):
        await drifts.save(record("u/1"))
    shorter = await drifts.save(replace(saved, differs={}, repairs=[]))
    assert (shorter.differs, await drifts.get("a-to-b", "u/1")) == ({}, shorter)
    with pytest.raises(ConflictError):
        await drifts.drop(saved)
    await drifts.drop(shorter)
    assert await drifts.get("a-to-b", "u/1") is None


async def test_pages_are_of_one_sync_in_the_order_of_ids(account: Storage) -> None:
    """Each goes on behind the last one, also where that is gone by now. A row of a newer version is left out."""
    await account.create("guards")
    drifts, table = account.drifts, account.tables_by_name["guards"]
    for source_id in ("u2", "u1", "u4", "u3"):
        await drifts.save(record(source_id))
    await drifts.save(record("u5", "b-to-c"))
    assert await ids(drifts, 2) == (["u1", "u2"], "u2")
    assert await ids(drifts, 2, "u2") == (["u3", "u4"], "u4")
    assert await ids(drifts, 2, "u4") == ([], None)
    assert await ids(drifts, 9, "u25") == (["u3", "u4"], None)
    newer = await table.get("drift:a-to-b", "u3")
    assert newer is not None
    await table.replace(replace(newer, values={**newer.values, "v": 99}), newer.etag)
    assert await ids(drifts, 9) == (["u1", "u2", "u4"], None)
    assert await ids(drifts, 1, "u2") == ([], "u3")
    with pytest.raises(NewerSchemaError):
        await drifts.get("a-to-b", "u3")
    await drifts.end("a-to-b", "u1")
    await drifts.end("a-to-b", "u1")
    assert await ids(drifts, 9) == (["u2", "u4"], None)
    await drifts.forget("a-to-b")
    assert await ids(drifts, 9) == ([], None)
    assert len((await drifts.page("b-to-c", 9))[0]) == 1


async def ids(drifts: Drifts, limit: int, after: str = "") -> tuple[list[str], str | None]:
    records, more = await drifts.page("a-to-b", limit, after)
    return [each.source_id for each in records], more
