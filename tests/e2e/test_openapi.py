"""docs/openapi.json against the running endpoints: requests made of it, and every answer as it says."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import pytest_asyncio
import schemathesis
from hypothesis import given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from local.demo import FABRIKAM
from local.emulated import until
from sync_core.ops import documents
from sync_core.ops.endpoints import ENDPOINTS, Endpoint
from sync_core.ports import PlanJob, PlanState
from tests.support.principals import HEADER, principal
from tests.support.stack import SYNC, SyncedStack, hold
from tools.openapi import FILE

# Requests of each operation and role. XTSYNC_EXAMPLES=300 looks harder.
EXAMPLES = int(os.environ.get("XTSYNC_EXAMPLES", "8"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]


def behind_authentication() -> dict[str, Any]:
    """The file as the app itself meets it, with no room for a field that it does not name.

    App Service asks for the token and writes the header that `principal` writes here.
    """
    document: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    for path in document["paths"].values():
        for operation in path.values():
            del operation["security"]
    for name, schema in document["components"]["schemas"].items():
        if "properties" in schema and not name.endswith("Request"):
            schema["additionalProperties"] = False
    return document


SCHEMA = schemathesis.openapi.from_dict(behind_authentication())
ENDPOINTS_BY_LABEL = {f"{endpoint.method} /{endpoint.path}": endpoint for endpoint in ENDPOINTS.values()}
OPERATIONS = {each.ok().label: each.ok() for each in SCHEMA.get_all_operations() if isinstance(each, Ok)}


@pytest_asyncio.fixture(loop_scope="session")
async def held(world: SyncedStack) -> AsyncIterator[str]:
    """The object id of a synchronized user, whose deletion is held."""
    person: str = (await world.people())[0]["id"]
    await hold(world, person)
    yield person
    left = await world.storage.guards.hold(SYNC, person)
    if left is not None:
        await world.storage.guards.drop_hold(left)


async def about(world: SyncedStack, held: str, document: type) -> object:
    """A body that is about somebody, where a made one would be about nobody."""
    user = {"sync": SYNC, "user": held}
    file = world.stack.config.read_text(encoding="utf-8")
    async with httpx.AsyncClient(base_url=world.stack.functions_url, headers={HEADER: principal("Reader")}) as http:
        code = (await http.get("/api/ops/holds")).json()["code"]
    return {
        documents.Found: {"user": held},
        documents.Names: {"users": [user]},
        documents.NominatedUsers: {"users": [held]},
        documents.Controlled: {"reason": "a look"},
        documents.KeptUsers: {"until": "30d", "reason": "a handover"},
        documents.CreationApproval: {"code": "4500-3f9a07c1"},
        documents.PlanStatus: {"sync_yaml": file, "sync": SYNC},
        documents.Decision: {"decision": "reject", "code": code, "users": [{"sync": SYNC, "source_id": held}]},
    }.get(document)


def about_pair(endpoint: Endpoint, person: str) -> object:
    """A body about somebody who has no pair, so that it is refused: this stack goes on."""
    return {
        documents.AdoptionRequest: {"target_id": person},
        documents.UnlinkRequest: {"reason": "a look"},
        documents.MoveRequest: {"user": person},
    }.get(endpoint.body or object)


async def planned(world: SyncedStack) -> str:
    """The id of a plan that is over, and found nothing."""
    job = PlanJob(id="0" * 24, asked_at=datetime.now(UTC), asked_by="anna", candidate=False, state=PlanState.DONE)
    if await world.storage.plans.get(job.id) is None:
        await world.storage.plans.add(job, "")
    return job.id


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("role", ["Reader", "Operator"])
@pytest.mark.parametrize("label", OPERATIONS)
async def test_every_answer_is_as_described(world: SyncedStack, held: str, label: str, role: str) -> None:
    """Of requests that follow the description, of requests that do not, and of requests about what there is."""
    operation, endpoint = OPERATIONS[label], ENDPOINTS_BY_LABEL[label]
    pairs = endpoint.path.startswith("ops/links")
    person = min(world.never) if pairs else held
    guest = (await world.emulated.users(FABRIKAM, ["id"]))[0]["id"]
    there = {"sync": SYNC, "tenant": "contoso", "user": person, "target": guest, "plan": await planned(world)}
    known = {each.name: there[each.name] for each in operation.path_parameters}
    cases = operation.as_strategy(path_parameters=known)
    meant = None
    body = about_pair(endpoint, person) if pairs else await about(world, held, endpoint.document)
    if endpoint.body is not None and body is not None:
        meant = operation.as_strategy(path_parameters=known, body=body)
    if known:
        somebody = {name: value for name, value in known.items() if name != "user"}
        cases |= operation.as_strategy() | operation.as_strategy(path_parameters=somebody)
        cases |= operation.as_strategy(GenerationMode.NEGATIVE)
        cases |= operation.as_strategy(GenerationMode.NEGATIVE, path_parameters=somebody)
    headers = {HEADER: principal(role)}
    statuses: set[int] = set()

    def ask(case: Case[Any]) -> None:
        response = case.call(base_url=f"{world.stack.functions_url}/api", headers=headers)
        statuses.add(response.status_code)
        case.validate_response(response, checks=CHECKS, headers=headers)

    await asyncio.to_thread(settings(max_examples=EXAMPLES, deadline=None)(given(case=cases)(ask)))
    if meant is not None:  # once for certain, since few of the others have a body that is about anybody
        await asyncio.to_thread(settings(max_examples=1, deadline=None)(given(case=meant)(ask)))
    # 409: it was carried out as far as there is nobody to adopt, or the list is another one by now. 429: plans of
    # requests before it are under way.
    assert bool(statuses & {200, 202, 409, 429}) is (role in endpoint.needs)
    assert await until(world.idle, timeout_s=60)


def test_every_operation_of_the_table_is_asked() -> None:
    """An operation that could not be read from the file would be missing above."""
    assert set(OPERATIONS) == set(ENDPOINTS_BY_LABEL)
