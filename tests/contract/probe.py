"""`python -m tests.contract.probe --host func`: what a Functions host does with the sample application, from outside.

The answers are compared with probe.json. A difference is printed, and the exit code is 1. `--record` writes the answers
instead. They hold no time, id or port: two runs on one host give the same. docs/local-host.md says what is seen by no
caller, and so is not here.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import unified_diff
from pathlib import Path
from typing import Any

import aiohttp
from azure.data.tables.aio import TableClient
from azure.storage.queue.aio import QueueClient
from yarl import URL

from local import hosts
from local.azurite import Azurite
from local.emulated import until
from local.processes import ChildFailedError, die_with_parent, free_ports
from tests.support.mailbox import Mailbox, queue_client

RECORD = Path(__file__).with_suffix(".json")
APP = Path(__file__).parent / "sample_app"
LOG = Path(__file__).parents[2] / ".cache" / "probe.log"
WORK = "probe-items"
SETTINGS = {
    "AzureFunctionsWebHost__hostid": "probe",
    "WORK_QUEUE": WORK,
    "TICK": "0 0 0 1 1 *",
    # Longer than a poll by far, so that a first and a second try cannot be confused.
    "AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:00:10",
    "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:01",
}
MADE_FROM = {
    "stand-in": "local/functions_host. Nobody has compared it with a real host by this command yet. It agrees with what"
    " was seen on the real host 4.1037.0 by other means: docs/local-host.md.",
    "func": "Azure Functions Core Tools.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One that runs the sample application alone, on storage of its own."""

    process: asyncio.subprocess.Process
    http: aiohttp.ClientSession
    storage: str  # connection string
    seen: Mailbox  # what `work` and `poisoned` said

    async def status(self, method: str, path: str, **given: Any) -> int:
        async with self.http.request(method, path, **given) as response:
            return response.status

    async def count(self, queue: str) -> int:
        """The messages of a queue, those in hand included."""
        async with QueueClient.from_connection_string(self.storage, queue) as client:
            return int((await client.get_queue_properties()).approximate_message_count or 0)

    async def taken(self, queue: str) -> list[str]:
        """The bodies of all messages that are there now, in their order. An output's message is there with the 202."""
        async with queue_client(self.storage, queue) as client:
            messages = [message async for message in client.receive_messages()]
            for message in messages:
                await client.delete_message(message)
            return [message.content for message in messages]

    async def tries(self, body: str) -> int:
        async with self.http.get(f"/api/tries/{body}") as response:
            return int(await response.text())

    async def worker(self) -> str:
        async with self.http.get("/api/echo/abc") as response:
            return str((await response.json(content_type=None))["worker"])


async def requests(host: Host) -> object:
    """Route, query, header names and body as the worker gets them; an escaped slash stays in its segment."""
    path = URL("/api/Echo/abc/a%2Fb%20c?x=1&x=2&empty=&y=3", encoded=True)
    async with host.http.post(path, data=b"hello", headers={"X-Tenant": "contoso"}) as response:
        said = await response.json(content_type=None)
        headers = {"X-Kind": response.headers["X-Kind"], "x-tenant": said["headers"].get("x-tenant")}
        kept = {name: said[name] for name in ("method", "params", "route", "body")}
        return kept | {"headers": headers, "status": response.status}


async def paths(host: Host) -> object:
    """The home page, and what matches no route."""
    async with host.http.get("/") as response:
        home = {"status": response.status, "type": response.content_type}
    asked = [("GET", "/api/nothing"), ("PUT", "/api/echo/abc"), ("GET", "/api/echo/123"), ("GET", "/echo/abc")]
    return {"GET /": home} | {f"{method} {path}": await host.status(method, path) for method, path in asked}


async def text_outputs(host: Host) -> object:
    """`Out[str]` is read as JSON if it looks like it."""
    answers = {}
    for text in ('{"b":1,"a":[]}', '["x", {"y":2}]', "plain", "{no json}"):
        status = await host.status("POST", "/api/text", data=text.encode())
        answers[text] = {"status": status, "messages": await host.taken("texts")}
    return answers


