"""Nothing that can be sent over HTTP is the emulator's undoing, and one seed makes one history."""

import asyncio
import contextlib
import json
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings, strategies as st

from entra_graph_emulator.api.routes import ROUTES
from entra_graph_emulator.control.faults import Mode
from entra_graph_emulator.testing import CONTOSO, FABRIKAM, World
from entra_graph_emulator.wire.words import words

SOME = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
IDS = [
    "{user}",
    "{group}",
    "{app}",
    "x",
    "00000000-0000-0000-0000-000000000000",
    "a@b.com",
    "$count",
    "('",
    "%FF",
    "%00",
]
TAILS = ["", "/$ref", "/$count", "/microsoft.graph.user", "/microsoft.graph.nothing", "()", "/delta", "//", "/me"]
OPTIONS = words("$select $filter $expand $orderby $top $skip $count $search $skiptoken $deltatoken $format select $x")
WORDS = [
    *[
        "mail",
        "id",
        "displayName",
        "members",
        "manager",
        "true",
        "5",
        "-1",
        "99999999999999999999",
        "WzEsMiwzXQ",
        "eJwDAAAAAAE",
        "x,y",
        "*",
        "latest",
    ],
    "mail eq 'x'",
    "isof('microsoft.graph.user')",
    '"displayName:a" OR "mail:b"',
    "manager($select=id)",
    "((((",
    "not not not mail eq null",
    "\ud83d\ude00é\x00",
    "2026-01-01T00:00:00Z",
    "otherMails/any(x:x/y eq 'z')",
    "createdDateTime ge 9999-12-31T23:59:59.9999999-14:00",
]
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "ConsistencyLevel": st.sampled_from(["eventual", "strong"]),
        "Prefer": st.sampled_from(["return=minimal", "odata.maxpagesize=0", "odata.maxpagesize=7", "x"]),
        "Content-Type": st.sampled_from(["application/json", "text/plain", "application/json; charset=utf-16"]),
        "Accept": st.sampled_from(["application/json;odata.metadata=none", "*/*"]),
        "If-Match": st.just("*"),
    },
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6), st.sampled_from(WORDS)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from([*OPTIONS, "@odata.id", "value"]), inner, max_size=3),
    ),
    max_leaves=5,
)
NAMES = st.sampled_from(
    words(
        "displayName mailNickname mailEnabled securityEnabled groupTypes members@odata.bind manager@odata.bind "
        "@odata.id groupIds ids types securityEnabledOnly tenantId automaticUserConsentSettings userSyncInbound "
        "allowInvitesFrom appId principalId resourceId appRoleId name dataType targetObjects inboundTrust version "
        "b2bCollaborationInbound tenants value requests invitedUserSponsors passwordProfile accountEnabled "
        "userPrincipalName"
    )
)
BODIES = st.one_of(
    st.dictionaries(NAMES, VALUES, max_size=6).map(lambda body: json.dumps(body).encode()),
    st.binary(max_size=20),
    st.sampled_from(
        [
            b"",
            b"{",
            b"[]",
            b"null",
            b'{"displayName":"\\ud800"}',
            b'{"a":NaN}',
            b'{"displayName":"\xed\xa0\x80"}',
            b"[" * 3000,
        ]
    ),
)
CALLS = st.tuples(
    st.sampled_from([(route.method, route.path) for route in ROUTES] + [("GET", "nothing"), ("HEAD", "users")]),
    st.sampled_from(IDS),
    st.sampled_from(TAILS),
    st.dictionaries(st.sampled_from(OPTIONS), st.sampled_from(WORDS), max_size=3),
    HEADERS,
    BODIES,
)


async def furnished(world: World) -> dict[str, str]:
    world.emulator.add_people(world.source, 3)
    users = world.source.users()
    group = world.source.groups.create({"displayName": "G", "mailNickname": "g"}, members=users)
    app = world.source.apps.ensure_principal("app")
    return {"user": users[0].id, "group": group.id, "app": app.id}


@SOME
@given(calls=st.lists(CALLS, min_size=1, max_size=12))
def test_nothing_sent_is_answered_with_a_500(calls: list[Any]) -> None:
    """Any route, with any id, tail, option, header and body; an exception would fail this as well."""

    async def main() -> None:
        async with World() as world:
            known = await furnished(world)
            token = f"Bearer {world.emulator.token(CONTOSO)}"
            for (method, path), key, tail, query, headers, body in calls:
                wanted = key.format(**known) if key.startswith("{") else key
                target = "/v1.0/" + path.replace("{}", wanted).replace("{", "").replace("}", "") + tail
                options = {name: value.encode("utf-8", "replace") for name, value in query.items()}
                content = None if method == "HEAD" else body
                sent = {"Authorization": token, **headers}
                answer = await world.http.request(method, target, params=options, headers=sent, content=content)
                assert answer.status_code < 500 or answer.status_code == 501, answer.text
                if answer.status_code >= 400 and method != "HEAD":
                    assert set(answer.json()["error"]) >= {"code", "message", "innerError"}

    asyncio.run(main())


