"""Makes the endpoint or listener of each validated function. Settings are resolved here, once."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from azure.storage.queue import QueueMessage

from local.functions_host.http import Endpoint
from local.functions_host.invoker import Invoker
from local.functions_host.messages import poison_name, trigger_metadata
from local.functions_host.model import Function
from local.functions_host.monitor import ScheduleMonitor
from local.functions_host.queues import LEASE, QueueListener
from local.functions_host.routes import Route
from local.functions_host.schedule import Schedule
from local.functions_host.settings import HostConfig, Settings
from local.functions_host.singleton import Singleton
from local.functions_host.storage import Storage
from local.functions_host.timers import TimerListener, TimerOptions, timer_data
from local.functions_host.validate import methods_of, route_of
from local.functions_host.worker import TypedData


def endpoint(function: Function, config: HostConfig, settings: Settings) -> Endpoint:
    """An HTTP function under the route prefix."""
    template = f"{config.route_prefix}/{route_of(function, settings)}".strip("/")
    return Endpoint(function=function, route=Route.parse(template), methods=methods_of(function.trigger))


def queue_listener(
    function: Function, config: HostConfig, settings: Settings, *, storage: Storage, invoker: Invoker
) -> QueueListener:
    """The listener of a queue function, with its poison queue if it has one."""
    name = settings.resolve(function.trigger.text("queueName"))
    connection = function.trigger.text("connection")
    poison = poison_name(name)

    async def handle(data: TypedData, metadata: dict[str, TypedData]) -> None:
        await invoker.invoke(function, data, metadata=metadata)

    return QueueListener(
        storage.queue(connection, name),
        storage.queue(connection, poison) if poison else None,
        handle,
        options=config.queues,
        lease=timedelta(seconds=int(settings.get("FUNCTIONS_HOST_LEASE_SECONDS") or LEASE.total_seconds())),
    )


def timer_listener(
    function: Function, settings: Settings, *, storage: Storage, invoker: Invoker, host_id: str
) -> TimerListener:
    """The listener of a timer function, with its lease and status under the host id."""
    container = storage.host_container()

    async def handle(data: TypedData) -> None:
        await invoker.invoke(function, data)

    return TimerListener(
        TimerOptions(
            name=function.name,
            schedule=Schedule(settings.resolve(function.trigger.text("schedule"))),
            run_on_startup=bool(function.trigger.options.get("runOnStartup", False)),
            use_monitor=function.trigger.options.get("useMonitor", True) is not False,
        ),
        handle,
        singleton=Singleton(container, f"locks/{host_id}/{function.name}.Listener"),
        monitor=ScheduleMonitor(container, f"timers/{host_id}/{function.name}/status"),
    )


def by_hand(function: Function, given: str) -> tuple[TypedData, Mapping[str, TypedData]]:
    """The data that start a function by hand. An HTTP function gets a request with that body."""
    match function.trigger.kind:
        case "timerTrigger":
            return timer_data(None, past_due=False), {}
        case "queueTrigger":
            return TypedData(string=given), trigger_metadata(_made_up_message(given), given)
    body = TypedData(bytes=given.encode())
    request = SimpleNamespace(method="POST", url="", headers={}, query={}, params={}, body=body)
    return TypedData(http=request), {}


def _made_up_message(body: str) -> QueueMessage:
    now = datetime.now(UTC)
    return QueueMessage(
        content=body,
        id=str(uuid.uuid4()),
        pop_receipt="",
        dequeue_count=1,
        inserted_on=now,
        expires_on=now + timedelta(days=7),
        next_visible_on=now,
    )


def describe(function: Function, config: HostConfig, settings: Settings) -> str:
    """A function as the `ready` line shows it."""
    match function.trigger.kind:
        case "httpTrigger":
            methods = ",".join(sorted(function.trigger.options.get("methods") or ["ANY"]))
            return f"{function.name}[{methods} /{endpoint(function, config, settings).route.template}]"
        case "queueTrigger":
            return f"{function.name}[queue {settings.resolve(function.trigger.text('queueName'))}]"
        case "timerTrigger":
            return f"{function.name}[timer {settings.resolve(function.trigger.text('schedule'))}]"
    return function.name
