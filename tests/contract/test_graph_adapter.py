"""The Graph client itself: what may leave, with which token, and what the budget hears of it."""

from __future__ import annotations

import base64
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from sync_core.graph.auth import tenant_of
from sync_core.graph.client import GraphClient
from sync_core.graph.credentials import CLOUDS, EmulatorCredential
from sync_core.graph.subscriptions import GraphSubscriptions
from sync_core.graph.target import GraphTarget
from sync_core.model.errors import ConflictError, GraphRefusedError, ReadOnlyError, UnavailableError, WrongTenantError
from tests.support.clock import START, ManualClock
from tests.support.graph import TENANT, USER, Handler, Tokens, answers, client_for, jwt, yes


class Ledger:
    """A budget that writes down what it is told."""

    def __init__(self) -> None:
        self.taken = 0
        self.seen: list[float] = []
        self.pauses: list[float | None] = []

    async def take(self) -> None:
        self.taken += 1

    def observe(self, percentage: float) -> None:
        self.seen.append(percentage)

    async def throttled(self, retry_after: float | None) -> None:
        self.pauses.append(retry_after)


def never(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"a request left: {request.method} {request.url}")


WRITES: dict[str, Callable[[GraphClient], Awaitable[object]]] = {
    "invite": lambda client: GraphTarget(client).invite("a@contoso.com", "Ada", confirm=yes),
    "update": lambda client: GraphTarget(client).update(USER, {"department": "X"}),
    "set_manager": lambda client: GraphTarget(client).set_manager(USER, USER),
    "remove_manager": lambda client: GraphTarget(client).set_manager(USER, None),
    "soft_delete": lambda client: GraphTarget(client).soft_delete(USER, confirm=yes),
    "restore": lambda client: GraphTarget(client).restore(USER),
    "subscribe": lambda client: GraphSubscriptions(client, public_url="https://x.example").create(
        resource="users", client_state="s", expires_at=START
    ),
    "renew": lambda client: GraphSubscriptions(client, public_url="https://x.example").renew("1", START),
    "unsubscribe": lambda client: GraphSubscriptions(client, public_url="https://x.example").delete("1"),
    "batch": lambda client: client.post("/$batch", body={"requests": []}),
    "post under a read-only name": lambda client: client.post("/users/getByIds/restore"),
    "patch a read-only post": lambda client: client.patch("/directoryObjects/getByIds", {}, body={}),
}


@pytest.mark.parametrize("name", WRITES)
async def test_read_only_mode_lets_no_write_out(name: str) -> None:
    """In read-only mode every writing method raises before a permit, a token or the network is touched."""
    tokens, ledger = Tokens(), Ledger()
    client = client_for(never, read_only=True, credential=tokens, budget=ledger)
    with pytest.raises(ReadOnlyError):
        await WRITES[name](client)
    assert (tokens.asked, ledger.taken) == ([], 0)


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE", "MERGE", "HEAD", "OPTIONS"])
async def test_the_gate_is_the_last_thing_before_the_wire(method: str) -> None:
    """Even a request put straight into the HTTP client under everything else does not leave in read-only mode."""
    client = client_for(never, read_only=True)
    headers = {"Authorization": f"Bearer {jwt({'tid': TENANT})}"}
    with pytest.raises(ReadOnlyError):
        await client._http.request(method, f"https://graph.microsoft.com/v1.0/users/{USER}", headers=headers)


@pytest.mark.parametrize("path", ["/directoryObjects/getByIds?$select=id", f"/users/{USER}/checkMemberGroups"])
async def test_reads_by_post_are_allowed_by_name(path: str) -> None:
    """The few POSTs that change nothing work in read-only mode and take no permit."""
    ledger = Ledger()
    client = client_for(answers(200, {"value": []}), read_only=True, budget=ledger)
    assert await client.post(path, body={}) == {"value": []}
    assert ledger.taken == 0


@pytest.mark.parametrize(
    "claims",
    [{"tid": "33333333-3333-3333-3333-333333333333"}, {"tid": None}, {}, [], "text", None],
    ids=["other tenant", "null", "no tid", "list", "string", "nothing"],
)
@pytest.mark.parametrize("method", ["get", "delete"])
async def test_a_token_of_another_tenant_leaves_nothing(claims: object, method: str) -> None:
    """Neither a write nor a read goes out unless the token says that it is for the configured tenant."""
    tokens = Tokens(claims)
    tokens.claims = claims
    client = client_for(never, credential=tokens)
    with pytest.raises(WrongTenantError):
        await getattr(client, method)("/users/{id}", {"id": USER})


