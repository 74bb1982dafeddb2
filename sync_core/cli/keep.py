"""`xtsync keep USER`: let leaving take nothing from one person until a date."""

from __future__ import annotations

from argparse import Namespace
from functools import partial
from typing import TYPE_CHECKING

from ..assembly import Runtime
from ..ops.documents import Keep, KeepRequest, KeptUsers, User
from ..ops.errors import RefusedError, UsageError
from ..ops.leaving import end_keeps, keep_users, until_when
from ..ops.names import find_user
from ..ops.words import at_second
from .command import USER, Commands, Reach, add_by, add_command, check_nobody_is_named, operator
from .screen import Screen, good
from .world import Exit, World

if TYPE_CHECKING:
    from .app import App

_DESCRIPTION = """\
Until DATE no deletion and no disabling that leaving causes is made of this user: whether the source user was deleted or
is out of scope, at once or in stages. A source user who is in scope and disabled is disabled in the target, too.
It is asked right before each write; a request that is on its way may still arrive. When DATE comes, the user is looked
at, and what is due is done. A year is the longest. `xtsync due` and `xtsync why USER` show it."""


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "keep",
        run,
        reach=Reach.APP,
        summary="let leaving take nothing from one user until a date",
        description=_DESCRIPTION,
        examples=(
            'keep adele@contoso.example --until 2027-01-31 --reason "hands over until then"',
            f'keep {USER} --sync contoso-to-fabrikam --until 14d --reason "a mistake of HR"',
            f"keep {USER} --end",
        ),
    )
    parser.add_argument("user", metavar="USER", help="object id or user principal name in the source tenant")
    parser.add_argument("--sync", metavar="NAME", help="default: every sync whose source tenant knows the user")
    parser.add_argument("--until", metavar="DATE", help="2027-01-31, 2027-01-31T18:00 (UTC), or 14d, 24h, 30m from now")
    parser.add_argument("--reason", metavar="TEXT", help="shown with the user")
    parser.add_argument("--end", action="store_true", help="keep the user no longer")
    add_by(parser)


async def run(args: Namespace, world: World) -> int:
    if args.end == bool(args.until) or args.end == bool((args.reason or "").strip()):
        raise UsageError("give --until and --reason, or --end alone", hint="See xtsync keep --help.")
    done = await world.ask(args, partial(_here, args), partial(_there, args))
    if args.end and not done.ended:
        raise RefusedError("nobody keeps this user", hint="`xtsync due` shows who is kept.")
    world.answer(done, _show, json=args.json)
    return Exit.DONE


async def _here(args: Namespace, runtime: Runtime) -> KeptUsers:
    by, until = operator(args), None if args.end else until_when(args.until, runtime.clock.now())
    users = await find_user(runtime, args.user, args.sync)
    if until is None:
        return await end_keeps(runtime, users, by=by)
    return await keep_users(runtime, users, until, by=by, reason=args.reason.strip())


async def _there(args: Namespace, app: App) -> KeptUsers:
    """In each sync that has the user."""
    check_nobody_is_named(args)
    kept: list[Keep] = []
    ended: list[User] = []
    for each in await app.find(args.user, args.sync):
        if args.end:
            done = await app.ask("end_keep", KeptUsers, sync=each.sync, user=each.user)
        else:
            body = KeepRequest(until=args.until, reason=args.reason.strip())
            done = await app.ask("keep", KeptUsers, body=body, sync=each.sync, user=each.user)
        kept += done.kept
        ended += done.ended
    return KeptUsers(kept=kept, ended=ended)


def _show(screen: Screen, done: KeptUsers) -> None:
    for kept in done.kept:
        screen.line(good(f"{kept.sync}: user {kept.source_id} is kept until {at_second(kept.until)}"))
    for ended in done.ended:
        screen.line(f"{ended.sync}: user {ended.user} is kept no longer, and looked at now")
