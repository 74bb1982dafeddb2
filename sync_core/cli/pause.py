"""`xtsync pause`: stop a sync, or only what takes access away."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from ..assembly import Runtime
from ..model import Control
from ..ops.controls import control
from ..ops.documents import Controlled, PauseRequest
from ..ops.names import find_syncs
from .command import Commands, Reach, add_by, add_command, check_nobody_is_named, operator
from .screen import Screen, good, warning
from .world import Exit, World

if TYPE_CHECKING:
    from .app import App

_DESCRIPTION = """\
Nothing is written to the target from now on: every instance obeys within two seconds, and at most the requests that
are on their way still arrive. Feeds are read on, and nobody is parked. With --deletions-only all goes on but what takes
access away: deletions, and switching sign-in off.
Nothing is lost, however long it lasts. The way back is `xtsync resume`."""


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "pause",
        run,
        reach=Reach.APP,
        summary="stop all writes into the target, or only deletions",
        description=_DESCRIPTION,
        examples=(
            'pause --reason "the scope is being checked"',
            'pause --sync contoso-to-fabrikam --deletions-only --reason "who are these?"',
        ),
    )
    parser.add_argument("--sync", metavar="NAME", help="only this sync (default: all of them)")
    parser.add_argument("--deletions-only", action="store_true", help="go on with all that takes no access away")
    parser.add_argument("--reason", metavar="TEXT", required=True, help="shown by `xtsync status`")
    add_by(parser)


async def run(args: Namespace, world: World) -> int:
    said = Control.DELETIONS_PAUSED if args.deletions_only else Control.PAUSED
    return await say(args, world, said, args.reason)


async def say(args: Namespace, world: World, said: Control, reason: str) -> int:
    async def here(runtime: Runtime) -> Controlled:
        return await control(runtime, find_syncs(runtime.config, args.sync), said, by=operator(args), reason=reason)

    async def there(app: App) -> Controlled:
        check_nobody_is_named(args)
        name, route = ("resume" if said is Control.RUNNING else "pause"), {"sync": args.sync}
        body = PauseRequest(reason=reason, deletions_only=said is Control.DELETIONS_PAUSED)
        if args.sync is None:
            name, route = f"{name}_all", {}
        return await app.ask(name, Controlled, body=body, **route)

    done = await world.ask(args, here, there)
    world.answer(done, _show, json=args.json)
    return Exit.DONE


def _show(screen: Screen, done: Controlled) -> None:
    for each in done.syncs:
        words = f"{each.sync}: {each.control}"
        screen.line(good(words) if each.control is Control.RUNNING else warning(words))
    for begun in done.rounds:
        if begun.error is None:
            screen.line(f"{begun.tenant}: a full round starts now")
        else:
            screen.line(warning(f"{begun.tenant}: the next poll begins a full round; not now: {begun.error}"))
