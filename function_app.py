"""Every trigger of the function app: parse, call the core, map the outcome. No logic lives here.

https://learn.microsoft.com/azure/azure-functions/functions-reference-python
"""

import logging
import typing
from datetime import UTC, datetime

import azure.functions as func

from sync_core import bootstrap
from sync_core.model import messages
from sync_core.nominate import webhook

STORAGE = "AzureWebJobsStorage"

log = logging.getLogger("xtsync.app")
logging.getLogger("azure").setLevel(logging.WARNING)  # at INFO the storage clients log every URL
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="graph/notifications", methods=["POST"])
@app.table_input(arg_name="subscriptions", table_name="subscriptions", connection=STORAGE)
@app.queue_output(arg_name="nominations", queue_name=messages.USER_CHANGES, connection=STORAGE)
@app.queue_output(arg_name="rounds", queue_name=messages.FEED_PAGES, connection=STORAGE)
def graph_notifications(
    req: func.HttpRequest,
    subscriptions: str,
    nominations: func.Out[typing.List[str]],  # noqa: UP006 - the worker's own
    rounds: func.Out[typing.List[str]],  # noqa: UP006
) -> func.HttpResponse:
    """Graph posts change notifications here; each becomes a message to look at one user, or at the groups, again."""
    return _receive(webhook.receive_notifications, req, subscriptions, nominations, rounds)


@app.route(route="graph/lifecycle", methods=["POST"])
@app.table_input(arg_name="subscriptions", table_name="subscriptions", connection=STORAGE)
@app.queue_output(arg_name="events", queue_name=messages.SUBSCRIPTION_EVENTS, connection=STORAGE)
def graph_lifecycle(
    req: func.HttpRequest,
    subscriptions: str,
    events: func.Out[typing.List[str]],  # noqa: UP006
) -> func.HttpResponse:
    """Graph posts here when a subscription needs attention."""
    return _receive(webhook.receive_lifecycle, req, subscriptions, events)


@app.route(route="health", methods=["GET"])
def health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001
    """Alive: the app was loaded and answers. Says nothing about anybody."""
    return func.HttpResponse('{"status":"ok"}', mimetype="application/json")


@app.route(route="ops/status", methods=["GET"])
async def ops_status(req: func.HttpRequest) -> func.HttpResponse:
    """How everything stands."""
    return await _operate("status", req)


@app.route(route="ops/doctor", methods=["GET"])
async def ops_doctor(req: func.HttpRequest) -> func.HttpResponse:
    """Checks everything around it."""
    return await _operate("doctor", req)


@app.route(route="ops/look/{sync}/{user}", methods=["GET"])
async def ops_look(req: func.HttpRequest) -> func.HttpResponse:
    """What would be done about one user."""
    return await _operate("look", req)


@app.route(route="ops/why/{sync}/{user}", methods=["GET"])
async def ops_why(req: func.HttpRequest) -> func.HttpResponse:
    """One look at one user, without acting."""
    return await _operate("why", req)


@app.route(route="ops/activity", methods=["GET"])
async def ops_activity(req: func.HttpRequest) -> func.HttpResponse:
    """The record of events, newest first."""
    return await _operate("activity", req)


@app.route(route="ops/holds", methods=["GET"])
async def ops_holds(req: func.HttpRequest) -> func.HttpResponse:
    """The deletions that the guard holds."""
    return await _operate("holds", req)


@app.route(route="ops/creations", methods=["GET"])
async def ops_creations(req: func.HttpRequest) -> func.HttpResponse:
    """The newcomers who wait for a person."""
    return await _operate("creations", req)


@app.route(route="ops/notices", methods=["GET"])
async def ops_notices(req: func.HttpRequest) -> func.HttpResponse:
    """What people are told of, and who."""
    return await _operate("notices", req)


@app.route(route="ops/creations/approve", methods=["POST"])
async def ops_creations_approve(req: func.HttpRequest) -> func.HttpResponse:
    """Let in as many newcomers as the code says."""
    return await _operate("approve_creations", req)


