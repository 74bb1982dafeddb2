"""A run: every probe asked once, each with its reading and its evidence. And what two runs say differently."""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import httpx

from graph_probe.gate import ForbiddenRequestError
from graph_probe.probe import Found, Probe, UnclearError
from graph_probe.session import NotMadeError, Session

VERSION: Final = 1
MOST_USERS: Final = 500
_PAGE: Final = "/users?$top=999&$select=id,assignedLicenses"


class NotYoursError(Exception):
    """The tenant is not one that a run may write to. The text says why."""


async def run_all(probes: Iterable[Probe], session: Session, said: Callable[[str], None]) -> list[dict[str, Any]]:
    """One result for each. A probe that fails says so and stops no other; what it forbids itself stops them all."""
    results = []
    for probe in probes:
        first = len(session.ask.evidence)
        result: dict[str, Any] = {"probe": probe.id, "asks": probe.asks, "page": probe.page}
        try:
            answer = await probe.run(session)
        except ForbiddenRequestError:
            raise
        except (UnclearError, NotMadeError, httpx.HTTPError) as fault:
            result |= {"reading": "unclear", "says": str(fault) or type(fault).__name__, "settings": {}}
        else:
            found = answer if isinstance(answer, Found) else Found(answer)
            meaning = probe.readings[found.reading]
            settings = {**meaning.settings, **found.settings}
            result |= {"reading": found.reading, "says": meaning.says, "settings": settings}
        results.append({**result, "evidence": session.ask.evidence[first:]})
        said(f"{probe.id}  {result['reading']:8} {probe.asks} {result['says']}")
    return results


def tenant_of(token: str) -> str:
    """`tid` of a token, unverified: Graph itself verifies it. Raises NotYoursError for what is no token."""
    try:
        claims = token.split(".")[1]
        return str(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["tid"])
    except (IndexError, KeyError, ValueError) as fault:
        raise NotYoursError("the token does not name its tenant") from fault


async def check_disposable(session: Session, token: str, *, tenant: str, owned: str, domain: str) -> None:
    """Raises NotYoursError unless the tenant was named twice, has this domain, few users, and no licence in use."""
    if owned.lower() != tenant.lower():
        raise NotYoursError("--i-own is not the tenant: type its id once more")
    if tenant_of(token).lower() != tenant.lower():
        raise NotYoursError("the token is another tenant's")
    seen = await session.ask.get("/organization?$select=verifiedDomains")
    domains = {str(each.get("name", "")).lower() for one in seen.value for each in one.get("verifiedDomains", [])}
    if domain.lower() not in domains:
        raise NotYoursError("--expect-domain is no verified domain of the tenant")
    count, path = 0, _PAGE
    while path:
        page = await session.ask.get(path)
        if page.status != 200:
            raise NotYoursError(f"its users cannot be counted: {page.status} {page.code}")
        count += len(page.value)
        if count >= MOST_USERS:
            raise NotYoursError(f"it has {MOST_USERS} users or more: take a tenant that is for tests alone")
        if any(each.get("assignedLicenses") for each in page.value):
            raise NotYoursError("licences are in use: take a tenant that is for tests alone")
        path = str(page.body.get("@odata.nextLink", ""))


def differences(one: Iterable[Mapping[str, Any]], other: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The probes that both runs answered, each otherwise. By `settings` the second tenant becomes like the first."""
    others = {each["probe"]: each for each in other}
    both = [(each, others[each["probe"]]) for each in one if each["probe"] in others]
    return [
        {
            "probe": here["probe"],
            "asks": here["asks"],
            "first": here["says"],
            "second": there["says"],
            **_missing(here, there),
        }
        for here, there in both
        if "unclear" not in (here["reading"], there["reading"]) and _answer(here) != _answer(there)
    ]


def settings_of(results: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The readings as settings of a tenant of the emulator."""
    return {name: value for each in results for name, value in each["settings"].items()}


def _answer(result: Mapping[str, Any]) -> tuple[Any, ...]:
    return (result["reading"], sorted(result["settings"].items()))


def _missing(here: Mapping[str, Any], there: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {name: value for name, value in here["settings"].items() if there["settings"].get(name) != value}
    return {"settings": wanted}
