"""`xtsync rename`, `move` and `remove`: what an edit of a sync's name or tenants means for its people."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Coroutine
from typing import Any

from ..assembly import Runtime
from ..ops.documents import Step, SyncChange
from ..ops.proposals import Proposal, propose_cancel, propose_move, propose_removal, propose_rename
from ..ops.syncs import act
from ..ops.words import many
from .command import Commands, add_by, add_command, operator
from .screen import Screen
from .world import Exit, World

_RENAME = """\
A sync of another name knows nobody, so the new name stops until it is said what is meant. Edit sync.yaml, deploy it,
and wait for a poll; then this gives the new name all that is stored of the old one. Nobody's access changes."""
_MOVE = """\
A sync whose source or target is another tenant than before stops. Edit sync.yaml, deploy it, and wait for a poll; then
this lets go of the users in the former tenant, who stay there as they are, and begins anew in the other one."""
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
    move = _add(commands, "move", "begin anew in another tenant", _MOVE, "staff --dry-run", _moved)
    move.add_argument("sync", metavar="SYNC", help="its name in sync.yaml")
    remove = _add(
        commands, "remove", "end a sync, with its users or without", _REMOVE, "staff --delete-users", _removed
    )
    remove.add_argument("sync", metavar="SYNC", help="its name")
    how = remove.add_mutually_exclusive_group(required=True)
    how.add_argument("--keep-users", action="store_true", help="forget it; nobody's access changes")
    how.add_argument("--delete-users", action="store_true", help="soft-delete all its target users, through the guard")
    how.add_argument("--cancel", action="store_true", help="end --delete-users, and judge by sync.yaml again")


def _add(commands: Commands, name: str, summary: str, description: str, example: str, propose: Propose) -> Any:
    async def run(args: Namespace, world: World) -> int:
        return await _run(args, world, propose)

    parser = add_command(commands, name, run, summary=summary, description=description, examples=(f"{name} {example}",))
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