@app.route(route="ops/holds/{sync}/{user}", methods=["POST"])
async def ops_decide(req: func.HttpRequest) -> func.HttpResponse:
    """Approves or rejects one of them."""
    return await _operate("decide", req)


@app.route(route="ops/decisions", methods=["GET"])
async def ops_decisions(req: func.HttpRequest) -> func.HttpResponse:
    """What people decided about held deletions."""
    return await _operate("decisions", req)


@app.route(route="ops/drift", methods=["GET"])
async def ops_drift(req: func.HttpRequest) -> func.HttpResponse:
    """Target users that somebody else edited or blocked."""
    return await _operate("drift", req)


@app.route(route="ops/verify", methods=["GET"])
async def ops_verify(req: func.HttpRequest) -> func.HttpResponse:
    """Newcomers who cannot be used, and why."""
    return await _operate("verify", req)


@app.route(route="ops/due", methods=["GET"])
async def ops_due(req: func.HttpRequest) -> func.HttpResponse:
    """Users who leave in stages, in the order of time."""
    return await _operate("due", req)


@app.route(route="ops/links", methods=["GET"])
async def ops_links(req: func.HttpRequest) -> func.HttpResponse:
    """The pairs of source and target users."""
    return await _operate("links", req)


@app.route(route="ops/links/{sync}/{user}/{target}", methods=["GET"])
async def ops_pair(req: func.HttpRequest) -> func.HttpResponse:
    """What linking exactly this target user would come to."""
    return await _operate("pair", req)


@app.route(route="ops/links/{sync}/{user}", methods=["POST"])
async def ops_link(req: func.HttpRequest) -> func.HttpResponse:
    """Makes a pair of one user and exactly this target user."""
    return await _operate("link", req)


@app.route(route="ops/links/{sync}/{user}/end", methods=["POST"])
async def ops_unlink(req: func.HttpRequest) -> func.HttpResponse:
    """Ends one pair; the target user stays as it is."""
    return await _operate("unlink", req)


@app.route(route="ops/links/{sync}/{user}/move", methods=["POST"])
async def ops_move(req: func.HttpRequest) -> func.HttpResponse:
    """Gives one user's target user to another source user."""
    return await _operate("move", req)


@app.route(route="ops/links/{sync}/{user}/redeem", methods=["POST"])
async def ops_redeem(req: func.HttpRequest) -> func.HttpResponse:
    """Has the target user redeem the invitation anew."""
    return await _operate("redeem", req)


@app.route(route="ops/keep/{sync}/{user}", methods=["POST"])
async def ops_keep(req: func.HttpRequest) -> func.HttpResponse:
    """Lets leaving take nothing from one user until a date."""
    return await _operate("keep", req)


@app.route(route="ops/keep/{sync}/{user}/end", methods=["POST"])
async def ops_end_keep(req: func.HttpRequest) -> func.HttpResponse:
    """Takes that back."""
    return await _operate("end_keep", req)


@app.route(route="ops/pause/{sync}", methods=["POST"])
async def ops_pause(req: func.HttpRequest) -> func.HttpResponse:
    """Stops all writes of a sync, or only those that take access away."""
    return await _operate("pause", req)


@app.route(route="ops/pause", methods=["POST"])
async def ops_pause_all(req: func.HttpRequest) -> func.HttpResponse:
    """The same for every sync."""
    return await _operate("pause_all", req)


@app.route(route="ops/resume/{sync}", methods=["POST"])
async def ops_resume(req: func.HttpRequest) -> func.HttpResponse:
    """Lets a sync go on."""
    return await _operate("resume", req)


@app.route(route="ops/resume", methods=["POST"])
async def ops_resume_all(req: func.HttpRequest) -> func.HttpResponse:
    """Lets every sync go on."""
    return await _operate("resume_all", req)


@app.route(route="ops/resync/{tenant}", methods=["POST"])
async def ops_resync(req: func.HttpRequest) -> func.HttpResponse:
    """Reads everybody of a source tenant again."""
    return await _operate("resync", req)


@app.route(route="ops/sync/{sync}/{user}", methods=["POST"])
async def ops_sync(req: func.HttpRequest) -> func.HttpResponse:
    """Looks at one user again."""
    return await _operate("nominate", req)


