"""`python -m local up | demo`: what `make up` and `make demo` run."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys

from local.demo import CONTOSO, FABRIKAM, demo
from local.emulated import Emulated
from local.processes import ChildFailedError
from local.stack import Ports, Stack


async def up(*, core_tools: bool, split: bool, people: int) -> int:
    """Start the stack, print one `ready` line, run until Ctrl-C or SIGTERM."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with Stack(ports=Ports.from_environment(os.environ), core_tools=core_tools, split=split) as stack:
        async with Emulated(stack.graph_url) as emulated:
            await emulated.two_tenants(CONTOSO, FABRIKAM, people=people)
        for function in ("keep_subscriptions", "poll_feeds"):
            await stack.start_by_hand(function)
        sys.stdout.write(f"ready graph={stack.graph_url} functions={stack.functions_url}\n")
        sys.stdout.flush()
        ends = [asyncio.create_task(stopped.wait()), asyncio.create_task(stack.wait())]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.cancel()
        return 0 if stopped.is_set() else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local", description="The local stack.")
    commands = parser.add_subparsers(dest="command", required=True)
    upping = commands.add_parser("up", help="start Azurite, the Graph emulator and the Functions host")
    upping.add_argument("--host", choices=["builtin", "func"], default="builtin", help="func: Azure's own Core Tools")
    upping.add_argument("--split", action="store_true", help="three hosts, as Flex Consumption splits an app")
    upping.add_argument("--people", type=int, default=25, help="people in the source tenant (default: 25)")
    commands.add_parser("demo", help="run the whole story; exit code 0 only if both tenants agree at the end")
    arguments = parser.parse_args()
    try:
        if arguments.command == "demo":
            return asyncio.run(demo())
        return asyncio.run(up(core_tools=arguments.host == "func", split=arguments.split, people=arguments.people))
    except ChildFailedError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
