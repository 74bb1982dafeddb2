"""Tokens, permissions, throttling, faults, the request log and the other calls under /_emulator."""

from random import Random
from typing import Any

import httpx
import pytest

from entra_graph_emulator import Emulator, ManualClock, WallClock
from entra_graph_emulator.emulator import DEFAULT_APP
from entra_graph_emulator.testing import CONTOSO, FABRIKAM, Graph, World
from entra_graph_emulator.wire.throttle import Quota, units_for


def error(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def sign_in(world: World, tenant: str, **form: str) -> httpx.Response:
    base = {
        "grant_type": "client_credentials",
        "client_id": DEFAULT_APP,
        "client_secret": "any",
        "scope": "https://graph.microsoft.com/.default",
    }
    return await world.http.post(f"/{tenant}/oauth2/v2.0/token", data=base | form)


async def test_client_credentials_give_a_token_that_works(world: World) -> None:
    """For an hour; the tenant may be named by its domain."""
    for name in (CONTOSO, "contoso.com"):
        answer = (await sign_in(world, name)).json()
        assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 3599)
        headers = {"Authorization": f"Bearer {answer['access_token']}"}
        assert (await world.http.get("/v1.0/organization", headers=headers)).json()["value"][0]["id"] == CONTOSO
    world.clock.advance(3600)
    refused = await world.http.get("/v1.0/organization", headers=headers)
    assert error(refused) == (401, "InvalidAuthenticationToken")
    assert refused.json()["error"]["message"] == "Lifetime validation failed, the token is expired."


@pytest.mark.parametrize(
    ("tenant", "form", "name"),
    [
        ("nowhere", {}, "invalid_request"),
        (CONTOSO, {"grant_type": "password"}, "unsupported_grant_type"),
        (CONTOSO, {"client_id": ""}, "invalid_request"),
        (CONTOSO, {"scope": "User.Read"}, "invalid_scope"),
    ],
)
async def test_tokens_that_are_not_given(world: World, tenant: str, form: dict[str, str], name: str) -> None:
    """400 with an OAuth error and an AADSTS number."""
    answer = await sign_in(world, tenant, **form)
    assert (answer.status_code, answer.json()["error"]) == (400, name)
    assert "AADSTS" in answer.json()["error_description"]


@pytest.mark.parametrize("header", [None, "Basic x", "Bearer ", "Bearer rubbish", "Bearer a.b.c", "Bearer a.W10.c"])
async def test_requests_without_a_good_token_are_401(world: World, header: str | None) -> None:
    """Absent, of another kind, or unreadable."""
    headers = {} if header is None else {"Authorization": header}
    assert error(await world.http.get("/v1.0/users", headers=headers)) == (401, "InvalidAuthenticationToken")