@app.route(route="ops/sync/{sync}", methods=["POST"])
async def ops_sync_listed(req: func.HttpRequest) -> func.HttpResponse:
    """Looks at several users again."""
    return await _operate("nominate_listed", req)


@app.route(route="ops/holds", methods=["POST"])
async def ops_decide_listed(req: func.HttpRequest) -> func.HttpResponse:
    """Approves or rejects several held deletions."""
    return await _operate("decide_listed", req)


@app.route(route="ops/me", methods=["GET"])
async def ops_caller(req: func.HttpRequest) -> func.HttpResponse:
    """The caller and their roles."""
    return await _operate("caller", req)


@app.route(route="ops/find", methods=["POST"])
async def ops_find(req: func.HttpRequest) -> func.HttpResponse:
    """Finds a user by address."""
    return await _operate("find", req)


@app.route(route="ops/names", methods=["POST"])
async def ops_names(req: func.HttpRequest) -> func.HttpResponse:
    """The names of users."""
    return await _operate("names", req)


@app.route(route="ops/config", methods=["GET"])
async def ops_config(req: func.HttpRequest) -> func.HttpResponse:
    """The deployed sync.yaml."""
    return await _operate("deployed", req)


@app.route(route="ops/hours", methods=["GET"])
async def ops_hours(req: func.HttpRequest) -> func.HttpResponse:
    """How much happened in each hour."""
    return await _operate("hours", req)


@app.route(route="ops/adoptions", methods=["GET"])
async def ops_adoptions(req: func.HttpRequest) -> func.HttpResponse:
    """The users who wait for an adoption."""
    return await _operate("adoptions", req)


@app.route(route="ops/adoptions/{sync}/{user}", methods=["GET"])
async def ops_adoption(req: func.HttpRequest) -> func.HttpResponse:
    """One of them, and the target users to choose from."""
    return await _operate("adoption", req)


@app.route(route="ops/adoptions/{sync}/{user}", methods=["POST"])
async def ops_adopt(req: func.HttpRequest) -> func.HttpResponse:
    """Lets one of them adopt a target user."""
    return await _operate("adopt", req)


@app.route(route="ops/plan", methods=["POST"])
async def ops_ask_plan(req: func.HttpRequest) -> func.HttpResponse:
    """Starts a plan of what would happen to everybody."""
    return await _operate("ask_plan", req)


@app.route(route="ops/plan", methods=["GET"])
async def ops_plans(req: func.HttpRequest) -> func.HttpResponse:
    """The plans of the last week."""
    return await _operate("plans", req)


@app.route(route="ops/plan/{plan}", methods=["GET"])
async def ops_plan(req: func.HttpRequest) -> func.HttpResponse:
    """How far a plan is."""
    return await _operate("plan", req)


@app.route(route="ops/plan/{plan}/changes", methods=["GET"])
async def ops_plan_changes(req: func.HttpRequest) -> func.HttpResponse:
    """The changes that it found."""
    return await _operate("plan_changes", req)


@app.route(route="ops", methods=["GET"])
async def ops_page(req: func.HttpRequest) -> func.HttpResponse:
    """The page for operators."""
    return _page(None, req)


@app.route(route="ops/web/{file}", methods=["GET"])
async def ops_page_file(req: func.HttpRequest) -> func.HttpResponse:
    """The files that it consists of."""
    return _page(req.route_params["file"], req)


@app.timer_trigger(arg_name="timer", schedule="%POLL_SCHEDULE%")
async def poll_feeds(timer: func.TimerRequest) -> None:  # noqa: ARG001
    """The safety net under the notifications: a round of every feed, what fell aside, and the figures of it all."""
    runtime, settings = await bootstrap.runtime(), bootstrap.settings()
    try:
        await runtime.poll()
    finally:
        if settings.record_container:
            from sync_core.ops.export import export_record  # noqa: PLC0415 - off by default

            await export_record(runtime, settings)


@app.timer_trigger(arg_name="timer", schedule="%SUBSCRIPTION_SCHEDULE%")
async def keep_subscriptions(timer: func.TimerRequest) -> None:  # noqa: ARG001
    """Keeps the subscriptions of every tenant alive."""
    await (await bootstrap.runtime()).keep()


