"""`xtsync test-mapping`: an administrator's own unit tests of mappings and filters; nothing is contacted."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

from ..config.cases import Difference, run_cases
from ..config.file import load_config
from ..ops.documents import MappingCase, MappingCases
from ..ops.words import many
from .command import Commands, Reach, add_command
from .screen import Screen, good, warning
from .world import Exit, World

_DESCRIPTION = """\
Each case gives the attributes of a source user and what is expected of the mapping and the
scope; docs/configuration.md shows the file. Differences are listed.
Exit code 0: all as expected. 1: something differs. 2: a file is wrong."""


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "test-mapping",
        run,
        reach=Reach.FILES,
        summary="run your test cases of mappings and filters",
        description=_DESCRIPTION,
        examples=("test-mapping cases.yaml", "test-mapping cases.yaml --config sync.yaml"),
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the cases")
    parser.add_argument("--config", type=Path, metavar="FILE", help="default: XTSYNC_CONFIG, else sync.yaml")


async def run(args: Namespace, world: World) -> int:
    config = load_config(world.folder / (args.config or world.config_path()))
    results = run_cases(world.folder / args.file, config)
    cases = [
        MappingCase(name=result.name, passed=not result.differences, differences=result.differences)
        for result in results
    ]
    world.answer(MappingCases(cases=cases), _show, json=args.json)
    return Exit.DONE if all(case.passed for case in cases) else Exit.FAULT


def _show(screen: Screen, document: MappingCases) -> None:
    failed = [case for case in document.cases if not case.passed]
    for case in failed:
        screen.line(warning(f"FAILED {case.name}"))
        for each in case.differences:
            for line in _diff(each):
                screen.line(f"  {line}")
    cases = many(len(document.cases), "case")
    screen.line(warning(f"{len(failed)} of {cases} failed") if failed else good(f"{cases} passed"))


def _diff(each: Difference) -> tuple[str, str, str]:
    expected, got = (json.dumps(value, ensure_ascii=False) for value in (each.expected, each.got))
    return each.what, f"- {expected}", f"+ {got}"
