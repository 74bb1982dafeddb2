"""`xtsync rename`, `move` and `remove`: what an edit of a sync's name or tenants means for its people."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Coroutine
from typing import Any

from ..assembly import Runtime
from ..ops.documents import Step, SyncChange
from ..ops.errors import UsageError
from ..ops.proposals import Proposal, propose_cancel, propose_move, propose_removal, propose_rename
from ..ops.syncs import act
from ..ops.words import many
from .command import USER, Commands, Reach, add_by, add_command, no_endpoint, operator
from .pairs import move_user
from .screen import Screen
from .world import Exit, World

_RENAME = """\
A sync of another name knows nobody, so the new name stops until it is said what is meant. Edit sync.yaml, deploy it,
and wait for a poll; then this gives the new name all that is stored of the old one. Nobody's access changes."""
_MOVE = """\
A sync whose source or target is another tenant than before stops. Edit sync.yaml, deploy it, and wait for a poll; then
this lets go of the users in the former tenant, who stay there as they are, and begins anew in the other one.
With --to: the person of one source user has another account by now, after a rehire or in another home tenant. The guest
with its id, groups and licences becomes that account's, and redeems the invitation anew. The former user has to be gone
or out of scope, and the other one must have no guest yet. A guest whom the sync has deleted is restored."""
_REMOVE = """\
--delete-users: everybody loses access, one fresh read and the deletion guard later. Say so while sync.yaml still has
the sync; --cancel takes it back, and who was deleted returns with the next full round.
--keep-users: forgets a sync that sync.yaml has no more. Its users stay in the target as they are."""
_WHAT = {
    Step.RENAME: "would be those of {to}",
    Step.MOVE: "would be let go of, and stay in the former target",
    Step.KEEP_USERS: "would be let go of, and stay in the target",
    Step.DELETE_USERS: "would lose access",
    Step.CANCEL: "would be judged by sync.yaml again",
}

type Propose = Callable[[Runtime, Namespace], Coroutine[Any, Any, Proposal]]


def add_parser(commands: Commands) -> None:
    rename = _add(
        commands, "rename", "give the people of a sync to its new name", _RENAME, "staff people --yes", _renamed
    )
    rename.add_argument("old", metavar="OLD", help="the name that sync.yaml had")
    rename.add_argument("new", metavar="NEW", help="the name that it has now")
    move = _add(
        commands,
        "move",
        "begin a sync anew in another tenant, or give a guest to another user",
        _MOVE,
        "staff --dry-run",
        _moved,
        f"{USER} --to adele@contoso.example",
        reach=Reach.APP,
    )
    move.add_argument("sync", metavar="SYNC|USER", help="the name of a sync; with --to, the former source user")
    move.add_argument("--to", metavar="USER", help="the source user who is the same person by now")
    move.add_argument("--sync", dest="of_sync", metavar="NAME", help="with --to: the sync of the former user")
    move.add_argument("--to-sync", metavar="NAME", help="with --to: the sync of the other user, if it is another one")
    remove = _add(
        commands, "remove", "end a sync, with its users or without", _REMOVE, "staff --delete-users", _removed
    )
    remove.add_argument("sync", metavar="SYNC", help="its name")
    how = remove.add_mutually_exclusive_group(required=True)
    how.add_argument("--keep-users", action="store_true", help="forget it; nobody's access changes")
    how.add_argument("--delete-users", action="store_true", help="soft-delete all its target users, through the guard")
    how.add_argument("--cancel", action="store_true", help="end --delete-users, and judge by sync.yaml again")


def _add(
    commands: Commands,
    name: str,
    summary: str,
    description: str,
    example: str,
    propose: Propose,
    *others: str,
    reach: Reach = Reach.HERE,
) -> Any:
    async def run(args: Namespace, world: World) -> int:
        if getattr(args, "to", None) is not None:
            return await move_user(args, world)
        if getattr(args, "of_sync", None) is not None or getattr(args, "to_sync", None) is not None:
            raise UsageError("--sync and --to-sync are of a user who is moved", hint="Name the other user with --to.")
        if world.url(args):
            raise no_endpoint("this command has no endpoint")
        return await _run(args, world, propose)

    examples = tuple(f"{name} {each}" for each in (example, *others))
    parser = add_command(commands, name, run, summary=summary, description=description, examples=examples, reach=reach)
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    add_by(parser)
    return parser


async def _renamed(runtime: Runtime, args: Namespace) -> Proposal:
    return await propose_rename(runtime, args.old, args.new)


async def _moved(runtime: Runtime, args: Namespace) -> Proposal:
    return await propose_move(runtime, args.sync)


async def _removed(runtime: Runtime, args: Namespace) -> Proposal:
    if args.cancel:
        return await propose_cancel(runtime, args.sync)
    return await propose_removal(runtime, args.sync, keep_users=args.keep_users)


async def _run(args: Namespace, world: World, propose: Propose) -> int:
    by = operator(args)
    # Graph is only read: the function app looks at the users.
    async with world.runtime(read_only=True) as runtime:
        proposal = await propose(runtime, args)
        if args.dry_run:
            world.answer(proposal.document(done=False), _show, json=args.json)
            return Exit.DONE
        if not args.yes:
            _show_on(world.errors, proposal.document(done=False))
            world.confirm(f"{proposal.step.value.capitalize()} {proposal.name}?")
        with world.errors.progress("users", proposal.linked + proposal.others) as read:
            done = await act(runtime, proposal, read, by=by)
    world.answer(done, _show, json=args.json)
    return Exit.DONE


def _show(screen: Screen, change: SyncChange) -> None:
    _show_on(screen, change)
    screen.line(change.next)


def _show_on(screen: Screen, change: SyncChange) -> None:
    what = _WHAT[change.step].format(to=change.to)
    if change.done:
        what = what.replace("would be", "are").replace("would lose", "lose")
    people = f"{many(change.linked, 'linked user')} {what}; {many(change.others, 'other user')}"
    screen.line(f"{change.sync}: {people}, {many(change.holds, 'hold')}")