@app.queue_trigger(arg_name="msg", queue_name=messages.FEED_PAGES, connection=STORAGE)
async def feed_pages(msg: func.QueueMessage) -> None:
    """Reads delta pages and nominates."""
    await (await bootstrap.runtime()).feeds.run(messages.decode_feed_run(_text(msg)))


@app.queue_trigger(arg_name="msg", queue_name=messages.USER_CHANGES, connection=STORAGE)
async def user_changes(msg: func.QueueMessage) -> None:
    """Reconciles one user."""
    nomination = messages.decode_nomination(_text(msg))
    await (await bootstrap.runtime()).worker.handle(nomination, redelivered=(msg.dequeue_count or 1) > 1)


@app.queue_trigger(arg_name="msg", queue_name=messages.SUBSCRIPTION_EVENTS, connection=STORAGE)
async def subscription_events(msg: func.QueueMessage) -> None:
    """Carries out what Graph said about a subscription."""
    await (await bootstrap.runtime()).keeper.lifecycle(messages.decode_lifecycle_event(_text(msg)))


@app.queue_trigger(arg_name="msg", queue_name=messages.PLAN_JOBS, connection=STORAGE)
async def plan_jobs(msg: func.QueueMessage) -> None:
    """Works on a plan."""
    from sync_core.ops import planner  # noqa: PLC0415 - the webhook answers from cold without it

    here = await bootstrap.runtime(read_only=True)
    build = bootstrap.reader_of(here.storage)
    work = planner.Planner(plans=here.storage.plans, clock=here.clock, deployed=here.config, build=build)
    await work.run(messages.decode_plan_run(_text(msg)))


def _receive(
    receive: typing.Callable[..., webhook.Answer],
    req: func.HttpRequest,
    rows: str,
    out: func.Out[typing.List[str]],  # noqa: UP006
    rounds: func.Out[typing.List[str]] | None = None,  # noqa: UP006
) -> func.HttpResponse:
    post = webhook.Post(
        validation_token=req.params.get("validationToken"),
        content_type=req.headers.get("content-type", ""),
        body=req.get_body(),
    )
    bootstrap.start_telemetry()
    known = bootstrap.known_subscriptions(rows)
    answer = receive(post, known, datetime.now(UTC))
    if answer.messages:
        out.set(list(answer.messages))
    if answer.rounds and rounds is not None:
        rounds.set(list(answer.rounds))
    if answer.refused:
        log.warning("notifications.refused %s", dict(answer.refused))
    headers = {"X-Content-Type-Options": "nosniff"}  # the echo is text, even if it looks like a page
    return func.HttpResponse(answer.text, status_code=answer.status, mimetype="text/plain", headers=headers)


async def _operate(name: str, req: func.HttpRequest) -> func.HttpResponse:
    from sync_core.ops import calls, endpoints  # noqa: PLC0415 - the webhook answers from cold without it

    settings = bootstrap.settings()
    answer = await endpoints.answer(
        name,
        calls.Call(
            headers=dict(req.headers), route=dict(req.route_params), query=dict(req.params), body=req.get_body()
        ),
        enabled=settings.operator_endpoints == "entra",
        origin=settings.public_url,
        runtime=lambda read_only: bootstrap.runtime(read_only=read_only),
    )
    headers = {**calls.NOT_KEPT, **answer.headers}
    return func.HttpResponse(answer.body, status_code=answer.status, mimetype="application/json", headers=headers)


def _page(file: str | None, req: func.HttpRequest) -> func.HttpResponse:
    from sync_core.ops import calls, page  # noqa: PLC0415 - as above

    call = calls.Call(headers=dict(req.headers), route=dict(req.route_params))
    served = page.serve(file or page.START, call, enabled=bootstrap.settings().operator_endpoints == "entra")
    return func.HttpResponse(
        served.body, status_code=served.status, mimetype=served.media, headers=dict(served.headers)
    )


def _text(msg: func.QueueMessage) -> str:
    return msg.get_body().decode()
