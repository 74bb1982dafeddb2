"""The local host from start to end: what it refuses, how it stops, and how two of them share queues and timers."""

import asyncio
import base64
import json
import signal
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue import TextBase64DecodePolicy
from azure.storage.queue.aio import QueueClient

from local.azurite import Azurite
from local.emulated import until
from local.functions_host.messages import poison_name
from local.functions_host.monitor import ScheduleMonitor, Status
from local.functions_host.queues import QueueListener
from local.functions_host.schedule import Schedule
from local.functions_host.settings import QueueOptions
from local.functions_host.singleton import LEASE_S, RETRY_S, Singleton
from local.functions_host.timers import TimerListener, TimerOptions
from local.functions_host.worker import TypedData
from local.processes import free_ports
from tests.support.functions_host import HostProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")

APP = Path(__file__).parent / "sample_app"
PROJECT = Path(__file__).parents[2]
YEARLY = "0 0 0 1 1 *"

BAD_APP = """
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="admin/users")
async def reserved(req: func.HttpRequest) -> func.HttpResponse: ...


@app.timer_trigger(arg_name="timer", schedule="%MISSING%")
async def unset(timer: func.TimerRequest) -> None: ...


@app.queue_trigger(arg_name="msg", queue_name="Not_A_Queue", connection="Nowhere")
async def misnamed(msg: func.QueueMessage) -> None: ...
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def storage() -> AsyncIterator[str]:
    async with Azurite() as azurite:
        yield azurite.connection_string


async def refusal(app: Path, *flags: str) -> tuple[int | None, str]:
    """Exit code and standard error of a host that does not start."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "local.functions_host", "--app", str(app), *flags),
        cwd=PROJECT,
        env={"PATH": "", "AzureWebJobsStorage": "UseDevelopmentStorage=true"},
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode, errors.decode()


def settings_for(storage: str, queue: str, *, tick: str = YEARLY) -> dict[str, str]:
    host_id = f"host-{queue}"
    return {"AzureWebJobsStorage": storage, "AzureFunctionsWebHost__hostid": host_id, "WORK_QUEUE": queue, "TICK": tick}


async def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """host.json, names, routes, settings and connections: one start, one report, exit code 2."""
    (tmp_path / "function_app.py").write_text(BAD_APP)
    host_json = {"version": "1.0", "extensions": {"queues": {"batchSize": 33, "visibilityTimeout": "soon"}}}
    (tmp_path / "host.json").write_text(json.dumps(host_json))
    code, errors = await refusal(tmp_path, "--port", "0")
    assert code == 2
    for expected in (
        'host.json: `version` must be "2.0"',
        "`extensions.queues.batchSize` must be a whole number from 1 to 32, not 33",
        "`extensions.queues.visibilityTimeout` must be a time",
        "function reserved: the route `admin/users` starts with a prefix of the host's own",
        "function misnamed: the queue name `Not_A_Queue`",
        "function misnamed: the connection `Nowhere` of `msg` is not set",
    ):
        assert expected in errors
    assert "Traceback" not in errors


async def test_what_the_worker_refuses_is_told_in_its_words(tmp_path: Path) -> None:
    """`Out[list[str]]` is fine for Python and not for the worker: its reason is passed on."""
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    (tmp_path / "function_app.py").write_text(
        "import azure.functions as func\napp = func.FunctionApp()\n\n"
        "@app.route(route='x')\n@app.queue_output(arg_name='out', queue_name='q', connection='AzureWebJobsStorage')\n"
        "async def x(req: func.HttpRequest, out: func.Out[list[str]]) -> func.HttpResponse: ...\n"
    )
    code, errors = await refusal(tmp_path, "--port", "0")
    assert code == 2
    assert "function_app.py: FunctionLoadError: cannot load the x function" in errors


async def test_a_taken_port_is_a_refusal(tmp_path: Path) -> None:
    """The message names the port and the flag."""
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    (tmp_path / "function_app.py").write_text(
        "import azure.functions as func\napp = func.FunctionApp()\n\n"
        "@app.route(route='x')\nasync def x(req: func.HttpRequest) -> func.HttpResponse: ...\n"
    )
    [port] = free_ports(1)
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", port)
    async with server:
        code, errors = await refusal(tmp_path, "--port", str(port))
    assert code == 2
    assert f"port {port} of 127.0.0.1 cannot be opened" in errors


