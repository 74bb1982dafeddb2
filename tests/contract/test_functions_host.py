"""The local host keeps the real host's promises: the sample application through Microsoft's worker, on Azurite."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from azure.data.tables.aio import TableServiceClient
from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue.aio import QueueClient
from yarl import URL

from local.azurite import Azurite
from local.emulated import until
from local.functions_host.monitor import Status
from local.functions_host.schedule import Schedule
from tests.support.functions_host import HostProcess
from tests.support.mailbox import Mailbox

pytestmark = pytest.mark.asyncio(loop_scope="module")

APP = Path(__file__).parent / "sample_app"
YEARLY = "0 0 0 1 1 *"


def records(log: Path, text: str) -> list[str]:
    """Those with `text`, each with all of its lines."""
    return [record for record in re.split(r"\n(?=\d{4}-\d\d-\d\d )", log.read_text()) if text in record]


def logged(log: Path, text: str) -> list[str]:
    return [line for line in log.read_text().splitlines() if text in line]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def storage() -> AsyncIterator[str]:
    async with Azurite() as azurite:
        yield azurite.connection_string


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("host") / "stderr"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def host(storage: str, log: Path) -> AsyncIterator[HostProcess]:
    settings = {
        "AzureWebJobsStorage": storage,
        "AzureFunctionsWebHost__hostid": "sample",
        "WORK_QUEUE": "work-items",
        "TICK": YEARLY,
    }
    await _pretend_that_a_run_was_missed(storage)
    async with HostProcess(APP, settings=settings, log=log, verbose=True) as process:
        yield process


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http(host: HostProcess) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(host.url) as session:
        yield session


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def seen(storage: str) -> AsyncIterator[Mailbox]:
    mailbox = Mailbox(storage, "seen")
    yield mailbox
    await mailbox.close()


async def _pretend_that_a_run_was_missed(storage: str) -> None:
    last = datetime(datetime.now(UTC).year - 1, 1, 1, tzinfo=UTC)
    status = Status(last=last, next=Schedule(YEARLY).after(last), updated=last)
    async with BlobServiceClient.from_connection_string(storage) as blobs:
        container = await blobs.create_container("azure-webjobs-hosts")
        await container.upload_blob("timers/sample/tick/status", json.dumps(status.as_json()).encode())


async def test_request_reaches_the_worker_as_the_real_host_sends_it(http: aiohttp.ClientSession) -> None:
    """Header names are in lower case, empty query values are gone, several values are joined, routes are matched."""
    headers = {"X-Tenant": "contoso"}
    async with http.post("/api/Echo/abc/5?x=1&x=2&empty=&y=3", data=b"hello", headers=headers) as response:
        said = await response.json(content_type=None)
        assert response.status == 201
        assert response.headers["X-Kind"] == "abc"
        assert response.headers["Set-Cookie"] == "seen=yes; HttpOnly; Max-Age=60; Path=/api; SameSite=Lax"
    assert said["headers"]["x-tenant"] == "contoso"
    assert said["params"] == {"x": "1,2", "y": "3"}
    assert said["route"] == {"kind": "abc", "id": "5"}
    assert (said["method"], said["body"]) == ("POST", "hello")


async def test_escaped_slash_stays_in_its_segment(http: aiohttp.ClientSession) -> None:
    """A route parameter keeps `%2F` as it came; everything else is decoded, a line break too."""
    async with http.get(URL("/api/echo/abc/a%2Fb%20c%0Ad", encoded=True)) as response:
        assert (await response.json(content_type=None))["route"]["id"] == "a%2Fb c\nd"


async def test_chunked_body_arrives_empty(http: aiohttp.ClientSession) -> None:
    """Without a Content-Length the real host hands no body on, so neither does this one."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b"hello"

    async with http.post("/api/echo/abc", data=chunks()) as response:
        assert (await response.json(content_type=None))["body"] == ""


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/nothing"), ("PUT", "/api/echo/abc"), ("GET", "/api/echo/123"), ("GET", "/echo/abc")],
)
async def test_what_matches_no_route_is_404(http: aiohttp.ClientSession, method: str, path: str) -> None:
    """Path, method, constraint and prefix all have to fit."""
    async with http.request(method, path) as response:
        assert response.status == 404


async def test_failure_is_500_and_logged_with_its_stack(http: aiohttp.ClientSession, log: Path) -> None:
    """The caller learns nothing; the log has the function, the exception with its text, and its stack."""
    async with http.post("/api/fail", data=b"the text") as response:
        assert response.status == 500
        assert await response.text() == ""
    [record] = records(log, "failed function=fail")
    assert "ERROR" in record
    assert "ValueError: the text" in record
    assert "in fail" in record


