"""What only Graph's adapter can show of the source tenant's port, against the project's Graph emulator in process."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from entra_graph_emulator.testing import CONTOSO
from sync_core.graph.source import GraphSource
from sync_core.model import SourceState
from sync_core.model.errors import (
    DomainsUnknownError,
    GraphRefusedError,
    ResyncRequiredError,
    ThrottledError,
    UnavailableError,
)
from sync_core.ops.names import FindsUsers
from tests.support.clock import ManualClock
from tests.support.graph import TENANT, Tokens, answers, client_for
from tests.support.tenants import NOBODY, PUBLIC_URL, EmulatedTenants, followed

HERE = "https://graph.microsoft.com/v1.0/users/delta?$deltatoken=1"
ELSEWHERE = "https://evil.example/v1.0/users/delta?$deltatoken=1"


async def test_the_time_of_a_read_is_before_it(emulated: EmulatedTenants) -> None:
    """A slow answer counts from when it was asked for."""
    user_id = emulated.person("ada")
    emulated.fault(path="/users/*", mode="slow", delay_s=8, count=1)
    asked = emulated.world.clock.now()
    assert (await emulated.source.read_user(user_id)).read_at == asked
    assert emulated.world.clock.now() == asked + timedelta(seconds=8)


@pytest.mark.parametrize(
    ("roles", "unreadable"),
    [
        (["User.Read.All"], {"employeeLeaveDateTime"}),
        (["User.Read.All", "User-LifeCycleInfo.Read.All"], set()),
        (["User.Read.All", "User-LifeCycleInfo.ReadWrite.All"], set()),
        (None, set()),
    ],
)
async def test_a_null_that_the_app_may_not_read_is_told_from_null(
    roles: list[str] | None, unreadable: set[str]
) -> None:
    """By the roles of its own token, for a fresh read and in the feed; the emulator's tokens name none."""
    ada: dict[str, Any] = {"id": NOBODY, "accountEnabled": True, "employeeLeaveDateTime": None}

    def graph(request: httpx.Request) -> httpx.Response:
        user = dict.fromkeys(request.url.params["$select"].split(",")) | ada
        page = {"value": [user], "@odata.deltaLink": HERE}
        return httpx.Response(200, json=page if "delta" in request.url.path else user)

    claims = {"tid": TENANT} if roles is None else {"tid": TENANT, "roles": roles}
    client = client_for(graph, credential=Tokens(claims))
    source = GraphSource(client, ManualClock(), {"employeeLeaveDateTime"})
    [entry] = (await source.delta_page(None)).users
    assert (await source.read_user(NOBODY)).unreadable == entry.unreadable == unreadable
    assert (await GraphSource(client, ManualClock()).read_user(NOBODY)).unreadable == set()
    ada["employeeLeaveDateTime"] = "2026-03-01T00:00:00Z"
    assert (await source.read_user(NOBODY)).unreadable == set()


@pytest.mark.parametrize("path", ["/users/*", "/directory/*"])
@pytest.mark.parametrize(
    "fault",
    [{"status": 500}, {"status": 403}, {"status": 429}, {"mode": "reset"}, {"mode": "truncate"}],
    ids=["500", "403", "429", "reset", "truncate"],
)
async def test_a_failed_read_is_never_a_missing_user(
    emulated: EmulatedTenants, path: str, fault: dict[str, Any]
) -> None:
    """Nothing but Graph's own 404, twice, makes a user gone."""
    user_id = emulated.person("ada")
    user = emulated.world.source.user(user_id)
    if path == "/directory/*":
        emulated.world.source.delete(user)
    emulated.fault(path=path, **fault)
    with pytest.raises((UnavailableError, GraphRefusedError, ThrottledError)):
        await emulated.source.read_user(user_id)


async def test_a_gateways_404_is_no_missing_user() -> None:
    """A 404 that Graph did not write, as from a wrong route on the way, proves nothing."""
    source = GraphSource(client_for(answers(404)), ManualClock())
    with pytest.raises(GraphRefusedError):
        await source.read_user(NOBODY)


@pytest.mark.parametrize("enabled", [{}, {"accountEnabled": None}, {"accountEnabled": "true"}])
async def test_account_enabled_is_never_assumed(enabled: dict[str, Any]) -> None:
    """A read without accountEnabled is an error: either guess would enable or disable somebody."""
    source = GraphSource(client_for(answers(200, {"id": NOBODY, **enabled})), ManualClock())
    with pytest.raises(UnavailableError):
        await source.read_user(NOBODY)


