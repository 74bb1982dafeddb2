"""The emulator names what it lacks, and the pages made from the code are current."""

import subprocess
import sys

import pytest

from entra_graph_emulator.api.operations import FILE, methods_of
from tests.support.graph_clients import Client, documented
from tools import graph_operations, graph_pages

LEARN = "https://learn.microsoft.com/graph"
NOBODY = "99999999-9999-9999-9999-999999999999"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/users/{NOBODY}/messages"),
        ("POST", f"/users/{NOBODY}/microsoft.graph.assignLicense"),
        ("GET", f"/users('{NOBODY}')/photo/$value"),
        ("GET", "/sites/root/drives"),
        ("GET", "/reports/getOffice365ActiveUserCounts(period='D7')"),
        ("GET", "/identityGovernance/accessReviews/definitions"),
        ("GET", f"/users/{NOBODY}/memberOf/{NOBODY}"),
    ],
)
async def test_what_is_not_emulated_says_so(client: Client, method: str, path: str) -> None:
    """With the operation and the page that lists what there is, in a body that SDKs can read."""
    refused = await client(method, path, {} if method == "POST" else None)
    assert (refused.status, refused.code) == (501, "NotImplemented")
    assert refused.message.startswith(f"{method} /{path[1:6]}")
    assert "graph-emulator-coverage.md" in refused.message


@documented(f"{LEARN}/errors", date="2026-11")
@pytest.mark.parametrize(
    ("path", "segment"),
    [
        ("/shoes", "shoes"),
        (f"/users/{NOBODY}/shoes", "shoes"),
        (f"/users/{NOBODY}/messages/{NOBODY}/shoes", "shoes"),
        ("/reports/getShoes(period='D7')", "getShoes"),
    ],
)
async def test_a_segment_that_leads_nowhere_is_named(client: Client, path: str, segment: str) -> None:
    """In a 400, whether or not the path before it is emulated (errors, 2026-11)."""
    refused = await client("GET", path)
    assert (refused.status, refused.code) == (400, "BadRequest")
    assert refused.message == f"Resource not found for the segment '{segment}'."


@documented(f"{LEARN}/errors", date="2026-11")
@pytest.mark.parametrize(("method", "path"), [("PUT", f"/users/{NOBODY}/messages"), ("DELETE", "/invitations")])
async def test_a_method_that_a_path_does_not_have_is_405(client: Client, method: str, path: str) -> None:
    """Emulated or not (errors, 2026-11)."""
    assert (await client(method, path, {} if method == "PUT" else None)).status == 405


def test_the_operations_are_those_of_the_sdk() -> None:
    """`make docs` writes them anew for another version of it."""
    assert FILE.read_text("utf-8") == graph_operations.text()


@pytest.mark.parametrize("page", graph_pages.PAGES, ids=lambda page: page.file.stem)
def test_the_pages_are_current(page: graph_pages.Page) -> None:
    """`make docs` writes them."""
    assert page.file.read_text("utf-8") == page.text()


def test_operations_cost_nothing_at_the_start() -> None:
    """The file is read when a request has no route."""
    code = (
        "import entra_graph_emulator; from entra_graph_emulator.api import operations; "
        "print(operations._tree.cache_info().currsize)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "0"


def test_a_segment_of_signs_alone_leads_nowhere() -> None:
    """It has no name to be looked up by."""
    assert methods_of(["users", "('", "$ref"]) is None
    assert methods_of(["('"]) is None
