"""Lets this checkout's app run through some people's lives and writes down what it leaves: tables, messages, tenants.

    python -m tests.e2e.leave_behind settled tests/support/data/version_0_1_settled.json
    python -m tests.e2e.leave_behind unfinished tests/support/data/version_0_1_unfinished.json

Run in the checkout of a release, this makes the data from which the tests of upgrades start (tests.support.left_behind
reads it). So it uses only what stays the same from release to release: the emulator's HTTP calls, `xtsync`, the names
of tables and columns.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import tempfile
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from local.demo import CONTOSO, FABRIKAM
from local.emulated import Emulated, until
from local.stack import BY_HAND, ROOT, Stack
from sync_core.storage.connect import connect
from sync_core.storage.table import key

SYNC = "staff"
OWNER = "extension_0123456789abcdef0123456789abcdef_xtsyncOwner"
STAFF = "dddddddd-0000-4000-8000-000000000001"
BARRED = "dddddddd-0000-4000-8000-000000000002"
NOWHERE = "http://graph.emulator"  # stands for the emulator's address, which is another one in each run
CONFIG = """\
tenants:
  contoso: {{ id: {source} }}
  fabrikam: {{ id: {target} }}
syncs:
  - name: {sync}
    source: contoso
    target: fabrikam
    scope:
      users: assigned
      groups: [{staff}]
      filters: [{{ name: Not barred, clauses: [{{ attribute: memberOf, operator: NOT IN, value: [{barred}] }}] }}]
    matching: {{ adopt: review, owner_attribute: {owner} }}
    deprovision: {{ out_of_scope: disable, source_deleted: soft_delete, deleted_in_target: leave }}
    deletion_guard: {{ max_percent: 0, min_count: {allowed} }}
"""
TABLES = ("links", "feeds", "subscriptions", "guards", "activity")
QUEUES = ("user-changes", "feed-pages", "subscription-events")

type Columns = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A running app and its two tenants. People are called by their names: `ada` is ada@contoso.example."""

    stack: Stack
    emulated: Emulated
    storage: Any  # connect()'s answer, which lives in another module in each release
    people: Mapping[str, str]  # source id by name
    earlier: Collection[str] = ()  # row keys of what was done before this life began
    rounds: int = 2  # feeds of this release

    async def link(self, name: str) -> Columns:
        row = await self.storage.tables_by_name["links"].get(key(SYNC), key(self.people[name]))
        return {} if row is None else dict(row.values)

    async def wait(self, what: str, condition: Callable[[], Awaitable[bool]], *, every_s: float = 0.1) -> None:
        if not await until(condition, timeout_s=120, every_s=every_s):
            raise TimeoutError(f"it was waited for in vain: {what}")

    async def become(self, name: str, **columns: object) -> None:
        """Wait until a link has these columns."""

        async def has() -> bool:
            link = await self.link(name)
            return all(link.get(column) == value for column, value in columns.items())

        await self.wait(f"{name} {columns}", has)

    async def known(self, name: str) -> None:
        """Wait until somebody was looked at."""

        async def has() -> bool:
            return "read_at" in await self.link(name)

        await self.wait(f"a look at {name}", has)

    async def patch(self, name: str, **values: object) -> None:
        await self.emulated.graph(CONTOSO, "PATCH", f"/users/{self.people[name]}", values)

    async def leave(self, name: str) -> None:
        await self.emulated.graph(CONTOSO, "DELETE", f"/users/{self.people[name]}")

    async def come_back(self, name: str) -> None:
        await self.emulated.graph(CONTOSO, "POST", f"/directory/deletedItems/{self.people[name]}/restore")

    async def join(self, group: str, name: str) -> None:
        body = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{self.people[name]}"}
        await self.emulated.graph(CONTOSO, "POST", f"/groups/{group}/members/$ref", body)

    async def quit(self, group: str, name: str) -> None:
        await self.emulated.graph(CONTOSO, "DELETE", f"/groups/{group}/members/{self.people[name]}/$ref")

    async def fail(self, method: str, path: str, **fault: object) -> None:
        """From now on such requests to Fabrikam break."""
        await self.emulated.control("POST", "/faults", {"tenant": FABRIKAM, "method": method, "path": path, **fault})

    async def guest(self, name: str) -> str:
        return str((await self.link(name))["target_id"])

    async def poll(self) -> None:
        """One round of each feed, to its end."""
        before = await self._completed()
        await self.stack.start_by_hand("poll_feeds")

        async def over() -> bool:
            now = await self._completed()
            return len(now) == self.rounds and all(now[feed] not in {None, before.get(feed)} for feed in now)

        await self.wait("the rounds", over)

    async def _completed(self) -> Mapping[str, object]:
        """When the last round of each feed ended; None while one is under way."""
        feeds = [row async for row in self.storage.tables_by_name["feeds"].query(None)]
        return {f.rk: f.values.get("completed_at") if f.values["phase"] == "idle" else None for f in feeds}

    def looks_later(self, outcome: Columns) -> bool:
        """Whether it left a message for another look, as parking does."""
        return bool(outcome["error"])

    async def quiet(self) -> None:
        """Until no message is left but the later looks that some outcomes lead to."""

        async def over() -> bool:
            done = [row async for row in self.storage.tables_by_name["activity"].query(key(SYNC))]
            later = [row for row in done if self.looks_later(row.values) and row.rk not in self.earlier]
            depths = [await self.storage.queues_by_name[name].depth() for name in QUEUES]
            return depths == [len(later), 0, 0]

        await self.wait("quiet", over, every_s=1)

    async def xtsync(self, *arguments: str) -> Any:
        code, answer = await self.stack.xtsync(*arguments)
        if code:
            raise RuntimeError(f"xtsync {' '.join(arguments)} ended with code {code}")
        return answer

    async def begin(self) -> None:
        await self.stack.start_by_hand("keep_subscriptions")
        await self.poll()