async def test_list_output_keeps_each_body_exactly(http: aiohttp.ClientSession, seen: Mailbox) -> None:
    """A webhook answers 202 when its messages are stored, and each is processed with its body untouched."""
    bodies = ['{"a":  1}', "plain", '["not", "exploded"]', "grüße"]
    async with http.post("/api/notifications", json=bodies) as response:
        assert response.status == 202
    for body in bodies:
        [note] = await seen.notes(by="work", body=body)
        assert note["n"] == 1


async def test_trigger_metadata_has_the_times_of_the_message(http: aiohttp.ClientSession, seen: Mailbox) -> None:
    """Insertion, expiry (7 days on) and the end of the 10-minute lease are on the QueueMessage."""
    async with http.post("/api/notifications", json=["times"]) as response:
        assert response.status == 202
    [note] = await seen.notes(by="work", body="times")
    inserted, expires, visible = (datetime.fromisoformat(text) for text in note["times"])
    assert (expires - inserted).days == 7
    assert 590 <= (visible - inserted).total_seconds() <= 610


async def test_failing_message_ends_in_the_poison_queue(http: aiohttp.ClientSession, seen: Mailbox) -> None:
    """After maxDequeueCount attempts only the body goes on: the copy counts from one again."""
    async with http.post("/api/notifications", json=["fail"]) as response:
        assert response.status == 202
    [note] = await seen.notes(by="poisoned", body="fail")
    assert note["n"] == 1


async def test_undecodable_message_stays_in_the_poison_queue_unseen(
    storage: str, http: aiohttp.ClientSession, log: Path
) -> None:
    """Neither function can read it: the poison trigger receives it, and it stays."""
    async with QueueClient.from_connection_string(storage, "work-items") as plain:
        await plain.send_message("%%%")

    async def received() -> bool:
        return bool(logged(log, "undecodable queue=work-items-poison"))

    assert await until(received, timeout_s=20)
    async with QueueClient.from_connection_string(storage, "work-items-poison") as poison:
        assert (await poison.get_queue_properties()).approximate_message_count == 1


async def test_message_that_defers_itself_comes_back(
    http: aiohttp.ClientSession, seen: Mailbox, storage: str, log: Path
) -> None:
    """`update_message` changes the receipt; the host's delete fails, says so at debug level only, and all goes on."""
    async with http.post("/api/notifications", json=["defer"]) as response:
        assert response.status == 202
    first, second = await seen.notes(by="work", body="defer", count=2)
    assert (first["n"], second["n"]) == (1, 2)
    assert second["at"] - first["at"] > 0.9
    assert logged(log, "DEBUG local.functions_host.messages not ours any more")


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ('{"b":1,"a":[]}', ['{\n  "b": 1,\n  "a": []\n}']),
        ('["x", {"y":2}]', ["x", '{\n  "y": 2\n}']),
    ],
)
async def test_text_output_is_rewritten(http: aiohttp.ClientSession, storage: str, given: str, sent: list[str]) -> None:
    """An `Out[str]` that looks like JSON is indented, and an array becomes several messages."""
    async with http.post("/api/text", data=given.encode()) as response:
        assert response.status == 202
    texts = Mailbox(storage, "texts")
    try:
        assert await texts.bodies(lambda _: True, count=len(sent)) == sent
    finally:
        await texts.close()


async def test_text_output_that_looks_like_json_and_is_none_is_500(http: aiohttp.ClientSession) -> None:
    """It is parsed, and that fails the invocation."""
    async with http.post("/api/text", data=b"{no json}") as response:
        assert response.status == 500


async def test_output_that_cannot_be_stored_is_500(http: aiohttp.ClientSession, storage: str) -> None:
    """A 202 means that the message is stored: one of 100 kB is not. Bytes that fit are kept as they are."""
    async with http.post("/api/toolarge") as response:
        assert response.status == 500
    async with http.post("/api/raw", data=b'{"a":  1}') as response:
        assert response.status == 202
    raws = Mailbox(storage, "raws")
    try:
        assert await raws.bodies(lambda _: True) == ['{"a":  1}']
    finally:
        await raws.close()


