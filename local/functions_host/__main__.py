"""`python -m local.functions_host --app . --port 7071`: start, say `ready` once, run until SIGTERM or Ctrl-C.

After functionTimeout it says `ready` once more.
Exit codes: 0 stopped, 1 a fault of this host, 2 the application was refused.
"""

import argparse
import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from local.functions_host.faults import AppRefusedError
from local.functions_host.host import FunctionsHost
from local.functions_host.telemetry import Telemetry, into_file, is_heard
from local.sign_in import sign_in


def main() -> int:
    """Parse, start, wait, stop."""
    arguments = _parser().parse_args()
    log = logging.StreamHandler()
    log.addFilter(is_heard)
    logging.basicConfig(
        handlers=[log],
        level=logging.INFO if arguments.verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    # Every poll is a request: its log lines would hide all others, and at DEBUG they show bodies.
    logging.getLogger("azure").setLevel(logging.WARNING)
    if arguments.verbose:
        logging.getLogger("local.functions_host").setLevel(logging.DEBUG)
    telemetry = _telemetry(arguments.telemetry)
    app = Path(arguments.app).resolve()
    if not app.is_dir():
        sys.stderr.write(f"{arguments.app} is no directory\n")
        return 2
    started_in = Path.cwd()
    os.chdir(app)  # the working directory that `func start` has too
    try:
        drained = asyncio.run(_run(arguments, app, telemetry, started_in))
    except AppRefusedError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if not drained:
        # A thread in a synchronous function cannot be stopped, and the interpreter would wait for it at exit.
        logging.shutdown()
        os._exit(0)
    return 0


def _telemetry(path: str | None) -> Telemetry | None:
    if path is None:
        return None
    telemetry = Telemetry(into_file(Path(path).resolve()))
    root = logging.getLogger()
    for handler in root.handlers:
        handler.setLevel(root.level)  # the terminal shows no more than before
    root.addHandler(telemetry)
    root.setLevel(min(root.level, logging.INFO))
    return telemetry


async def _run(arguments: argparse.Namespace, app: Path, telemetry: Telemetry | None, started_in: Path) -> bool:
    host = FunctionsHost(
        app,
        address=arguments.address,
        port=arguments.port,
        grace_s=arguments.grace,
        telemetry=telemetry,
        only=arguments.functions,
        inherited=arguments.inherited,
        in_front=[sign_in] if arguments.sign_in else [],
    )
    asked_to_stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked_to_stop.set)
    await host.start()
    sys.stdout.write(f"ready {host.url} {' '.join(host.functions)}\n")
    sys.stdout.flush()
    ends = (asked_to_stop.wait(), host.restart_wanted.wait(), host.failure())
    waits: list[asyncio.Task[object]] = [asyncio.create_task(end) for end in ends]
    done, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    drained = await host.stop()
    for task in done:
        task.result()
    if host.restart_wanted.is_set() and not asked_to_stop.is_set():
        _restart(host, app, started_in)
    return drained


def _restart(host: FunctionsHost, app: Path, started_in: Path) -> None:
    """A new worker: this process begins anew, which ends every thread and forgets every module.

    The real host goes on and starts another worker process. The application and its callers see the same: the messages
    in hand were finished, module globals are new, and requests wait until the worker is ready.
    """
    logging.getLogger(__name__).error("functionTimeout was over: the worker is restarted")
    logging.shutdown()
    os.chdir(started_in)
    same_place = ["--app", str(app), "--port", str(host.port), "--inherited", str(host.hand_over())]
    os.execv(sys.executable, [*sys.orig_argv, *same_place])  # noqa: S606 - itself


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.functions_host", description="Run an Azure Functions app.")
    parser.add_argument("--app", default=".", help="directory of function_app.py and host.json (default: here)")
    port = os.environ.get("FUNCTIONS_PORT", "7071")
    parser.add_argument("--port", type=int, default=port, help=f"0 picks a free one (default: {port}) [FUNCTIONS_PORT]")
    parser.add_argument("--address", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--grace", type=float, default=10.0, help="seconds for work in hand at stop (default: 10)")
    parser.add_argument("--functions", nargs="+", default=[], metavar="NAME", help="run these alone (default: all)")
    parser.add_argument("--inherited", type=int, help=argparse.SUPPRESS)  # the socket of a host that restarts
    parser.add_argument("--telemetry", help="append what Application Insights would get to this file, as JSON lines")
    parser.add_argument(
        "--sign-in", action="store_true", help="ask callers of /api/ops who they are (local/sign_in.py)"
    )
    parser.add_argument("--verbose", action="store_true", help="log every invocation")
    return parser


if __name__ == "__main__":
    sys.exit(main())
