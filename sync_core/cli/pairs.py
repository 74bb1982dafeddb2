"""`xtsync link`, `unlink`, `redeem`, and `move` of one user: a person repairs a pair."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from ..assembly import Runtime
from ..model import Sync, is_object_id
from ..ops import pairs
from ..ops.documents import (
    AdoptionChoices,
    AdoptionRequest,
    AskedPair,
    MoveRequest,
    UnlinkRequest,
    User,
)
from ..ops.errors import RefusedError, UsageError
from ..ops.names import find_user
from .command import USER, Commands, Reach, Run, add_by, add_command, check_nobody_is_named, operator
from .screen import Screen
from .world import Exit, World

if TYPE_CHECKING:
    from .app import App

_TARGET = "c2a5f0de-9a37-4f0c-8a52-1a4c3d2e9b70"
_LINK = """\
Says that this guest of the target is USER's, whatever the address of either. Both are read now and shown, and you are
asked. From then on the guest is updated, disabled and deleted with USER. Refused are an internal user, a guest of
another source user who is still there, and a USER who would lose the guest at once. `xtsync adopt` is for a guest whom
the sync has found by itself."""
_UNLINK = """\
Ends the pair and leaves the target user as it is: with its access, and without the ownership marker. No sync adopts it
again by itself. Nobody is invited in its place as long as it has the address; `xtsync link` makes a pair again. It is
done by the app with the next look, within seconds."""
_REDEEM = """\
The guest redeems the invitation anew, with the source user's address of now: after a new account, or another way to
sign in. The guest's id, groups and licences stay. No mail is sent. Graph refuses it for a guest with an administrator's
role: there, do it in the Entra admin center."""


def add_parser(commands: Commands) -> None:
    link = _add(commands, "link", "make a pair of a user and a guest", _LINK, _run_link, f"{USER} --target {_TARGET}")
    link.add_argument("--target", metavar="ID", required=True, help="the object id of the guest in the target")
    link.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    unlink = _add(
        commands,
        "unlink",
        "end a pair, and leave the target user as it is",
        _UNLINK,
        _run_unlink,
        f'{USER} --reason "the guest is theirs now"',
    )
    unlink.add_argument("--reason", metavar="TEXT", required=True, help="for the record")
    _add(commands, "redeem", "have a guest redeem the invitation anew", _REDEEM, _run_redeem, USER)


def _add(commands: Commands, name: str, summary: str, description: str, run: Run, example: str) -> ArgumentParser:
    parser = add_command(
        commands,
        name,
        run,
        reach=Reach.APP,
        summary=summary,
        description=description,
        examples=(f"{name} {example}",),
    )
    parser.add_argument("user", metavar="USER", help="object id or user principal name in the source tenant")
    parser.add_argument("--sync", metavar="NAME", help="needed where several syncs have the user")
    add_by(parser)
    return parser


async def _run_link(args: Namespace, world: World) -> int:
    target = args.target.lower()
    if not is_object_id(target):
        raise UsageError("--target is no object id", hint=f"The target tenant shows it with the guest, as {_TARGET}.")

    async def here(runtime: Runtime) -> AskedPair:
        sync, user = await _one(runtime, args.user, args.sync)
        if not args.yes:
            _confirm(world, await pairs.link_choice(runtime, sync, user, target))
        return await pairs.link_pair(runtime, sync, user, target, by=operator(args))

    async def there(app: App) -> AskedPair:
        check_nobody_is_named(args)
        user = await _one_there(app, args.user, args.sync)
        if not args.yes:
            _confirm(world, await app.ask("pair", AdoptionChoices, target=target, sync=user.sync, user=user.user))
        return await app.ask("link", AskedPair, body=AdoptionRequest(target_id=target), sync=user.sync, user=user.user)

    # Graph is only read: the function app writes with its next look.
    return _answer(args, world, await world.ask(args, here, there, read_only=True))


def _confirm(world: World, found: AdoptionChoices) -> None:
    (target,) = found.choices
    if target.refused is not None:
        raise RefusedError(f"{target.target_id} cannot be linked: {target.refused}", hint="Nothing was done.")
    world.errors.line(f"{found.sync}: source user {found.source_id}")
    blocked = "" if target.enabled else ", blocked: it would be enabled"
    world.errors.line(f"target user {target.target_id}, {target.name} <{target.address}>{blocked}")
    world.errors.line("From now on it would be updated, disabled and deleted with the source user.")
    world.confirm("Link them?")


async def _run_unlink(args: Namespace, world: World) -> int:
    if not args.reason.strip():
        raise UsageError("the reason is empty", hint="Say why: it is on record.")

    async def here(runtime: Runtime) -> AskedPair:
        sync, user = await _one(runtime, args.user, args.sync, paired=True)
        return await pairs.unlink(runtime, sync, user, by=operator(args), reason=args.reason.strip())

    async def there(app: App) -> AskedPair:
        check_nobody_is_named(args)
        user = await _one_there(app, args.user, args.sync)
        return await app.ask(
            "unlink", AskedPair, body=UnlinkRequest(reason=args.reason.strip()), sync=user.sync, user=user.user
        )

    return _answer(args, world, await world.ask(args, here, there, read_only=True))


async def _run_redeem(args: Namespace, world: World) -> int:
    async def here(runtime: Runtime) -> AskedPair:
        sync, user = await _one(runtime, args.user, args.sync, paired=True)
        return await pairs.redeem(runtime, sync, user, by=operator(args))

    async def there(app: App) -> AskedPair:
        check_nobody_is_named(args)
        user = await _one_there(app, args.user, args.sync)
        return await app.ask("redeem", AskedPair, sync=user.sync, user=user.user)

    return _answer(args, world, await world.ask(args, here, there, read_only=True))


async def move_user(args: Namespace, world: World) -> int:
    """`xtsync move USER --to USER`: `args.sync` names the former source user."""
    if args.dry_run:
        raise UsageError(
            "a user is moved without --dry-run", hint="It is checked first; `xtsync why USER` shows how both stand."
        )
    if not args.yes:
        world.errors.line(f"The guest of {args.sync} would become that of {args.to}, who redeems the invitation anew.")
        world.confirm("Move the guest?")

    async def here(runtime: Runtime) -> AskedPair:
        sync, user = await _one(runtime, args.sync, args.of_sync, paired=True)
        into, to = await _one(runtime, args.to, args.to_sync or sync.name)
        return await pairs.move(runtime, sync, user, into, to, by=operator(args))

    async def there(app: App) -> AskedPair:
        check_nobody_is_named(args)
        user = await _one_there(app, args.sync, args.of_sync)
        to = await _one_there(app, args.to, args.to_sync or user.sync)
        return await app.ask(
            "move", AskedPair, body=MoveRequest(user=to.user, sync=to.sync), sync=user.sync, user=user.user
        )

    return _answer(args, world, await world.ask(args, here, there, read_only=True))


async def _one(runtime: Runtime, user: str, sync: str | None, *, paired: bool = False) -> tuple[Sync, str]:
    """The one sync that is meant, with the user's id. `paired`: of several, the one that has a pair."""
    found = await find_user(runtime, user, sync)
    if paired and len(found) > 1:
        links = [(each, await runtime.storage.links.get(each[0].name, each[1])) for each in found]
        found = [each for each, link in links if link is not None and link.ours] or found
    if len(found) > 1:
        raise _several([each.name for each, _ in found])
    return found[0]


async def _one_there(app: App, user: str, sync: str | None) -> User:
    found = await app.find(user, sync)
    if len(found) > 1:
        raise _several([each.sync for each in found])
    return found[0]


def _several(names: list[str]) -> UsageError:
    return UsageError("more than one sync may be meant", hint=f"Name it with --sync: {', '.join(names)}.")


def _answer(args: Namespace, world: World, asked: AskedPair) -> int:
    world.answer(asked, _show, json=args.json)
    return Exit.DONE


def _show(screen: Screen, asked: AskedPair) -> None:
    what = asked.asked if asked.to is None else f"{asked.asked} to {asked.to}"
    screen.line(f"{asked.sync}: {asked.source_id} and target user {asked.target_id}: {what}.")
    screen.line(f"The app looks at it now; follow it with: xtsync history {asked.source_id}")
