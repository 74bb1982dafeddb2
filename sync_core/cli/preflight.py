"""`xtsync preflight`: what a first sync would meet in a target, before anything is written."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from ..ops import documents
from ..ops.adoption_rows import COLUMNS
from ..ops.documents import PreflightCause, TargetPreflight, Weight
from ..ops.names import find_syncs
from ..ops.preflight.judging import Found
from ..ops.preflight.run import Examined, preflight
from ..ops.spreadsheet import Cell
from ..ops.words import many
from .command import Commands, add_command, add_no_names
from .screen import Screen, good, warning
from .world import Exit, World

_DESCRIPTION = """\
Run it before the first write. It reads each target tenant once, page by page: users, soft-deleted users, mail contacts
and the quota of the directory; then the users of the sources. Of everybody in scope it says what the first look would
do, by the rules of sync.yaml, and shows whom something stands in the way of, by cause with the remedy:

  users of the target with the address    internal ones, guests who wait for an adoption, blocked or pending ones,
                                          several for one person, those of another source user
  other objects with the address          mail contacts, and soft-deleted users
  source users                            without an address, of a foreign domain, with the address of another one
  guests of a source's domains            whose address nobody in the source has

Nothing is written anywhere, and nobody is asked for singly. What the app may not read is named.

--csv prints a row for each of them. Say yes in its column "adopt" where a row has a code, and give the file to
`xtsync adopt --from FILE`: a row whose users have changed since then is refused.
Exit code 0: nothing stands in the way. 1: something does. 3: only words of a person are missing, for adoptions."""
_HEADERS = (*COLUMNS, "target tenant", "cause", "source name", "target name", "remedy")
_MOST = 20


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "preflight",
        run,
        summary="show what stands in the way in a target, before the first write",
        description=_DESCRIPTION,
        examples=(
            "preflight",
            "preflight --sync contoso-to-fabrikam --all",
            "preflight --csv",
            "adopt --from preflight.csv",
        ),
    )
    parser.add_argument("--sync", metavar="NAME", help="only this sync")
    parser.add_argument("--all", action="store_true", help=f"list everybody; otherwise {_MOST} of each cause")
    parser.add_argument("--csv", action="store_true", help="print CSV, which `xtsync adopt --from` takes once edited")
    add_no_names(parser)


async def run(args: Namespace, world: World) -> int:
    async with world.runtime(read_only=True) as runtime:
        examined = await preflight(runtime, find_syncs(runtime.config, args.sync), world.errors.progress)
    if args.json:
        world.screen.json(examined.document)
    elif args.csv:
        _csv(world.screen, examined, names=not args.no_names)
    else:
        for target in examined.document.targets:
            found = examined.found[target.target]
            _show(world.screen, target, found, most=None if args.all else _MOST, names=not args.no_names)
    return _exit_code(examined.document)


def _exit_code(document: documents.Preflight) -> Exit:
    weights = {cause.weight for target in document.targets for cause in target.causes}
    if Weight.STOPS in weights:
        return Exit.FAULT
    return Exit.APPROVAL if Weight.WAITS in weights else Exit.DONE


def _show(screen: Screen, at: TargetPreflight, found: Sequence[Found], *, most: int | None, names: bool) -> None:
    screen.heading(f"{at.target}, for {', '.join(at.syncs)}")
    screen.line(f"  {many(at.users, 'user')}, {at.guests} of them external{_quota(at)}")
    screen.line(
        f"  Of {many(at.in_scope, 'source user')} in scope, {at.invited} would be invited and {at.adopted} adopted;"
        f" {at.linked} have a target user by now."
    )
    if not at.causes:
        screen.line(good("  Nothing stands in the way."))
    for cause in at.causes:
        screen.line()
        _show_cause(screen, cause, [each for each in found if each.cause is cause.cause], most=most, names=names)
    for unseen in at.unseen:
        screen.line()
        screen.line(f"  not allowed to see: {unseen.what}")
        screen.line(f"    {unseen.remedy}")
    screen.line()


def _quota(at: TargetPreflight) -> str:
    return "" if at.quota is None else f"; the directory has {at.quota.used} of at most {at.quota.total} objects"


def _show_cause(
    screen: Screen, cause: PreflightCause, found: Sequence[Found], *, most: int | None, names: bool
) -> None:
    count = "" if found[0].source_id is found[0].target_id is None else f": {many(cause.people, 'user')}"
    title = f"  {cause.words}{count}"
    screen.line(title if cause.weight is Weight.NOTE else warning(title))
    screen.line(f"    hint: {cause.remedy}")
    for each in found[:most]:
        users = (each.source_id, each.source_name if names else "", _arrow(each, names=names))
        if line := "  ".join(filter(None, users)):
            screen.line(f"    {line}")
    if most is not None and len(found) > most:
        screen.line(f"    and {len(found) - most} more (--all lists them)")


def _arrow(each: Found, *, names: bool) -> str:
    if each.target_id is None:
        return ""
    shown = " ".join(filter(None, (each.target_id, each.target_name if names else "")))
    return f"-> {shown}" if each.source_id else shown


def _csv(screen: Screen, examined: Examined, *, names: bool) -> None:
    screen.csv(_HEADERS)
    for target in examined.document.targets:
        remedies = {cause.cause: cause.remedy for cause in target.causes}
        for each in examined.found[target.target]:
            shown = (each.source_name, each.target_name) if names else ("", "")
            row: Sequence[Cell] = (
                *("", each.source_id, each.target_id, each.code, each.sync),
                *(target.target, each.cause, *shown, remedies[each.cause]),
            )
            screen.csv(row)
