"""The checks behind `xtsync doctor`, against the emulator and storage in memory: each one red for its reason."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from entra_graph_emulator.testing import BASE, CONTOSO, FABRIKAM, World
from entra_graph_emulator.transport import EmulatorTransport
from sync_core.assembly import Runtime
from sync_core.config.file import parse_config
from sync_core.config.settings import load_settings
from sync_core.deployment import build
from sync_core.model import Json, Link, Parked, Tenant
from sync_core.model.errors import Fault, UnavailableError
from sync_core.model.messages import WORK_QUEUES
from sync_core.ops.doctor import remedies
from sync_core.ops.doctor.run import Checkup
from sync_core.ops.documents import Finding, Verdict
from sync_core.ports import AppOnTenant, FeedPhase, FeedState, Side
from sync_core.storage.memory import MemoryQueue
from sync_core.storage.queue import Message, from_wire
from sync_core.storage.repositories import memory_storage
from tests.support.make import STAFF
from tools.settings_doc import ROOT

SETTINGS = {
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "XTSYNC_CREDENTIAL": "emulator",
    "XTSYNC_GRAPH_URL": BASE,
    "XTSYNC_PUBLIC_URL": "https://app.example",
}
CONFIG = f"""\
tenants:
  contoso: {{ id: {CONTOSO} }}
  fabrikam: {{ id: {FABRIKAM} }}
syncs:
  - {{ name: there, source: contoso, target: fabrikam }}
"""
CROSS_TENANT = "/policies/crossTenantAccessPolicy"
CONSENT = "automaticUserConsentSettings"
LEAST_TARGET = ["User.DeleteRestore.All", "User.Invite.All", "User.ReadWrite.All"]


class Dated(EmulatorTransport):
    """With the header by which Graph tells its time, as its front end sends it."""

    date: datetime | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if self.date is not None:
            response.headers["Date"] = format_datetime(self.date, usegmt=True)
        return response


class Foreign(MemoryQueue):
    """A queue to which somebody else sends as well."""

    async def peek(self) -> list[Message]:
        return [from_wire(id="m1", stored=text, dequeue_count=0) for text in ('{"v":1}', "eyJ2IjoxfQ==")]


class Clinic:
    """A healthy deployment; `report` is what the doctor says of it now."""

    def __init__(self, graph: World) -> None:
        self.graph = graph
        self.config = CONFIG
        self.clock = graph.clock
        self.storage = memory_storage(self.clock)
        self.transport = Dated(graph.emulator)
        self.alter: Callable[[AppOnTenant], AppOnTenant] = lambda app: app
        self.host_encoding = "base64"
        self.public_url = "https://app.example"
        self.warnings: Sequence[Fault] = ()

    @asynccontextmanager
    async def runtime(self) -> AsyncIterator[Runtime]:
        """A new one each time, as a command has: with no token in it."""
        settings, config = load_settings(SETTINGS), parse_config(self.config)
        runtime = build(settings, config, clock=self.clock, storage=self.storage, transport=self.transport)
        yield runtime
        await runtime.close()

    async def prepare(self) -> None:
        for tenant, partner, way in ((self.graph.contoso, FABRIKAM, "out"), (self.graph.fabrikam, CONTOSO, "in")):
            body = {"tenantId": partner, CONSENT: {f"{way}boundAllowed": True}}
            await tenant.post(f"{CROSS_TENANT}/partners", body)
        self.graph.source.create({"userPrincipalName": "ada@contoso.com", "displayName": "Ada"})
        async with self.runtime() as runtime:
            await runtime.keeper.keep("contoso")
        await self.feed(completed_at=self.clock.now())

    async def feed(self, name: str = "users", /, **values: Any) -> None:
        state = await self.storage.feeds.get("contoso", name)
        await self.storage.feeds.save(replace(state, **values))

    async def settings(self, tenant: str, **values: object) -> None:
        await self.graph.control("PUT", f"/tenants/{tenant}/settings", values)

    async def roles(self, tenant: str, roles: list[str]) -> None:
        await self.graph.control("PUT", f"/tenants/{tenant}/apps/xtsync", {"roles": roles})

    async def findings(self) -> list[Finding]:
        async with self.runtime() as runtime:
            checkup = Checkup(
                runtime=replace(
                    runtime,
                    config=replace(runtime.config, warnings=self.warnings),
                    apps=[self.alter(app) for app in runtime.apps],
                ),
                host_encoding=self.host_encoding,
                public_url=self.public_url,
            )
            return await checkup.run()

    async def report(self, verdict: Verdict = Verdict.FAILED) -> dict[str, str]:
        """The details of the findings of this verdict, by check."""
        return {each.check: each.detail for each in await self.findings() if each.verdict is verdict}

    async def remedy(self, check: str) -> str:
        (lines,) = [each.remedy for each in await self.findings() if each.check == check and each.remedy]
        return "\n".join(lines)


@pytest.fixture
async def clinic() -> AsyncIterator[Clinic]:
    async with World() as graph:
        clinic = Clinic(graph)
        await clinic.prepare()
        yield clinic


async def test_a_healthy_deployment_is_green(clinic: Clinic) -> None:
    """Every check has looked, and each app on each tenant has its own."""
    findings = await clinic.findings()
    assert {each.verdict for each in findings} == {Verdict.OK}
    assert [each.check for each in findings if each.subject == "contoso (source)"] == [
        *("token", "tenant", "roles", "clock", "graph"),
        *("subscription", "feed", "redemption to fabrikam", "collaboration to fabrikam", "domains"),
    ]
    assert [each.check for each in findings if each.subject == "fabrikam (target)"] == [
        *("token", "tenant", "roles", "clock", "graph"),
        *("redemption from contoso", "collaboration from contoso", "invitations"),
    ]
    assert [each.remedy for each in findings if each.remedy] == []


# --- tokens -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "detail", "remedy"),
    [
        ("AADSTS700016", "nobody in this tenant consented", f"/{CONTOSO}/adminconsent?client_id=xtsync"),
        ("AADSTS65001", "nobody in this tenant consented", f"/{CONTOSO}/adminconsent?client_id=xtsync"),
        ("AADSTS90002", "there is no such tenant", "Correct the id of `contoso` under `tenants` in sync.yaml."),
        ("AADSTS7000222", "the secret has expired", "XTSYNC_CLIENT_SECRET"),
        ("AADSTS700211", "no federated credential", "azd provision"),
        ("AADSTS4711", "the token was refused (AADSTS4711)", "https://login.microsoftonline.com/error?code=4711"),
    ],
)
async def test_a_refused_token_names_its_remedy(clinic: Clinic, code: str, detail: str, remedy: str) -> None:
    """By Entra's own code; what needs a token is not checked, and the other tenant is."""
    await clinic.settings(CONTOSO, token_error=code)
    report = await clinic.report()
    assert list(report) == ["token"]
    assert detail in report["token"]
    assert remedy in await clinic.remedy("token")
    assert set(await clinic.report(Verdict.SKIPPED)) == {
        *("graph", "domains", "redemption to fabrikam", "collaboration to fabrikam")
    }


