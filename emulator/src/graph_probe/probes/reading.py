"""Questions that reading answers. None changes anything."""

from typing import Any, Final

from graph_probe.probe import LEARN, Meaning, Probe, UnclearError, by_status, switch
from graph_probe.session import Session

_ADVANCED: Final = {"ConsistencyLevel": "eventual"}
_MOST_PAGES: Final = 200


async def _selected_id(run: Session) -> str:
    seen = await run.ask.get("/users?$top=1&$select=displayName")
    if not seen.value:
        raise UnclearError("there is no user")
    return "A" if "id" in seen.value[0] else "B"


async def _malformed_token(run: Session) -> str:
    return by_status(await run.ask.get("/users/delta?$deltatoken=malformed"), A=400, B=410)


async def _top_in_delta(run: Session) -> str:
    return by_status(await run.ask.get("/users/delta?$top=1&$select=displayName"), A=400, B=200)


async def _upper_case(run: Session) -> str:
    return by_status(await run.ask.get("/Users?$top=1&$select=id"), A=200, B=404)


async def _batch_of_21(run: Session) -> str:
    requests = [{"id": str(n), "method": "GET", "url": "/users?$top=1&$select=id"} for n in range(21)]
    return by_status(await run.ask.post("/$batch", {"requests": requests}), A=400, B=200)


async def _sixteen_clauses(run: Session) -> str:
    clauses = " or ".join(f"displayName eq 'zz-nobody-{n}'" for n in range(16))
    return by_status(await run.ask.get(f"/users?$filter={clauses}&$select=id"), A=400, B=200)


async def _unknown_option(run: Session) -> str:
    return by_status(await run.ask.get("/users?$top=1&$nonsense=1"), A=400, B=200)


async def _header_on_page_two(run: Session) -> str:
    first = await run.ask.get("/users?$top=1&$count=true&$filter=displayName ne 'zz-nobody'", headers=_ADVANCED)
    if not isinstance(first.body, dict) or "@odata.nextLink" not in first.body:
        raise UnclearError("there are fewer than two users, or the advanced query was refused")
    return by_status(await run.ask.get(str(first.body["@odata.nextLink"])), A=400, B=200)


async def _deleted_of_a_type(run: Session) -> str:
    return by_status(await run.ask.get("/directory/deletedItems/microsoft.graph.user?$top=1&$select=id"), A=200, B=404)


async def _without_a_token(run: Session) -> str:
    seen = await run.ask.get("/users?$top=1", anonymous=True)
    return "A" if (seen.status, seen.code) == (401, "InvalidAuthenticationToken") else "B"


async def _deleted_in_a_first_round(run: Session) -> str:
    deleted = await run.ask.get("/directory/deletedItems/microsoft.graph.user?$top=1&$select=id")
    if not deleted.value:
        raise UnclearError("no user is among the deleted")
    link = "/users/delta?$select=displayName"
    for _ in range(_MOST_PAGES):
        seen = await run.ask.get(link)
        if any("@removed" in each for each in seen.value):
            return "A"
        body: dict[str, Any] = seen.body if isinstance(seen.body, dict) else {}
        if "@odata.deltaLink" in body:
            return "B"
        if "@odata.nextLink" not in body:
            raise UnclearError(f"a page of the round was {seen.status} {seen.code}")
        link = str(body["@odata.nextLink"])
    raise UnclearError(f"the round has more than {_MOST_PAGES} pages")


READING: Final = (
    Probe(
        "R01",
        "Does an answer have `id` if $select leaves it out?",
        f"{LEARN}/query-parameters#select-parameter",
        switch("select_adds_id", A=(True, "yes"), B=(False, "no")),
        _selected_id,
    ),
    Probe(
        "R03",
        "How is a malformed delta token refused?",
        f"{LEARN}/delta-query-overview#synchronization-reset",
        {"A": Meaning("with 400"), "B": Meaning("with 410, as an old one")},
        _malformed_token,
    ),
    Probe(
        "R04",
        "Is $top refused in a delta query on users?",
        f"{LEARN}/api/user-delta",
        {"A": Meaning("yes"), "B": Meaning("no: it is ignored, or pages are that short")},
        _top_in_delta,
    ),
    Probe(
        "R06",
        "Is a path found whatever the case of its letters?",
        f"{LEARN}/use-the-api",
        {"A": Meaning("yes"), "B": Meaning("no")},
        _upper_case,
    ),
    Probe(
        "R10",
        "Is a batch of more than 20 requests refused?",
        f"{LEARN}/json-batching",
        {"A": Meaning("yes"), "B": Meaning("no")},
        _batch_of_21,
    ),
    Probe(
        "R11",
        "Is a filter of more than 15 clauses refused?",
        f"{LEARN}/aad-advanced-queries",
        {"A": Meaning("yes"), "B": Meaning("no")},
        _sixteen_clauses,
    ),
    Probe(
        "R12",
        "Is an unknown query option that begins with $ refused?",
        f"{LEARN}/query-parameters",
        {"A": Meaning("yes"), "B": Meaning("no: it is ignored")},
        _unknown_option,
    ),
    Probe(
        "R13",
        "Does the second page of an advanced query need ConsistencyLevel, too?",
        f"{LEARN}/aad-advanced-queries",
        {"A": Meaning("yes"), "B": Meaning("no")},
        _header_on_page_two,
    ),
    Probe(
        "R15",
        "Are the deleted users listed by /directory/deletedItems/microsoft.graph.user?",
        f"{LEARN}/api/directory-deleteditems-list",
        {"A": Meaning("yes"), "B": Meaning("no")},
        _deleted_of_a_type,
    ),
    Probe(
        "R19",
        "Does an initial delta round name those who are deleted?",
        f"{LEARN}/delta-query-users",
        switch("delta_initial_removed", A=(True, "yes, as @removed"), B=(False, "no")),
        _deleted_in_a_first_round,
    ),
    Probe(
        "R20",
        "Is a request without a token 401 InvalidAuthenticationToken?",
        f"{LEARN}/resolve-auth-errors",
        {"A": Meaning("yes"), "B": Meaning("no")},
        _without_a_token,
    ),
)
