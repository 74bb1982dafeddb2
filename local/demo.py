"""The story of `make demo`: changes of people in Contoso reach their B2B users in Fabrikam.

Everything runs on the local stack. The time of each step is from before the change in the source until the target
shows it. The exit code is 0 only if both tenants agree at the end.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from local.agreement import compare
from local.emulated import Emulated, User, until
from local.sign_in import address
from local.stack import Stack

CONTOSO = "11111111-1111-1111-1111-111111111111"
FABRIKAM = "22222222-2222-2222-2222-222222222222"
PEOPLE = 300
DISABLED = 12
GUESTS = 6
# The slowest change that the demo accepts: by webhook, and by the poll alone.
WEBHOOK_S = 5.0
POLL_S = 60.0
# Every instance obeys a pause by then (`xtsync pause --help`).
OBEYED_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    story: str
    seconds: Sequence[float]  # one for each person
    note: str = ""


@dataclass(slots=True, kw_only=True)
class Demo:
    stack: Stack
    emulated: Emulated
    console: Console
    people: int = PEOPLE  # 60 at least: the story takes from the first twenty, then deletes the middle third
    steps: list[Step] = field(default_factory=list)
    never: set[str] = field(default_factory=set)  # disabled from the beginning: never provisioned
    agreed: bool = False  # at the end, whatever time it took

    async def run(self) -> bool:
        """Run the story. Whether both tenants agree at the end and no change was slow."""
        people = await self._settle_in()
        await self._initial_sync()
        leaver = people[11]
        await self._hires()
        await self._change("A move", people[:3], {"city": "Utrecht", "officeLocation": "U/204", "country": "NL"})
        await self._marriage(people[3])
        several = {"jobTitle": "Lead", "department": "R&D", "streetAddress": None, "businessPhones": ["+31 30 123"]}
        await self._change("Several attributes at once", people[5:8], several)
        await self._change("Disabled", [people[10]], {"accountEnabled": False})
        await self._leaves("A leaver", leaver)
        await self._returns("The leaver returns within 30 days", leaver)
        await self._deleted_in_target(people[12])
        await self._without_webhooks(people[13:18])
        await self._paused([people[18], leaver])
        await self._mass_deletion(people[self.people // 3 : self.people * 2 // 3])
        agreed = await self._verdict()
        await self._history(leaver)
        return agreed

    # --- the steps ---------------------------------------------------------------------------------------------

    async def _settle_in(self) -> list[User]:
        """Make two tenants that agree on automatic redemption. Contoso has some disabled users and some guests."""
        await self.emulated.two_tenants(CONTOSO, FABRIKAM, people=self.people, seed=7)
        people = await self.emulated.users(CONTOSO, ["id", "displayName", "mail", "givenName", "accountEnabled"])
        for person in people[-DISABLED:]:
            await self._patch(person, {"accountEnabled": False})
        self.never |= {person["id"] for person in people if not person["accountEnabled"]}
        self.never |= {person["id"] for person in people[-DISABLED:]}
        for n in range(GUESTS):
            invitation = {
                "invitedUserEmailAddress": f"partner{n}@adatum.example",
                "inviteRedirectUrl": "https://x.example",
            }
            await self.emulated.graph(CONTOSO, "POST", "/invitations", invitation)
        return [person for person in people if person["id"] not in self.never]

    async def _initial_sync(self) -> None:
        expected = self.people - len(self.never)
        await self.stack.start_by_hand("keep_subscriptions")

        async def subscribed() -> bool:
            return await self.emulated.count(CONTOSO, "subscriptions") > 0

        await self._wait(subscribed, 60, "Graph's notifications were not subscribed to")
        began = time.monotonic()
        await self.stack.start_by_hand("poll_feeds")
        columns = (TextColumn("Initial sync"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, disable=not self.console.is_terminal) as progress:
            task = progress.add_task("", total=expected)

            async def complete() -> bool:
                progress.update(task, completed=await self.emulated.count(FABRIKAM, "users"))
                return bool(await compare(self.emulated, CONTOSO, FABRIKAM, never_provisioned=self.never))

            await self._wait(complete, 300, "the initial sync did not end", every_s=0.5)
        seconds = time.monotonic() - began
        left_out = f"{len(self.never)} disabled and {GUESTS} guests of Contoso's left out"
        note = f"{expected} people in {seconds:.0f} s; {left_out}"
        self._tell(Step(story="Initial sync", seconds=[], note=note))

    async def _hires(self) -> None:
        names = ["Ada Hire", "Björn Hire", "Chloé O'Hire", "Đorđe Hire", "Ève Hire"]
        hires: list[User] = [
            {
                "displayName": name,
                "givenName": name.split()[0],
                "surname": name.split()[1],
                "accountEnabled": True,
                "mailNickname": f"hire{n}",
                "userPrincipalName": f"hire{n}@contoso.example",
                "mail": f"hire{n}@contoso.example",
                "department": "Sales",
                "passwordProfile": {"password": "never-read-Xy1!"},
            }
            for n, name in enumerate(names)
        ]
        shown = {"department": "Sales", "userType": "Member"}
        seconds = [
            self._timed(
                partial(self.emulated.graph, CONTOSO, "POST", "/users", hire), partial(self._shows, hire["mail"], shown)
            )
            for hire in hires
        ]
        self._tell(Step(story="Hires", seconds=await asyncio.gather(*seconds)))

    async def _change(self, story: str, people: Sequence[User], values: User) -> None:
        self._tell(Step(story=story, seconds=await self._apply(people, values)))

    async def _apply(self, people: Sequence[User], values: User) -> list[float]:
        return await asyncio.gather(
            *(
                self._timed(partial(self._patch, person, values), partial(self._shows, person["mail"], values))
                for person in people
            )
        )

    async def _marriage(self, person: User) -> None:
        name = f"{person['givenName']} van der Berg"
        values = {"surname": "van der Berg", "displayName": name, "mailNickname": "vanderberg"}
        self._tell(Step(story="A marriage", seconds=await self._apply([person], values)))

    async def _leaves(self, story: str, person: User) -> None:
        seconds = await self._timed(
            lambda: self.emulated.graph(CONTOSO, "DELETE", f"/users/{person['id']}"),
            lambda: self._absent(person["mail"]),
        )
        self._tell(Step(story=story, seconds=[seconds], note="soft-deleted"))

    async def _returns(self, story: str, person: User) -> None:
        seconds = await self._timed(
            lambda: self.emulated.graph(CONTOSO, "POST", f"/directory/deletedItems/{person['id']}/restore"),
            lambda: self._shows(person["mail"], {}),
        )
        self._tell(Step(story=story, seconds=[seconds], note="the same target user, restored"))

    async def _deleted_in_target(self, person: User) -> None:
        """Changes in the target are not read: the next change of the person in the source finds the deletion."""
        [guest] = await self._find(person["mail"])
        await self.emulated.graph(FABRIKAM, "DELETE", f"/users/{guest['id']}")
        seconds = await self._apply([person], {"jobTitle": "Still here"})
        self._tell(Step(story="Deleted in the target, then changed", seconds=seconds, note="restored by policy"))

    async def _without_webhooks(self, people: Sequence[User]) -> None:
        await self.emulated.control("PUT", "/delivery", {"enabled": False})
        for person in people:
            await self._patch(person, {"department": "Polled"})
        began = time.monotonic()
        await self.stack.start_by_hand("poll_feeds")

        async def shown() -> bool:
            return all([await self._shows(person["mail"], {"department": "Polled"}) for person in people])

        await self._wait(shown, POLL_S, "the poll alone did not repair it")
        seconds = [time.monotonic() - began]
        await self.emulated.control("PUT", "/delivery", {"enabled": True})
        note = f"{len(people)} changes, repaired by one poll"
        self._tell(Step(story="Webhooks switched off", seconds=seconds, note=note))

    async def _paused(self, people: Sequence[User]) -> None:
        """Nothing is written while the sync is paused; the full round of `xtsync resume` brings it."""
        values = {"department": "Paused"}
        await self._xtsync("pause", "--reason", "the demo looks what is lost")
        await asyncio.sleep(OBEYED_S)
        for person in people:
            await self._patch(person, values)
        await asyncio.sleep(OBEYED_S)
        if any([await self._shows(person["mail"], values) for person in people]):
            raise StoryError("a paused sync wrote")

        async def shown() -> bool:
            return all([await self._shows(person["mail"], values) for person in people])

        began = time.monotonic()
        await self._xtsync("resume")
        await self._wait(shown, POLL_S, "what changed during the pause did not come")
        note = f"{len(people)} changes waited; {time.monotonic() - began:.1f} s after `xtsync resume` they were there"
        self._tell(Step(story="Paused", seconds=[], note=note))

    async def _mass_deletion(self, people: Sequence[User]) -> None:
        """A script deletes a third of Contoso. The guard holds most of it until an administrator approves."""
        before = await self.emulated.count(FABRIKAM, "users")
        for person in people:
            await self.emulated.graph(CONTOSO, "DELETE", f"/users/{person['id']}")
        held: list[dict[str, str]] = []

        async def decided() -> bool:
            nonlocal held
            listed = await self._xtsync("holds", "list")
            held = listed["holds"]
            return before - await self.emulated.count(FABRIKAM, "users") + len(held) >= len(people)

        await self._wait(decided, POLL_S, "the guard did not hold the deletions", every_s=1)
        went = len(people) - len(held)
        code = (await self._xtsync("holds", "list"))["code"]
        began = time.monotonic()
        await self._xtsync("holds", "approve", code, "--yes")

        async def gone() -> bool:
            return before - await self.emulated.count(FABRIKAM, "users") == len(people)

        await self._wait(gone, POLL_S, "the approved deletions were not carried out")
        note = (
            f"{went} deleted, {len(held)} held by the guard, then approved: done {time.monotonic() - began:.1f} s later"
        )
        self._tell(Step(story=f"{len(people)} people deleted at once", seconds=[], note=note))

    # --- the end -----------------------------------------------------------------------------------------------

    async def _verdict(self) -> bool:
        agreement = await compare(self.emulated, CONTOSO, FABRIKAM, never_provisioned=self.never)
        table = Table(title="What happened to people in Contoso, and when Fabrikam showed it")
        for column in ("Story", "People", "Median", "Slowest", "Note"):
            table.add_column(column, justify="left" if column in {"Story", "Note"} else "right")
        for step in self.steps:
            table.add_row(*_row(step))
        self.console.print(table)
        seconds = [s for step in self.steps for s in step.seconds if step.story != "Webhooks switched off"]
        self.console.print(
            f"By webhook: median {statistics.median(seconds):.2f} s, slowest {max(seconds):.2f} s "
            f"over {len(seconds)} changes."
        )
        for fault in agreement.faults:
            self.console.print(f"DISAGREE {fault}")
        self.agreed = bool(agreement)
        verdict = "Both tenants agree" if self.agreed else "The tenants do NOT agree"
        self.console.print(f"{verdict}: {agreement.expected} people of Contoso in Fabrikam.")
        return self.agreed and max(seconds) <= WEBHOOK_S

    async def _history(self, person: User) -> None:
        """The record of one person, oldest first."""
        self.console.print(f"What happened to {person['displayName']} (xtsync history):")
        for event in reversed((await self._xtsync("history", person["id"]))["events"]):
            self.console.print(f"  {event['at'][11:19]}  {event['text']}", markup=False, highlight=False)

    # --- hands and eyes ----------------------------------------------------------------------------------------

    def _tell(self, step: Step) -> None:
        self.steps.append(step)
        if step.story != "Initial sync" or not self.console.is_terminal:
            timing = f"{max(step.seconds):.2f} s" if step.seconds else ""
            self.console.print("  ".join(part for part in (f"✓ {step.story}", timing, step.note) if part))

    async def _patch(self, person: User, values: User) -> None:
        await self.emulated.graph(CONTOSO, "PATCH", f"/users/{person['id']}", values)

    async def _find(self, mail: str) -> list[User]:
        quoted = mail.replace("'", "''")
        select = "id,mail,displayName,surname,mailNickname,userType,jobTitle,department,streetAddress,city,country"
        path = f"/users?$filter=mail eq '{quoted}'&$select={select},officeLocation,businessPhones,accountEnabled"
        return list((await self.emulated.graph(FABRIKAM, "GET", path))["value"])

    async def _shows(self, mail: str, values: User) -> bool:
        found = await self._find(mail)
        return len(found) == 1 and all(found[0].get(name) == value for name, value in values.items())

    async def _absent(self, mail: str) -> bool:
        return not await self._find(mail)

    async def _timed(self, act: Callable[[], Awaitable[object]], shown: Callable[[], Awaitable[bool]]) -> float:
        began = time.monotonic()
        await act()
        await self._wait(shown, POLL_S, "a change did not reach the target")
        return time.monotonic() - began

    async def _wait(
        self, shown: Callable[[], Awaitable[bool]], timeout_s: float, otherwise: str, every_s: float = 0.03
    ) -> None:
        if not await until(shown, timeout_s=timeout_s, every_s=every_s):
            raise StoryError(f"{otherwise} within {timeout_s:g} s")

    async def _xtsync(self, *arguments: str) -> Any:
        code, answer = await self.stack.xtsync(*arguments)
        if code != 0:
            raise StoryError(f"xtsync {' '.join(arguments)} ended with code {code}")
        return answer


class StoryError(Exception):
    """The story could not go on, because the sync did not do its part."""


def _row(step: Step) -> tuple[str, str, str, str, str]:
    if not step.seconds:
        return step.story, "", "", "", step.note
    median, slowest = statistics.median(step.seconds), max(step.seconds)
    return step.story, str(len(step.seconds)), f"{median:.2f} s", f"{slowest:.2f} s", step.note


async def demo() -> int:
    """0 when both tenants agree at the end, 1 otherwise."""
    console = Console()
    console.print("Starting Azurite, the Graph emulator and the Functions host ...")
    async with Stack(sign_in=True) as stack, Emulated(stack.graph_url) as emulated:
        if not stack.core_tools:  # the stand-in of the sign-in is part of the built-in host
            console.print(f"The operators' page, while this runs: {address(stack.functions_url)}", soft_wrap=True)
        try:
            return 0 if await Demo(stack=stack, emulated=emulated, console=console).run() else 1
        except StoryError as error:
            console.print(f"error: {error}")
            return 1
