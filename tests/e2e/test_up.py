"""`make up` can be lived in: any tenants, an edit of sync.yaml, what is kept, and one line for what goes wrong."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest

from local.emulated import Emulated, until
from local.ports import Ports
from local.processes import ChildFailedError, free_ports, stop_process
from local.up import Up

ROOT = Path(__file__).resolve().parents[2]
VARIABLES = ["GRAPH_EMULATOR_PORT", "FUNCTIONS_PORT", "AZURITE_BLOB_PORT", "AZURITE_QUEUE_PORT", "AZURITE_TABLE_PORT"]
OSLO, ROME, BONN = (f"{n}0000000-0000-0000-0000-00000000000{n}" for n in (1, 2, 3))
SYNC = "  - {{ name: {0}-to-{1}, source: {0}, target: {1}, scope: {{ users: all }} }}\n"
TWO = f"tenants: {{ oslo-hq: {{ id: {OSLO} }}, rome: {{ id: {ROME} }}, bonn: {{ id: {BONN} }} }}\nsyncs:\n"
ONE_WAY = TWO + SYNC.format("oslo-hq", "rome")
TWO_WAYS = ONE_WAY + SYNC.format("rome", "bonn")


def environment(**more: str) -> dict[str, str]:
    """Ports of its own, proxies that nobody answers at, no home folder, and a terminal that can do nothing."""
    ports = dict(zip(VARIABLES, map(str, free_ports(len(VARIABLES))), strict=True))
    nobody = "http://127.0.0.1:9"
    proxies = {"HTTP_PROXY": nobody, "https_proxy": nobody, "ALL_PROXY": "socks5://x:9"}
    return {**os.environ, **ports, **proxies, "HOME": "/proc/none", "TERM": "dumb", **more}


async def up(environ: Mapping[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "local", "up", "--people", "3"),
        cwd=ROOT,
        env=environ,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def line(stream: asyncio.StreamReader | None, word: str) -> str:
    """The next line with this word in it, or what was said until the end."""
    assert stream is not None
    said = ""
    async with asyncio.timeout(90):
        while text := (await stream.readline()).decode():
            said += text
            if word in text:
                return text
    raise AssertionError(f"nobody said {word!r}:\n{said}")


def children() -> set[int]:
    """The ids of the children of this process; the stack of another test may be among them."""
    return set(map(int, Path("/proc/self/task", str(os.getpid()), "children").read_text().split()))


def running_program(program: bytes, among: set[int]) -> int:
    """The id of the process that runs this program."""
    [found] = [pid for pid in among if program in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return found


async def guests(emulated: Emulated, tenant: str, count: int) -> bool:
    async def there() -> bool:
        return await emulated.count(tenant, "guests") == count

    return await until(there, timeout_s=40)


async def enabled(emulated: Emulated, tenant: str) -> int:
    users = await emulated.users(tenant, ["id", "accountEnabled"])
    return sum(1 for user in users if user["accountEnabled"])


async def everybody(emulated: Emulated) -> bool:
    """Whether Rome lists as many as are enabled in Oslo."""
    return len(await emulated.users(ROME, ["id"])) == await enabled(emulated, OSLO) > 0


@asynccontextmanager
async def living(environ: Mapping[str, str]) -> AsyncIterator[tuple[asyncio.subprocess.Process, Emulated]]:
    process = await up(environ)
    try:
        assert (await line(process.stdout, "ready ")).startswith("ready ")
        async with Emulated(f"http://127.0.0.1:{environ['GRAPH_EMULATOR_PORT']}") as emulated:
            yield process, emulated
    finally:
        await stop_process(process, grace_s=30)


@pytest.mark.asyncio
async def test_an_edit_of_sync_yaml_is_taken_over_and_forgets_nothing(tmp_path: Path) -> None:
    """Tenants of any name are made; a new sync works at once; a file with faults leaves the old one running."""
    config = tmp_path / "sync.yaml"
    config.write_text(ONE_WAY)
    async with living(environment(XTSYNC_CONFIG=str(config))) as (process, emulated):
        entrance = (await line(process.stdout, "page ")).removeprefix("page ").strip()
        async with httpx.AsyncClient(follow_redirects=True) as http:
            assert "Choose a role" in (await http.get(entrance)).text
            assert "<title>xtsync</title>" in (await http.get(f"{entrance}&as=Reader")).text
        count = await enabled(emulated, OSLO)
        assert count > 0
        assert await guests(emulated, ROME, count)
        config.write_text(ONE_WAY.replace("target: rome", "target: nowhere"))
        assert "nowhere" in await line(process.stderr, "no tenant is named")
        config.write_text(TWO_WAYS)
        assert "rome-to-bonn" in await line(process.stdout, "reloaded")
        assert await emulated.count(ROME, "guests") == count
        await emulated.graph(
            ROME,
            "POST",
            "/users",
            {
                "accountEnabled": True,
                "displayName": "Ada",
                "mail": "ada@rome.example",
                "mailNickname": "ada",
                "userPrincipalName": "ada@rome.example",
                "passwordProfile": {"password": "Not-a-real-1"},
            },
        )
        assert await guests(emulated, BONN, 1)


async def started(life: Up, stopped: asyncio.Event) -> asyncio.Task[int]:
    """It runs, and is ready."""
    running = asyncio.create_task(life.run(stopped))
    while not life.ready:
        assert not running.done(), running.result()
        await asyncio.sleep(0.1)
    return running


async def a_day(config: Path, kept: Path) -> tuple[set[str], list[str]]:
    """From start to stop: the ids of those in Rome when everybody is there, and the paths asked for until then."""
    life = Up(config=config, ports=Ports(), people=3, kept=kept)
    stopped = asyncio.Event()
    running = await started(life, stopped)
    async with Emulated(f"http://127.0.0.1:{life.ports.graph}") as emulated:
        assert await until(partial(everybody, emulated), timeout_s=40)
        ids = {user["id"] for user in await emulated.users(ROME, ["id"])}
        paths = [each["path"] for each in (await emulated.control("GET", "/requests"))["items"]]
    stopped.set()
    assert await running == 0
    return ids, paths


@pytest.mark.asyncio
async def test_what_is_kept_is_there_again(tmp_path: Path) -> None:
    """With a folder, the tenants and the links of one day are those of the next: nobody is invited twice."""
    config = tmp_path / "sync.yaml"
    config.write_text(ONE_WAY)
    first, _ = await a_day(config, tmp_path)
    second, paths = await a_day(config, tmp_path)
    assert first == second
    assert "/invitations" not in paths


@pytest.mark.asyncio
@pytest.mark.parametrize("kept", ["{", "{}"])
async def test_no_host_works_before_the_tenants_are_there(
    kept: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """What lies on the kept queues needs them: a tenant that cannot be restored is named before a host runs."""
    config = tmp_path / "sync.yaml"
    config.write_text(ONE_WAY)
    file = tmp_path / f"{OSLO}.json"
    file.write_text(kept)
    with pytest.raises(ChildFailedError, match=f"{file} is not a tenant that was kept: remove {tmp_path}"):
        await Up(config=config, ports=Ports(), people=3, kept=tmp_path).run(asyncio.Event())
    assert "user_changes" not in capfd.readouterr().err


@pytest.mark.asyncio
@pytest.mark.parametrize("variable", VARIABLES)
async def test_an_occupied_port_is_one_line_that_names_port_and_variable(variable: str) -> None:
    """Nothing is started, and the stranger that listens there is sent nothing."""
    environ = environment()
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", int(environ[variable])))
        stranger.listen()
        stranger.setblocking(False)
        process = await up(environ)
        _, err = await process.communicate()
        with pytest.raises(BlockingIOError):
            stranger.accept()
    said = err.decode()
    assert (process.returncode, said.count("\n")) == (1, 1)
    assert f"port {environ[variable]} is in use" in said
    assert variable in said


@pytest.mark.asyncio
@pytest.mark.parametrize("port", ["http", "70000", "-1"])
async def test_a_port_that_is_none_is_one_line(port: str) -> None:
    """With the name of the variable."""
    process = await up(environment(FUNCTIONS_PORT=port))
    _, err = await process.communicate()
    assert err.decode() == f"error: FUNCTIONS_PORT is not a port: {port}\n"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("program", "name"),
    [
        (b"local.functions_host", "the Functions host"),
        (b"entra_graph_emulator", "the Graph emulator"),
        (b"azurite", "Azurite"),
    ],
)
async def test_a_part_that_dies_ends_make_up_with_a_reason(program: bytes, name: str, tmp_path: Path) -> None:
    """It says which process it was, and how it ended, also when what is kept cannot be saved."""
    config = tmp_path / "sync.yaml"
    config.write_text(ONE_WAY)
    before = children()
    running = await started(Up(config=config, ports=Ports(), people=3, kept=tmp_path), asyncio.Event())
    os.kill(running_program(program, children() - before), signal.SIGKILL)
    with pytest.raises(ChildFailedError, match=f"{name} was ended by SIGKILL"):
        await running
