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
def graph_emulator(graph_emulator_server: "Served") -> "Served":
    """The emulator on a port of 127.0.0.1: `url`, `control(..)` and `token(..)`."""
    graph_emulator_server.control("POST", "/reset")
    return graph_emulator_server


@pytest.fixture
def graph_emulator_tls(graph_emulator_tls_server: "Served") -> "Served":
    """The same with `https`, as MSAL and azure-identity want it; `root` is the certificate to trust."""
    graph_emulator_tls_server.control("POST", "/reset")
    return graph_emulator_tls_server
