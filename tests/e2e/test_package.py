"""The deployment package, pruned as it is deployed, serves a person's whole life through the local stack.

Its host runs in an environment of its own: the standard library, the package's dependencies, and the two libraries that
only the local host needs. This environment's site-packages are not on its path, so whatever the package lacks is
missing.
"""

from __future__ import annotations

import asyncio
import json
import re
import site
import subprocess
import sys
import venv
import zipfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import httpx
import pytest
import pytest_asyncio

from local.demo import CONTOSO, FABRIKAM
from local.emulated import Emulated, User, until
from local.stack import Stack
from tests.support.principals import HEADER, principal
from tests.support.stack import built_in_host
from tools.package.build import ROOT, SITE, Package, build
from tools.package.measure import cold_imports, runs_here, size

pytestmark = pytest.mark.skipif(not runs_here(), reason="the package is for Linux on x86-64")

ONLY_FOR_THE_HOST = ("cronsim", "azure/storage/blob")
ADA = {
    "displayName": "Ada Package",
    "accountEnabled": True,
    "mailNickname": "ada",
    "userPrincipalName": "ada@contoso.example",
    "mail": "ada@contoso.example",
    "passwordProfile": {"password": "never-read-Xy1!"},
}


@dataclass(slots=True, kw_only=True)
class PackageStack(Stack):
    """The stack, with another interpreter for its Functions hosts."""

    python: Path

    async def start_host(self, port: int, only: Sequence[str] = ()) -> asyncio.subprocess.Process:
        with patch.object(sys, "executable", str(self.python)):
            return await Stack.start_host(self, port, only)


@pytest.fixture(scope="module")
def package() -> Package:
    return build()


@pytest.fixture(scope="module")
def python(package: Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has the package's dependencies where the worker has them, and hardly anything else."""
    folder = tmp_path_factory.mktemp("host")
    venv.create(folder, symlinks=True, with_pip=False)
    packages = next(folder.glob("lib/python*/site-packages"))
    here = next(Path(path) for path in site.getsitepackages() if (Path(path) / "cronsim").is_dir())
    for name in ONLY_FOR_THE_HOST:
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).symlink_to(here / name)
    (packages / "package.pth").write_text(f"{package.site}\n")
    return folder / "bin" / "python"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stack(package: Package, python: Path) -> AsyncIterator[PackageStack]:
    settings = {"XTSYNC_OPERATOR_ENDPOINTS": "entra"}  # as the templates have it
    async with PackageStack(app=package.app, python=python, settings=settings) as stack:
        yield stack


@pytest.mark.asyncio(loop_scope="module")
async def test_the_page_is_in_the_package(stack: PackageStack) -> None:
    """Its first file, and each of those that it loads."""
    async with httpx.AsyncClient(base_url=stack.functions_url, headers={HEADER: principal("Reader")}) as http:
        start = await http.get("/api/ops/")
        assert start.status_code == 200
        files = re.findall(r"/api/ops/web/[\w.]+", start.text)
        assert len(files) > 10
        assert [(await http.get(file)).status_code for file in files] == [200] * len(files)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_person_is_created_updated_and_deleted(stack: PackageStack) -> None:
    """Invitation, attributes, webhook, poll, the fresh 404 and its error type, soft-delete: from the package alone."""
    async with Emulated(stack.graph_url) as emulated:
        await emulated.two_tenants(CONTOSO, FABRIKAM, people=3, seed=7)
        for timer in ("keep_subscriptions", "poll_feeds"):
            await stack.start_by_hand(timer)

        async def guest() -> User | None:
            guests = await emulated.users(FABRIKAM, ["mail", "department"])
            return next((guest for guest in guests if guest["mail"] == ADA["mail"]), None)

        async def is_here() -> bool:
            return await guest() is not None

        async def is_updated() -> bool:
            found = await guest()
            return found is not None and found["department"] == "Packed"

        async def is_gone() -> bool:
            return await guest() is None

        ada = (await emulated.graph(CONTOSO, "POST", "/users", ADA))["id"]
        assert await until(is_here, timeout_s=60)
        await emulated.graph(CONTOSO, "PATCH", f"/users/{ada}", {"department": "Packed"})
        assert await until(is_updated, timeout_s=60)
        await emulated.graph(CONTOSO, "DELETE", f"/users/{ada}")
        assert await until(is_gone, timeout_s=60)
        assert await emulated.count(FABRIKAM, "deletedItems") == 1
    assert not [line for line in stack.log if "ImportError" in line or "ModuleNotFoundError" in line]