async def test_an_answer_about_somebody_else_is_refused() -> None:
    """The answer must be about the user who was asked for."""
    body = {"id": "88888888-8888-8888-8888-888888888888", "accountEnabled": True}
    with pytest.raises(UnavailableError):
        await GraphSource(client_for(answers(200, body)), ManualClock()).read_user(NOBODY)


async def test_empty_pages_are_followed(emulated: EmulatedTenants) -> None:
    """A page without entries that has a next link is not the end."""
    emulated.world.source.settings.delta_empty_pages = 0.7
    emulated.world.source.settings.delta_page_size = 3
    ids = {emulated.person(f"p{number}") for number in range(20)}
    assert {user.id for user in (await followed(emulated))[0]} == ids


@pytest.mark.parametrize("form", ["syncStateNotFound", "tooOld", "resyncRequired", "gone"])
async def test_an_aged_delta_link_says_so_in_several_forms(emulated: EmulatedTenants, form: str) -> None:
    """Each of them asks for a resync."""
    emulated.world.source.settings.delta_expired_form = form
    _, link = await followed(emulated)
    emulated.world.clock.advance(timedelta(days=40).total_seconds())
    with pytest.raises(ResyncRequiredError):
        await emulated.source.delta_page(link)


@pytest.mark.parametrize("link", ["https://evil.example/v1.0/users/delta?$deltatoken=1", "nonsense"])
async def test_a_tampered_link_is_not_followed(emulated: EmulatedTenants, link: str) -> None:
    """No request leaves for it."""
    before = emulated.requests()
    with pytest.raises(ResyncRequiredError):
        await emulated.source.delta_page(link)
    assert emulated.requests() == before


@pytest.mark.parametrize(
    "page",
    [
        {},
        {"value": []},
        {"value": [], "@odata.nextLink": HERE, "@odata.deltaLink": HERE},
        {"value": [], "@odata.deltaLink": ELSEWHERE},
        {"value": [], "@odata.nextLink": 7},
        {"value": None, "@odata.deltaLink": HERE},
        {"value": [1], "@odata.deltaLink": HERE},
        {"value": [{}], "@odata.deltaLink": HERE},
        {"value": [{"id": ""}], "@odata.deltaLink": HERE},
    ],
)
async def test_a_page_that_is_not_whole_is_an_error(page: dict[str, Any]) -> None:
    """A page without exactly one good link, or with a broken entry, is never the end of a round."""
    with pytest.raises(UnavailableError):
        await GraphSource(client_for(answers(200, page)), ManualClock()).delta_page(None)


@pytest.mark.parametrize("missing", ["jobTitle", "externalUserState", "userType", "mail"])
async def test_an_answer_without_an_attribute_that_was_asked_for_is_no_answer(missing: str) -> None:
    """Taken for null it would clear an attribute, or let in a guest; an empty directory extension alone is left out."""
    names = ["accountEnabled", "displayName", "mail", "userPrincipalName", "userType", "creationType", "jobTitle"]
    whole = {**dict.fromkeys([*names, "externalUserState"]), "id": NOBODY, "accountEnabled": True}
    attributes = ["jobTitle", "extension_00000000000000000000000000000000_badge"]
    source = GraphSource(client_for(answers(200, whole)), ManualClock(), attributes)
    assert (await source.read_user(NOBODY)).state is SourceState.LIVE
    del whole[missing]
    with pytest.raises(UnavailableError):
        await GraphSource(client_for(answers(200, whole)), ManualClock(), attributes).read_user(NOBODY)


async def test_an_entry_without_account_enabled_stays_without() -> None:
    """A delta entry that leaves it out only nominates: nothing is filled in."""
    page = {"value": [{"id": NOBODY, "displayName": "N"}], "@odata.deltaLink": HERE}
    delta = await GraphSource(client_for(answers(200, page)), ManualClock()).delta_page(None)
    assert delta.users[0].state is SourceState.LIVE
    assert delta.users[0].attributes == {"id": NOBODY, "displayName": "N"}


def test_the_selection_is_ordered_and_encoded(emulated: EmulatedTenants) -> None:
    """The same attributes give the same selection in whatever order; foreign characters cannot change the URL."""
    client = emulated.clients[CONTOSO]
    first = GraphSource(client, emulated.world.clock, ["b", "a", "id"])
    assert first.select == GraphSource(client, emulated.world.clock, ["a", "b"]).select
    assert GraphSource(client, emulated.world.clock, ["x&{y}"]).select.endswith("x%26%7By%7D")