async def test_sigterm_lets_the_message_in_hand_finish(storage: str) -> None:
    """The function ends, its output is sent, its message is deleted; then the process exits with 0."""
    host = HostProcess(APP, settings=settings_for(storage, "graceful"))
    await host.start()
    async with aiohttp.ClientSession(host.url) as http, http.post("/api/notifications", json=["slow"]) as response:
        assert response.status == 202
    await asyncio.sleep(0.5)
    assert await host.stop() == 0
    async with QueueClient.from_connection_string(storage, "graceful") as queue:
        assert (await queue.get_queue_properties()).approximate_message_count == 0
    async with QueueClient.from_connection_string(storage, "seen") as seen:
        assert (await seen.get_queue_properties()).approximate_message_count == 1


async def test_work_that_outlasts_the_grace_time_is_not_lost(storage: str) -> None:
    """The process does not wait for ever; the message stays on the queue, invisible until its lease ends."""
    host = HostProcess(APP, settings=settings_for(storage, "impatient"), grace_s=0.3)
    await host.start()
    async with aiohttp.ClientSession(host.url) as http, http.post("/api/notifications", json=["slow"]) as response:
        assert response.status == 202
    await asyncio.sleep(0.5)
    started = time.monotonic()
    assert await host.stop() == 0
    assert time.monotonic() - started < 1.5
    async with QueueClient.from_connection_string(storage, "impatient") as queue:
        assert (await queue.get_queue_properties()).approximate_message_count == 1
        assert [message async for message in queue.receive_messages()] == []


async def test_two_hosts_share_one_timer(storage: str) -> None:
    """Both listen, one fires: each second has one run."""
    settings = settings_for(storage, "shared", tick="* * * * * *")
    async with HostProcess(APP, settings=settings) as first, HostProcess(APP, settings=settings) as second:
        await asyncio.sleep(2.5)
        pids = [json.loads(body)["pid"] for body in await _ticks(storage)]
        assert len(pids) >= 2
        assert set(pids) == {first.pid}
        assert second.pid not in pids


async def _ticks(storage: str) -> list[str]:
    policy = TextBase64DecodePolicy()
    async with QueueClient.from_connection_string(storage, "ticks", message_decode_policy=policy) as queue:
        return [message.content async for message in queue.receive_messages(messages_per_page=32)]


async def test_only_the_holder_of_the_lease_is_active(storage: str) -> None:
    """A second host waits, and takes over at once when the first one has let go."""
    async with BlobServiceClient.from_connection_string(storage) as blobs:
        container = blobs.get_container_client("azure-webjobs-hosts")
        first = Singleton(container, "locks/x/f.Listener")
        second = Singleton(container, "locks/x/f.Listener")
        assert await first.acquire()
        assert not await second.acquire()
        await first.renew()
        await first.release()
        assert await second.acquire()
        await second.release()


async def test_a_timer_starts_again_a_minute_after_a_kill(storage: str) -> None:
    """The lease of the killed host ends after 15 s; a host that found it taken tries again after 60 s."""
    assert (LEASE_S, RETRY_S) == (15, 60)
    slept: list[float] = []

    class Waits(TimerListener):
        async def _sleep(self, seconds: float) -> None:
            slept.append(seconds)
            self.stop()

    async with BlobServiceClient.from_connection_string(storage) as blobs:
        container = blobs.get_container_client("azure-webjobs-hosts")
        assert await Singleton(container, "locks/y/f.Listener").acquire()  # the host that is killed

        async def never(_data: TypedData) -> None:
            raise AssertionError

        await Waits(
            TimerOptions(name="f", schedule=Schedule(YEARLY), run_on_startup=True, use_monitor=True),
            never,
            singleton=Singleton(container, "locks/y/f.Listener"),
            monitor=ScheduleMonitor(container, "timers/y/f/status"),
        ).run()
    assert slept == [60]