@pytest.mark.parametrize("token", ["", "opaque", "a.b", "a.!!.c", "a.e30.c", "a..c"])
def test_a_token_that_cannot_be_read_has_no_tenant(token: str) -> None:
    """Opaque or broken tokens count as nobody's."""
    assert tenant_of(token) is None


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v1.0/users/delta?$deltatoken=x",
        "http://graph.microsoft.com/v1.0/users/delta",
        "https://graph.microsoft.com:444/v1.0/users/delta",
        "https://graph.microsoft.com@evil.example/v1.0/users/delta",
        "https://user:pw@graph.microsoft.com/v1.0/users/delta",
        "https://graph.microsoft.com.evil.example/v1.0/users",
        "https://graph.microsoft.com/beta/users/delta",
        "//evil.example/v1.0/users",
        "/v1.0/users/delta",
        "",
        "https://[broken/v1.0/users",
    ],
)
async def test_our_token_goes_nowhere_else(link: str) -> None:
    """A link that does not lead to this very Graph is not followed."""
    client = client_for(never)
    assert not client.ours(link)
    with pytest.raises(UnavailableError):
        await client.follow(link)


async def test_redirects_are_not_followed() -> None:
    """A redirect is no answer: following it would carry our token along, taking it for success would lose a write."""
    client = client_for(answers(302, None, {"Location": "https://evil.example/"}))
    with pytest.raises(UnavailableError):
        await client.patch("/users/{id}", {"id": USER}, body={})


async def test_one_token_serves_until_it_is_nearly_over() -> None:
    """The token is fetched once, and again shortly before it expires."""
    tokens, clock = Tokens(), ManualClock()
    client = client_for(answers(200, {}), credential=tokens, clock=clock)
    await client.get("/users")
    clock.advance(timedelta(minutes=54))
    await client.get("/users")
    assert len(tokens.asked) == 1
    clock.advance(timedelta(minutes=2))
    await client.get("/users")
    assert len(tokens.asked) == 2


async def test_an_expired_token_is_replaced_once() -> None:
    """A 401 is tried again with a fresh token; a second one is Graph's refusal."""
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["Authorization"])
        ok = len(seen) == 2
        return httpx.Response(200 if ok else 401, json={"error": {"code": "InvalidAuthenticationToken"}})

    client = client_for(handler)
    await client.get("/users")
    assert len(set(seen)) == 2
    with pytest.raises(GraphRefusedError, match="401 InvalidAuthenticationToken"):
        await client.get("/users")
    assert len(seen) == 4


async def test_a_claims_challenge_is_answered() -> None:
    """A token revoked before its time is renewed with the claims that Graph asks for."""
    wanted = '{"access_token":{"nbf":{"essential":true}}}'
    challenge = f'Bearer error="insufficient_claims", claims="{base64.b64encode(wanted.encode()).decode()}"'
    sent: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["Authorization"])
        if len(sent) == 1:
            return httpx.Response(401, headers={"WWW-Authenticate": challenge})
        return httpx.Response(200, json={"value": []})

    tokens = Tokens()
    await client_for(handler, credential=tokens).get("/users")
    assert tokens.asked == [None, wanted]
    assert sent == [f"Bearer {jwt(tokens.claims, number)}" for number in (1, 2)]


async def test_every_write_takes_a_permit_and_no_read_does() -> None:
    """The budget stands before each write, and hears of the limit from successes, too."""
    ledger = Ledger()
    client = client_for(answers(200, {}, {"x-ms-throttle-limit-percentage": "0.93"}), budget=ledger)
    await client.get("/users")
    assert (ledger.taken, ledger.seen) == (0, [])
    await client.patch("/users/{id}", {"id": USER}, body={})
    assert (ledger.taken, ledger.seen) == (1, [0.93])


