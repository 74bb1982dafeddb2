"""msgraph-sdk against the emulator, in process and over a socket; and the server by itself."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from aiohttp import ClientSession, web
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.request_information import RequestInformation
from msgraph.generated.models.invitation import Invitation
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.reference_update import ReferenceUpdate
from msgraph.generated.models.subscription import Subscription
from msgraph.generated.models.user import User
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient

from entra_graph_emulator import Emulator, WallClock
from entra_graph_emulator.server import application
from entra_graph_emulator.testing import BASE, CONTOSO, FABRIKAM, World
from tests.support.graph_clients import Bearer

# The SDK's builders warn of their own classes when they are imported, which they are on first use.
pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated:DeprecationWarning")
ROOT = Path(__file__).resolve().parents[2]


def sdk(world: World, tenant: str) -> GraphServiceClient:
    adapter = GraphRequestAdapter(Bearer(world.emulator.token(tenant)), client=world.http)
    adapter.base_url = f"{BASE}/v1.0"
    return GraphServiceClient(request_adapter=adapter)


async def raw(client: GraphServiceClient, request: RequestInformation) -> Any:
    adapter: Any = client.request_adapter  # its type variables know no bytes
    return json.loads(await adapter.send_primitive_async(request, "bytes", {"XXX": ODataError}))


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World() as made:
        made.emulator.add_people(made.source, 3)
        yield made


async def test_the_sdk_invites_completes_and_deletes_a_user(world: World) -> None:
    """Invitation, PATCH with a null, manager reference, typed read, delete, deleted items, restore."""
    client = sdk(world, FABRIKAM)
    made = await client.invitations.post(
        Invitation(invited_user_email_address="ada@contoso.com", invite_redirect_url="https://myapps.microsoft.com")
    )
    assert made is not None
    assert made.invited_user is not None
    user_id = made.invited_user.id
    assert user_id is not None
    change = User(department="Sales", additional_data={"jobTitle": None})
    await client.users.by_user_id(user_id).patch(change)
    boss = world.target.create({"displayName": "Boss", "userPrincipalName": "boss@fabrikam.com"})
    await client.users.by_user_id(user_id).manager.ref.put(ReferenceUpdate(odata_id=f"{BASE}/v1.0/users/{boss.id}"))
    from msgraph.generated.users.item.user_item_request_builder import UserItemRequestBuilder

    query = UserItemRequestBuilder.UserItemRequestBuilderGetQueryParameters(
        select=["department", "mail"], expand=["manager($select=id)"]
    )
    read = await client.users.by_user_id(user_id).get(RequestConfiguration(query_parameters=query))
    assert read is not None
    assert read.manager is not None
    assert (read.department, read.mail, read.manager.id) == ("Sales", "ada@contoso.com", boss.id)
    await client.users.by_user_id(user_id).delete()
    deleted = await client.directory.deleted_items.graph_user.get()
    assert deleted is not None
    assert [each.id for each in deleted.value or []] == [user_id]
    one = await client.directory.deleted_items.by_directory_object_id(user_id).graph_user.get()
    assert one is not None
    await client.directory.deleted_items.by_directory_object_id(user_id).restore.post(None)
    assert world.target.find(user_id) is not None


async def test_the_sdk_reads_delta_raw(world: World) -> None:
    """The way to see null apart from absent, and to follow links as they are."""
    client = sdk(world, CONTOSO)
    from msgraph.generated.users.delta.delta_request_builder import DeltaRequestBuilder

    query = DeltaRequestBuilder.DeltaRequestBuilderGetQueryParameters(select=["displayName", "manager"])
    first = client.users.delta.to_get_request_information(RequestConfiguration(query_parameters=query))
    body = await raw(client, first)
    assert len(body["value"]) == 3
    following = RequestInformation()
    following.http_method = first.http_method
    following.url = body["@odata.deltaLink"]
    assert (await raw(client, following))["value"] == []


async def test_the_sdk_builds_groups_and_asks_who_is_in_them(world: World) -> None:
    """Typed: create, add by reference, nested members with a cast, checkMemberGroups, delta, policies."""
    from msgraph.generated.models.authorization_policy import AuthorizationPolicy
    from msgraph.generated.models.group import Group
    from msgraph.generated.models.reference_create import ReferenceCreate
    from msgraph.generated.users.item.check_member_groups.check_member_groups_post_request_body import (
        CheckMemberGroupsPostRequestBody,
    )

    client = sdk(world, CONTOSO)
    ada = world.source.users()[0]
    made = []
    for name in ("inner", "outer"):
        group = await client.groups.post(
            Group(display_name=name, mail_nickname=name, mail_enabled=False, security_enabled=True)
        )
        assert group is not None
        assert group.id is not None
        made.append(group.id)
    for group_id, member in ((made[0], ada.id), (made[1], made[0])):
        reference = ReferenceCreate(odata_id=f"{BASE}/v1.0/directoryObjects/{member}")
        await client.groups.by_group_id(group_id).members.ref.post(reference)
    cast = client.groups.by_group_id(made[1]).transitive_members.graph_user
    advanced = RequestConfiguration(query_parameters=cast.GraphUserRequestBuilderGetQueryParameters(count=True))
    advanced.headers.add("ConsistencyLevel", "eventual")
    people = await cast.get(advanced)
    assert people is not None
    assert [each.id for each in people.value or []] == [ada.id]
    asked = CheckMemberGroupsPostRequestBody(group_ids=[made[1]])
    found = await client.users.by_user_id(ada.id).check_member_groups.post(asked)
    assert found is not None
    assert found.value == [made[1]]
    changed = await client.groups.delta.get()
    assert changed is not None
    assert [each.display_name for each in changed.value or []] == ["inner", "outer"]
    policy = await client.policies.authorization_policy.get()
    assert isinstance(policy, AuthorizationPolicy)
    await client.groups.by_group_id(made[0]).members.by_directory_object_id(ada.id).ref.delete()
    assert world.source.groups.get(made[0]).members == {}


async def test_the_sdk_subscribes(world: World) -> None:
    """Typed, with a real datetime."""
    client = sdk(world, CONTOSO)
    made = await client.subscriptions.post(
        Subscription(
            change_type="updated,deleted",
            resource="users",
            notification_url="https://sync.example/n",
            lifecycle_notification_url="https://sync.example/l",
            expiration_date_time=world.clock.now() + timedelta(days=2),
            client_state="secret",
        )
    )
    assert made is not None
    assert made.id is not None
    await client.subscriptions.by_subscription_id(made.id).reauthorize.post()
    await client.subscriptions.by_subscription_id(made.id).delete()


async def test_the_sdk_understands_the_errors(world: World) -> None:
    """Status, code and request id arrive in ODataError."""
    client = sdk(world, CONTOSO)
    with pytest.raises(ODataError) as caught:
        await client.users.by_user_id("nobody").get()
    assert caught.value.response_status_code == 404
    assert caught.value.error is not None
    assert caught.value.error.code == "Request_ResourceNotFound"
    assert caught.value.error.inner_error is not None
    assert caught.value.error.inner_error.request_id


async def serve(app: web.Application) -> tuple[web.AppRunner, str]:
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


async def test_the_server_answers_and_delivers_over_sockets() -> None:
    """A subscriber on another port is validated and then hears of a change within a second."""
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def notified(request: web.Request) -> web.Response:
        if "validationToken" in request.query:
            return web.Response(text=request.query["validationToken"])
        for item in (await request.json())["value"]:
            heard.put_nowait(item)
        return web.Response(status=202)

    endpoint = web.Application()
    endpoint.router.add_post("/notifications", notified)
    subscriber, url = await serve(endpoint)
    emulator = Emulator(clock=WallClock(), rng=Random(0))
    tenant = emulator.create_tenant(CONTOSO, display_name="Contoso", domain="contoso.com", users=1)
    server, base = await serve(application(emulator))
    headers = {"Authorization": f"Bearer {emulator.token(CONTOSO)}"}
    [user] = tenant.users()
    async with ClientSession(headers=headers) as session:
        wanted = {
            "changeType": "updated",
            "resource": "users",
            "notificationUrl": f"{url}/notifications",
            "expirationDateTime": (datetime.now(UTC) + timedelta(hours=2)).isoformat(),
        }
        async with session.post(f"{base}/v1.0/subscriptions", json=wanted) as answer:
            assert answer.status == 201, await answer.text()
        async with session.patch(f"{base}/v1.0/users/{user.id}", json={"jobTitle": "x"}) as answer:
            assert answer.status == 204
        item = await asyncio.wait_for(heard.get(), 2)
        assert item["resource"] == f"Users/{user.id}"
        async with session.get(f"{base}/v1.0/users/delta()") as answer:
            assert (await answer.json())["@odata.deltaLink"].startswith(base)
    await server.cleanup()
    await subscriber.cleanup()


async def test_the_server_breaks_connections_and_hides_stack_traces(caplog: pytest.LogCaptureFixture) -> None:
    """A reset reaches the client as one; a fault of the emulator's own is a plain 500."""
    emulator = Emulator(clock=WallClock(), rng=Random(0))
    emulator.create_tenant(CONTOSO, display_name="Contoso", domain="contoso.com")
    server, base = await serve(application(emulator))
    headers = {"Authorization": f"Bearer {emulator.token(CONTOSO)}"}
    async with httpx.AsyncClient(headers=headers, base_url=base) as client:
        emulator.faults.add({"mode": "reset", "count": 1})
        with pytest.raises(httpx.TransportError):
            await client.get("/v1.0/users")
        emulator.throttle = None  # type: ignore[assignment]
        answer = await client.get("/v1.0/users")
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "InternalServerError")
        assert "Traceback" not in answer.text
    await server.cleanup()


async def test_the_command_says_ready_and_stops_on_sigterm() -> None:
    """One line when it can be used, and exit code 0."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "entra_graph_emulator", "--port", "0", cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    line = await asyncio.wait_for(process.stderr.readline(), 15)
    assert b" ready http://127.0.0.1:" in line
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 5) == 0