@SOME
@given(
    path=st.sampled_from(
        words(
            "seed tenants clock throttle faults delivery tenants/{t}/groups tenants/{t}/settings tenants/{t}/snapshot "
            "tenants/{t}/apps/a tenants/{t}/admins tenants/{t}/redeem tenants/{t}/convert tenants/{t}/users"
        )
    ),
    body=st.one_of(BODIES, VALUES.map(lambda value: json.dumps({"tenants": [value], "value": [value]}).encode())),
)
def test_no_control_call_is_answered_with_a_500(path: str, body: bytes) -> None:
    """Those under /_emulator say in one sentence what is wrong."""

    async def main() -> None:
        async with World() as world:
            await furnished(world)
            for method in ("POST", "PUT"):
                answer = await world.http.request(method, f"/_emulator/{path.format(t=CONTOSO)}", content=body)
                assert answer.status_code < 500

    asyncio.run(main())


def test_a_fault_run_repeats_to_the_last_entry_of_the_request_log() -> None:
    """Every kind of fault by chance, throttling, delivery with losses: the same seed, the same history, twice."""

    async def run(seed: int) -> list[Any]:
        async with World(seed=seed) as world:
            world.emulator.add_people(world.source, 30, seed=seed)
            for number, mode in enumerate(Mode):
                fault = {"path": "/*", "mode": mode.value, "probability": 0.1, "seed": seed + number, "delay_s": 1}
                await world.control("POST", "/faults", fault)
            await world.control("PUT", "/throttle", {"writes": 20, "window_s": 60})
            await world.control("PUT", "/delivery", {"drop": 0.2, "duplicate": 0.2, "shuffle": True, "seed": seed})
            for tenant in (CONTOSO, FABRIKAM):
                await story(world, tenant)
            posts = list(world.subscriber.posts)
            return [(await world.control("GET", "/requests"))["items"], posts]

    async def twice() -> tuple[list[Any], list[Any], list[Any]]:
        return await run(5), await run(5), await run(6)

    first, again, other = asyncio.run(twice())
    assert first == again
    assert first != other
    assert len({entry["status"] for entry in first[0]}) > 3


async def story(world: World, tenant: str) -> None:
    token = {"Authorization": f"Bearer {world.emulator.token(tenant)}"}
    for number in range(25):
        invitation = {"invitedUserEmailAddress": f"p{number}@x.com", "inviteRedirectUrl": "https://x"}
        change = {"jobTitle": f"T{number}"}
        for method, path, body in (
            ("GET", "/users/delta", None),
            ("POST", "/invitations", invitation),
            ("PATCH", f"/users/{(world.emulator.tenant(tenant).users() or world.source.users())[0].id}", change),
        ):
            with contextlib.suppress(httpx.ReadError):
                await world.http.request(method, f"/v1.0{path}", headers=token, json=body)
        world.clock.advance(1)
        await world.emulator.deliver()


async def test_a_snapshot_brings_a_tenant_back_to_the_last_id_and_token() -> None:
    """Users, deleted ones, groups, policies, apps, settings, chance; later delta tokens must start over."""
    async with World() as world:
        await furnished(world)
        world.source.delete(world.source.users()[2])
        group = world.source.groups.live()[0]
        await world.control("PUT", f"/tenants/{CONTOSO}/apps/a", {"roles": ["User.Read.All"], "directoryRole": True})
        await world.control("PUT", f"/tenants/{CONTOSO}/settings", {"delta_seed": 3})
        link = (await world.contoso.delta()).link
        taken = await world.control("GET", f"/tenants/{CONTOSO}/snapshot")
        paths = ("/users", "/groups", link, "/servicePrincipals")
        state = [(await world.contoso.get(path)).json()["value"] for path in paths]

        async def onwards() -> str:
            return str(world.source.create({"displayName": "N", "userPrincipalName": "n@contoso.com"}).id)

        new = await onwards()
        world.source.groups.delete(group)
        world.clock.advance(10)
        later = (await world.contoso.delta(link)).link
        described = await world.control("PUT", f"/tenants/{CONTOSO}/snapshot", taken)
        assert (described["users"], described["groups"], described["deletedItems"]) == (2, 1, 1)
        assert [(await world.contoso.get(path)).json()["value"] for path in paths] == state
        assert (await world.contoso.get(later)).status_code == 410
        assert await onwards() == new
        broken = await world.http.put(f"/_emulator/tenants/{CONTOSO}/snapshot", json=taken | {"users": [{}]})
        assert broken.status_code == 400
        assert world.source.user_count == 3