async def test_a_deletion_is_confirmed_after_its_permit() -> None:
    """Waiting for a permit takes time: only then is asked whether it still holds, and a "no" deletes nothing."""
    order: list[str] = []

    class Slow(Ledger):
        async def take(self) -> None:
            order.append("permit")

    async def confirm() -> bool:
        order.append("confirmed")
        return len(order) < 4

    def handler(_: httpx.Request) -> httpx.Response:
        order.append("sent")
        return httpx.Response(204)

    target = GraphTarget(client_for(handler, budget=Slow()))
    assert await target.soft_delete(USER, confirm=confirm)
    assert order == ["permit", "confirmed", "sent"]
    with pytest.raises(ConflictError):
        await target.soft_delete(USER, confirm=confirm)
    assert order[3:] == ["permit", "confirmed"]


async def test_a_refused_write_pauses_the_budget() -> None:
    """A 429 to a write reaches the budget with its decimals, one to a read does not."""
    ledger = Ledger()
    client = client_for(answers(429, {"error": {"code": "TooManyRequests"}}, {"Retry-After": "2.128"}), budget=ledger)
    for method in ("get", "delete"):
        with pytest.raises(Exception, match="429"):
            await getattr(client, method)("/users/{id}", {"id": USER})
    assert ledger.pauses == [2.128]


async def test_parameters_are_encoded_into_the_url() -> None:
    """Nothing that comes as a parameter can change the path or add to the query."""
    urls: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        urls.append(request.url.raw_path.decode())
        return httpx.Response(200, json={})

    await client_for(handler).get("/users/{id}?$select=id", {"id": "a/b?c#d&e'é{x}"})
    assert urls == ["/v1.0/users/a%2Fb%3Fc%23d%26e%27%C3%A9%7Bx%7D?$select=id"]


@pytest.fixture
async def emulator_credential() -> AsyncIterator[Callable[[Handler], EmulatorCredential]]:
    made: list[EmulatorCredential] = []

    def make(handler: Handler) -> EmulatorCredential:
        credential = EmulatorCredential(
            base_url="http://127.0.0.1:8040",
            tenant_id=TENANT,
            app_id="app",
            clock=ManualClock(),
            transport=httpx.MockTransport(handler),
        )
        made.append(credential)
        return credential

    yield make
    for credential in made:
        await credential.close()


async def test_emulator_tokens_expire_on_the_given_clock(
    emulator_credential: Callable[[Handler], EmulatorCredential],
) -> None:
    """The emulator's `expires_in` counts from the moment of asking."""
    handler = answers(200, {"access_token": "t", "expires_in": 3599})
    token = await emulator_credential(handler).get_token("scope/.default")
    assert (token.token, token.expires_on) == ("t", int(START.timestamp()) + 3599)


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        (answers(400, {"error": "invalid_request"}), GraphRefusedError),
        (answers(500, {}), UnavailableError),
        (answers(200, {}), UnavailableError),
        (answers(200, []), UnavailableError),
    ],
)
async def test_no_token_is_an_error_of_ours(
    handler: Handler, error: type[Exception], emulator_credential: Callable[[Handler], EmulatorCredential]
) -> None:
    """Whatever goes wrong at the token endpoint is one of our errors."""
    with pytest.raises(error):
        await emulator_credential(handler).get_token("scope/.default")


@pytest.mark.parametrize("cloud", CLOUDS.values(), ids=CLOUDS)
async def test_each_cloud_is_reached_at_its_own_host(cloud: Any) -> None:
    """Requests go to the Graph host of the tenant's cloud."""
    hosts: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        hosts.append(f"https://{request.url.host}")
        return httpx.Response(200, json={})

    await client_for(handler, graph_url=cloud.graph_url).get("/users")
    assert hosts == [cloud.graph_url]
    assert cloud.scope == f"{cloud.graph_url}/.default"


async def test_nothing_personal_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """No token, address or body appears in any log record of our own, whatever its level."""
    caplog.set_level(logging.DEBUG)
    address = "@".join(("who", "contoso.com"))  # tracebacks quote the source, which has to be without it
    target = GraphTarget(client_for(answers(400, {"error": {"code": "X", "message": address}})))
    for call in (target.invite(address, "Who", confirm=yes), target.candidates(address)):
        with pytest.raises(GraphRefusedError) as caught:
            await call
        logging.getLogger("test").error("failed", exc_info=caught.value)
    assert "failed" in caplog.text
    assert not [text for text in ("contoso.com", "header1", "graph.microsoft.com") if text in caplog.text]
