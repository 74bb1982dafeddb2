"""The documentation's commands run: what the README tells a newcomer to type works as it stands."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import sys
from collections.abc import AsyncIterator
from io import StringIO
from pathlib import Path

import pytest
import pytest_asyncio

from local.demo import CONTOSO
from local.emulated import Emulated, until
from local.processes import free_ports, stop_process
from sync_core.cli.__main__ import main
from sync_core.cli.world import World

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
COMMANDS = [line.partition("#")[0].strip() for block in BLOCKS if "xtsync" in block for line in block.splitlines()]
SCHEMA = ROOT / "tests" / "unit" / "data" / "entra_schema.json"
# Typed in a shell as they stand: of files, of the stack, with quotes, and one that ends with an error. Others differ
# from these in their arguments alone.
TYPED = {
    "xtsync validate",
    "xtsync status",
    "xtsync holds approve CODE",
    """xtsync expression 'PCase([city])' --source '{"city": "OSLO"}'""",
}
PORTS = ["GRAPH_EMULATOR_PORT", "FUNCTIONS_PORT", "AZURITE_BLOB_PORT", "AZURITE_QUEUE_PORT", "AZURITE_TABLE_PORT"]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def ports() -> AsyncIterator[dict[str, str]]:
    """`make up` on ports of its own; the environment that says so."""
    environ = {**os.environ, **dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "local", "up", "--people", "6"),
        cwd=ROOT,
        env=environ,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert (await process.stdout.readline()).startswith(b"ready ")
    yield environ
    assert await stop_process(process, grace_s=20) == 0


def test_every_make_target_of_the_readme_exists() -> None:
    """A command that is named in the text is one that `make help` lists."""
    listed = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"make ([a-z]+)", README)) <= listed


def test_every_linked_file_of_the_readme_exists() -> None:
    """No link of the README leads nowhere."""
    links = [link for link in re.findall(r"\]\(([^)#]+)", README) if "://" not in link]
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.asyncio(loop_scope="module")
async def test_every_xtsync_command_of_the_readme_runs(ports: dict[str, str], tmp_path: Path) -> None:
    """As typed beside a running `make up`, with somebody's id for USER; no hold, so no code is accepted."""
    cases = tmp_path / "cases.yaml"
    cases.write_text("cases: [{ name: everybody, source: { city: Oslo }, target: { city: Oslo }, scope: in }]")
    async with Emulated(f"http://127.0.0.1:{ports['GRAPH_EMULATOR_PORT']}") as emulated:
        people = await emulated.users(CONTOSO, ["id"])

        async def synchronized() -> bool:
            return await emulated.count("22222222-2222-2222-2222-222222222222", "users") >= len(people) - 1

        assert await until(synchronized, timeout_s=30)
    assert len(COMMANDS) == 29
    assert set(COMMANDS) >= TYPED
    for command in COMMANDS[1:]:
        line = command.replace("USER", people[0]["id"]).replace("cases.yaml", shlex.quote(str(cases)))
        line = line.replace("schema.json", shlex.quote(str(SCHEMA)))
        run = _typed if command in TYPED else _here
        code, said = await run(line, ports)
        expected = {1, 2} if "CODE" in line or "SYNC" in line else {0}  # there is no such hold, and no such sync
        assert code in expected, f"{line}: {said}"


async def _typed(line: str, environ: dict[str, str]) -> tuple[int, str]:
    """In a shell."""
    shell = await asyncio.create_subprocess_exec(
        *("sh", "-c", f"{COMMANDS[0]}; {line}"),
        cwd=ROOT,
        env=environ,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await shell.communicate()
    assert shell.returncode is not None
    return shell.returncode, said.decode()


async def _here(line: str, environ: dict[str, str]) -> tuple[int, str]:
    """With the settings that a shell has after the first line, but without a process: most of its time is its start."""
    code, said = await _typed("env -0", environ)
    assert code == 0, said
    program, *arguments = shlex.split(line)
    assert program == "xtsync"
    stream = StringIO()
    settings = dict(each.split("=", 1) for each in said.rstrip("\0").split("\0"))
    world = World(environ=settings, folder=ROOT, stdin=StringIO(), stdout=stream, stderr=stream)
    return await asyncio.to_thread(main, arguments, world), stream.getvalue()