async def test_verified_domains_are_read_once_an_hour() -> None:
    """A domain that is verified later counts after an hour at most."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        names = ["Contoso.com", "contoso.onmicrosoft.com", "new.example"][: 1 + len(asked)]
        return httpx.Response(200, json={"value": [{"verifiedDomains": [{"name": name} for name in names]}]})

    clock = ManualClock()
    source = GraphSource(client_for(answer), clock, ())
    for _ in range(2):
        assert await source.verified_domains() == {"contoso.com", "contoso.onmicrosoft.com"}
    clock.advance(timedelta(hours=1))
    assert "new.example" in await source.verified_domains()
    assert asked == ["/v1.0/organization"] * 2


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (403, {"error": {"code": "Authorization_RequestDenied"}}, DomainsUnknownError),
        (400, {"error": {"code": "Request_BadRequest"}}, GraphRefusedError),
        (200, {"value": []}, UnavailableError),
        (200, {"value": [{"verifiedDomains": None}]}, UnavailableError),
    ],
)
async def test_domains_that_are_not_answered_are_no_empty_list(status: int, body: Any, error: type[Exception]) -> None:
    """A missing permission has a remedy of its own; a tenant without domains does not exist."""
    source = GraphSource(client_for(lambda _: httpx.Response(status, json=body)), ManualClock(), ())
    with pytest.raises(error):
        await source.verified_domains()


async def test_a_user_is_found_by_principal_name_id_or_mail(emulated: EmulatedTenants) -> None:
    """Also with an apostrophe in it; what is no address of anybody finds nobody."""
    source = emulated.source
    assert isinstance(source, FindsUsers)
    ada = emulated.person("ada", userPrincipalName="ada@contoso.example", mail="ada.o'neil@contoso.example")
    for name in ("ada@contoso.example", ada, "ada.o'neil@contoso.example", "Ada.O'Neil@contoso.example"):
        assert await source.find(name) == ada
    for name in ("nobody@contoso.example", "x' or mail eq 'ada@contoso.example", NOBODY):
        assert await source.find(name) is None


async def test_a_deleted_user_is_found_by_mail_for_thirty_days(emulated: EmulatedTenants) -> None:
    """Unless somebody who is there has the address by now."""
    source = emulated.source
    assert isinstance(source, FindsUsers)
    ada = emulated.person("ada", mail="ada@contoso.example")
    emulated.delete(ada)
    assert await source.find("ada@contoso.example") == ada
    heir = emulated.person("ada2", mail="ada@contoso.example")
    assert await source.find("ada@contoso.example") == heir
    emulated.delete(heir)
    assert await source.find("ada@contoso.example") is None  # two deleted ones
    emulated.later(timedelta(days=31))
    assert await source.find("ada@contoso.example") is None


async def test_an_address_that_two_have_finds_nobody() -> None:
    """Neither is meant more than the other."""

    def graph(request: httpx.Request) -> httpx.Response:
        if "$filter" in request.url.params:
            return httpx.Response(200, json={"value": [{"id": NOBODY}, {"id": NOBODY[::-1]}]})
        return httpx.Response(404, json={"error": {"code": "Request_ResourceNotFound", "message": "no"}})

    assert await GraphSource(client_for(graph), ManualClock()).find("ada@contoso.example") is None


async def test_reports_are_listed_over_pages() -> None:
    """An entry without an id is left out."""
    link = "https://graph.microsoft.com/v1.0/users/1/directReports?$skiptoken=x"
    pages = [{"value": [{"id": "1"}, {"id": None}], "@odata.nextLink": link}, {"value": [{"id": "2"}]}]
    source = GraphSource(client_for(lambda _: httpx.Response(200, json=pages.pop(0))), ManualClock())
    assert await source.reports(NOBODY) == ["1", "2"]


async def test_reports_that_cannot_be_read_are_an_error(emulated: EmulatedTenants) -> None:
    """Nobody is told to report to nobody by a refusal."""
    boss = emulated.person("boss")
    emulated.fault(path="/users/*", status=403)
    with pytest.raises(GraphRefusedError):
        await emulated.source.reports(boss)


async def test_both_urls_of_a_subscription_are_validated(emulated: EmulatedTenants) -> None:
    """Notifications and lifecycle events arrive under paths of their own."""
    expires = emulated.now() + timedelta(days=20)
    await emulated.subscriptions.create(resource="users", client_state="secret", expires_at=expires)
    urls = {url.partition("?")[0] for url in emulated.world.subscriber.validations}
    assert urls == {f"{PUBLIC_URL}/api/graph/{name}" for name in ("notifications", "lifecycle")}


async def test_tokens_are_renewed_as_time_passes(emulated: EmulatedTenants) -> None:
    """Hours and days later the same client still reads."""
    user_id = emulated.person("ada")
    for hours in (0, 0.9, 1, 30, 24 * 40):
        emulated.world.clock.advance(hours * 3600)
        assert (await emulated.source.read_user(user_id)).state is SourceState.LIVE
