"""The copy of the record: what is to be copied, in memory and on Azurite alike; and append blobs on Azurite."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import pytest_asyncio
from azure.storage.queue import AccountSasPermissions, ResourceTypes, Services, generate_account_sas

from local.azurite import ACCOUNT, ACCOUNT_KEY, Azurite
from sync_core.config.file import parse_config
from sync_core.config.settings import load_settings
from sync_core.deployment import build
from sync_core.model import Event, Kind, Written
from sync_core.model.errors import UnavailableError
from sync_core.ops import export
from sync_core.storage.append_blobs import AppendBlobs
from sync_core.storage.errors import StorageRefusedError
from sync_core.storage.repositories import Storage, memory_storage
from tests.support.blobs import MemoryBlobs
from tests.support.cli import CONFIG as SYNC
from tests.support.clock import ManualClock

AT = datetime(2026, 10, 25, 23, 59, tzinfo=UTC)
DAY, NEXT = "2026/10/25/s.jsonl", "2026/10/26/s.jsonl"


def event(user: str, seconds: float = 0, **more: object) -> Event:
    at = AT + timedelta(seconds=seconds)
    return Event(at=at, sync="s", user=user, kind=Kind.UPDATED, **more)  # type: ignore[arg-type]


def users(blobs: MemoryBlobs, name: str) -> list[str]:
    return [json.loads(line)["user"] for line in blobs.text(name).splitlines()]


async def left(storage: Storage) -> Sequence[object]:
    return await storage.activity.notes.oldest()


async def test_each_event_is_copied_once_by_day(storage: Storage) -> None:
    """In the order of time, as the endpoint gives it, with its values; nothing is left to do."""
    await storage.activity.notes.goes_on(AT)
    value = Written(attribute="city", value="Zürich", before=None, before_known=True)
    await storage.activity.record([event("b", 2, values=(value,)), event("a", 1), event("c", 61)])
    blobs = MemoryBlobs()
    assert await export.copy(storage.activity, blobs, AT) == 3
    assert (users(blobs, DAY), users(blobs, NEXT)) == (["a", "b"], ["c"])
    line = json.loads(blobs.text(DAY).splitlines()[1])
    assert (line["at"], line["kind"], line["sync"]) == ("2026-10-25T23:59:02.000000Z", "updated", "s")
    assert line["values"][0]["value"] == "Zürich"
    assert await left(storage) == []
    assert await export.copy(storage.activity, blobs, AT) == 0
    assert len(blobs.blocks[DAY]) == 1


async def test_nothing_is_noted_unless_an_app_copies(storage: Storage) -> None:
    """Off, an event costs what it did. A writer hears within a minute that an app copies."""
    await storage.activity.record([event("a")])
    await storage.activity.notes.goes_on(AT)
    await storage.activity.record([event("b", 59)])
    assert await left(storage) == []
    await storage.activity.record([event("c", 60)])
    assert len(await left(storage)) == 1


async def test_what_could_not_be_copied_is_copied_later(storage: Storage) -> None:
    """Of a lost answer an event is there twice: time, sync, user and kind are the same."""
    await storage.activity.notes.goes_on(AT)
    await storage.activity.record([event("a")])
    blobs = MemoryBlobs()
    blobs.down = True
    with pytest.raises(UnavailableError):
        await export.copy(storage.activity, blobs, AT)
    blobs.down, blobs.lost = False, True
    with pytest.raises(UnavailableError):
        await export.copy(storage.activity, blobs, AT)
    await export.copy(storage.activity, blobs, AT)
    assert users(blobs, DAY) == ["a", "a"]
    assert await left(storage) == []


async def test_a_writer_that_dies_between_note_and_event(storage: Storage) -> None:
    """The note waits for its event for an hour, and stops nothing meanwhile."""
    await storage.activity.notes.goes_on(AT)
    await storage.activity.record([event("a"), event("b")])
    (row,) = [row async for row in storage.tables_by_name["activity"].query("s") if row.text("user") == "a"]
    await storage.tables_by_name["activity"].delete(row.pk, row.rk)
    blobs = MemoryBlobs()
    await export.copy(storage.activity, blobs, AT + timedelta(minutes=59))
    assert (users(blobs, DAY), len(await left(storage))) == (["b"], 1)
    await storage.tables_by_name["activity"].upsert(row)
    await export.copy(storage.activity, blobs, AT + timedelta(minutes=59))
    assert (users(blobs, DAY), len(await left(storage))) == (["b", "a"], 0)
    await storage.activity.record([event("c")])
    (row,) = [row async for row in storage.tables_by_name["activity"].query("s") if row.text("user") == "c"]
    await storage.tables_by_name["activity"].delete(row.pk, row.rk)
    await export.copy(storage.activity, blobs, AT + timedelta(minutes=61))
    assert (users(blobs, DAY), len(await left(storage))) == (["b", "a"], 0)


async def test_an_app_that_does_not_copy_ends_nothing_at_once(storage: Storage) -> None:
    """During a rolling change of the setting the two poll in turn. After a week without one that copies, it is over."""
    notes = storage.activity.notes
    await notes.ended(AT)
    await notes.goes_on(AT)
    await storage.activity.record([event("a")])
    await notes.ended(AT + timedelta(days=6))
    assert len(await left(storage)) == 1
    await notes.ended(AT + timedelta(days=8))
    assert await left(storage) == []
    await storage.activity.record([event("b", timedelta(days=9).total_seconds())])
    assert await left(storage) == []
    assert [row async for row in storage.tables_by_name["activity"].query("export:")] == []


async def test_a_block_is_never_too_large(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service takes 4 MiB at once."""
    monkeypatch.setattr(export, "_MAX_BLOCK", 1000)
    await storage.activity.notes.goes_on(AT)
    await storage.activity.record([event(f"u{n}", n / 10) for n in range(9)])
    blobs = MemoryBlobs()
    await export.copy(storage.activity, blobs, AT)
    assert len(blobs.blocks[DAY]) > 1
    assert all(0 < len(block) <= 1000 for block in blobs.blocks[DAY])
    assert users(blobs, DAY) == [f"u{n}" for n in range(9)]