@built_in_host
@pytest.mark.asyncio(loop_scope="module")
async def test_the_running_host_has_nothing_of_this_environment(stack: PackageStack, package: Package) -> None:
    """Of every compiled module in its memory: it is the interpreter's own, or the package's."""
    maps = await asyncio.to_thread(Path(f"/proc/{stack.host_processes[0].pid}/maps").read_text)
    compiled = {line.split(maxsplit=5)[-1] for line in maps.splitlines() if "site-packages" in line}
    assert any("pydantic_core" in path for path in compiled)
    assert [path for path in compiled if not path.startswith(f"{package.site}/")] == []


def test_the_app_is_imported_from_the_package(package: Package, python: Path) -> None:
    """Every module by its file, in the host's interpreter, once everything that the first message needs is loaded."""
    probe = """
import json, sys
import function_app, sync_core.config.file, sync_core.graph.client, sync_core.storage.connect
import azure.identity.aio, local.functions_host.host
files = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
print(json.dumps({"path": sys.path, "files": {name: file for name, file in files.items() if file}}))
"""
    environ = {"PYTHONPATH": str(ROOT)}  # as the stack sets it, for the host itself
    command = [str(python), "-c", probe]
    answer = subprocess.run(command, cwd=package.app, env=environ, check=True, capture_output=True)
    seen = json.loads(answer.stdout)
    ours = set(site.getsitepackages())
    assert not ours & set(seen["path"])
    strangers = {
        name.split(".")[0] for name, file in seen["files"].items() if any(file.startswith(one) for one in ours)
    }
    assert strangers == set()
    for name in (
        "function_app",
        "sync_core",
        "msgraph",
        "azure.core",
        "httpx",
        "aiohttp",
        "pydantic",
        "azure.identity",
    ):
        assert seen["files"][name].startswith(f"{package.app}/"), name


def test_what_is_never_imported_is_not_in_it(package: Package) -> None:
    """Nine tenths of the dependencies' files, by measure; the limits leave room for new releases."""
    modules = {str(path.relative_to(package.site)) for path in (package.site / "msgraph").rglob("*.py")}
    assert "msgraph/generated/models/o_data_errors/inner_error.py" in modules
    assert len(modules) < 100
    assert size(package.app)[0] < 90_000_000
    kept = [path.relative_to(package.app) for path in package.app.rglob("*")]
    assert not [path for path in kept if "tests" in path.parts or path.suffix == ".pyi"]
    assert not (package.app / "local").exists()


def test_the_zip_is_the_folder(package: Package) -> None:
    """With host.json at its root, no time in it, and nothing that tells where it was built."""
    with zipfile.ZipFile(package.zip) as archive:
        entries = archive.infolist()
        assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
        names = {entry.filename for entry in entries}
        compiled = archive.read("sync_core/reconcile/__pycache__/engine.cpython-313.pyc")
    folder = {str(path.relative_to(package.app)) for path in package.app.rglob("*") if path.is_file()}
    assert names == folder - {".funcignore"}
    assert {"host.json", "sync.yaml", "function_app.py", f"{SITE}/httpx/__init__.py"} <= names
    assert str(ROOT).encode() not in compiled


def test_the_package_loads_by_itself(package: Package) -> None:
    """With no other packages in sight, and with managed identities: `cold_imports` raises when anything is missing."""
    assert cold_imports(package.app, runs=1)["function_app"] > 0
