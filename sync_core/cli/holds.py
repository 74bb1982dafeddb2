"""`xtsync holds`: the deletions that the guard stopped, and a person's decision about exactly those listed."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from datetime import datetime

from ..bootstrap import Runtime
from ..errors import ConflictError
from ..model import Nomination, Why
from ..ports import HoldRecord
from .approval import check, choose, code, open_holds, standing, waiting
from .command import Commands, add_command
from .find import find_sync
from .screen import Screen, warning
from .words import ago, iso, many
from .world import Exit, RefusedError, UsageError, World

_DESCRIPTION = """\
A deletion over the deletion guard's limit is held until a person decides. The list ends with a CODE that stands for
exactly the holds listed: `approve CODE` and `reject CODE` are refused when the list has changed since. An approval
lasts 24 hours, and every user is read again before anything is deleted. A rejected user stays as it is; name the user
to decide anew."""

type Json = dict[str, object]


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "holds",
        run_list,
        summary="list, approve or reject held deletions",
        description=_DESCRIPTION,
        examples=(
            "holds",
            "holds list --sync contoso-to-fabrikam --json",
            "holds approve 2-3f9a07c1",
            "holds reject 2-3f9a07c1 6b1d4c62-4c0f-4a55-9a53-0c4d1a3b7e11 --yes",
        ),
    )
    parser.add_argument("--sync", metavar="NAME", help="only this sync")
    actions = parser.add_subparsers(metavar="list|approve|reject", title="actions")
    _add_action(actions.add_parser("list", help="show them (the default)", argument_default=None), run_list)
    for name, run in (("approve", run_approve), ("reject", run_reject)):
        action = actions.add_parser(
            name, help=f"{name} exactly the holds listed", formatter_class=RawDescriptionHelpFormatter
        )
        _add_action(action, run)
        action.add_argument("code", metavar="CODE", help="as `xtsync holds` shows it")
        action.add_argument("users", nargs="*", metavar="USER", help="only these source users of the list")
        action.add_argument("--yes", action="store_true", help="do not ask for confirmation")
        action.add_argument("--by", metavar="WHO", help="who decides; default: the user of this computer")
