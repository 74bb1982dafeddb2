"""The strict mode: it notices what Graph does not document, and permissions beyond need."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from entra_graph_emulator.testing import CONTOSO, Graph, World

READER = "00000000-0000-0000-0000-00000000c001"
WRITER = "00000000-0000-0000-0000-00000000c002"


@pytest.fixture
async def strict(world: World) -> World:
    await world.control("PUT", "/findings", {"strict": True})
    world.emulator.add_people(world.source, 2)
    return world


def reader(world: World, *roles: str) -> Graph:
    return world.graph(CONTOSO, app=READER, roles=roles or ["User.Read.All"])


async def found(world: World) -> list[tuple[str, str, str]]:
    value = (await world.control("GET", "/findings"))["value"]
    return [(each["kind"], f"{each['method']} {each['path']}", each["detail"]) for each in value]


async def test_a_program_by_the_pages_has_no_finding(strict: World) -> None:
    """Listings, pages, delta, counts, batches, with the least permission."""
    graph = reader(strict)
    eventual = {"ConsistencyLevel": "eventual"}
    await graph.get("/users", select="id", top="1")
    await graph.get("/users", headers=eventual, count="true", filter="startswith(displayName,'A')")
    await graph.get("/users/$count", headers=eventual)
    await graph.delta("/users/delta?$select=displayName")
    await graph.get("/users/delta", deltatoken="latest")
    await graph.post("/$batch", {"requests": [{"id": "1", "method": "GET", "url": "/users"}]})
    assert await found(strict) == []


@pytest.mark.parametrize(
    ("path", "headers", "detail"),
    [
        ("/users/delta?$top=5", {}, "$top is not supported in a delta query"),
        ("/users/delta", {"Prefer": "odata.maxpagesize=5"}, "Prefer: odata.maxpagesize is not documented"),
        ("/users?$count=true", {}, "$count=true needs ConsistencyLevel: eventual"),
        ("/users?shoes=1", {}, "'shoes' is no query option of Graph's"),
        ("/users", {"Prefer": "return=minimal"}, "Prefer: return=minimal is documented for delta queries alone"),
        ("/users", {"If-Match": "*"}, "If-Match is not documented for directory objects"),
    ],
)
async def test_what_is_taken_but_not_documented(strict: World, path: str, headers: dict[str, str], detail: str) -> None:
    """The emulator answers as Graph was seen to, and says that no page has it."""
    assert (await reader(strict).get(path, headers)).status_code == 200
    [(kind, _, said)] = await found(strict)
    assert kind == "undocumented"
    assert said.startswith(detail)


async def test_a_body_where_none_belongs(strict: World) -> None:
    """A GET and a DELETE have none."""
    graph, token = reader(strict), strict.emulator.token(CONTOSO, app=READER, roles=["User.Read.All"])
    await graph.send("GET", "/users", headers={"Authorization": f"Bearer {token}"}, content=b"{}")
    assert await found(strict) == [("undocumented", "GET /users", "a GET has no body")]


@pytest.mark.parametrize(
    "path", ["/shoes", "/users/x/messages", "/users?$select=shoes", "/users?$filter=shoes eq 1", "/users?$top=1000"]
)
async def test_a_call_that_is_wrong_in_itself(strict: World, path: str) -> None:
    """Refused whatever the directory holds; a user who is not there is no finding."""
    await reader(strict).get("/users/99999999-9999-9999-9999-999999999999")
    assert await found(strict) == []
    await reader(strict).get(path)
    assert [kind for kind, *_ in await found(strict)] == ["refused"]


async def test_a_permission_beyond_the_least_one(strict: World) -> None:
    """By calls that the least privileged permission of their page would have allowed."""
    await reader(strict, "Directory.Read.All").get("/users")
    await reader(strict, "Directory.Read.All").get("/users")
    assert await found(strict) == [("permission", "GET /users", "Directory.Read.All is more than User.Read.All")]
    assert (await strict.control("GET", "/findings"))["value"][0]["count"] == 2


async def test_a_permission_that_another_call_needs_is_no_finding(strict: World) -> None:
    """An app that writes reads with the same permission."""
    [user, _] = strict.source.users()
    writer = strict.graph(CONTOSO, app=WRITER, roles=["User.ReadWrite.All"])
    await writer.get("/users")
    assert await found(strict) == [("permission", "GET /users", "User.ReadWrite.All is more than User.Read.All")]
    await writer.patch(f"/users/{user.id}", {"jobTitle": "x"})
    assert await found(strict) == []


async def test_a_token_with_every_permission_is_a_finding(strict: World) -> None:
    """The app has to be named with its permissions: `apps` of the YAML, or PUT apps."""
    await strict.contoso.get("/users")
    assert await found(strict) == [
        ("permission", "GET /users", "the token has every permission; User.Read.All is enough")
    ]


async def test_the_mode_is_off_by_default_and_is_switched(world: World) -> None:
    """Its findings are cleared by DELETE, and by a reset."""
    await world.contoso.get("/users?shoes=1")
    assert (await world.control("GET", "/findings")) == {"strict": False, "value": []}
    for command in (("DELETE", "/findings"), ("POST", "/reset")):
        await world.control("PUT", "/findings", {"strict": True})
        await world.contoso.get("/shoes")
        assert len(await found(world)) == 1
        await world.control(*command)
        assert await found(world) == []
    assert (await world.http.request("PUT", "/_emulator/findings", json={"strict": 1})).status_code == 400


def test_the_option_of_pytest_fails_a_test_with_findings(tmp_path: Path) -> None:
    """`--graph-emulator-strict`; without it the same test passes."""
    (tmp_path / "test_it.py").write_text(
        "import httpx\n"
        "def test_of_mine(graph_emulator):\n"
        "    graph_emulator.control('POST', '/tenants', {'id': 'c', 'domain': 'c.com'})\n"
        "    token = graph_emulator.token('c', roles=['User.Read.All'])\n"
        "    httpx.get(f'{graph_emulator.url}/v1.0/users?shoes=1', headers={'Authorization': f'Bearer {token}'})\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", str(tmp_path)]
    plugin: dict[str, Any] = {"capture_output": True, "text": True, "cwd": tmp_path}
    command += ["-p", "entra_graph_emulator.pytest_plugin"]
    relaxed = subprocess.run(command, check=False, **plugin)
    assert relaxed.returncode == 0, relaxed.stdout + relaxed.stderr
    refused = subprocess.run([*command, "--graph-emulator-strict"], check=False, **plugin)
    assert refused.returncode == 1
    assert "undocumented: GET /users: 'shoes' is no query option of Graph's" in refused.stdout