async def test_no_answer_is_no_consent_problem(clinic: Clinic) -> None:
    """A time-out is not blamed on anybody's consent."""

    class Silent:
        answered_at = None

        async def claims(self) -> Mapping[str, Json]:
            raise UnavailableError("no access token (ConnectTimeout)")

        async def get(self, template: str, **parameters: str) -> Mapping[str, Json] | None:
            raise AssertionError

    clinic.alter = lambda app: replace(app, inspection=Silent()) if app.side is Side.SOURCE else app
    assert await clinic.report() == {"token": "none: no access token (ConnectTimeout)"}
    assert "adminconsent" not in await clinic.remedy("token")


async def test_another_tenant_s_token_is_named_and_never_used(clinic: Clinic) -> None:
    """The remedy has the line of sync.yaml, and Graph is not asked with such a token."""
    await clinic.settings(FABRIKAM, token_tenant=CONTOSO)
    before = len(clinic.graph.emulator.log.report(tenant=None, since=0, items=True)["items"])
    assert await clinic.report() == {"tenant": f"the token is for {CONTOSO}, sync.yaml says {FABRIKAM}"}
    asked = clinic.graph.emulator.log.report(tenant=None, since=0, items=True)["items"][before:]
    assert {each["path"].split("?")[0] for each in asked if "policies" in each["path"]} == {
        f"{CROSS_TENANT}/partners/{FABRIKAM}",
        f"{CROSS_TENANT}/default",
    }
    assert f"fabrikam: {{ id: {CONTOSO} }}" in await clinic.remedy("tenant")


async def test_each_missing_role_is_named(clinic: Clinic) -> None:
    """Those that are there are not."""
    await clinic.roles(FABRIKAM, ["User.ReadWrite.All", "Directory.Read.All"])
    assert await clinic.report() == {"roles": "missing: User.DeleteRestore.All, User.Invite.All"}
    assert f"/{FABRIKAM}/adminconsent?client_id=xtsync" in await clinic.remedy("roles")


