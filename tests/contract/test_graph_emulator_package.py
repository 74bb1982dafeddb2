"""The emulator as others get it: a wheel in an empty environment, a command, fixtures, and what a start takes."""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

import entra_graph_emulator
from entra_graph_emulator.control.index import COMMANDS
from entra_graph_emulator.serving import serving
from entra_graph_emulator.testing import CONTOSO, World

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "emulator"
README = (PACKAGE / "README.md").read_text(encoding="utf-8")
FOREIGN = Path(__file__).parent / "foreign" / "people_report.py"
UV = Path(sys.executable).with_name("uv")
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "COV"))}
PEOPLE = f"tenants: [{{id: {CONTOSO}, domain: contoso.com, generate: {{users: 12, seed: 0}}}}]"


def block(language: str, about: str) -> str:
    found = re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    return str(next(each for each in found if about in each))


def run(*command: Path | str, cwd: Path, **environ: str) -> str:
    done = subprocess.run(
        command, cwd=cwd, env={**CLEAN, **environ}, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def started(*command: Path | str, cwd: Path) -> Iterator[str]:
    """The command on any port, with the address that it says."""
    options = ("--port", "0", "--seed", "people.yaml")
    with subprocess.Popen((*command, *options), cwd=cwd, env=CLEAN, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            lines = iter(process.stderr.readline, "")
            yield next(line.split(" ready ")[1].strip() for line in lines if " ready " in line)
        finally:
            process.send_signal(signal.SIGTERM)
            process.stderr.read()
    assert process.returncode == 0


# --- in an empty environment ------------------------------------------------------------------------------------


def oldest_python() -> str:
    """3.11 where the machine has it: what is younger in the source would not even be read there."""
    for name in ("python3.11", "python3.12", "python3"):
        if found := shutil.which(name):
            said = subprocess.run(
                [found, "-c", "import sys; print(*sys.version_info[:2], sys.executable)"],
                capture_output=True,
                text=True,
                check=False,
            ).stdout.split(maxsplit=2)
            if len(said) == 3 and (int(said[0]), int(said[1])) >= (3, 11):
                return said[2].strip()
    return sys.executable


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("foreign")
    (folder / "people.yaml").write_text(PEOPLE, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def wheel(folder: Path) -> Path:
    asked: list[Path | str] = [
        UV,
        "pip",
        "install",
        "--quiet",
        "--dry-run",
        "--target",
        folder / "nothing",
        "hatchling",
    ]
    if subprocess.run(asked, env=CLEAN, capture_output=True, timeout=120, check=False).returncode:
        pytest.skip("the package registry cannot be reached, which has the tool that builds a wheel")
    shutil.copytree(PACKAGE, folder / "source", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    run(UV, "build", "--quiet", "--wheel", "--out-dir", folder / "dist", folder / "source", cwd=folder)
    return next((folder / "dist").glob("*.whl"))


@pytest.fixture(scope="module")
def scripts(folder: Path, wheel: Path) -> Path:
    """The folder of commands of an environment with the wheel, what it declares, and pytest."""
    run(UV, "venv", "--quiet", "--python", oldest_python(), "empty", cwd=folder)
    python = folder / "empty" / "bin" / "python"
    run(UV, "pip", "install", "--quiet", "--python", python, f"{wheel}[tls]", "pytest", cwd=folder)
    return python.parent


def test_the_wheel_has_the_package_and_nothing_else(wheel: Path) -> None:
    """Every module, the operations of Graph, the mark that its types count, and few requirements."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        [metadata] = [archive.read(name).decode() for name in names if name.endswith("/METADATA")]
    source = PACKAGE / "src"
    there = {
        path.relative_to(source).as_posix() for path in source.rglob("*") if path.suffix in {".py", ".typed", ".txt"}
    }
    assert {name for name in names if ".dist-info/" not in name} == there
    needed = re.findall(r"^Requires-Dist: ([\w-]+)", metadata, re.MULTILINE)
    assert sorted(name.lower() for name in needed) == ["aiohttp", "cryptography", "httpx", "pyyaml"]


def test_every_module_can_be_imported_there(scripts: Path, folder: Path) -> None:
    """Nothing of the product is needed, and nothing younger than the Python that is declared."""
    code = (
        "import importlib, pkgutil, entra_graph_emulator as package\n"
        "found = [each.name for each in pkgutil.walk_packages(package.__path__, package.__name__ + '.')]\n"
        "for name in found: importlib.import_module(name)\n"
        "print(len(found))"
    )
    assert int(run(scripts / "python", "-W", "error", "-c", code, cwd=folder)) > 70


def test_a_program_from_microsofts_pages_works(scripts: Path, folder: Path) -> None:
    """Against the command, with https. The program knows addresses, and a certificate to trust."""
    with started(scripts / "entra-graph-emulator", "--tls", "tls", cwd=folder) as url:
        trust = str(folder / "tls" / "ca.pem")
        said = run(
            scripts / "python", FOREIGN, cwd=folder, LOGIN=url, GRAPH=url, TENANT_ID=CONTOSO, SSL_CERT_FILE=trust
        )
    assert said.splitlines() == [
        "users 12",
        "called Ada 1",
        "at first 12",
        "changed [(True, 'Analysis')]",
        "batch [('1', 200), ('2', 200), ('3', 404)]",
        "invited PendingAcceptance True",
        "restored True",
    ]


def test_pytest_finds_the_fixtures(scripts: Path, folder: Path) -> None:
    """The example of the page, with and without https; each test begins with nothing."""
    example = block("python", "graph_emulator.control")
    tls = example.replace("(graph_emulator)", "(graph_emulator_tls)").replace("graph_emulator.", "graph_emulator_tls.")
    tls = tls.replace("headers=headers)", "headers=headers, verify=trust)").replace(
        "    headers =", "    trust = ssl.create_default_context(cafile=str(graph_emulator_tls.root))\n    headers ="
    )
    (folder / "test_example.py").write_text(example + example.replace("_people(", "_people_again("), encoding="utf-8")
    (folder / "test_tls.py").write_text(f"import ssl\n\n{tls}", encoding="utf-8")
    said = run(scripts / "python", "-m", "pytest", "-q", "-W", "error", "test_example.py", "test_tls.py", cwd=folder)
    assert said.splitlines()[-1].startswith("3 passed")


# --- here -------------------------------------------------------------------------------------------------------


def test_it_is_ready_within_a_second(tmp_path: Path) -> None:
    """Of one processor's time, whatever else the machine does. The first start may compile what it imports."""
    (tmp_path / "people.yaml").write_text(PEOPLE, encoding="utf-8")
    taken = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with started(sys.executable, "-m", "entra_graph_emulator", cwd=tmp_path) as url:
            health = httpx.get(f"{url}/health").json()
        assert (health["status"], health["tenants"]) == ("ok", 1)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(taken) < 1.0


def test_pytest_starts_as_fast_with_the_fixtures() -> None:
    """Every run of pytest imports the file where the package is installed; a test without a fixture pays nothing."""
    code = "import sys, entra_graph_emulator.pytest_plugin; print({'aiohttp', 'httpx', 'yaml'} & set(sys.modules))"
    assert run(sys.executable, "-c", code, cwd=ROOT) == "set()\n"


def test_what_the_package_offers_is_there() -> None:
    """By its name; another name is an error that says so."""
    for name in entra_graph_emulator.__all__:
        assert getattr(entra_graph_emulator, name).__name__ == name
    with pytest.raises(AttributeError, match="entra_graph_emulator has no Shoes"):
        entra_graph_emulator.Shoes  # noqa: B018


def test_https_without_its_library_names_the_extra(tmp_path: Path) -> None:
    """One line, and how to install it."""
    code = (
        "import runpy, sys; sys.modules['cryptography'] = None; "
        "sys.argv[1:] = ['--tls', 'tls']; runpy.run_module('entra_graph_emulator', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("install it with pip install 'entra-graph-emulator[tls]'")


def test_its_licence_is_the_repositorys() -> None:
    """A distribution carries its own copy."""
    assert (PACKAGE / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


async def test_it_serves_a_program_that_has_a_loop_of_its_own() -> None:
    """And it ends; a port that is taken is an error at once."""
    with serving() as served:
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{served.url}/health")).status_code == 200
        taken = int(served.url.rpartition(":")[2])
        with pytest.raises(OSError, match="address already in use"), serving(port=taken):
            pass
        with pytest.raises(ValueError, match="there is no GET /_emulator/shoes; GET /_emulator lists all"):
            served.control("GET", "/shoes")
    with pytest.raises(httpx.ConnectError):
        served.control("GET", "/clock")


async def test_the_index_lists_the_commands_that_are_there() -> None:
    """Each is answered, and none that is not listed; the page has them as well."""
    page = (ROOT / "docs" / "graph-emulator.md").read_text(encoding="utf-8")
    told = {f"/_emulator{path}" for _, path, _ in COMMANDS}
    assert {re.sub(r"\?.*", "", path) for path in re.findall(r"(/_emulator/[^`\s]+)`?", page)} >= told - {
        "/_emulator/tenants/{id}/groups"  # on one line with users
    }
    async with World() as world:
        listed = (await world.control("GET", ""))["commands"]
        assert {each["path"] for each in listed} == told
        for each in listed:
            path = each["path"].replace("{id}", CONTOSO).replace("{appId}", "demo")
            for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
                answer = await world.http.request(method, path)
                missing = answer.status_code == 404 and "there is no" in answer.json()["error"]
                assert missing is (method not in each["methods"].split(", ")), (method, path)
                if path.endswith("/reset") and method == "POST":
                    world.emulator.create_tenant(CONTOSO, display_name="Contoso", domain="contoso.com")


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("HEAD", 200), ("POST", 404)])
async def test_health_needs_no_token(method: str, status: int) -> None:
    """For whatever starts the emulator and waits. Other methods are Graph's business."""
    async with World() as world:
        assert (await world.http.request(method, "/health")).status_code == status


def test_the_container_has_what_the_build_needs() -> None:
    """Every file that is copied is there, and the command is the one that is declared."""
    docker = (PACKAGE / "Dockerfile").read_text(encoding="utf-8")
    copied = [name for line in re.findall(r"^COPY (.+) \S+$", docker, re.MULTILINE) for name in line.split()]
    assert [name for name in copied if not (PACKAGE / name).exists()] == []
    command = re.findall(r"\"([^\"]+)\"", docker.partition("ENTRYPOINT ")[2])[0]
    assert f"{command} = " in (PACKAGE / "pyproject.toml").read_text(encoding="utf-8")
