"""The faults that the real host refuses and the worker does not notice, all together, each with its remedy.

The rules are the real host's (Azure/azure-functions-host, Utility and FunctionMetadataManager). Some more refuse the
bindings that this local host cannot run, so that none is left out without an error.
"""

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from azure.core.utils import parse_connection_string

from local.functions_host.model import TRIGGERS, Binding, Function
from local.functions_host.routes import Route
from local.functions_host.schedule import Schedule
from local.functions_host.settings import HostConfig, SettingMissingError, Settings

_log = logging.getLogger(__name__)

_FUNCTION_NAME = re.compile(r"[a-z][a-z0-9_-]{0,127}", re.IGNORECASE)
_BINDING_NAME = re.compile(r"(?!.*__)([a-zA-Z_][a-zA-Z0-9_]{0,127}|\$return)")
_QUEUE_NAME = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")
_TABLE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{2,62}")
_EXPRESSION = re.compile(r"\{([^{}]*)\}")
_RESERVED_PREFIXES = ("admin", "runtime")
_STORAGE_KINDS = frozenset({"queueTrigger", "queue", "table"})
_RESOLVED_OPTIONS = ("queueName", "tableName", "schedule", "route", "partitionKey", "rowKey", "filter")
ALL_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"})

type Check = Callable[[Function, HostConfig, Settings], Iterable[str]]


def find_faults(functions: Iterable[Function], config: HostConfig, settings: Settings) -> list[str]:
    """The faults that keep these functions from running; without any, the host starts."""
    functions = list(functions)
    if not functions:
        return ["function_app.py has no functions: add a decorated function to its FunctionApp"]
    faults = [
        f"function {function.name}: {fault}"
        for function in functions
        for check in _CHECKS
        for fault in check(function, config, settings)
    ]
    names = Counter(function.name.lower() for function in functions)
    faults += [f"function {name}: the name is used {count} times: rename" for name, count in names.items() if count > 1]
    faults += _route_conflicts(functions, settings)
    if not settings.connection("AzureWebJobsStorage") and any(_kinds(f) & {"timerTrigger"} for f in functions):
        faults.append("timers keep their lease and status in storage: add the setting AzureWebJobsStorage")
    return faults


def has_schedule(function: Function, settings: Settings) -> bool:
    """False for a timer whose schedule names a setting that is missing: it alone is off, which is logged once."""
    try:
        settings.resolve(function.trigger.text("schedule"))
    except SettingMissingError as error:
        _log.error("the function %s is off: its schedule: %s", function.name, error)
        return False
    return True


def methods_of(trigger: Binding) -> frozenset[str]:
    """The HTTP methods of a trigger; all if none is written."""
    written = trigger.options.get("methods") or ()
    return frozenset(str(method).upper() for method in written) or ALL_METHODS


def route_of(function: Function, settings: Settings) -> str:
    """The route as written, or the function's name. Raises SettingMissingError."""
    return settings.resolve(function.trigger.text("route")).strip("/") or function.name


def _kinds(function: Function) -> set[str]:
    return {binding.kind for binding in function.bindings}


def _names(function: Function, _config: HostConfig, _settings: Settings) -> Iterator[str]:
    if function.name.lower() == "host":
        yield "the name is reserved: rename it"
    elif not _FUNCTION_NAME.fullmatch(function.name):
        yield "the name must start with a letter and hold at most 128 letters, digits, `_` and `-`: rename it"
    for binding in function.bindings:
        if not _BINDING_NAME.fullmatch(binding.name):
            yield (
                f"the binding name `{binding.name}` must be at most 128 letters, digits and `_`, start with no digit "
                "and hold no double underscore: rename the argument"
            )
    names = Counter(binding.name.lower() for binding in function.bindings)
    for name, count in names.items():
        if count > 1:
            yield f"{count} bindings are named `{name}`: give each its own arg_name"


def _one_trigger(function: Function, _config: HostConfig, _settings: Settings) -> Iterator[str]:
    triggers = [binding for binding in function.bindings if binding.is_trigger]
    if not triggers:
        yield "it has no trigger: add one, such as @app.route or @app.queue_trigger"
    elif len(triggers) > 1:
        kinds = ", ".join(binding.kind for binding in triggers)
        yield f"it has {len(triggers)} triggers ({kinds}): keep one and move the others to functions of their own"


def _supported(function: Function, config: HostConfig, _settings: Settings) -> Iterator[str]:
    for binding in function.bindings:
        kind = (binding.kind, binding.is_output)
        known = kind in {("queue", True), ("table", False), ("http", True)}
        if binding.kind not in TRIGGERS and not known:
            direction = "output" if binding.is_output else "input"
            yield f"the local host runs no {binding.kind} {direction} binding: use `func start` for this application"
    if not config.has_extension_bundle and _kinds(function) & _STORAGE_KINDS:
        yield "queue and table bindings come from the extension bundle: add `extensionBundle` to host.json"