async def test_a_leave_date_that_the_scope_asks_for_needs_a_role_of_its_own(clinic: Clinic) -> None:
    """Graph shows null without it; the templates do not ask for it, so the remedy says where to add it."""
    clause = "{ attribute: employeeLeaveDateTime, operator: IS NULL }"
    scope = f"scope: {{ filters: [{{ name: A, clauses: [{clause}] }}] }}"
    clinic.config = clinic.config.replace("source: contoso,", f"source: contoso, {scope},", 1)
    await clinic.roles(CONTOSO, ["User.Read.All"])
    assert (await clinic.report())["roles"] == "missing: User-LifeCycleInfo.Read.All"
    assert "docs/deploy.md#leave-dates" in await clinic.remedy("roles")
    await clinic.roles(CONTOSO, ["User.Read.All", "User-LifeCycleInfo.Read.All"])
    assert "roles" not in await clinic.report()


async def test_a_token_without_roles_has_none_but_from_the_emulator(clinic: Clinic) -> None:
    """Entra leaves the claim out when nothing was granted."""
    clinic.alter = lambda app: replace(app, silent_roles=False)
    assert (await clinic.report())["roles"].startswith("missing: ")


@pytest.mark.parametrize(
    ("skew", "detail"),
    [(900, "valid only in 15 min: the clock here is behind"), (-4500, "expired 15 min ago: the clock here is ahead")],
)
async def test_a_token_of_another_time(clinic: Clinic, skew: float, detail: str) -> None:
    """Not valid yet, or not any more: the clock is to blame, and not what Graph says of such a token."""
    await clinic.settings(CONTOSO, token_skew_s=float(skew))
    report = await clinic.report()
    assert list(report) == ["clock"]
    assert detail in report["clock"]


@pytest.mark.parametrize(("minutes", "red"), [(-6, True), (-4, False), (4, False), (6, True)])
async def test_graph_s_own_time_is_compared(clinic: Clinic, minutes: int, red: bool) -> None:
    """Five minutes either way, by the Date of its answer."""
    clinic.transport.date = clinic.clock.now() + timedelta(minutes=minutes)
    assert bool(await clinic.report()) is red
    if red:
        behind = "behind" if minutes > 0 else "ahead of"
        assert set((await clinic.report()).values()) == {f"the clock here is 6 min {behind} Graph's"}


async def test_a_graph_that_fails_is_a_finding(clinic: Clinic) -> None:
    """Its error stands in the line; the deployment's own checks are there all the same."""
    await clinic.graph.control(
        "POST", "/faults", {"method": "GET", "path": "/users", "tenant": CONTOSO, "status": 500, "count": 9}
    )
    report = await clinic.report()
    assert list(report) == ["graph"]
    assert report["graph"].startswith("could not be checked: 500")


# --- policies ---------------------------------------------------------------------------------------------------


async def test_the_partner_inherits_the_default(clinic: Clinic) -> None:
    """Null in the partner's entry: what the default says counts, and the remedy changes the entry."""
    consent = {CONSENT: {"inboundAllowed": None}}
    await clinic.graph.fabrikam.patch(f"{CROSS_TENANT}/partners/{CONTOSO}", consent)
    assert list(await clinic.report()) == ["redemption from contoso"]
    assert "-Method PATCH" in await clinic.remedy("redemption from contoso")
    clinic.graph.target.policies.change_default({CONSENT: {"inboundAllowed": True}})
    assert await clinic.report() == {}


async def test_without_an_entry_the_remedy_makes_one(clinic: Clinic) -> None:
    """PATCH of an entry that is not there would be 404."""
    await clinic.graph.contoso.delete(f"{CROSS_TENANT}/partners/{FABRIKAM}")
    assert list(await clinic.report()) == ["redemption to fabrikam"]
    remedy = await clinic.remedy("redemption to fabrikam")
    assert f"-Method POST -Uri '{BASE}/v1.0{CROSS_TENANT}/partners' -Body @{{ tenantId = '{FABRIKAM}'" in remedy
    assert f"Connect-MgGraph -TenantId {CONTOSO}" in remedy


