"""`graph-probe run --tenant T`: what a test tenant answers where the documentation leaves questions open."""

import argparse
import asyncio
import json
import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from graph_probe.asking import Asking
from graph_probe.gate import ForbiddenRequestError, Gate
from graph_probe.journal import Journal
from graph_probe.probes import PROBES
from graph_probe.running import VERSION, NotYoursError, check_disposable, differences, run_all, settings_of
from graph_probe.session import Session

_GRAPH = "https://graph.microsoft.com"
_LOGIN = "https://login.microsoftonline.com"
_TIMEOUT_S = 60


class UsageError(Exception):
    """What was asked for cannot be done. The text says what to do instead."""


def main(arguments: list[str] | None = None) -> int:
    """0: done, and with `compare`: alike. 1: something differs, or something is left behind. 2: it cannot be done."""
    options = _parser().parse_args(arguments)
    try:
        return int(asyncio.run(options.act(options)))
    except (UsageError, NotYoursError, ForbiddenRequestError, httpx.HTTPError) as fault:
        print(f"graph-probe: {str(fault) or type(fault).__name__}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="graph-probe", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="ask all probes; without --write nothing but reading is sent")
    run.set_defaults(act=_run)
    _tenant(run)
    run.add_argument(
        "--write", action="store_true", help="also the probes that make people and groups, and delete them"
    )
    _disposable(run, "with --write")
    run.add_argument("--out", type=Path, default=Path("graph-probe"), help="folder for RUN.json and the journal")
    compare = commands.add_parser("compare", help="ask the probes of a run elsewhere, such as of the emulator")
    compare.set_defaults(act=_compare)
    compare.add_argument("run", type=Path, metavar="RUN.json")
    _tenant(compare)
    _disposable(compare, "where the run has written")
    compare.add_argument("--json", action="store_true")
    clean = commands.add_parser("cleanup", help="delete what a run left behind, by its journal")
    clean.set_defaults(act=_cleanup)
    clean.add_argument("run", type=Path, metavar="RUN.json")
    _tenant(clean)
    settings = commands.add_parser("settings", help="the readings as settings of a tenant of the emulator")
    settings.set_defaults(act=_settings)
    settings.add_argument("run", type=Path, metavar="RUN.json")
    return parser


def _disposable(parser: argparse.ArgumentParser, when: str) -> None:
    parser.add_argument("--i-own", default="", metavar="TENANT", help=f"{when}: the id of the tenant once more")
    parser.add_argument("--expect-domain", default="", metavar="DOMAIN", help=f"{when}: a verified domain of it")


def _tenant(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tenant", required=True, help="its id")
    parser.add_argument(
        "--client-id", default="", help="an app of the tenant that may read, or with --write, write users"
    )
    parser.add_argument("--secret-env", metavar="NAME", help="the environment variable that has the app's secret")
    parser.add_argument("--az", action="store_true", help="the sign-in of `az login` instead of an app")
    parser.add_argument("--graph", default=_GRAPH, help="such as http://127.0.0.1:8040, for the emulator")
    parser.add_argument("--login", default="", help="where tokens come from; with --graph alone: the same place")


async def _run(options: argparse.Namespace) -> int:
    name = secrets.token_hex(4)
    options.out.mkdir(parents=True, exist_ok=True)
    journal = Journal(options.out / f"{name}.journal") if options.write else None
    results, requests, left = await _asked(options, name, journal)
    said = {
        "version": VERSION,
        "run": name,
        "graph": "graph" if options.graph == _GRAPH else "another",
        "writes": options.write,
        "requests": requests,
        "results": results,
    }
    path = options.out / f"{name}.json"
    path.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    print(f"{requests} requests; written to {path}")
    if left:
        print(f"{left} objects are left: graph-probe cleanup {path} ...", file=sys.stderr)
    return int(bool(left))


async def _compare(options: argparse.Namespace) -> int:
    first = _read(options.run)
    options.write = first["writes"]
    name = secrets.token_hex(4)
    journal = Journal(options.run.with_name(f"{name}.journal")) if options.write else None
    results, _, left = await _asked(options, name, journal, quiet=options.json)
    found = differences(first["results"], results)
    if options.json:
        print(json.dumps({"differences": found}, indent=1))
    for each in [] if options.json else found:
        print(f"{each['probe']}  {each['asks']}\n     here: {each['first']}\n     there: {each['second']}")
        print(
            "".join(f"     setting: {name} = {json.dumps(value)}\n" for name, value in each["settings"].items()), end=""
        )
    return int(bool(found or left))


async def _cleanup(options: argparse.Namespace) -> int:
    said = _read(options.run)
    path = options.run.with_suffix(".journal")
    if not path.exists():
        raise UsageError(f"{path} is not there: this run made nothing, or its journal was moved")
    journal = Journal(path)
    async with _client(options, mark=_mark(said["run"]), journal=journal) as http:
        session = _session(options, http, await _token(options), _mark(said["run"]), journal)
        left = await session.clean_up()
    print(f"{len(left)} objects are left")
    return int(bool(left))


async def _settings(options: argparse.Namespace) -> int:
    print(json.dumps(settings_of(_read(options.run)["results"]), indent=1))
    return 0


async def _asked(
    options: argparse.Namespace, name: str, journal: Journal | None, *, quiet: bool = False
) -> tuple[list[dict[str, Any]], int, int]:
    """The results, the number of requests, and how many objects could not be deleted again."""
    token = await _token(options)
    mark = _mark(name) if journal is not None else ""
    async with _client(options, mark=mark, journal=journal) as http:
        session = _session(options, http, token, mark, journal)
        if journal is not None:
            owned, domain = options.i_own, options.expect_domain
            await check_disposable(session, token, tenant=options.tenant, owned=owned, domain=domain)
        try:
            probes = [each for each in PROBES if journal is not None or not each.writes]
            results = await run_all(probes, session, (lambda _: None) if quiet else print)
        finally:
            left = [] if journal is None else await session.clean_up()
        return results, session.ask.requests, len(left)


def _session(
    options: argparse.Namespace, http: httpx.AsyncClient, token: str, mark: str, journal: Journal | None
) -> Session:
    ask = Asking(http, f"{options.graph.rstrip('/')}/v1.0", token)
    return Session(ask, mark=mark, domain=getattr(options, "expect_domain", ""), journal=journal)


def _client(options: argparse.Namespace, *, mark: str, journal: Journal | None) -> httpx.AsyncClient:
    ids = (lambda: journal.ids) if journal is not None else frozenset
    gate = Gate(httpx.AsyncHTTPTransport(), graph=options.graph, mark=mark, journalled=ids)
    return httpx.AsyncClient(transport=gate, timeout=_TIMEOUT_S)


def _mark(run: str) -> str:
    return f"zz-probe-{run}"


async def _token(options: argparse.Namespace) -> str:
    if options.az:
        return _of_az(options.tenant)
    secret = os.environ.get(options.secret_env or "", "")
    if not options.client_id or not secret:
        raise UsageError("name an app: --client-id and --secret-env, or take --az")
    login = options.login or (_LOGIN if options.graph == _GRAPH else options.graph)
    form = {
        "grant_type": "client_credentials",
        "client_id": options.client_id,
        "client_secret": secret,
        "scope": f"{_GRAPH}/.default",
    }
    async with httpx.AsyncClient(timeout=_TIMEOUT_S) as http:
        answer = await http.post(f"{login.rstrip('/')}/{options.tenant}/oauth2/v2.0/token", data=form)
    if answer.status_code != 200:
        raise UsageError(f"no token: {answer.json().get('error_description', answer.status_code)}")
    return str(answer.json()["access_token"])


def _of_az(tenant: str) -> str:
    az = shutil.which("az")
    if az is None:
        raise UsageError("--az: the Azure CLI is not here; install it, or name an app")
    command = [az, "account", "get-access-token", "--resource", _GRAPH, "--tenant", tenant, "--query", "accessToken"]
    done = subprocess.run([*command, "--output", "tsv"], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise UsageError(f"az gives no token: az login --tenant {tenant} --allow-no-subscriptions")
    return done.stdout.strip()


def _read(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise UsageError(f"{path} cannot be read: {type(fault).__name__}") from fault
    if not isinstance(said, dict) or said.get("version") != VERSION:
        raise UsageError(f"{path} is no run of this version of graph-probe")
    return said


def run() -> None:
    """The command `graph-probe`."""
    sys.exit(main())


if __name__ == "__main__":
    run()