# --- append blobs ---------------------------------------------------------------------------------------------------


def signed(azurite: Azurite, path: str, query: str = "") -> str:
    """The address of a blob or a container, with every right."""
    token = generate_account_sas(
        ACCOUNT,
        ACCOUNT_KEY,
        resource_types=ResourceTypes(object=True, container=True),
        permission=AccountSasPermissions(read=True, create=True),
        expiry=datetime.now(UTC) + timedelta(hours=1),
        services=Services(blob=True),
    )
    return f"http://127.0.0.1:{azurite.blob_port}/{ACCOUNT}/{path}?{query}{token}"


@pytest_asyncio.fixture
async def container(azurite: Azurite) -> str:
    name = f"record-{uuid.uuid4().hex[:12]}"
    async with httpx.AsyncClient() as http:
        (await http.put(signed(azurite, name, "restype=container&"))).raise_for_status()
    return name


@pytest_asyncio.fixture
async def blobs(azurite: Azurite, container: str) -> AsyncIterator[AppendBlobs]:
    made = AppendBlobs.from_connection_string(azurite.connection_string, container)
    yield made
    await made.close()


async def test_blocks_follow_each_other(azurite: Azurite, container: str, blobs: AppendBlobs) -> None:
    """The first makes the blob, also if two come at once; the name has folders."""
    await blobs.append(DAY, "é1\n".encode())
    await blobs.append(DAY, b"2\n")
    await blobs._create(DAY)  # as another process that found no blob either
    async with httpx.AsyncClient() as http:
        read = await http.get(signed(azurite, f"{container}/{DAY}"))
    assert read.content == "é1\n2\n".encode()
    assert read.headers["x-ms-blob-type"] == "AppendBlob"


async def test_a_container_that_is_not_there_is_named(azurite: Azurite) -> None:
    """The error has the service's code, and neither address nor signature."""
    blobs = AppendBlobs.from_connection_string(azurite.connection_string, "nowhere")
    with pytest.raises(StorageRefusedError) as refused:
        await blobs.append(DAY, b"x")
    await blobs.close()
    assert refused.value.code == "404 ContainerNotFound"
    assert "sig=" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("UseDevelopmentStorage=true", "http://127.0.0.1:10000/devstoreaccount1/c"),
        (f"AccountName=acc;AccountKey={ACCOUNT_KEY}", "https://acc.blob.core.windows.net/c"),
        (f"AccountName=acc;AccountKey={ACCOUNT_KEY};EndpointSuffix=a.example", "https://acc.blob.a.example/c"),
    ],
)
async def test_the_address_of_a_container(text: str, url: str) -> None:
    """From the connection string that tables and queues use."""
    blobs = AppendBlobs.from_connection_string(text, "c")
    assert blobs._url == url
    await blobs.close()


async def test_a_poll_copies_into_the_container_of_the_settings(azurite: Azurite, container: str) -> None:
    """The first poll says that the app copies; the next one appends what was recorded since."""
    environ = {
        "AzureWebJobsStorage": azurite.connection_string,
        "XTSYNC_CREDENTIAL": "emulator",
        "XTSYNC_GRAPH_URL": "http://127.0.0.1:8040",
        "XTSYNC_RECORD_CONTAINER": container,
    }
    settings, clock = load_settings(environ), ManualClock()
    runtime = build(settings, parse_config(SYNC), clock=clock, storage=memory_storage(clock))
    await export.export_record(runtime, settings)
    at = clock.now()
    await runtime.storage.activity.record([Event(at=at, sync="s", user="a", kind=Kind.HELD)])
    await export.export_record(runtime, settings)
    await export.export_record(runtime, settings)
    async with httpx.AsyncClient() as http:
        read = await http.get(signed(azurite, f"{container}/{at:%Y/%m/%d}/s.jsonl"))
    (line,) = read.text.splitlines()
    assert (json.loads(line)["user"], json.loads(line)["kind"]) == ("a", "held")
    await runtime.close()