@pytest.mark.parametrize(("side", "name"), [("source", "Outbound"), ("target", "Inbound")])
async def test_blocked_collaboration(clinic: Clinic, side: str, name: str) -> None:
    """For everybody, on either side."""
    graph, partner = (clinic.graph.contoso, FABRIKAM) if side == "source" else (clinic.graph.fabrikam, CONTOSO)
    everybody = {"accessType": "blocked", "targets": [{"target": "AllUsers", "targetType": "user"}]}
    await graph.patch(f"{CROSS_TENANT}/partners/{partner}", {f"b2bCollaboration{name}": {"usersAndGroups": everybody}})
    (report,) = (await clinic.report()).values()
    assert report == f"b2bCollaboration{name} blocks everybody"


@pytest.mark.parametrize(
    ("inviters", "verdict"),
    [("none", Verdict.FAILED), ("adminsAndGuestInviters", Verdict.WARNING), ("everyone", Verdict.OK)],
)
async def test_who_may_invite(clinic: Clinic, inviters: str, verdict: Verdict) -> None:
    """Nobody at all is a fault; what Graph does not say is a warning."""
    await clinic.graph.fabrikam.patch("/policies/authorizationPolicy", {"allowInvitesFrom": inviters})
    assert "invitations" in await clinic.report(verdict)


async def test_least_permissions_are_no_fault(clinic: Clinic) -> None:
    """A check without permission says so, with the administrator's command; nothing is red."""
    await clinic.roles(CONTOSO, ["User.Read.All"])
    await clinic.roles(FABRIKAM, LEAST_TARGET)
    assert await clinic.report() == {}
    assert set(await clinic.report(Verdict.UNSEEN)) == {
        *("redemption to fabrikam", "collaboration to fabrikam"),
        *("redemption from contoso", "collaboration from contoso", "invitations"),
    }
    assert f"{CROSS_TENANT}/partners/{CONTOSO}').{CONSENT}.inboundAllowed" in await clinic.remedy(
        "redemption from contoso"
    )


async def test_a_subscription_to_the_target(clinic: Clinic) -> None:
    """The check of a target tenant where the sync says so; without one it is a warning, since the poll goes on."""
    clinic.config = clinic.config.replace("target: fabrikam }", "target: fabrikam, drift: { subscribe: true } }")
    assert await clinic.report() == {}
    assert await clinic.report(Verdict.WARNING) == {
        "subscription": "there is none; changes in the target come by poll, within minutes"
    }
    assert "keep_subscriptions makes a new one" in await clinic.remedy("subscription")
    async with clinic.runtime() as runtime:
        await runtime.keeper.keep("fabrikam")
    checks = [(each.check, each.verdict) for each in await clinic.findings() if each.subject == "fabrikam (target)"]
    assert ("subscription", Verdict.OK) in checks


async def test_a_scope_that_names_groups_needs_more(clinic: Clinic) -> None:
    """One permission more, a feed of its own, and, if seconds matter, a subscription; that one is not required."""
    clinic.config = clinic.config.replace(
        "target: fabrikam }", f"target: fabrikam, scope: {{ users: assigned, groups: [{STAFF}] }} }}"
    )
    assert await clinic.report() == {"groups feed": "nobody polls: no round was ever completed, and none was begun"}
    (subscription,) = (await clinic.report(Verdict.WARNING)).values()
    assert subscription == "there is none; changed memberships come by poll, within minutes"
    assert "NOTIFY_GROUPS" in await clinic.remedy("groups subscription")
    await clinic.feed("groups", completed_at=clinic.clock.now())
    await clinic.roles(CONTOSO, ["User.Read.All"])
    assert await clinic.report() == {"roles": "missing: GroupMember.Read.All"}


# --- what is stored -----------------------------------------------------------------------------------------------


async def test_a_subscription_that_graph_forgot(clinic: Clinic) -> None:
    """Our record alone does not tell."""
    record = await clinic.storage.subscriptions.get("contoso")
    assert record is not None
    await clinic.graph.graph(CONTOSO, app="xtsync").delete(f"/subscriptions/{record.subscription_id}")
    assert await clinic.report() == {"subscription": "Graph does not know it (any more)"}
    assert "curl -i https://app.example/api/health" in await clinic.remedy("subscription")


async def test_a_subscription_that_posts_elsewhere(clinic: Clinic) -> None:
    """Left over from another deployment on the same account."""
    clinic.public_url = "https://other.example"
    assert await clinic.report() == {"subscription": "it posts to another address than XTSYNC_PUBLIC_URL"}