async def test_table_input_reads_entities(http: aiohttp.ClientSession, storage: str) -> None:
    """An absent table is a 500, a missing entity nothing; times as .NET writes them, and no timestamp."""
    for path in ("/api/rows", "/api/row/contoso/ann"):
        async with http.get(path) as response:
            assert response.status == 500
    ann = {
        "PartitionKey": "contoso",
        "RowKey": "ann",
        "age": 30,
        "seen": datetime(2026, 1, 2, microsecond=678_000, tzinfo=UTC),
    }
    bob = {"PartitionKey": "o'neill", "RowKey": "bob"}
    async with TableServiceClient.from_connection_string(storage) as tables:
        table = await tables.create_table("people")
        for entity in (ann, bob):
            await table.create_entity(entity)
        await table.close()
    plain = ann | {"seen": "2026-01-02T00:00:00.678+00:00"}
    for path, expected in [("/api/rows", [plain, bob]), ("/api/rows/o'neill", [bob]), ("/api/row/contoso/ann", plain)]:
        async with http.get(path) as response:
            assert await response.json() == expected
    async with http.get("/api/row/contoso/nobody") as response:
        assert await response.text() == "nobody"


async def test_missed_timer_runs_at_start(storage: str, host: HostProcess) -> None:
    """The status blob says that a run was due while no host was up: one run, marked past due, and a new status."""
    ticks = Mailbox(storage, "ticks")
    try:
        [note] = await ticks.notes(late=True)
    finally:
        await ticks.close()
    this_year = datetime.now(UTC).year
    assert note["status"]["Next"].startswith(f"{this_year}-01-01T00:00:00")
    async with BlobServiceClient.from_connection_string(storage) as blobs:
        blob = blobs.get_blob_client("azure-webjobs-hosts", "timers/sample/tick/status")
        status = json.loads(await (await blob.download_blob()).readall())
    assert status["Next"].startswith(f"{this_year + 1}-01-01T00:00:00")


async def test_functions_of_every_kind_start_by_hand(http: aiohttp.ClientSession, storage: str, seen: Mailbox) -> None:
    """`POST /admin/functions/{name}` answers 202 and runs the function; an unknown name is 404."""
    for name, status in [("tick", 202), ("work", 202), ("nobody", 404), ("echo", 202)]:
        async with http.post(f"/admin/functions/{name}", json={"input": "by hand"}) as response:
            assert response.status == status
    await seen.notes(by="work", body="by hand")
    ticks = Mailbox(storage, "ticks")
    try:
        await ticks.notes(late=False)
    finally:
        await ticks.close()


async def test_no_output_wakes_an_idle_listener(http: aiohttp.ClientSession, storage: str, seen: Mailbox) -> None:
    """A message of the same host's output binding waits for the next poll, here 5 s after the last one."""

    async def polls() -> int:
        async with http.get("/_host/polls") as response:
            return int((await response.json())["work-items"])

    await asyncio.sleep(7)  # the wait has doubled up to maxPollingInterval
    before = await polls()

    async def polled() -> bool:
        return await polls() > before

    assert await until(polled, timeout_s=10)
    now = await polls()
    async with http.post("/api/notifications", json=["idle"]) as response:
        assert response.status == 202
    await asyncio.sleep(1)
    assert await polls() == now
    async with QueueClient.from_connection_string(storage, "work-items") as queue:
        assert len(await queue.peek_messages()) == 1
    await seen.notes(by="work", body="idle")


async def test_every_poll_of_every_queue_is_counted(http: aiohttp.ClientSession) -> None:
    """Poison queues are polled, too."""
    async with http.get("/_host/polls") as response:
        polls = await response.json()
    assert polls.keys() == {"work-items", "work-items-poison"}
    assert min(polls.values()) > 0


async def test_a_missing_setting_of_a_schedule_turns_off_that_function_alone(
    http: aiohttp.ClientSession, host: HostProcess, log: Path
) -> None:
    """The rest of the application runs; one line of the log says it."""
    assert "tick[" in host.ready
    assert "unscheduled[" not in host.ready
    assert len(logged(log, "the function unscheduled is off")) == 1
    async with http.post("/admin/functions/unscheduled", json={"input": ""}) as response:
        assert response.status == 404


async def test_there_is_a_home_page(http: aiohttp.ClientSession) -> None:
    """At `/`, outside the route prefix."""
    async with http.get("/") as response:
        assert (response.status, response.content_type) == (200, "text/html")


async def test_a_function_that_outlasts_its_time_restarts_the_worker(
    http: aiohttp.ClientSession, seen: Mailbox
) -> None:
    """functionTimeout of host.json: the caller gets a 500, the message in hand finishes, the module is a new one."""

    async def worker() -> str:
        async with http.get("/api/echo/abc") as response:
            return str((await response.json(content_type=None))["worker"])

    async def hang() -> int:
        async with http.get("/api/hang") as response:
            return response.status

    before = await worker()
    hanging = asyncio.create_task(hang())
    async with http.post("/api/notifications", json=["slow"]) as response:
        assert response.status == 202
    assert await hanging == 500
    await seen.notes(by="work", body="slow")

    async def is_new() -> bool:
        return await worker() != before

    assert await until(is_new, timeout_s=20)