async def settled(life: Life) -> None:
    """Everybody is where they are to be, or waits for something that an upgrade does not bring."""
    await life.emulated.graph(CONTOSO, "PUT", f"/users/{life.people['ada']}/manager/$ref", _reference(life, "grace"))
    await life.emulated.graph(FABRIKAM, "POST", "/invitations", _invitation("waiting@contoso.example"))
    guest = await life.emulated.graph(CONTOSO, "POST", "/invitations", _invitation("external@adatum.example"))
    body = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{guest['invitedUser']['id']}"}
    await life.emulated.graph(CONTOSO, "POST", f"/groups/{STAFF}/members/$ref", body)
    await life.begin()
    for name in ("ada", "grace", "refused", "disabled", "moved", "barred", "leaver", "returned"):
        await life.become(name, state="linked", dirty=False)
    for name in ("waiting", "internal"):
        await life.become(name, state="seen", parked=True)
    for name in ("never", "outsider", "kept-out"):
        await life.patch(name, department="Elsewhere")
        await life.known(name)

    await life.emulated.control("POST", f"/tenants/{FABRIKAM}/admins", {"users": [await life.guest("refused")]})
    await life.patch("refused", businessPhones=["+31 30 1"])
    await life.wait("a refusal", lambda: _has(life, "refused", "refused"))
    await _takes_away(life)
    for name in ("held", "rejected"):
        await life.leave(name)
        await life.become(name, permit="Hold", dirty=False)
    code = (await life.xtsync("holds", "list"))["code"]
    await life.xtsync("holds", "reject", code, life.people["rejected"], "--yes", "--by", "operator")
    await life.storage.queues_by_name["user-changes-poison"].send("not one of ours")
    await life.quiet()
    await life.poll()
    await life.quiet()
    await life.stack.kill_host(life.stack.host_processes[0])


async def _takes_away(life: Life) -> None:
    """Five times, which the guard allows."""
    await life.patch("disabled", accountEnabled=False)
    await life.quit(STAFF, "moved")
    await life.join(BARRED, "barred")
    for name in ("disabled", "moved", "barred"):
        await _is_disabled(life, name)
    for name in ("leaver", "returned"):
        await life.leave(name)
        await life.become(name, state="deleted", dirty=False)
    await life.come_back("returned")
    await life.become("returned", state="linked", dirty=False)
    for name in ("lost", "lost-disabled"):
        await life.emulated.graph(FABRIKAM, "DELETE", f"/users/{await life.guest(name)}")
        await life.patch(name, department="Nowhere")
        await life.become(name, state="lost", parked=True)
    await life.patch("lost-disabled", accountEnabled=False)
    await life.become("lost-disabled", state="lost", parked=False)


