"""What docs/graph-emulator.md says is so: its examples run, its tables are complete."""

import asyncio
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from random import Random

import pytest
import yaml
from aiohttp import web

from entra_graph_emulator import Emulator, WallClock
from entra_graph_emulator.control.seeding import seed, seed_from_file
from entra_graph_emulator.directory.settings import TenantSettings
from entra_graph_emulator.server import application
from entra_graph_emulator.testing import CONTOSO, FABRIKAM, World
from local.azurite import node

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "local" / "azurite"  # where npm installs
PAGE = (ROOT / "docs/graph-emulator.md").read_text("utf-8")


def block(language: str, number: int = 0) -> str:
    return str(re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[number])


@pytest.fixture
async def base() -> AsyncIterator[str]:
    """The emulator on a port, with the people of the page."""
    emulator = Emulator(clock=WallClock(), rng=Random(0))
    seed(emulator, yaml.safe_load(block("yaml")))
    runner = web.AppRunner(application(emulator), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def run(base: str, *command: str, cwd: Path = ROOT) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, env={**os.environ, "BASE": base}, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(process.communicate(), 120)  # a hang, not a slow machine
    assert process.returncode == 0
    return out.decode()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_the_curl_example_runs(base: str) -> None:
    """Every line of it succeeds, and the guest is accepted at once: both tenants consent."""
    out = await run(base, "bash", "-ec", block("sh", 1))
    assert '"status":"Completed"' in out
    assert '"externalUserState":"Accepted"' in out


@pytest.mark.parametrize("module", ["entra_graph_emulator", "local.functions_host"])
@pytest.mark.parametrize("port", ["occupied", "99999"])
async def test_a_port_that_cannot_be_opened_is_one_line(module: str, port: str, base: str) -> None:
    """With the option that names another: for the emulator, and for the host beside it."""
    port = base.rpartition(":")[2] if port == "occupied" else port
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, "--port", port),
        cwd=ROOT,
        env={**os.environ, "AzureWebJobsStorage": "UseDevelopmentStorage=true"},
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode in {1, 2}
    assert "Traceback" not in said.decode()
    last = said.decode().splitlines()[-1]
    assert f"port {port} of 127.0.0.1 cannot be opened" in last
    assert last.endswith("choose another with --port")


async def test_the_python_example_runs(base: str) -> None:
    """With the SDK's own adapter and an azure.identity-like credential."""
    assert await run(base, sys.executable, "-W", "ignore", "-c", block("python")) == (
        "Engineer ['Everybody', 'Research']\n"
    )


async def test_the_example_in_process_runs() -> None:
    """With httpx alone, and no port."""
    assert await run("", sys.executable, "-c", block("python", 1)) == "5\n"


async def test_the_javascript_example_runs(base: str) -> None:
    """With the SDK's own client, on the Node that runs Azurite."""
    out = await run(base, str(node()), "--input-type=module", "-e", block("js"), cwd=PACKAGES)
    assert out == "ada reports to Grace Hopper\n"


async def test_the_yaml_of_the_page_makes_what_it_says() -> None:
    """Generated and named users, nested groups, apps, assignments, policies, settings."""
    async with World() as world:
        await world.control("POST", "/reset")
        contoso, fabrikam = (
            world.emulator.tenant(each["id"])
            for each in (await world.control("POST", "/seed", yaml.safe_load(block("yaml"))))["value"]
        )
        assert (contoso.id, fabrikam.id, contoso.user_count, len(contoso.groups)) == (CONTOSO, FABRIKAM, 52, 2)
        assert contoso.user("ada@contoso.com").manager == contoso.user("grace@contoso.com").id
        assert contoso.app_roles == {"00000000-0000-0000-0000-00000000c001": ["User.Read.All"]}
        assert fabrikam.settings.visibility_s == 0


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "people: []",
        "tenants: [{id: x}]",
        "tenants: [{id: x, domain: x.com, shoes: 1}]",
        "tenants: [{id: x, domain: x.com, groups: [{displayName: G, members: [nobody]}]}]",
    ],
)
def test_a_description_with_a_fault_says_which(tmp_path: Path, text: str) -> None:
    """With the name of the file."""
    file = tmp_path / "people.yaml"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"people\.yaml"):
        seed_from_file(Emulator(clock=WallClock(), rng=Random(0)), file)


def test_every_setting_is_on_the_page() -> None:
    """Switches and what breaks things on purpose."""
    plumbing = {"delta_page_size", "delta_link_page", "delta_seed"}
    assert [each.name for each in fields(TenantSettings) if each.name not in plumbing and each.name not in PAGE] == []


def test_every_case_names_its_source() -> None:
    """A page of Microsoft's documentation."""
    for name in ("bodies", "groups", "queries", "policies"):
        module = import_module(f"tests.contract.test_graph_emulator_cases_{name}")
        for case, test in vars(module).items():
            if case.startswith("test_") and case != "test_every_switch_changes_what_a_client_sees":
                assert all(each.startswith("https://learn.microsoft.com/") for each in test.sources), case
