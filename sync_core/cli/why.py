"""`xtsync why USER`: where one person stands now, and what happened before, in sentences."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from ..assembly import Runtime
from ..ops.documents import Explanation, Explanations
from ..ops.names import find_user
from ..ops.why import explain
from ..ops.words import at_second
from .command import USER, Commands, Reach, add_command
from .screen import Screen
from .world import Exit, World

if TYPE_CHECKING:
    from .app import App

_DESCRIPTION = """\
Reads the user from the source tenant and decides as the app would, writes nothing, and says in sentences where the
user stands, and what `xtsync drift` and `xtsync links` tell of this one. The last ten events of the record stand under
it; `xtsync history USER` has all."""


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "why",
        run,
        reach=Reach.APP,
        summary="explain why one user is, or is not, in the target",
        description=_DESCRIPTION,
        examples=("why adele@contoso.example", f"why {USER} --sync contoso-to-fabrikam --json"),
    )
    parser.add_argument("user", metavar="USER", help="object id or user principal name in the source tenant")
    parser.add_argument("--sync", metavar="NAME", help="default: every sync whose source tenant knows the user")


async def run(args: Namespace, world: World) -> int:
    async def here(runtime: Runtime) -> list[Explanation]:
        return [await explain(runtime, sync, user) for sync, user in await find_user(runtime, args.user, args.sync)]

    async def there(app: App) -> list[Explanation]:
        found = await app.find(args.user, args.sync)
        return [await app.ask("why", Explanation, sync=each.sync, user=each.user) for each in found]

    explained = await world.ask(args, here, there, read_only=True)
    world.answer(Explanations(results=explained), _show, json=args.json)
    return Exit.DONE


def _show(screen: Screen, explained: Explanations) -> None:
    for each in explained.results:
        _show_one(screen, each)


def _show_one(screen: Screen, explained: Explanation) -> None:
    screen.heading(f"{explained.sync}  user {explained.user}")
    for sentence in explained.sentences:
        screen.line(f"  {sentence}")
    if explained.pair is not None and explained.pair.asked is not None:
        screen.line(f"  Asked for, and not done yet: {explained.pair.asked}.")
    for of in explained.drift.attributes if explained.drift is not None else []:
        screen.line(f"  Differs in the target since {at_second(of.since)}: {of.name}.")
    screen.line("  What happened, newest first:" if explained.events else "  Nothing is on record.")
    for event in explained.events:
        screen.line(f"    {at_second(event.at)}  {event.text}")