async def other_outputs(host: Host) -> object:
    """Bytes and lists are stored as they are; what no queue takes is an error."""
    large = await host.status("POST", "/api/toolarge")
    raw = await host.status("POST", "/api/raw", data=b'{"a":  1}')
    bodies = ['{"a":  1}', '["not", "exploded"]', "grüße"]
    listed = await host.status("POST", "/api/notifications", json=bodies)
    notes = [(await host.seen.notes(by="work", body=body))[0]["body"] for body in bodies]
    return {
        "100 kB": {"status": large},
        "bytes": {"status": raw, "messages": await host.taken("raws")},
        "list": {"status": listed, "processed": notes},
    }


async def queue_metadata(host: Host) -> object:
    """Expiry after 7 days, and a lease of 10 minutes."""
    await host.status("POST", "/api/notifications", json=["times"])
    [note] = await host.seen.notes(by="work", body="times")
    inserted, expires, visible = (datetime.fromisoformat(text) for text in note["times"])
    lease = round((visible - inserted).total_seconds() / 60)
    return {"dequeue count": note["n"], "days to expiry": (expires - inserted).days, "minutes of lease": lease}


async def poison(host: Host) -> object:
    """A message that fails, and then one that is not base64, are put on the queue: what becomes of them."""
    await host.status("POST", "/api/notifications", json=["fail"])

    async def was_tried() -> bool:
        return await host.tries("fail") == 1

    async def only_one_is_left() -> bool:
        return await host.count(f"{WORK}-poison") == 1

    await until(was_tried, timeout_s=20)
    async with QueueClient.from_connection_string(host.storage, WORK) as plain:
        await plain.send_message("%%%")
    await until(only_one_is_left, timeout_s=30)
    meanwhile = await host.tries("fail")
    [given_up] = await host.seen.notes(by="poisoned", body="fail", within_s=40)
    await until(only_one_is_left, timeout_s=20)
    return {
        "fails": {"tries": await host.tries("fail"), "dequeue count of the copy": given_up["n"]},
        "not base64": {
            "is poisoned before another message's try number": meanwhile + 1,
            "is left in the poison queue": await host.count(f"{WORK}-poison"),
            "is seen by a function": len(await host.seen.notes(count=0, body="%%%")) > 0,
        },
    }


async def tables(host: Host) -> object:
    """Table input, before and after the table is made."""
    absent = {path: await host.status("GET", path) for path in ("/api/rows", "/api/row/contoso/ann")}
    ann = {"PartitionKey": "contoso", "RowKey": "ann", "age": 30, "flag": True, "half": 0.5}
    ann["seen"] = datetime(2026, 1, 2, microsecond=678_000, tzinfo=UTC)
    bob = {"PartitionKey": "o'neill", "RowKey": "bob"}
    async with TableClient.from_connection_string(host.storage, "people") as table:
        await table.create_table()
        await table.create_entity(ann)
        await table.create_entity(bob)
    present = {}
    for path in ("/api/rows", "/api/rows/o'neill", "/api/row/contoso/ann", "/api/row/contoso/nobody"):
        async with host.http.get(path) as response:
            text = await response.text()
            present[path] = {"status": response.status, "body": json.loads(text) if text[:1] in "[{" else text}
    return {"absent": absent, "present": present}


async def by_hand(host: Host) -> object:
    """POST /admin/functions/{name}, for a timer, a queue, an HTTP function and an unknown name."""
    names = ("tick", "work", "echo", "nobody")
    statuses = {name: await host.status("POST", f"/admin/functions/{name}", json={"input": "hand"}) for name in names}
    await host.seen.notes(by="work", body="hand")
    ticks = Mailbox(host.storage, "ticks")
    try:
        [tick] = await ticks.notes()
    finally:
        await ticks.close()
    return {"status": statuses, "tick is late": tick["late"]}


async def listing(host: Host) -> object:
    """GET /admin/functions. `unscheduled`, whose setting is missing, is left out: whether it is listed was not seen."""
    async with host.http.get("/admin/functions") as response:
        names = [function["name"] for function in await response.json(content_type=None)]
    return sorted(name for name in names if name != "unscheduled")


async def failures(host: Host) -> object:
    """A function that raises."""
    return {"status": await host.status("POST", "/api/fail", data=b"the text")}