@pytest.mark.parametrize("content", ["%%%", base64.b64encode(b"\xff").decode()])
async def test_undecodable_message_is_poisoned_at_the_first_receive(storage: str, content: str) -> None:
    """Not base64, or not UTF-8: no attempt follows, and the copy is as the message was."""

    async def never(_data: TypedData, _metadata: dict[str, TypedData]) -> None:
        raise AssertionError

    name = f"undecodable-{len(content)}"
    options = QueueOptions(visibility_timeout=timedelta(hours=1), max_polling_interval=timedelta(milliseconds=200))
    async with (
        QueueClient.from_connection_string(storage, name) as queue,
        QueueClient.from_connection_string(storage, f"{name}-poison") as poison,
    ):
        await queue.create_queue()
        await poison.create_queue()
        await queue.send_message(content)
        listener = QueueListener(queue, poison, never, options=options)
        task = asyncio.create_task(listener.run())

        async def copied() -> bool:
            return bool(await poison.peek_messages())

        assert await until(copied, timeout_s=10)
        listener.stop()
        await task
        copies = await poison.peek_messages()
        assert [copy.content for copy in copies] == [content]
        assert (await queue.get_queue_properties()).approximate_message_count == 0


async def test_changed_schedule_missed_nothing(storage: str) -> None:
    """A run is past due by the schedule that planned it; another schedule starts afresh."""
    now = datetime(2026, 5, 5, 12, 30, tzinfo=UTC)
    hourly, daily = Schedule("0 0 * * * *"), Schedule("0 0 6 * * *")
    async with BlobServiceClient.from_connection_string(storage) as blobs:
        container = blobs.get_container_client("azure-webjobs-hosts")
        monitor = ScheduleMonitor(container, "timers/x/f/status")
        late, fresh = await monitor.is_past_due(hourly, now)
        assert (late, fresh.next) == (False, now.replace(hour=13, minute=0))
        assert (await monitor.is_past_due(hourly, now + timedelta(hours=2)))[0]
        assert not (await monitor.is_past_due(daily, now + timedelta(hours=2)))[0]
        status = await monitor.read()
    assert status == Status(last=None, next=now.replace(day=6, hour=6, minute=0), updated=now + timedelta(hours=2))


async def test_lease_is_renewed_while_a_function_runs(storage: str) -> None:
    """With a lease of 2 s a function of 3 s keeps its message to itself and deletes it with the newest receipt."""
    calls = 0

    async def slow(_data: TypedData, _metadata: dict[str, TypedData]) -> None:
        nonlocal calls
        calls += 1
        await asyncio.sleep(3)

    options = QueueOptions(base64=False, max_polling_interval=timedelta(milliseconds=200))
    async with QueueClient.from_connection_string(storage, "leased") as queue:
        await queue.create_queue()
        await queue.send_message("once")
        listeners = [QueueListener(queue, None, slow, options=options, lease=timedelta(seconds=2)) for _ in range(2)]
        tasks = [asyncio.create_task(listener.run()) for listener in listeners]
        await asyncio.sleep(2.7)
        for listener in listeners:
            listener.stop()
        await asyncio.gather(*tasks)
        assert calls == 1
        assert (await queue.get_queue_properties()).approximate_message_count == 0


async def test_azurite_dies_with_its_parent(tmp_path: Path) -> None:
    """However the parent ends, nothing stays behind on the three ports."""
    if not sys.platform.startswith("linux"):
        pytest.skip("the parent-death signal is Linux's")
    ports = free_ports(3)
    script = (
        "import asyncio, os, signal\nfrom local.azurite import Azurite\n"
        f"async def main():\n    await Azurite({', '.join(map(str, ports))}).start()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\nasyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, cwd=PROJECT)
    assert await process.wait() == -signal.SIGKILL
    await asyncio.sleep(0.3)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", ports[0])


async def test_poison_queues_have_no_poison_queue() -> None:
    """Nor have queues whose names leave no room for the suffix."""
    assert poison_name("user-changes") == "user-changes-poison"
    assert poison_name("user-changes-poison") is None
    assert poison_name("q" * 56) == "q" * 56 + "-poison"
    assert poison_name("q" * 57) is None