@pytest.mark.parametrize(("values", "detail"), [({"subscription_id": ""}, "there is none"), ({}, "it has expired")])
async def test_a_subscription_that_our_record_knows_is_dead(
    clinic: Clinic, values: dict[str, Any], detail: str
) -> None:
    """Also when the token cannot be used to ask Graph."""
    record = await clinic.storage.subscriptions.get("contoso")
    assert record is not None
    await clinic.storage.subscriptions.save(replace(record, expires_at=clinic.clock.now(), **values))
    assert (await clinic.report())["subscription"] == detail
    await clinic.settings(CONTOSO, token_error="AADSTS65001")
    assert (await clinic.report())["subscription"] == detail


MINUTES = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("values", "verdict", "detail"),
    [
        ({"completed_at": 29 * MINUTES}, Verdict.OK, "completed 29 min ago"),
        ({"completed_at": 31 * MINUTES}, Verdict.FAILED, "no round was completed for 31 min"),
        (
            {"completed_at": 300 * MINUTES, "error": "403"},
            Verdict.FAILED,
            "no round was completed for 5 h; stopped by 403",
        ),
        (
            {"completed_at": timedelta(days=8), "delta_link": "x"},
            Verdict.FAILED,
            "the delta link is stale: 8 days old, and Graph gives it up after seven days",
        ),
        ({"completed_at": None}, Verdict.FAILED, "nobody polls: no round was ever completed, and none was begun"),
        (
            {"completed_at": None, "phase": FeedPhase.PAGES, "progress_at": 1 * MINUTES, "entries": 7},
            Verdict.WARNING,
            "a round is being read: 7 entries so far",
        ),
        (
            {"completed_at": 31 * MINUTES, "phase": FeedPhase.PAGES, "progress_at": 11 * MINUTES},
            Verdict.FAILED,
            "no round was completed for 31 min",
        ),
    ],
)
async def test_feeds(clinic: Clinic, values: dict[str, Any], verdict: Verdict, detail: str) -> None:
    """By the age of the last completed round; one that is being read is not called stale."""
    now = clinic.clock.now()
    await clinic.feed(**{name: now - each if isinstance(each, timedelta) else each for name, each in values.items()})
    assert (await clinic.report(verdict))["feed"] == detail


async def test_warnings_of_the_configuration_are_passed_on(clinic: Clinic) -> None:
    """With the command that has their lines."""
    clinic.warnings = [Fault(where="sync.yaml:9", message="may not be meant")] * 2
    assert "configuration" in await clinic.report(Verdict.WARNING)
    assert "xtsync validate" in await clinic.remedy("configuration")


async def test_a_foreign_message_is_found_before_the_host_meets_it(clinic: Clinic) -> None:
    """By name of the queue and number."""
    queues = {**clinic.storage.queues_by_name, "feed-pages": Foreign(clinic.clock)}
    clinic.storage = replace(clinic.storage, queues_by_name=queues)
    assert await clinic.report() == {"queue encoding": "not base64: 1 on feed-pages"}
    assert "--queue-name feed-pages" in await clinic.remedy("queue encoding")


async def test_a_host_that_decodes_otherwise(clinic: Clinic) -> None:
    """Both sides have to agree, and only host.json can be wrong."""
    clinic.host_encoding = "none"
    assert list(await clinic.report()) == ["queue encoding"]
    assert '"messageEncoding": "base64"' in await clinic.remedy("queue encoding")


async def test_what_our_own_queues_send_is_not_foreign(clinic: Clinic) -> None:
    """Even if its body is not JSON."""
    await clinic.storage.queues_by_name["user-changes"].send("Zoë, not even JSON")
    assert await clinic.report() == {}


async def test_a_feed_that_nobody_polls(clinic: Clinic) -> None:
    """The last round ended well, and none was begun since: the setting of the timer is named."""
    begun = clinic.clock.now() - timedelta(hours=1)
    await clinic.feed(started_at=begun, completed_at=begun)
    assert await clinic.report() == {"feed": "nobody polls: no round was completed for 60 min, and none was begun"}
    assert "POLL_SCHEDULE" in await clinic.remedy("feed")


async def test_a_subscription_that_nobody_keeps(clinic: Clinic) -> None:
    """It lives on for a day and a half, and the timer that should renew it every hour is off."""
    clinic.clock.advance(4 * 3600)
    await clinic.feed(started_at=clinic.clock.now(), completed_at=clinic.clock.now())
    assert (await clinic.report())[
        "subscription"
    ] == "nobody keeps it: it was last renewed 4 h ago, and is to be every hour"
    assert "SUBSCRIPTION_SCHEDULE" in await clinic.remedy("subscription")