async def test_tokens_of_other_tenants_and_audiences_are_401(world: World) -> None:
    """Graph knows neither."""
    vault = (await sign_in(world, CONTOSO, scope="https://vault.azure.net/.default")).json()["access_token"]
    for token in (vault, world.emulator.token("99999999-9999-9999-9999-999999999999")):
        answer = await world.http.get("/v1.0/users", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401


async def test_the_token_decides_the_tenant(world: World) -> None:
    """The same path shows each caller its own directory."""
    world.emulator.add_people(world.source, 3)
    assert len((await world.contoso.get("/users")).json()["value"]) == 3
    assert (await world.fabrikam.get("/users")).json()["value"] == []


@pytest.mark.parametrize(
    ("roles", "method", "path", "body", "status"),
    [
        ([], "GET", "/users", None, 403),
        (["User.Read.All"], "GET", "/users/delta", None, 200),
        (["User.Read.All"], "PATCH", "/users/{id}", {"jobTitle": "x"}, 403),
        (["User.ReadWrite.All"], "PATCH", "/users/{id}", {"jobTitle": "x"}, 204),
        (["User.ReadUpdate.All"], "PATCH", "/users/{id}", {"jobTitle": "x"}, 204),
        (["User.ReadUpdate.All"], "PATCH", "/users/{id}", {"accountEnabled": False}, 403),
        (["User.EnableDisableAccount.All"], "PATCH", "/users/{id}", {"accountEnabled": False}, 204),
        (["User-Mail.ReadWrite.All"], "PATCH", "/users/{id}", {"otherMails": []}, 204),
        (["User-Mail.ReadWrite.All"], "PATCH", "/users/{id}", {"otherMails": [], "jobTitle": "x"}, 403),
        (["User.ReadWrite.All"], "PATCH", "/users/{id}", {"identities": []}, 403),
        (["User.Invite.All"], "DELETE", "/users/{id}", None, 403),
        (["User.DeleteRestore.All"], "DELETE", "/users/{id}", None, 204),
        (["User.ReadWrite.All"], "POST", "/directory/deletedItems/x/restore", None, 403),
        (["User.Read.All"], "POST", "/invitations", {}, 403),
    ],
)
async def test_permissions(
    world: World, roles: list[str], method: str, path: str, body: dict[str, Any] | None, status: int
) -> None:
    """The token's roles decide; the refusal is Graph's own."""
    world.emulator.add_people(world.source, 1)
    [user] = world.source.users()
    app = world.graph(CONTOSO, roles=roles)
    headers = {"Authorization": f"Bearer {world.emulator.token(CONTOSO, roles=roles)}"}
    answer = await app.send(method, path.format(id=user.id), json=body, headers=headers)
    assert answer.status_code == status
    if status == 403:
        assert error(answer) == (403, "Authorization_RequestDenied")


async def test_roles_of_an_app_can_be_registered(world: World) -> None:
    """Tokens issued from then on carry them."""
    await world.control("PUT", f"/tenants/{CONTOSO}/apps/{DEFAULT_APP}", {"roles": ["User.Invite.All"]})
    token = (await sign_in(world, CONTOSO)).json()["access_token"]
    assert (await world.http.get("/v1.0/users", headers={"Authorization": f"Bearer {token}"})).status_code == 403


async def test_headers_of_every_answer(world: World, graph: Graph) -> None:
    """Request ids, the caller's own echoed, the date of the emulator's clock, diagnostics, units."""
    headers = {"Authorization": f"Bearer {world.emulator.token(CONTOSO)}", "client-request-id": "mine"}
    answer = await graph.send("GET", "/organization", headers=headers)
    assert answer.headers["client-request-id"] == "mine"
    assert answer.headers["request-id"]
    assert answer.headers["Date"] == "Mon, 05 Jan 2026 09:00:00 GMT"
    assert "ServerInfo" in answer.headers["x-ms-ags-diagnostic"]
    assert answer.headers["x-ms-resource-unit"] == "1"


@pytest.mark.parametrize(
    ("path", "units"),
    [
        ("/users", "2"),
        ("/users?$select=id", "1"),
        ("/users?$top=5&$select=id", "1"),
        ("/users/{id}", "1"),
        ("/users/{id}?$expand=manager", "2"),
        ("/users/delta", "2"),
    ],
)
async def test_resource_units(world: World, graph: Graph, path: str, units: str) -> None:
    """$select and a small $top save one, $expand costs one, and nothing is free."""
    world.emulator.add_people(world.source, 1)
    [user] = world.source.users()
    assert (await graph.get(path.format(id=user.id))).headers["x-ms-resource-unit"] == units


@pytest.mark.parametrize(("query", "units"), [("", "5"), ("?$select=id", "2")])
async def test_a_select_saves_most_of_get_by_ids(graph: Graph, query: str, units: str) -> None:
    """https://learn.microsoft.com/graph/throttling-limits: the one call that it makes three units cheaper."""
    answer = await graph.post(f"/directoryObjects/getByIds{query}", {"ids": []})
    assert answer.headers["x-ms-resource-unit"] == units


async def test_switched_off_for_all_no_tenant_keeps_a_quota(world: World, graph: Graph) -> None:
    """`enabled: false` without a tenant lifts the quotas that tenants have of their own, too."""
    await world.control("PUT", "/throttle", {"tenant": CONTOSO, "writes": 1, "window_s": 1000})
    world.emulator.add_people(world.source, 1)
    [user] = world.source.users()
    assert (await graph.patch(f"/users/{user.id}", {"city": "Oslo"})).status_code == 204
    assert (await graph.patch(f"/users/{user.id}", {"city": "Rome"})).status_code == 429
    answer = await world.control("PUT", "/throttle", {"enabled": False})
    assert (answer["enabled"], answer["tenants"]) == (False, {})
    assert (await graph.patch(f"/users/{user.id}", {"city": "Rome"})).status_code == 204


async def test_writes_are_throttled_by_a_bucket(world: World, graph: Graph) -> None:
    """It holds the window's quota and refills evenly; waiting Retry-After is enough."""
    await world.control("PUT", "/throttle", {"writes": 300, "window_s": 15})
    world.emulator.add_people(world.source, 1)
    [user] = world.source.users()

    async def write() -> httpx.Response:
        return await graph.patch(f"/users/{user.id}", {"jobTitle": "x"})

    answers = [await write() for _ in range(301)]
    assert [each.status_code for each in answers] == [204] * 300 + [429]
    assert "x-ms-throttle-limit-percentage" not in answers[239].headers
    assert answers[240].headers["x-ms-throttle-limit-percentage"] == "0.803"
    refused = answers[-1]
    assert refused.headers["x-ms-throttle-scope"] == f"Tenant_Application/Write/{DEFAULT_APP}/{CONTOSO}"
    assert refused.headers["x-ms-throttle-information"] == "WriteLimitExceeded"
    assert refused.headers["Retry-After"].isdecimal()  # microsoft-graph-docs, pull request 17443, 2022
    body = refused.json()["error"]
    assert (body["code"], body["message"]) == ("TooManyRequests", "Please retry again later.")
    assert (body["innerError"]["code"], body["innerError"]["message"]) == ("429", "Please retry after")
    assert body["innerError"]["status"] == "429"
    world.clock.advance(0.05)
    assert [(await write()).status_code for _ in range(2)] == [204, 429]
    world.clock.advance(float(refused.headers["Retry-After"]))
    assert (await write()).status_code == 204


async def test_each_app_and_tenant_has_its_own_bucket_and_reads_cost_no_writes(world: World) -> None:
    """Reading by POST is still reading."""
    await world.control("PUT", "/throttle", {"writes": 1, "window_s": 100})
    mine, other = world.contoso, world.graph(CONTOSO, app="another")
    ids: dict[str, Any] = {"ids": [], "types": ["user"]}
    for _ in range(3):
        assert (await mine.post("/directoryObjects/getByIds", ids)).status_code == 200
    assert (await mine.delete("/users/nobody")).status_code == 404
    assert (await mine.delete("/users/nobody")).status_code == 429
    assert (await other.delete("/users/nobody")).status_code == 404
    assert (await world.fabrikam.delete("/users/nobody")).status_code == 404


async def test_resource_units_are_throttled_too(world: World, graph: Graph) -> None:
    """With their own reason, and refilled over their own window."""
    await world.control("PUT", "/throttle", {"resource_units": 10, "ru_window_s": 1})
    answers = [await graph.get("/users") for _ in range(6)]
    assert [each.status_code for each in answers] == [200] * 5 + [429]
    assert answers[-1].headers["x-ms-throttle-information"] == "ResourceUnitLimitExceeded"
    world.clock.advance(0.2)
    assert (await graph.get("/users")).status_code == 200


def test_resource_units_by_the_size_of_the_tenant() -> None:
    """S below 50 users, M up to 500, L above."""
    assert [units_for(users, Quota()) for users in (49, 50, 500, 501)] == [3500, 5000, 5000, 8000]


async def test_one_tenant_can_have_its_own_quota_or_none(world: World) -> None:
    """The rest keep the general one."""
    await world.control("PUT", "/throttle", {"writes": 1, "window_s": 100})
    await world.control("PUT", "/throttle", {"tenant": FABRIKAM, "enabled": False})
    assert [(await world.fabrikam.delete("/users/x")).status_code for _ in range(3)] == [404] * 3
    assert [(await world.contoso.delete("/users/x")).status_code for _ in range(3)] == [404, 429, 429]


async def test_a_status_fault_does_nothing_and_counts_down(world: World, graph: Graph) -> None:
    """With Retry-After, for the paths of a glob, so many times."""
    world.emulator.add_people(world.source, 1)
    [user] = world.source.users()
    fault = {"method": "PATCH", "path": "/users/*", "status": 503, "count": 2, "retry_after": 2}
    await world.control("POST", "/faults", fault)
    answers = [await graph.patch(f"/users/{user.id}", {"jobTitle": "new"}) for _ in range(2)]
    assert [each.status_code for each in answers] == [503, 503]
    assert answers[0].headers["Retry-After"] == "2"
    assert user.properties["jobTitle"] != "new"
    assert (await graph.patch(f"/users/{user.id}", {"jobTitle": "new"})).status_code == 204
    assert (await world.control("GET", "/faults"))["value"][0]["hits"] == 2


async def test_an_applied_fault_fails_though_it_was_done(world: World, graph: Graph) -> None:
    """The write is there when the caller looks."""
    await world.control("POST", "/faults", {"path": "/invitations", "mode": "applied", "status": 504})
    body = {"invitedUserEmailAddress": "x@elsewhere.com", "inviteRedirectUrl": "https://x"}
    assert (await graph.post("/invitations", body)).status_code == 504
    assert world.source.guest_count == 1


async def test_reset_slow_and_truncate(world: World, graph: Graph) -> None:
    """A broken connection, a late answer, and a body that ends halfway."""
    await world.control("POST", "/faults", {"path": "/users/delta*", "mode": "reset", "count": 1})
    with pytest.raises(httpx.ReadError):
        await graph.get("/users/delta()")
    await world.control("POST", "/faults", {"path": "/users/delta*", "mode": "slow", "delay_s": 30, "count": 1})
    before = world.clock.now()
    assert (await graph.get("/users/delta()")).status_code == 200
    assert (world.clock.now() - before).total_seconds() == 30
    await world.control("POST", "/faults", {"path": "/users/delta*", "mode": "truncate"})
    cut = await graph.get("/users/delta()")
    assert cut.status_code == 200
    with pytest.raises(ValueError, match="line 1 column"):
        cut.json()
    await world.control("DELETE", "/faults")
    assert (await graph.get("/users/delta()")).json()["value"] == []


async def test_a_fault_by_chance_repeats_with_its_seed(world: World, graph: Graph) -> None:
    """The same seed strikes the same requests; other tenants are spared."""
    fault = {"path": "*", "tenant": CONTOSO, "probability": 0.5, "seed": 42}

    async def run() -> list[int]:
        await world.control("DELETE", "/faults")
        await world.control("POST", "/faults", fault)
        return [(await graph.get("/organization")).status_code for _ in range(20)]

    first = await run()
    assert {200, 503} == set(first)
    assert await run() == first
    assert (await world.fabrikam.get("/organization")).status_code == 200


async def test_the_request_log_counts_by_kind(world: World, graph: Graph) -> None:
    """With the entries since a number, for one tenant or all."""
    await graph.get("/users")
    await graph.get("/users/delta")
    await graph.delete("/users/x")
    await graph.post("/invitations", {})
    await world.fabrikam.get("/subscriptions")
    log = await world.control("GET", f"/requests?tenant={CONTOSO}")
    assert log["counts"] == {"delta": 1, "invite": 1, "read": 1, "write": 1}
    assert log["statuses"] == {"200": 2, "400": 1, "404": 1}
    first = log["items"][0]
    assert (first["n"], first["method"], first["path"], first["status"]) == (1, "GET", "/users", 200)
    assert set(first) == {"n", "id", "at", "tenant", "method", "path", "status", "kind", "ms"}
    newer = await world.control("GET", "/requests?since=3")
    assert [each["n"] for each in newer["items"]] == [4, 5]
    assert newer["counts"] == {"invite": 1, "subscription": 1}
    assert (await world.control("GET", "/requests?items=false"))["items"] == []


async def test_tenants_are_created_once_and_listed_with_counts(world: World) -> None:
    """With generated users; the same seed gives the same people."""
    new = {"id": "t3", "displayName": "Third", "domain": "third.com", "users": 20, "seed": 5}
    made = await world.control("POST", "/tenants", new)
    assert (made["users"], made["initialDomain"]) == (20, "third.onmicrosoft.com")
    again = await world.http.post("/_emulator/tenants", json=new)
    assert again.status_code == 409
    await world.control("POST", "/tenants", new | {"id": "t4"})
    names = [[user.properties["displayName"] for user in world.emulator.tenant(t).users()] for t in ("t3", "t4")]
    assert names[0] == names[1]
    listed = (await world.control("GET", "/tenants"))["value"]
    assert [each["id"] for each in listed] == [CONTOSO, FABRIKAM, "t3", "t4"]
    assert set(listed[0]) >= {"users", "guests", "groups", "deletedItems", "subscriptions"}


async def test_more_people_never_collide_with_earlier_ones(world: World) -> None:
    """Also after somebody has left."""
    world.emulator.add_people(world.source, 3)
    world.source.delete(world.source.users()[0])
    world.emulator.add_people(world.source, 3)
    assert world.source.user_count == 5


async def test_users_can_be_given_as_they_are(world: World) -> None:
    """Past every quota, with the rules of POST /users."""
    new = {"accountEnabled": True, "displayName": "A", "mailNickname": "a", "userPrincipalName": "a@contoso.com"}
    made = await world.control("POST", f"/tenants/{CONTOSO}/users", {"value": [new]})
    assert world.source.user("a@contoso.com").id == made["ids"][0]


async def test_reset_forgets_everything_and_begins_again(world: World) -> None:
    """The same history then gives the same ids."""
    world.emulator.add_people(world.source, 3)
    ids = [user.id for user in world.source.users()]
    await world.control("POST", "/reset")
    assert (await world.control("GET", "/tenants"))["value"] == []
    source = world.emulator.create_tenant(CONTOSO, display_name="Contoso", domain="contoso.com")
    world.emulator.create_tenant(FABRIKAM, display_name="Fabrikam", domain="fabrikam.com")
    world.emulator.add_people(source, 3)
    assert [user.id for user in source.users()] == ids


async def test_the_clock_only_moves_on(world: World) -> None:
    """By whole or broken seconds."""
    assert (await world.control("GET", "/clock"))["now"] == "2026-01-05T09:00:00.000000Z"
    assert (await world.control("POST", "/clock", {"advance": 1.5}))["now"] == "2026-01-05T09:00:01.500000Z"
    assert (await world.http.post("/_emulator/clock", json={"advance": -1})).status_code == 400


async def test_the_wall_clock_runs_and_can_be_advanced() -> None:
    """A sleep ends when the time was moved past it."""
    clock = WallClock()
    before = clock.now()
    clock.advance(3600)
    assert (clock.now() - before).total_seconds() >= 3600
    await clock.sleep(0.001)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nothing", None, 404),
        ("POST", "/tenants", {"domain": "x.com"}, 400),
        ("POST", "/tenants", {"id": "x", "domain": "x.com", "users": "many"}, 400),
        ("PUT", "/throttle", {"writes": 0}, 400),
        ("PUT", "/throttle", {"reads": 1}, 400),
        ("PUT", "/throttle", {"tenant": "nowhere", "writes": 1}, 404),
        ("POST", "/faults", {"path": "*", "mode": "weird"}, 400),
        ("POST", "/faults", {"path": 1}, 400),
        ("PUT", "/delivery", {"drop": "often"}, 400),
        ("PUT", f"/tenants/{CONTOSO}/settings", {"visibility": 1}, 400),
        ("PUT", f"/tenants/{CONTOSO}/settings", {"delta_expired_form": "x"}, 400),
        ("POST", f"/tenants/{CONTOSO}/delta-reset", {"form": "x"}, 400),
        ("POST", f"/tenants/{CONTOSO}/redeem", {"users": ["nobody"]}, 404),
        ("POST", "/clock", {"advance": "x"}, 400),
        ("GET", "/requests?since=yesterday", None, 400),
    ],
)
async def test_control_calls_say_what_is_wrong(
    world: World, method: str, path: str, body: dict[str, Any] | None, status: int
) -> None:
    """As JSON with one sentence."""
    answer = await world.http.request(method, f"/_emulator{path}", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]


