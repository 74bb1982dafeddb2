"""`xtsync doctor`: what has to be right before anything works, each with its remedy. The checks are in ops/doctor/."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from itertools import groupby

from ..assembly import Runtime
from ..ops.doctor.run import examine
from ..ops.documents import Finding, Report, Verdict
from ..ops.words import many
from .command import Commands, Reach, add_command
from .screen import Cell, Screen, good, warning
from .world import Exit, World

_DESCRIPTION = """\
Looks at tokens, consent, permissions, the policies of both tenants, subscriptions, feeds, queues and what waits for a
person. For everything that is not as it should be, it says what helps. It writes nothing anywhere.
Exit code 0: nothing failed (there may be warnings). 1: something failed. 2: the configuration is wrong."""


def add_parser(commands: Commands) -> None:
    add_command(
        commands,
        "doctor",
        run,
        reach=Reach.APP,
        summary="check everything around it, with a remedy for each fault",
        description=_DESCRIPTION,
        examples=("doctor", "doctor --json"),
    )


async def run(args: Namespace, world: World) -> int:
    async def here(runtime: Runtime) -> Report:
        return await examine(runtime, host_json=world.folder / "host.json", public_url=world.settings().public_url)

    report = await world.ask(args, here, lambda app: app.ask("doctor", Report), read_only=True)
    world.answer(report, _show, json=args.json)
    return Exit.FAULT if report.failed else Exit.DONE


def _show(screen: Screen, report: Report) -> None:
    for subject, group in groupby(report.findings, lambda each: each.subject):
        screen.heading(subject or "deployment")
        screen.table(("check", "", "what was found"), [_cells(each) for each in group])
        screen.line()
    for each in report.findings:
        if each.remedy:
            screen.heading(f"{each.subject or 'deployment'}, {each.check}: {each.verdict}")
            for line in each.remedy:
                screen.line(f"  {line}")
            screen.line()
    screen.line(warning(f"{many(report.failed, 'check')} failed") if report.failed else good("nothing failed"))


def _cells(finding: Finding) -> Sequence[Cell]:
    match finding.verdict:
        case Verdict.OK:
            verdict: Cell = good("ok")
        case Verdict.FAILED:
            verdict = warning("FAILED")
        case other:
            verdict = other.value
    return finding.check, verdict, finding.detail
