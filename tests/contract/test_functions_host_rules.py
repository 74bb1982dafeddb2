"""The rules of the local host that need neither worker nor storage: what is valid, what matches, when, how often."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.functions_host import AppRefusedError
from local.functions_host.model import Binding, Function
from local.functions_host.outputs import bodies_of, encode
from local.functions_host.queues import Backoff
from local.functions_host.routes import Route
from local.functions_host.schedule import Schedule
from local.functions_host.settings import HostConfig, Settings, parse_timespan, read_host_config, read_settings
from local.functions_host.validate import find_faults
from local.functions_host.worker import TypedData

STORAGE = {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}
GUID = "1b4e28ba-2fa1-11d2-883f-0016d3cca427"


def binding(kind: str, name: str = "req", *, is_output: bool = False, **options: object) -> Binding:
    return Binding(kind=kind, name=name, is_output=is_output, options=options)


def function(*bindings: Binding, name: str = "hello") -> Function:
    return Function(id=name, name=name, bindings=bindings)


def faults(*functions: Function, settings: Mapping[str, str] | None = None, config: HostConfig | None = None) -> str:
    values = Settings(STORAGE if settings is None else settings)
    return "\n".join(find_faults(functions, config or HostConfig(), values))


HTTP = binding("httpTrigger", route="hello", methods=["GET"])
QUEUE = binding("queueTrigger", "msg", queueName="user-changes", connection="AzureWebJobsStorage")


def test_a_sound_application_has_no_faults() -> None:
    """Trigger, input, output and a route that shares its path with another method."""
    post = binding("httpTrigger", route="hello", methods=["POST"])
    out = binding("queue", "out", is_output=True, queueName="user-changes-poison")
    rows = binding("table", "rows", tableName="subscriptions", partitionKey="{tenant}")
    tenant = binding("httpTrigger", route="tenants/{tenant:guid}")
    assert (
        faults(
            function(HTTP, out), function(post, name="b"), function(tenant, rows, name="c"), function(QUEUE, name="d")
        )
        == ""
    )


@pytest.mark.parametrize(
    ("bindings", "name", "expected"),
    [
        ([HTTP], "1st", "function 1st: the name must start with a letter"),
        ([HTTP], "Host", "function Host: the name is reserved"),
        ([binding("httpTrigger", "a__b")], "f", "function f: the binding name `a__b`"),
        ([HTTP, binding("queue", "REQ", is_output=True, queueName="abc")], "f", "2 bindings are named `req`"),
        ([binding("queue", "out", is_output=True, queueName="abc")], "f", "function f: it has no trigger"),
        ([HTTP, QUEUE], "f", "function f: it has 2 triggers (httpTrigger, queueTrigger)"),
        ([binding("httpTrigger", route="Admin/x")], "f", "starts with a prefix of the host's own"),
        ([binding("httpTrigger", route="runtime")], "f", "starts with a prefix of the host's own"),
        ([binding("httpTrigger", route="a/{id:float}")], "f", "does not know the route constraint `float`"),
        ([binding("httpTrigger", route="a/x{id}")], "f", "a parameter must be a whole path segment"),
        ([binding("httpTrigger", route="{id}/{id}")], "f", "a route parameter is named twice"),
        ([binding("httpTrigger", methods=["FETCH"])], "f", "`FETCH` is no HTTP method"),
        ([binding("queueTrigger", queueName="%WORK%")], "f", "%WORK% names no app setting: add WORK"),
        ([binding("timerTrigger", schedule="* * * * *")], "f", "must have six fields"),
        ([binding("queueTrigger", queueName="a")], "f", "the queue name `a` must be 3 to 63"),
        ([binding("queueTrigger", queueName="a--b")], "f", "the queue name `a--b`"),
        (
            [binding("queueTrigger", queueName="abc", connection="Other")],
            "f",
            "the connection `Other` of `req` is not set",
        ),
        ([HTTP, binding("table", "rows", tableName="my-table")], "f", "the table name `my-table`"),
        (
            [HTTP, binding("table", "rows", tableName="abc", rowKey="{id}")],
            "f",
            "`{id}` must be a parameter of the route",
        ),
        ([HTTP, binding("table", "out", is_output=True, tableName="abc")], "f", "runs no table output binding"),
        ([binding("blobTrigger", "blob")], "f", "runs no blobTrigger input binding: use `func start`"),
    ],
)
def test_each_fault_names_its_function_and_what_to_do(bindings: list[Binding], name: str, expected: str) -> None:
    """The checks of the real host that the worker does not make, and the limits of this one."""
    assert expected in faults(function(*bindings, name=name))


def test_faults_between_functions() -> None:
    """One name for two functions, one route for two functions whose methods overlap, nothing at all."""
    other = binding("httpTrigger", route="HELLO/", methods=["POST", "GET"])
    assert "functions a and b: the same methods of the same route" in faults(
        function(HTTP, name="a"), function(other, name="b")
    )
    assert "function a: the name is used 2 times" in faults(function(HTTP, name="a"), function(QUEUE, name="A"))
    assert faults() == "function_app.py has no functions: add a decorated function to its FunctionApp"


def test_storage_has_to_be_reachable_by_key() -> None:
    """An identity-based connection, nonsense and a missing extension bundle are told apart."""
    assert "not with an identity" in faults(function(QUEUE), settings={"AzureWebJobsStorage__accountName": "x"})
    assert "is no storage connection string" in faults(function(QUEUE), settings={"AzureWebJobsStorage": "nonsense"})
    assert "add `extensionBundle`" in faults(function(QUEUE), config=HostConfig(has_extension_bundle=False))
    timer = binding("timerTrigger", schedule="0 * * * * *")
    assert "timers keep their lease and status in storage" in faults(function(timer), settings={})


@pytest.mark.parametrize(
    ("template", "path", "parameters"),
    [
        ("api/users", "/API/users/", {}),
        ("api/users/{id}", "/api/users/a b", {"id": "a b"}),
        ("api/users/{id?}", "/api/users", {}),
        ("api/users/{id:int}", "/api/users/x", None),
        ("api/users/{id:guid}", f"/api/users/{GUID}", {"id": GUID}),
        ("api/{*rest}", "/api/a/b/c", {"rest": "a/b/c"}),
        ("api/{*rest}", "/api/a\nb/c", {"rest": "a\nb/c"}),
        ("api/users/{id}", "/api/users/a/b", None),
        ("api/a.b", "/api/axb", None),
    ],
)
def test_routes_match_as_in_aspnet(template: str, path: str, parameters: dict[str, str] | None) -> None:
    """Case does not matter, constraints do, an optional segment may be missing, a catch-all takes the rest."""
    assert Route.parse(template).match(path) == parameters


def test_literal_routes_come_before_parameters() -> None:
    """`users/me` is not an id, and a constraint is closer than none."""
    templates = ["{*all}", "users/{id}", "users/{id:int}", "users/me"]
    assert sorted(templates, key=lambda template: Route.parse(template).rank) == [
        "users/me",
        "users/{id:int}",
        "users/{id}",
        "{*all}",
    ]


@pytest.mark.parametrize(
    ("expression", "following"),
    [
        ("*/10 * * * * *", "2026-05-05T12:30:10"),
        ("0 */5 * * * *", "2026-05-05T12:35:00"),
        ("0 0 9 * * MON-FRI", "2026-05-06T09:00:00"),
        ("0 0 0 13 * FRI", "2026-11-13T00:00:00"),
    ],
)
def test_schedules_are_ncrontab(expression: str, following: str) -> None:
    """Seconds come first; day and weekday must both fit, where cron would take either."""
    moment = datetime(2026, 5, 5, 12, 30, tzinfo=UTC)
    assert Schedule(expression).after(moment) == datetime.fromisoformat(following + "+00:00")


@pytest.mark.parametrize(
    "expression", ["0 0 0 L * *", "0 0 0 * * 5L", "0 0 0 * * MON#1", "0 0 0 * * 7", "61 * * * * *"]
)
def test_what_only_cron_knows_is_refused(expression: str) -> None:
    """An expression that works here must work on Azure."""
    with pytest.raises(ValueError, match=r"^`"):
        Schedule(expression)


def test_fast_schedules_are_not_monitored() -> None:
    """More often than once a minute, as the real host draws the line."""
    now = datetime(2026, 5, 5, tzinfo=UTC)
    assert Schedule("*/30 * * * * *").is_faster_than(timedelta(minutes=1), now)
    assert not Schedule("0 * * * * *").is_faster_than(timedelta(minutes=1), now)


@pytest.mark.parametrize(
    ("data", "bodies"),
    [
        ({"bytes": b'["a"]'}, [b'["a"]']),
        ({"json": '["{\\"a\\":1}", "b"]'}, [b'{"a":1}', b"b"]),
        ({"string": " [1, 2] "}, [b"1", b"2"]),
        ({"string": "2026-01-01"}, [b"2026-01-01"]),
        ({"string": '{"a":"ü"}'}, ['{\n  "a": "ü"\n}'.encode()]),
    ],
)
def test_output_values_become_messages(data: dict[str, Any], bodies: list[bytes]) -> None:
    """Bytes and lists of strings exactly, text that looks like JSON written anew."""
    assert bodies_of(TypedData(**data)) == bodies


def test_encoding_follows_host_json() -> None:
    """base64 unless `messageEncoding` is none."""
    assert (encode(b"hi", as_base64=True), encode(b"hi", as_base64=False)) == ("aGk=", "hi")


def test_backoff_doubles_up_to_the_longest_interval() -> None:
    """100 ms after messages; then 100 ms plus 100, 200, 400 ms with a fifth of jitter; never more than the longest."""
    backoff = Backoff(2.0)
    assert backoff.after(found=True) == 0.1
    for expected in (0.1, 0.2, 0.4, 0.8):
        assert 0.1 + 0.8 * expected <= backoff.after(found=False) <= 0.1 + 1.2 * expected
    backoff.after(found=False)
    assert backoff.after(found=False) == 2.0
    assert backoff.after(found=True) == 0.1


def test_settings_come_from_the_environment_first(tmp_path: Path) -> None:
    """local.settings.json fills what is absent, and the application finds all of it in the environment."""
    (tmp_path / "local.settings.json").write_text('{"Values": {"A": "file", "B": "file"}}')
    environ = {"A": "environment"}
    settings = read_settings(tmp_path, environ)
    assert settings.resolve("%A%-%B%") == "environment-file"
    assert environ == {"A": "environment", "B": "file"}


@pytest.mark.parametrize(("environment", "longest"), [({}, 2), ({"AZURE_FUNCTIONS_ENVIRONMENT": "Production"}, 60)])
def test_polling_is_quicker_in_development(tmp_path: Path, environment: dict[str, str], longest: int) -> None:
    """2 s under `func start`, a minute on Azure, where host.json says nothing."""
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    config = read_host_config(tmp_path, Settings(environment))
    assert config.queues.max_polling_interval == timedelta(seconds=longest)
    assert not config.has_extension_bundle


def test_app_settings_override_host_json(tmp_path: Path) -> None:
    """Names in any case, times and numbers as text; what is not named stays as host.json has it."""
    (tmp_path / "host.json").write_text(
        '{"version": "2.0", "extensions": {"queues": {"maxPollingInterval": "00:00:01", "batchSize": 4}}}'
    )
    prefix = "AzureFunctionsJobHost__extensions__queues__"
    read = read_host_config(tmp_path, Settings({})).queues
    assert read.max_polling_interval == timedelta(seconds=1)
    changed = {f"{prefix}MaxPollingInterval": "00:00:00.2", f"{prefix}maxDequeueCount": "7"}
    read = read_host_config(tmp_path, Settings(changed)).queues
    assert read.max_polling_interval == timedelta(milliseconds=200)
    assert (read.max_dequeue_count, read.batch_size) == (7, 4)


@pytest.mark.parametrize(
    ("text", "expected"), [(None, "host.json is missing"), ("{", "is not JSON"), ("[]", "one JSON object")]
)
def test_broken_host_json_is_refused(tmp_path: Path, text: str | None, expected: str) -> None:
    """With words about the file, not a traceback."""
    if text is not None:
        (tmp_path / "host.json").write_text(text)
    with pytest.raises(AppRefusedError, match=expected):
        read_host_config(tmp_path, Settings({}))


def test_functions_can_be_switched_off() -> None:
    """By the setting that Azure's portal writes, in either spelling."""
    settings = Settings(
        {"AzureWebJobs.a.Disabled": "true", "AzureWebJobs_b_Disabled": "1", "AzureWebJobs.c.Disabled": "0"}
    )
    assert [name for name in "abcd" if settings.is_disabled(name)] == ["a", "b"]


def test_timespans_are_dotnets() -> None:
    """Days before a dot, fractions after one, and no hour 24."""
    assert parse_timespan("1.02:03:04.5") == timedelta(days=1, hours=2, minutes=3, seconds=4.5)
    assert parse_timespan("24:00:00") is None
    assert parse_timespan(5) is None
