"""docs/openapi.json says what the code has; tests/e2e/test_openapi.py asks the running endpoints."""

from __future__ import annotations

import json
from typing import Any

import pytest

import function_app
from sync_core.model import Reason
from sync_core.ops.documents import Skip, as_json
from sync_core.ops.endpoints import ENDPOINTS, Endpoint
from tools.openapi import FILE, text

DOCUMENT: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
TRIGGERS = [
    binding
    for function in function_app.app.get_functions()
    for binding in function.get_bindings_dict()["bindings"]
    if binding["type"] == "httpTrigger" and binding["route"].startswith("ops")
]


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    operation: dict[str, Any] = DOCUMENT["paths"][f"/{endpoint.path}"][endpoint.method.lower()]
    return operation


def test_the_file_is_up_to_date() -> None:
    """`make docs` writes it."""
    assert FILE.read_text(encoding="utf-8") == text()


def test_the_function_app_has_the_endpoints_of_the_table() -> None:
    """The same methods of the same routes, no more and no fewer; besides them the page, which is no document."""
    served = {(trigger["route"], *(method.value for method in trigger["methods"])) for trigger in TRIGGERS}
    endpoints = {(endpoint.path, endpoint.method) for endpoint in ENDPOINTS.values()}
    assert served == endpoints | {("ops", "GET"), ("ops/web/{file}", "GET")}


@pytest.mark.parametrize("name", ENDPOINTS)
def test_each_operation_says_who_may_and_what_comes_back(name: str) -> None:
    """Roles, documents, and an error document for each status that is none of its own."""
    endpoint = ENDPOINTS[name]
    operation = _operation(endpoint)
    assert operation["operationId"] == name
    assert operation["security"] == [{"entra": [role]} for role in sorted(endpoint.needs)]
    assert {int(status) for status in operation["responses"]} == endpoint.statuses | endpoint.errors
    assert ("requestBody" in operation) is (endpoint.method == "POST")


def test_a_field_that_may_be_left_out_is_not_required() -> None:
    """As as_json renders it; null is another thing."""
    skip = DOCUMENT["components"]["schemas"]["Skip"]
    shown = as_json(Skip(attributes=[], reason=Reason.NO_CHANGE))
    assert isinstance(shown, dict)
    assert set(shown) == set(skip["required"])
    assert set(skip["properties"]) - set(skip["required"]) == {"hint", "values"}
