"""Fixtures for pytest, which finds them where the distribution is installed. Each test begins with an empty emulator.

def test_of_mine(graph_emulator):
    graph_emulator.control("POST", "/tenants", {"id": "contoso", "domain": "contoso.com", "users": 5})
    client = my_client(f"{graph_emulator.url}/v1.0", graph_emulator.token("contoso"))
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from entra_graph_emulator.serving import Served


@pytest.fixture(scope="session")
def graph_emulator_server() -> "Iterator[Served]":
    """One server for all tests. It is imported here: every run of pytest imports this file, most without need."""
    from entra_graph_emulator.serving import serving  # noqa: PLC0415

    with serving() as served:
        yield served


@pytest.fixture(scope="session")
def graph_emulator_tls_server(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Served]":
    """The same with `https`."""
    from entra_graph_emulator.serving import serving  # noqa: PLC0415

    with serving(tls=tmp_path_factory.mktemp("graph-emulator")) as served:
        yield served


@pytest.fixture
def graph_emulator(request: pytest.FixtureRequest, graph_emulator_server: "Served") -> "Iterator[Served]":
    """The emulator on a port of 127.0.0.1: `url`, `control(..)` and `token(..)`."""
    yield from _fresh(request, graph_emulator_server)


@pytest.fixture
def graph_emulator_tls(request: pytest.FixtureRequest, graph_emulator_tls_server: "Served") -> "Iterator[Served]":
    """The same with `https`, as MSAL and azure-identity want it; `root` is the certificate to trust."""
    yield from _fresh(request, graph_emulator_tls_server)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("graph emulator").addoption(
        "--graph-emulator-strict",
        action="store_true",
        help="fail a test whose calls Graph does not document, or that has more permissions than it needs",
    )


def _fresh(request: pytest.FixtureRequest, served: "Served") -> "Iterator[Served]":
    strict = bool(request.config.getoption("--graph-emulator-strict"))
    served.control("POST", "/reset")
    served.control("PUT", "/findings", {"strict": strict})
    yield served
    found = served.control("GET", "/findings")["value"] if strict else []
    if found:
        lines = (f"{each['kind']}: {each['method']} {each['path']}: {each['detail']}" for each in found)
        pytest.fail("\n".join(["the strict Graph emulator found:", *lines]), pytrace=False)