async def time_out(host: Host) -> object:
    """A function outlasts functionTimeout while a message is in hand."""
    before = await host.worker()
    hanging = asyncio.create_task(host.status("GET", "/api/hang"))
    await host.status("POST", "/api/notifications", json=["slow"])
    status = await hanging
    [note] = await host.seen.notes(by="work", body="slow", within_s=40)

    async def is_new() -> bool:
        return await host.worker() != before

    restarted = await until(is_new, timeout_s=40)
    return {"status": status, "the worker is a new one": restarted, "tries of the message in hand": note["n"]}


async def stop(host: Host) -> object:
    """SIGTERM while a message is in hand. It is the last row."""
    done = len(await host.seen.notes(count=0, by="work", body="slow"))
    await host.status("POST", "/api/notifications", json=["slow"])

    async def is_in_hand() -> bool:
        async with QueueClient.from_connection_string(host.storage, WORK) as queue:
            return not await queue.peek_messages()

    await until(is_in_hand, timeout_s=20)
    await hosts.stop(host.process)
    notes = await host.seen.notes(count=done + 1, by="work", body="slow")
    return {"the message in hand is finished": len(notes) == done + 1, "left on the queue": await host.count(WORK)}


ROWS: dict[str, Callable[[Host], Awaitable[object]]] = {
    "what a function gets of a request": requests,
    "paths": paths,
    "a function that raises": failures,
    "GET /admin/functions, one schedule without its setting": listing,
    "POST /admin/functions/{name}": by_hand,
    "Out[str]": text_outputs,
    "other outputs": other_outputs,
    "queue metadata": queue_metadata,
    "table input": tables,
    "messages that cannot be processed": poison,
    "functionTimeout": time_out,
    "SIGTERM": stop,
}


async def ask(*, core_tools: bool) -> dict[str, object]:
    """The answer to each row. A row that fails gives its error as the answer, so that the others are asked, too."""
    answers: dict[str, object] = {}
    async with _host(core_tools=core_tools) as host:
        for name, row in ROWS.items():
            try:
                answers[name] = await row(host)
            except (TimeoutError, aiohttp.ClientError, ValueError, LookupError) as error:
                answers[name] = f"{type(error).__name__}: {error}"
    return answers


@asynccontextmanager
async def _host(*, core_tools: bool) -> AsyncIterator[Host]:
    """On Azurite, with the queues that templates would make in Azure; its output goes to LOG."""
    LOG.parent.mkdir(exist_ok=True)
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    async with Azurite() as azurite, aiohttp.ClientSession(url, timeout=aiohttp.ClientTimeout(60)) as http:
        storage = azurite.connection_string
        for queue in (WORK, f"{WORK}-poison", "seen", "ticks", "texts", "raws"):
            async with QueueClient.from_connection_string(storage, queue) as client:
                await client.create_queue()
        with LOG.open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *hosts.command(APP, port, core_tools=core_tools),
                cwd=APP,
                env=hosts.environment({**SETTINGS, "AzureWebJobsStorage": storage}, core_tools=core_tools),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent(),
            )
        seen = Mailbox(storage, "seen")
        try:
            await hosts.until_running(process, url, core_tools=core_tools)
            yield Host(process=process, http=http, storage=storage, seen=seen)
        finally:
            await seen.close()
            await hosts.stop(process)


def difference(recorded: object, given: object) -> str:
    """A unified diff of two sets of answers; empty if they are the same."""
    return "".join(unified_diff(_lines(recorded), _lines(given), "probe.json", "this host"))


def _lines(answers: object) -> list[str]:
    return json.dumps(answers, indent=2, sort_keys=True, ensure_ascii=False).splitlines(keepends=True)


def main(arguments: list[str] | None = None) -> int:
    """0: the same, or recorded. 1: a difference. 2: the host did not start."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.contract.probe", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--host", choices=sorted(MADE_FROM), default="func", help="default: func, of Core Tools 4")
    parser.add_argument("--record", action="store_true", help="write the answers to probe.json")
    asked = parser.parse_args(arguments)
    try:
        answers = asyncio.run(ask(core_tools=asked.host == "func"))
    except ChildFailedError as error:
        sys.stderr.write(f"{error}; its output is in {LOG}\n")
        return 2
    if asked.record:
        record = {"made from": MADE_FROM[asked.host], "answers": answers}
        RECORD.write_text("".join(_lines(record)) + "\n", encoding="utf-8")
        return 0
    found = difference(json.loads(RECORD.read_text(encoding="utf-8"))["answers"], answers)
    sys.stdout.write(found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
