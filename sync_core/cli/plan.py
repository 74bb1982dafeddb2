"""`xtsync plan`: what would happen to everybody if every user were looked at now; nothing is written anywhere."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ..assembly import Runtime
from ..config.file import read_text
from ..model import Postponed
from ..ops import documents
from ..ops.changes import in_words
from ..ops.documents import FailedUser, PlannedUser
from ..ops.errors import UsageError
from ..ops.names import find_syncs
from ..ops.people import Pair, names
from ..ops.plain import kind_in_words
from ..ops.plan import plan
from ..ops.sentences import nothing_to_do
from ..ops.words import many
from .command import Commands, Reach, add_command, add_no_names, no_endpoint
from .groups import grouped
from .plan_job import plan_there
from .screen import Cell, Screen, good, warning
from .sync_view import values_in_words
from .world import Exit, World

if TYPE_CHECKING:
    from .app import App

_DESCRIPTION = """\
Reads every user of the source tenants, as the first round of a feed does. Decides who would be invited, adopted,
updated, disabled, restored or deleted, and who would be refused and why. Both guards count as they would count, so the
plan shows which deletions would be held, and how many newcomers would wait. At the end it says how many it looked at,
and whom not and why. Nothing is written anywhere, and no message is sent.
Exit code 0: nothing stands in the way. 1: somebody could not be decided on, or would be refused. 3: a person would be
asked, about deletions or about newcomers."""

_MOST = 20


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "plan",
        run,
        reach=Reach.APP,
        summary="show what would happen to everybody, without doing it",
        description=_DESCRIPTION,
        examples=(
            "plan",
            "plan --sync contoso-to-fabrikam --all --show-values",
            "plan --json",
            "plan --url https://NAME.azurewebsites.net --file sync.yaml",
        ),
    )
    parser.add_argument("--sync", metavar="NAME", help="only this sync")
    parser.add_argument("--file", metavar="FILE", help="with --url: plan this sync.yaml instead of the deployed one")
    parser.add_argument("--all", action="store_true", help=f"list every user; otherwise {_MOST} of each kind")
    parser.add_argument("--show-values", action="store_true", help="old and new values of updates: personal data")
    add_no_names(parser)


async def run(args: Namespace, world: World) -> int:
    most = None if args.all else _MOST
    nameless = args.json or args.no_names

    async def here(runtime: Runtime) -> tuple[documents.Plan, Mapping[Pair, str]]:
        if args.file is not None:
            raise UsageError("--file needs --url", hint="Here, XTSYNC_CONFIG names the file.")
        syncs, progress = find_syncs(runtime.config, args.sync), world.errors.progress
        planned = await plan(runtime, syncs, progress, values=args.show_values)
        return planned, {} if nameless else await names(runtime, _shown_pairs(planned, most))

    async def there(app: App) -> tuple[documents.Plan, Mapping[Pair, str]]:
        if args.show_values:
            raise no_endpoint("an app keeps no values for a plan")
        text = None if args.file is None else read_text(world.folder / args.file)
        asked = documents.PlanRequest(sync_yaml=text, sync=args.sync)
        planned = await plan_there(app, asked, world.errors)
        return planned, {} if nameless else await app.names(_shown_pairs(planned, most))

    planned, named = await world.ask(args, here, there, read_only=True)
    world.answer(planned, partial(_show, most=most, named=named), json=args.json)
    return _exit_code(planned)


def _exit_code(planned: documents.Plan) -> Exit:
    users = [user for each in planned.syncs for user in each.users]
    if any(isinstance(user, FailedUser) or isinstance(user.planned, documents.Refuse) for user in users):
        return Exit.FAULT
    asks = any(isinstance(user, PlannedUser) and _asks_a_person(user) for user in users)
    return Exit.APPROVAL if asks else Exit.DONE


def _asks_a_person(user: PlannedUser) -> bool:
    return isinstance(user.foreseen, documents.Hold) or _waits(user)


def _waits(user: PlannedUser | FailedUser) -> bool:
    """Whether this newcomer would wait for the creation guard."""
    planned = user.planned if isinstance(user, PlannedUser) else None
    return isinstance(planned, documents.Postpone) and planned.because is Postponed.CREATIONS_FULL


def _kinds(planned: documents.SyncPlan) -> Mapping[str, Sequence[PlannedUser | FailedUser]]:
    return grouped(planned.users, lambda user: user.kind)


def _pair(sync: str, user: PlannedUser | FailedUser) -> Pair:
    target_id = user.target_id if isinstance(user, PlannedUser) else None
    return Pair(sync=sync, source_id=user.user, target_id=target_id)


def _shown_pairs(planned: documents.Plan, most: int | None) -> list[Pair]:
    return [
        _pair(each.sync, user) for each in planned.syncs for users in _kinds(each).values() for user in users[:most]
    ]


def _show(screen: Screen, planned: documents.Plan, *, most: int | None, named: Mapping[Pair, str]) -> None:
    for each in planned.syncs:
        _show_sync(screen, each, most, named)


def _show_sync(screen: Screen, planned: documents.SyncPlan, most: int | None, named: Mapping[Pair, str]) -> None:
    screen.heading(planned.sync)
    kinds = _kinds(planned)
    if not kinds:
        screen.line(good(f"  {nothing_to_do(planned.extent.looked_at)}"))
    else:
        rows = [(_cell(kind_in_words(kind), users[0]), str(len(users))) for kind, users in kinds.items()]
        screen.table(("what would happen", "users"), rows)
        _show_newcomers(screen, planned.users)
    for kind, users in kinds.items():
        for user in users[:most]:
            name = named.get(_pair(planned.sync, user), "")
            screen.line("  " + "  ".join(filter(None, (user.user, name, _words(user)))))
            for line in _details(user):
                screen.line(f"    {line}")
        if most is not None and len(users) > most:
            screen.line(f"  and {len(users) - most} more: {kind} (--all lists them)")
        if hint := _hint(users[0]):
            screen.line(f"  hint: {hint}")
    for sentence in planned.extent.sentences:
        screen.line(f"  {sentence}")
    screen.line()


def _show_newcomers(screen: Screen, users: Sequence[PlannedUser | FailedUser]) -> None:
    invited = [user for user in users if isinstance(user, PlannedUser) and user.foreseen.change == "Invite"]
    waiting = sum(map(_waits, invited))
    if waiting:
        let_in = len(invited) - waiting
        verb = "is" if let_in == 1 else "are"
        screen.line(
            warning(f"  Of {many(len(invited), 'newcomer')} {let_in} {verb} let in, {waiting} wait for approval")
        )


def _cell(kind: str, user: PlannedUser | FailedUser) -> Cell:
    """A kind that takes access away, or stands in the way, is set off."""
    loud = documents.SoftDelete | documents.Disable | documents.Hold | documents.Refuse
    return warning(kind) if isinstance(user, FailedUser) or isinstance(user.foreseen, loud) else kind


def _words(user: PlannedUser | FailedUser) -> str:
    return user.kind if isinstance(user, FailedUser) else in_words(user.planned)


def _details(user: PlannedUser | FailedUser) -> list[str]:
    """The reason, and the values that were asked for."""
    if isinstance(user, FailedUser):
        return []
    return [f"because: {user.why}", *values_in_words(user.planned)]


def _hint(user: PlannedUser | FailedUser) -> str | None:
    if isinstance(user, FailedUser):
        return user.hint
    return user.planned.hint if isinstance(user.planned, documents.Refuse) else None