async def test_two_emulators_with_one_seed_are_alike() -> None:
    """To the last byte of every answer."""

    async def run() -> list[bytes]:
        async with World(seed=9) as world:
            world.emulator.add_people(world.source, 20)
            answers = [await world.contoso.get("/users"), await world.contoso.get("/users/delta")]
            body = {"invitedUserEmailAddress": "x@elsewhere.com", "inviteRedirectUrl": "https://x"}
            answers.append(await world.fabrikam.post("/invitations", body))
            return [each.content + str(each.headers).encode() for each in answers]

    assert await run() == await run()


def test_an_emulator_needs_no_loop() -> None:
    """Tenants are plain objects; the simulator moves people without a request."""
    emulator = Emulator(clock=ManualClock(), rng=Random(0))
    tenant = emulator.create_tenant("t", display_name="T", domain="t.com", users=2)
    user = tenant.users()[0]
    tenant.update(user, {"department": "Sales"})
    tenant.delete(user)
    assert (tenant.user_count, tenant.deleted_count, len(tenant.log)) == (1, 1, 4)


async def test_a_token_endpoint_can_refuse_by_code(world: World) -> None:
    """As Entra does where nobody consented: 400, the code in the text and as a number, until it is taken back."""
    path = f"/tenants/{CONTOSO}/settings"
    await world.control("PUT", path, {"token_error": "AADSTS7000229"})
    refused = await sign_in(world, CONTOSO)
    assert (refused.status_code, refused.json()["error_codes"]) == (400, [7000229])
    assert refused.json()["error_description"].startswith("AADSTS7000229: ")
    assert (await sign_in(world, FABRIKAM)).status_code == 200
    await world.control("PUT", path, {"token_error": ""})
    assert (await sign_in(world, CONTOSO)).status_code == 200