def test_the_values_of_the_schedules_are_those_of_the_templates() -> None:
    """The remedy for a missing setting and the local stack say the same."""
    values = json.loads((ROOT / "local.settings.json.example").read_text(encoding="utf-8"))["Values"]
    assert {name: values[name] for name in remedies.SCHEDULES} == remedies.SCHEDULES


async def test_a_queue_off_which_nobody_takes_messages(clinic: Clinic) -> None:
    """Once two polls have seen the same message next; the setting that disables its function is named."""
    await clinic.storage.queues_by_name["user-changes"].send("x")
    await clinic.storage.fronts.watch("user-changes", clinic.clock.now())
    assert await clinic.report() == {}
    clinic.clock.advance(15 * 60)
    assert await clinic.report() == {"messages": "nobody takes messages: user-changes, for 15 min"}
    assert "AzureWebJobs.user_changes.Disabled" in await clinic.remedy("messages")


async def test_poison_on_the_queue_and_kept(clinic: Clinic) -> None:
    """Both are counted."""
    await clinic.storage.queues_by_name["feed-pages-poison"].send("x")
    await clinic.storage.activity.poisoned("user-changes", "m1", "x", clinic.clock.now())
    assert await clinic.report() == {"poison": "1 on feed-pages-poison, 1 kept in table activity"}


@pytest.mark.parametrize("queue", WORK_QUEUES)
async def test_a_poisoned_message_that_nothing_can_read(clinic: Clinic, queue: str) -> None:
    """It is told from one that a function failed on, and the command that ends it is named."""
    there = clinic.storage.queues_by_name[f"{queue}-poison"]
    assert isinstance(there, MemoryQueue)
    there.put('{"v":1}')
    assert await clinic.report() == {"poison": f"1 on {queue}-poison (1 unreadable)"}
    remedy = await clinic.remedy("poison")
    assert "xtsync poison remove ID" in remedy
    assert "failed five times" not in remedy


async def test_parked_users_are_a_warning(clinic: Clinic) -> None:
    """They are tried again by themselves."""
    link = Link(sync="there", source_id="u1", parked=Parked(until=clinic.clock.now(), tries=1, reason=""))
    await clinic.storage.links.save(link)
    assert await clinic.report() == {}
    assert await clinic.report(Verdict.WARNING) == {"parked users": "1 of there"}


async def test_a_check_that_fails_stops_no_other(clinic: Clinic) -> None:
    """An unexpected error is a finding without its text, which might quote anything."""

    class Broken:
        async def get(self, tenant: str, feed: str = "users") -> FeedState:
            raise ZeroDivisionError("ada@contoso.com")

        async def save(self, state: FeedState) -> FeedState:
            raise AssertionError

    clinic.storage = replace(clinic.storage, feeds=Broken())
    assert await clinic.report() == {"feed": "could not be checked: ZeroDivisionError"}


def test_a_timer_is_started_where_the_app_runs() -> None:
    """By a call on this machine; in Azure, where such a call needs a token, in the portal."""
    assert (
        "curl -X POST http://127.0.0.1:7071/admin/functions/poll_feeds"
        in remedies.start_timer("poll_feeds", "http://127.0.0.1:7071")[1]
    )
    assert "portal" in remedies.start_timer("poll_feeds", "https://app.example")[0]


def test_every_remedy_has_the_ids_filled_in() -> None:
    """Nothing is left for a person to look up."""
    app = AppOnTenant(
        tenant=Tenant(key="contoso", id=CONTOSO),
        side=Side.SOURCE,
        app_id="app-1",
        authority="login.microsoftonline.com",
        graph_url="https://graph.microsoft.com",
        inspection=None,  # type: ignore[arg-type]
        inventory=None,  # type: ignore[arg-type]
    )
    codes = [f"AADSTS{number}" for number in (700016, 7000229, 65001, 650051, 90002, 7000112, 53003, 7000215)]
    codes += [f"AADSTS{number}" for number in (7000222, 700027, 70021, 700211, 700213, 1)] + ["NoAccessToken"]
    texts = [line for code in codes for line in remedies.refused_token(app, code)[1]]
    texts += [*remedies.look_at_partner(app, FABRIKAM, "x"), *remedies.unblock(app, FABRIKAM, "Outbound")]
    texts += remedies.start_timer("poll_feeds", "https://app.example")
    assert not [text for text in texts if "{" in text or "<" in text]
