"""`xtsync doctor`: what has to be right before anything works, each with its remedy. The checks are in checkup/."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from ..assembly import Runtime
from ..model.errors import ConfigError, Fault
from ..ops.doctor.finding import Finding, Verdict
from ..ops.doctor.run import Checkup
from ..ops.times import iso
from .command import Commands, add_command
from .screen import Cell, good, warning
from .words import many
from .world import Exit, World

_DESCRIPTION = """\
Looks at tokens, consent, permissions, the policies of both tenants, subscriptions, feeds, queues and what waits for a
person, and says of everything that is not as it should be what helps. It writes nothing anywhere.
Exit code 0: nothing failed (there may be warnings). 1: something failed. 2: the configuration is wrong."""

type Json = dict[str, object]


def add_parser(commands: Commands) -> None:
    add_command(
        commands,
        "doctor",
        run,
        summary="check everything around it, with a remedy for each fault",
        description=_DESCRIPTION,
        examples=("doctor", "doctor --json"),
    )


async def run(args: Namespace, world: World) -> int:
    async with world.runtime(read_only=True) as runtime:
        findings = await _checkup(runtime, world).run()
        at = runtime.clock.now()
    failures = sum(each.found.verdict is Verdict.FAILED for each in findings)
    if args.json:
        world.screen.json({"at": iso(at), "failed": failures, "findings": [_as_json(each) for each in findings]})
    else:
        _show(world, findings, failures)
    return Exit.FAULT if failures else Exit.DONE


def _checkup(runtime: Runtime, world: World) -> Checkup:
    storage = runtime.storage
    return Checkup(
        syncs=runtime.config.syncs,
        warnings=len(runtime.config.warnings),
        apps=runtime.apps,
        feeds=storage.feeds,
        subscriptions=storage.subscriptions,
        guards=storage.guards,
        links=storage.links,
        activity=storage.activity,
        queues=storage.queues,
        peeks=storage.queues_by_name,
        clock=runtime.clock,
        host_encoding=_host_encoding(world.folder / "host.json"),
        public_url=world.settings().public_url,
    )


def _host_encoding(path: Path) -> str:
    """messageEncoding of host.json; empty where there is no such file. base64 is the host's own default."""
    try:
        queues = json.loads(path.read_text(encoding="utf-8"))["extensions"]["queues"]
        return str(queues.get("messageEncoding", "base64"))
    except FileNotFoundError:
        return ""
    except KeyError:
        return "base64"
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ConfigError([Fault(where=path.name, message="cannot be read as a host configuration")]) from error


def _as_json(finding: Finding) -> Json:
    return {
        "subject": finding.subject or None,
        "check": finding.check,
        "looked_at": finding.looked_at,
        "verdict": finding.found.verdict.value,
        "detail": finding.found.detail,
        "remedy": list(finding.found.remedy),
    }


def _show(world: World, findings: Sequence[Finding], failures: int) -> None:
    screen = world.screen
    for subject, group in groupby(findings, lambda each: each.subject):
        screen.heading(subject or "deployment")
        rows = list(group)
        screen.table(("check", "", "what was found"), [_cells(each) for each in rows])
        screen.line()
    for each in findings:
        if each.found.remedy:
            screen.heading(f"{each.subject or 'deployment'}, {each.check}: {each.found.verdict}")
            for line in each.found.remedy:
                screen.line(f"  {line}")
            screen.line()
    screen.line(warning(f"{many(failures, 'check')} failed") if failures else good("nothing failed"))


def _cells(finding: Finding) -> Sequence[Cell]:
    found = finding.found
    match found.verdict:
        case Verdict.OK:
            verdict: Cell = good("ok")
        case Verdict.FAILED:
            verdict = warning("FAILED")
        case other:
            verdict = other.value
    return finding.check, verdict, found.detail