async def test_tokens_can_be_of_another_tenant_or_time(world: World) -> None:
    """One says so in `tid`; one is not valid yet, or not any more."""
    path = f"/tenants/{CONTOSO}/settings"
    await world.control("PUT", path, {"token_tenant": FABRIKAM})
    headers = {"Authorization": f"Bearer {(await sign_in(world, CONTOSO)).json()['access_token']}"}
    assert (await world.http.get("/v1.0/organization", headers=headers)).json()["value"][0]["id"] == FABRIKAM
    for skew in (900.0, -4500.0):
        await world.control("PUT", path, {"token_tenant": "", "token_skew_s": skew})
        headers = {"Authorization": f"Bearer {(await sign_in(world, CONTOSO)).json()['access_token']}"}
        answer = await world.http.get("/v1.0/organization", headers=headers)
        assert error(answer) == (401, "InvalidAuthenticationToken")


async def test_an_app_s_roles_can_be_taken_back(world: World) -> None:
    """With `null` it may do everything again, as before anybody registered any."""
    path = f"/tenants/{CONTOSO}/apps/{DEFAULT_APP}"
    await world.control("PUT", path, {"roles": ["User.Invite.All"]})
    for roles, status in (({"roles": ["User.Invite.All"]}, 403), ({"roles": None}, 200)):
        await world.control("PUT", path, roles)
        headers = {"Authorization": f"Bearer {(await sign_in(world, CONTOSO)).json()['access_token']}"}
        assert (await world.http.get("/v1.0/users", headers=headers)).status_code == status