async def unfinished(life: Life) -> None:
    """The power fails in the middle of everything, and people decide something before it is back."""
    await life.emulated.graph(FABRIKAM, "POST", "/invitations", _invitation("waiting@contoso.example"))
    await life.begin()
    for name in ("dirty", "counted", "disabling", "restoring", "approved"):
        await life.become(name, state="linked", dirty=False)
    await life.become("waiting", state="seen", parked=True)
    await life.leave("restoring")
    await life.become("restoring", state="deleted")
    for name in ("dirty", "disabling"):
        await life.fail("PATCH", f"/users/{await life.guest(name)}")
    await life.fail("DELETE", f"/users/{await life.guest('counted')}")
    await life.fail("POST", f"/directory/deletedItems/{await life.guest('restoring')}/restore")
    await life.patch("dirty", department="Half done", city=None)
    await life.patch("disabling", accountEnabled=False)
    await life.leave("counted")
    await life.become("dirty", state="linked", dirty=True)
    await life.become("disabling", state="linked", dirty=True, permit="Disable")
    await life.become("counted", state="linked", dirty=True, permit="SoftDelete")
    await life.leave("approved")
    await life.become("approved", permit="Hold")
    await life.come_back("restoring")
    await life.become("restoring", state="deleted", dirty=True)
    await life.fail("GET", "/users/*")
    await life.join(STAFF, "invited")
    await life.wait("an invitation", lambda: _has(life, "invited", "target_id"))
    await life.fail("POST", "/invitations", mode="slow", delay_s=3)
    await life.join(STAFF, "inviting")
    await life.become("inviting", state="inviting")
    await _stop_in_a_round(life)
    await life.stack.kill_host(life.stack.host_processes[0])
    await asyncio.sleep(4)  # what was under way at Graph comes to its end there
    await life.emulated.control("DELETE", "/faults")
    await life.xtsync("adopt", life.people["waiting"], "--yes")
    code = (await life.xtsync("holds", "list"))["code"]
    await life.xtsync("holds", "approve", code, "--yes", "--by", "operator")


async def _stop_in_a_round(life: Life) -> None:
    """Of the users feed, behind its first page."""
    await life.emulated.control("PUT", f"/tenants/{CONTOSO}/settings", {"delta_page_size": 2})
    passes = 0.05
    seed = next(n for n in range(10_000) if _first_passes(Random(n), passes))
    fault = {"method": "GET", "path": "/users/delta", "probability": 1 - passes, "seed": seed, "tenant": CONTOSO}
    await life.emulated.control("POST", "/faults", fault)
    await life.stack.start_by_hand("poll_feeds")

    async def within() -> bool:
        feed = await life.storage.feeds.get("contoso")
        return bool(feed.phase == "pages" and feed.link and feed.error)

    await life.wait("a page", within)


def _first_passes(chance: Random, passes: float) -> bool:
    return chance.random() >= 1 - passes and all(chance.random() < 1 - passes for _ in range(20))


async def _has(life: Life, name: str, column: str) -> bool:
    return bool((await life.link(name)).get(column))


async def _is_disabled(life: Life, name: str) -> None:
    async def done() -> bool:
        user = await life.emulated.graph(FABRIKAM, "GET", f"/users/{await life.guest(name)}?$select=accountEnabled")
        return user["accountEnabled"] is False and (await life.link(name))["dirty"] is False

    await life.wait(f"{name} disabled", done)


def _reference(life: Life, name: str) -> Columns:
    return {"@odata.id": f"https://graph.microsoft.com/v1.0/users/{life.people[name]}"}


