"""One function for each thing that the host promises. What it saw, it says on the `seen` queue, which tests read."""

import asyncio
import json
import os
import time
import typing
import uuid
from collections import Counter

import azure.functions as func
from azure.storage.queue.aio import QueueClient

STORAGE = "AzureWebJobsStorage"
WORKER = str(uuid.uuid4())  # another one after a restart
TRIES: Counter[str] = Counter()  # of `work`, by body
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="echo/{kind:alpha}/{id?}", methods=["GET", "POST"])
async def echo(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Everything that reached the worker."""
    seen = {
        "method": req.method,
        "headers": dict(req.headers),
        "params": dict(req.params),
        "route": dict(req.route_params),
        "body": req.get_body().decode(),
        "invocation": context.invocation_id,
        "worker": WORKER,
    }
    headers = {
        "X-Kind": req.route_params["kind"],
        "Set-Cookie": "seen=yes; Path=/api; Max-Age=60; HttpOnly; SameSite=Lax",
    }
    return func.HttpResponse(json.dumps(seen), status_code=201, headers=headers)


@app.route(route="notifications", methods=["POST"])
@app.queue_output(arg_name="out", queue_name="%WORK_QUEUE%", connection=STORAGE)
async def notifications(req: func.HttpRequest, out: func.Out[typing.List[str]]) -> func.HttpResponse:  # noqa: UP006
    """A webhook: each entry of the JSON body becomes one message."""
    out.set(req.get_json())
    return func.HttpResponse(status_code=202)


@app.route(route="text", methods=["POST"])
@app.queue_output(arg_name="out", queue_name="texts", connection=STORAGE)
def text(req: func.HttpRequest, out: func.Out[str]) -> func.HttpResponse:
    """Synchronous, and an output that the host rewrites."""
    out.set(req.get_body().decode())
    return func.HttpResponse(status_code=202)


@app.route(route="raw", methods=["POST"])
@app.queue_output(arg_name="out", queue_name="raws", connection=STORAGE)
async def raw(req: func.HttpRequest, out: func.Out[bytes]) -> func.HttpResponse:
    """An output that the host keeps byte for byte."""
    out.set(req.get_body())
    return func.HttpResponse(status_code=202)


@app.route(route="toolarge", methods=["POST"])
@app.queue_output(arg_name="out", queue_name="raws", connection=STORAGE)
async def toolarge(req: func.HttpRequest, out: func.Out[bytes]) -> func.HttpResponse:
    """Asks for a message that no queue takes."""
    out.set(b"x" * 100_000)
    return func.HttpResponse(status_code=202)


@app.route(route="rows/{partition?}", methods=["GET"])
@app.table_input(arg_name="rows", table_name="people", connection=STORAGE, partition_key="{partition}")
async def rows(req: func.HttpRequest, rows: str) -> func.HttpResponse:
    """A table, read by the host."""
    return func.HttpResponse(rows, mimetype="application/json")


@app.route(route="row/{partition}/{row}", methods=["GET"])
@app.table_input(
    arg_name="found", table_name="people", connection=STORAGE, partition_key="{partition}", row_key="{row}"
)
async def row(req: func.HttpRequest, found: str) -> func.HttpResponse:
    """One entity, or None."""
    return func.HttpResponse(found or "nobody", mimetype="application/json")


@app.route(route="fail", methods=["POST"])
async def fail(req: func.HttpRequest) -> func.HttpResponse:
    """Fails with the body in its message, which must not get into a log line."""
    raise ValueError(req.get_body().decode())


@app.route(route="tries/{body}", methods=["GET"])
async def tries(req: func.HttpRequest) -> func.HttpResponse:
    """How often `work` was called with this body."""
    return func.HttpResponse(str(TRIES[req.route_params["body"]]))


@app.route(route="hang", methods=["GET"])
async def hang(req: func.HttpRequest) -> func.HttpResponse:
    """Longer than functionTimeout."""
    await asyncio.sleep(60)
    return func.HttpResponse()


@app.queue_trigger(arg_name="msg", queue_name="%WORK_QUEUE%", connection=STORAGE)
@app.queue_output(arg_name="seen", queue_name="seen", connection=STORAGE)
async def work(msg: func.QueueMessage, seen: func.Out[typing.List[str]]) -> None:  # noqa: UP006
    """`fail` fails, `defer` comes back by its own doing, `slow` takes 2 s, anything else is done at once."""
    body = msg.get_body().decode()
    TRIES[body] += 1
    if body == "fail":
        raise RuntimeError("as asked")
    if body == "defer" and msg.dequeue_count == 1:
        await _defer(msg)
    if body == "slow":
        await asyncio.sleep(2)
    times = [msg.insertion_time, msg.expiration_time, msg.time_next_visible]
    note = {"by": "work", "body": body, "n": msg.dequeue_count, "at": time.time(), "times": [str(t) for t in times]}
    seen.set([json.dumps(note)])


async def _defer(msg: func.QueueMessage) -> None:
    queue = QueueClient.from_connection_string(os.environ[STORAGE], os.environ["WORK_QUEUE"])
    async with queue:
        await queue.update_message(msg.id or "", msg.pop_receipt, visibility_timeout=1)


@app.queue_trigger(arg_name="msg", queue_name="%WORK_QUEUE%-poison", connection=STORAGE)
@app.queue_output(arg_name="$return", queue_name="seen", connection=STORAGE)
async def poisoned(msg: func.QueueMessage) -> str:
    """What was given up."""
    return json.dumps({"by": "poisoned", "body": msg.get_body().decode(), "n": msg.dequeue_count})


@app.timer_trigger(arg_name="timer", schedule="%NEVER_SET%")
async def unscheduled(timer: func.TimerRequest) -> None:
    """Its schedule names a setting that is missing."""


@app.timer_trigger(arg_name="timer", schedule="%TICK%", run_on_startup=False)
@app.queue_output(arg_name="seen", queue_name="ticks", connection=STORAGE)
async def tick(timer: func.TimerRequest, seen: func.Out[typing.List[str]]) -> None:  # noqa: UP006
    """Says which process ran and whether it was late."""
    status = getattr(timer, "schedule_status", None)
    seen.set([json.dumps({"pid": os.getpid(), "late": timer.past_due, "status": status})])
