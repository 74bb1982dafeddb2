"""What comes out when storage fails: our own errors, which say whether to try again, soon and without secrets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError
from azure.identity import CredentialUnavailableError
from azure.storage.queue.aio import QueueClient

from local.azurite import ACCOUNT, ACCOUNT_KEY, Azurite
from local.processes import free_ports
from sync_core.model.errors import ConflictError, SyncError, ThrottledError, UnavailableError
from sync_core.storage.connect import connect, connect_with_credential
from sync_core.storage.errors import StorageRefusedError
from sync_core.storage.queue import Queue
from sync_core.storage.repositories import Storage, memory_storage
from sync_core.storage.table import Row, Table
from tests.support.clock import ManualClock

ACTIONS: dict[str, Callable[[Storage], Awaitable[object]]] = {
    "get": lambda storage: storage.tables_by_name["feeds"].get("p", "r"),
    "insert": lambda storage: storage.tables_by_name["feeds"].insert(Row(pk="p", rk="r", values={})),
    "query": lambda storage: storage.subscriptions.all(),
    "send": lambda storage: storage.queues_by_name["feed-pages"].send("x"),
    "receive": lambda storage: storage.queues_by_name["feed-pages"].receive(),
}


def account_at(port: int) -> Storage:
    endpoint = f"http://127.0.0.1:{port}/{ACCOUNT};"
    return connect(
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
        f"QueueEndpoint={endpoint}TableEndpoint={endpoint}"
    )


@asynccontextmanager
async def answering(*answers: str) -> AsyncIterator[tuple[Storage, list[str]]]:
    """A storage account that gives these answers in turn (the last for ever; "" hangs up); and what it was asked."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode().split(" ", 1)[0])
        head, _, body = answers[min(len(asked), len(answers)) - 1].partition("\r\n\r\n")
        if head:
            length = "" if "Content-Length" in head else f"\r\nContent-Length: {len(body)}"
            head += f"{length}\r\nConnection: close"
            writer.write(f"HTTP/1.1 {head}\r\n\r\n{body}".encode())
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        storage = account_at(server.sockets[0].getsockname()[1])
        try:
            yield storage, asked
        finally:
            await storage.close()


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS.keys())
@pytest.mark.parametrize(
    ("answer", "error", "retry_after", "attempts"),
    [
        ("500 Oops\r\nx-ms-error-code: OperationTimedOut", UnavailableError, None, 3),
        ("503 Busy\r\nx-ms-error-code: ServerBusy\r\nRetry-After: 30", ThrottledError, 30, 1),
        ("429 Slow down\r\nRetry-After: 2.5", ThrottledError, 2.5, 1),
        ("", UnavailableError, None, 3),
    ],
)
async def test_transient_failure(
    action: Callable[[Storage], Awaitable[object]],
    answer: str,
    error: type[SyncError],
    retry_after: float | None,
    attempts: int,
) -> None:
    """A failure that may pass is transient: tried thrice in under a second, or left to wait as long as asked."""
    async with answering(answer) as (storage, asked):
        with pytest.raises(error) as raised:
            async with asyncio.timeout(3):
                await action(storage)
    assert getattr(raised.value, "retry_after", None) == retry_after
    assert isinstance(raised.value.__cause__, AzureError)
    assert len(asked) in {attempts, 2 * attempts}  # aiohttp repeats a GET by itself when the other side hangs up


@pytest.mark.parametrize("status", [200, 201, 409, 412])
@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS.keys())
async def test_an_answer_that_breaks_off_is_no_answer(
    action: Callable[[Storage], Awaitable[object]], status: int
) -> None:
    """The connection breaks in the middle of a body: whatever was to be said, storage is unavailable."""
    head = f"{status} Said\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    async with answering(head + '{"value":') as (storage, _):
        with pytest.raises(UnavailableError):
            await action(storage)


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS.keys())
async def test_refusal(action: Callable[[Storage], Awaitable[object]]) -> None:
    """A refusal is permanent, is not tried again, and says no more than status and code."""
    async with answering("403 No\r\nx-ms-error-code: AuthorizationPermissionMismatch") as (storage, asked):
        with pytest.raises(StorageRefusedError) as raised:
            await action(storage)
    assert str(raised.value) == "storage refused: 403 AuthorizationPermissionMismatch"
    assert raised.value.code == "403 AuthorizationPermissionMismatch"
    assert len(asked) == 1