def _invitation(address: str) -> Columns:
    return {"invitedUserEmailAddress": address, "inviteRedirectUrl": "https://x.example"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    tell: Callable[[Life], Awaitable[None]]
    allowed: int  # how many the guard lets go
    staff: str
    others: str = ""
    disabled: str = ""
    barred: str = ""
    internal: str = ""  # whom the target has as a user of its own


STORIES = {
    "settled": Story(
        tell=settled,
        allowed=5,
        staff="ada grace refused disabled moved barred leaver returned lost lost-disabled held rejected waiting"
        " internal never kept-out",
        others="outsider",
        disabled="never",
        barred="kept-out",
        internal="internal",
    ),
    "unfinished": Story(
        tell=unfinished,
        allowed=3,
        staff="dirty counted disabling restoring approved waiting",
        others="invited inviting",
    ),
}


def _seed(story: Story, people: Mapping[str, str]) -> Columns:
    given = [
        {
            "id": user_id,
            "userPrincipalName": f"{name}@contoso.example",
            "mail": f"{name}@contoso.example",
            "displayName": name.title(),
            "department": "Research",
            "city": "Utrecht",
            "accountEnabled": name not in story.disabled.split(),
        }
        for name, user_id in people.items()
    ]
    groups = [
        {"id": STAFF, "displayName": "Staff", "members": [people[name] for name in story.staff.split()]},
        {"id": BARRED, "displayName": "Barred", "members": [people[name] for name in story.barred.split()]},
    ]
    own = [
        {"userPrincipalName": f"{name}@fabrikam.example", "mail": f"{name}@contoso.example"}
        for name in story.internal.split()
    ]
    # Tokens stay good, however long afterwards the tenants are brought back.
    settings = {"delta_token_days": 36500.0, "page_token_minutes": 60.0 * 24 * 36500, "automatic_redemption": ["*"]}
    contoso = {"id": CONTOSO, "domain": "contoso.example", "users": given, "groups": groups, "settings": settings}
    fabrikam = {"id": FABRIKAM, "domain": "fabrikam.example", "users": own, "settings": settings, "extensions": [OWNER]}
    return {"tenants": [contoso, fabrikam]}


async def leave_behind(name: str) -> str:
    """The document, as JSON text."""
    story = STORIES[name]
    names = [*story.staff.split(), *story.others.split()]
    people = {each: f"aaaaaaaa-0000-4000-8000-{n:012d}" for n, each in enumerate(names, 1)}
    config = CONFIG.format(
        source=CONTOSO, target=FABRIKAM, sync=SYNC, owner=OWNER, staff=STAFF, barred=BARRED, allowed=story.allowed
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sync.yaml"
        file.write_text(config)
        async with Stack(config=file, settings=BY_HAND) as stack, Emulated(stack.graph_url) as emulated:
            storage = connect(stack.azurite.connection_string)
            await emulated.control("POST", "/seed", _seed(story, people))
            life = Life(stack=stack, emulated=emulated, storage=storage, people=people)
            await story.tell(life)
            document = {
                "written_by": _commit(),
                "at": datetime.now(UTC).isoformat(),
                "sync.yaml": config,
                "people": people,
                "tables": {table: await _rows(storage, table) for table in TABLES},
                "queues": {queue: await _messages(storage, queue) for queue in QUEUES},
                "tenants": [
                    await emulated.control("GET", f"/tenants/{tenant}/snapshot") for tenant in (CONTOSO, FABRIKAM)
                ],
            }
            await storage.close()
            return _text(document).replace(stack.graph_url, NOWHERE)


async def _rows(storage: Any, table: str) -> list[Columns]:
    """Of the activity, which the app only ever shows to people, no more than the newest."""
    rows: list[Columns] = [
        {"pk": row.pk, "rk": row.rk, **row.values} async for row in storage.tables_by_name[table].query(None)
    ]
    if table != "activity":
        return rows
    newest = sorted({row["done_at"] for row in rows if "done_at" in row})[-3:]
    return [row for row in rows if row.get("done_at", newest[0]) in newest]


async def _messages(storage: Any, queue: str) -> list[str]:
    """Those that are due."""
    return [message.body for message in await storage.queues_by_name[queue].receive()]


def _commit() -> str:
    git = ("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")
    return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()


def _text(document: Mapping[str, Any]) -> str:
    """A line for each row and each user, so that a change of one shows as one."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return text.replace('},{"', '},\n{"').replace('":[{"', '":[\n{"') + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.leave_behind", description=__doc__)
    parser.add_argument("story", choices=STORIES)
    parser.add_argument("file", type=Path)
    options = parser.parse_args()
    options.file.write_text(asyncio.run(leave_behind(options.story)))


if __name__ == "__main__":
    main()