def _settings_exist(function: Function, _config: HostConfig, settings: Settings) -> Iterator[str]:
    for binding in function.bindings:
        for option in _RESOLVED_OPTIONS:
            if (binding.kind, option) == ("timerTrigger", "schedule"):
                continue  # turns off that function alone
            try:
                settings.resolve(binding.text(option))
            except SettingMissingError as error:
                yield f"{option} of `{binding.name}`: {error}"


def _connections(function: Function, _config: HostConfig, settings: Settings) -> Iterator[str]:
    for binding in function.bindings:
        if binding.kind not in _STORAGE_KINDS:
            continue
        name = binding.text("connection") or "AzureWebJobsStorage"
        value = settings.connection(name)
        if value is None:
            yield (
                f"the connection `{name}` of `{binding.name}` is not set: put a storage connection string there "
                "(the local host signs in with keys only, not with an identity)"
            )
        elif value.lower() != "usedevelopmentstorage=true" and not _is_connection_string(value):
            yield f"the connection `{name}` of `{binding.name}` is no storage connection string"


def _is_connection_string(value: str) -> bool:
    try:
        return bool(parse_connection_string(value, case_sensitive_keys=False))
    except ValueError:
        return False


def _storage_names(function: Function, _config: HostConfig, settings: Settings) -> Iterator[str]:
    for binding in function.bindings:
        queue = _resolved(binding, "queueName", settings)
        if binding.kind in {"queueTrigger", "queue"} and queue is not None and not _QUEUE_NAME.fullmatch(queue):
            yield f"the queue name `{queue}` must be 3 to 63 lower-case letters, digits and single inner dashes"
        table = _resolved(binding, "tableName", settings)
        if binding.kind == "table" and table is not None and not _TABLE_NAME.fullmatch(table):
            yield f"the table name `{table}` must be 3 to 63 letters and digits, a letter first"
        yield from _binding_expressions(function, binding, settings)


def _binding_expressions(function: Function, binding: Binding, settings: Settings) -> Iterator[str]:
    """`{name}` in a table input: the local host fills it from route parameters only."""
    if binding.kind != "table":
        return
    route = next((b.text("route") for b in function.bindings if b.kind == "httpTrigger"), "")
    parameters = {re.split(r"[:?]", name.strip("*"))[0] for name in _EXPRESSION.findall(route)}
    for option in ("tableName", "partitionKey", "rowKey", "filter"):
        unknown = set(_EXPRESSION.findall(_resolved(binding, option, settings) or "")) - parameters
        for name in sorted(unknown):
            yield f"{option} of `{binding.name}`: `{{{name}}}` must be a parameter of the route"


def _resolved(binding: Binding, option: str, settings: Settings) -> str | None:
    """The option with its settings; None if a setting is missing, which `_settings_exist` reports."""
    try:
        return settings.resolve(binding.text(option))
    except SettingMissingError:
        return None


def _schedules(function: Function, _config: HostConfig, settings: Settings) -> Iterator[str]:
    for binding in function.bindings:
        schedule = _resolved(binding, "schedule", settings)
        if binding.kind == "timerTrigger" and schedule is not None:
            try:
                Schedule(schedule)
            except ValueError as error:
                yield f"the schedule {error}"


def _routes(function: Function, _config: HostConfig, settings: Settings) -> Iterator[str]:
    for binding in function.bindings:
        route = _resolved(binding, "route", settings)
        if binding.kind != "httpTrigger" or route is None:
            continue
        first = route.strip("/").split("/")[0].lower()
        if first.startswith(_RESERVED_PREFIXES):
            yield f"the route `{route}` starts with a prefix of the host's own (admin, runtime): use another one"
        try:
            Route.parse(route)
        except ValueError as error:
            yield f"the route `{route}`: {error}"
        for method in methods_of(binding) - ALL_METHODS:
            yield f"`{method}` is no HTTP method"


def _route_conflicts(functions: Iterable[Function], settings: Settings) -> Iterator[str]:
    taken: dict[tuple[str, str], str] = {}
    for function in functions:
        for binding in (b for b in function.bindings if b.kind == "httpTrigger"):
            try:
                route = Route.parse((_resolved(binding, "route", settings) or "").strip("/") or function.name)
            except ValueError:
                continue
            clashes = {taken.setdefault((route.shape, m), function.name) for m in methods_of(binding)} - {function.name}
            for other in sorted(clashes):
                both = f"functions {other} and {function.name}"
                yield f"{both}: the same methods of the same route `{route.template}`: change one"


_CHECKS: tuple[Check, ...] = (
    _names,
    _one_trigger,
    _supported,
    _settings_exist,
    _connections,
    _storage_names,
    _schedules,
    _routes,
)