async def test_table_error_codes_come_in_the_body() -> None:
    """The real table service, unlike Azurite, names its error only in the body: a lost race is still told apart."""
    body = '{"odata.error":{"code":"%s","message":{"lang":"en-US","value":"Said more."}}}'
    head = "409 Conflict\r\nContent-Type: application/json\r\n\r\n"
    async with answering(head + body % "EntityAlreadyExists", head + body % "AccountIsDisabled") as (storage, _):
        with pytest.raises(ConflictError):
            await ACTIONS["insert"](storage)
        with pytest.raises(StorageRefusedError) as raised:
            await ACTIONS["insert"](storage)
    assert str(raised.value) == "storage refused: 409 AccountIsDisabled"


async def test_one_lost_connection_goes_unnoticed() -> None:
    """A connection that was closed while idle costs a second attempt and nothing else."""
    async with answering("", "204 Done\r\netag: 1") as (storage, asked):
        assert await storage.tables_by_name["feeds"].upsert(Row(pk="p", rk="r", values={})) == "1"
    assert asked == ["PUT", "PUT"]


async def test_nobody_listens() -> None:
    """An account that cannot be reached is unavailable, within seconds, and the error names its address."""
    port = free_ports(1)[0]
    storage = account_at(port)
    with pytest.raises(UnavailableError, match=f"at 127.0.0.1:{port}"):
        async with asyncio.timeout(5):
            await storage.links.get("s", "u")
    await storage.close()


async def test_without_a_token_it_says_what_is_missing() -> None:
    """Neither a managed identity nor somebody signed in; storage is not even asked."""

    class NobodySignedIn:
        async def get_token(self, *scopes: str, **options: object) -> AccessToken:
            raise CredentialUnavailableError("Please run 'az login'")

        async def close(self) -> None: ...

        async def __aenter__(self) -> NobodySignedIn:
            return self

        async def __aexit__(self, *_: object) -> None: ...

    storage = connect_with_credential(
        table_uri="https://nowhere.invalid", queue_uri="https://nowhere.invalid", credential=NobodySignedIn()
    )
    try:
        for action in ACTIONS.values():
            with pytest.raises(UnavailableError, match="az login"):
                await action(storage)
    finally:
        await storage.close()


async def test_missing_table_is_not_a_missing_row(azurite: Azurite) -> None:
    """A table that was never made is a fault of the set-up, and must not look like an empty one."""
    storage = connect(azurite.connection_string, prefix="never")
    try:
        for action in (ACTIONS["get"], ACTIONS["insert"], ACTIONS["query"]):
            with pytest.raises(StorageRefusedError, match="404"):
                await action(storage)
        with pytest.raises(StorageRefusedError, match="404"):
            await storage.tables_by_name["feeds"].replace(Row(pk="p", rk="r", values={}), 'W/"1"')
        assert set((await storage.queues.depths()).values()) == {0}
    finally:
        await storage.close()


async def test_foreign_message_passes_as_it_is(azurite: Azurite) -> None:
    """A body that is no base64 of ours comes as it lies there, and does not hide the others in its batch."""
    storage = connect(azurite.connection_string, prefix="foreign")
    try:
        await storage.create("feed-pages")
        async with QueueClient.from_connection_string(azurite.connection_string, "foreignfeed-pages") as plain:
            await plain.send_message("{}")
        await storage.queues_by_name["feed-pages"].send("ours")
        received = await storage.queues_by_name["feed-pages"].receive()
    finally:
        await storage.close()
    assert sorted(message.body for message in received) == ["ours", "{}"]


async def test_every_table_and_queue_can_be_wrapped() -> None:
    """The simulator puts its latency and its crashes around each of them, by name."""
    wrapped: list[str] = []

    def wrap_table(name: str, table: Table) -> Table:
        wrapped.append(name)
        return table

    def wrap_queue(name: str, queue: Queue) -> Queue:
        wrapped.append(name)
        return queue

    storage = memory_storage(ManualClock(), wrap_table=wrap_table, wrap_queue=wrap_queue)
    assert sorted(wrapped) == sorted([*storage.tables_by_name, *storage.queues_by_name])
