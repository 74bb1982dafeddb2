"""App settings and `host.json`, read once at start.

App settings are the environment, completed by `Values` of `local.settings.json`, as under `func start`. The values are
also put into the environment, where the application's code looks for them.
"""

import json
import os
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from local.functions_host.faults import AppRefusedError

_PLACEHOLDER = re.compile(r"%([^%]*)%")
_OVERRIDES = "AzureFunctionsJobHost__"
_TIMESPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{1,2}):(\d{1,2}(?:\.\d+)?)")
_MAX_BATCH = 32  # the most that the queue service gives at once


class SettingMissingError(LookupError):
    """A `%NAME%` names no app setting."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"%{name}% names no app setting: add {name} to local.settings.json or the environment")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOptions:
    """`extensions.queues` of host.json, with the real host's defaults."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout: timedelta = timedelta(0)  # the delay of a released message, not the lease
    max_polling_interval: timedelta = timedelta(minutes=1)
    base64: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class HostConfig:
    """The parts of host.json that the local host honours."""

    route_prefix: str = "api"
    function_timeout: timedelta | None = timedelta(minutes=30)  # None: unbounded
    has_extension_bundle: bool = True
    queues: QueueOptions = field(default_factory=QueueOptions)


class Settings:
    """App settings by name. `resolve` replaces every `%NAME%` in a binding's text."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def get(self, name: str) -> str | None:
        """The setting; None if it is absent or empty."""
        return self._values.get(name) or None

    def overrides(self) -> dict[tuple[str, ...], str]:
        """Values over host.json, by path: `AzureFunctionsJobHost__extensions__queues__batchSize` and its like."""
        return {
            tuple(name.removeprefix(_OVERRIDES).split("__")): value
            for name, value in self._values.items()
            if name.startswith(_OVERRIDES)
        }

    def resolve(self, text: str) -> str:
        """Raises SettingMissingError."""

        def value(match: re.Match[str]) -> str:
            found = self.get(match[1])
            if found is None:
                raise SettingMissingError(match[1])
            return found

        return _PLACEHOLDER.sub(value, text)

    def connection(self, name: str) -> str | None:
        """A storage connection string. The real host tries the name with the prefix `AzureWebJobs` first."""
        return self.get(f"AzureWebJobs{name}") or self.get(name) or self.get(f"ConnectionStrings:{name}")

    def is_disabled(self, function: str) -> bool:
        """`AzureWebJobs.<function>.Disabled`, the switch that Azure's portal sets."""
        value = self.get(f"AzureWebJobs.{function}.Disabled") or self.get(f"AzureWebJobs_{function}_Disabled")
        return value is not None and value.lower() in {"1", "true"}

    @property
    def is_development(self) -> bool:
        """Whether AZURE_FUNCTIONS_ENVIRONMENT is Development, the default, as under `func start`."""
        return (self.get("AZURE_FUNCTIONS_ENVIRONMENT") or "Development").lower() == "development"


def read_settings(app: Path, environ: MutableMapping[str, str]) -> Settings:
    """The environment, completed in place from local.settings.json. Raises AppRefusedError."""
    values = _read_json(app / "local.settings.json", required=False).get("Values", {})
    if not isinstance(values, dict):
        raise AppRefusedError(["local.settings.json: `Values` must be an object of names and strings"])
    for name, value in values.items():
        environ.setdefault(name, value if isinstance(value, str) else json.dumps(value))
    return Settings(environ)


def read_host_config(app: Path, settings: Settings) -> HostConfig:
    """host.json, and the app settings that override it. Raises AppRefusedError with every fault in it.

    https://learn.microsoft.com/azure/azure-functions/functions-host-json#override-hostjson-values
    """
    document = _read_json(app / "host.json", required=True)
    for path, value in settings.overrides().items():
        _put(document, path, value)
    faults: list[str] = []
    if document.get("version") != "2.0":
        faults.append('host.json: `version` must be "2.0"')
    extensions = _Section(document, "", faults).section("extensions")
    config = HostConfig(
        route_prefix=extensions.section("http").text("routePrefix", "api").strip("/"),
        function_timeout=_function_timeout(document, faults),
        has_extension_bundle="extensionBundle" in document,
        queues=_queue_options(extensions.section("queues"), settings),
    )
    if faults:
        raise AppRefusedError(faults)
    return config


def _put(document: dict[str, Any], path: tuple[str, ...], value: str) -> None:
    """As .NET's configuration does it: names in any case, and numbers as text."""
    *sections, last = path
    for section in sections:
        name = _spelled(document, section)
        if not isinstance(document.get(name), dict):
            document[name] = {}
        document = document[name]
    document[_spelled(document, last)] = int(value) if value.isdecimal() else value


def _spelled(document: Mapping[str, Any], name: str) -> str:
    return next((known for known in document if known.lower() == name.lower()), name)


class _Section:
    """One object of host.json that collects faults instead of raising the first."""

    def __init__(self, values: Any, path: str, faults: list[str]) -> None:
        self._path = path
        self._faults = faults
        self._values: dict[str, Any] = {}
        if isinstance(values, dict):
            self._values = values
        else:
            self._fault(path.rstrip("."), "must be an object")

    def section(self, name: str) -> "_Section":
        return _Section(self._values.get(name, {}), f"{self._path}{name}.", self._faults)

    def text(self, name: str, default: str) -> str:
        value = self._values.get(name, default)
        if isinstance(value, str):
            return value
        self._fault(self._path + name, "must be a string")
        return default

    def integer(self, name: str, default: int, *, low: int, high: int | None = None) -> int:
        value = self._values.get(name, default)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value and (high is None or value <= high):
            return value
        limits = f"from {low} to {high}" if high is not None else f"of at least {low}"
        self._fault(self._path + name, f"must be a whole number {limits}, not {value!r}")
        return default

    def timespan(self, name: str, default: timedelta, *, low: timedelta = timedelta(0)) -> timedelta:
        if name not in self._values:
            return default
        value = parse_timespan(self._values[name])
        if value is not None and value >= low:
            return value
        self._fault(self._path + name, f'must be a time like "00:00:05", at least {low}')
        return default

    def choice(self, name: str, default: str, *choices: str) -> str:
        value = self.text(name, default)
        if value.lower() in choices:
            return value.lower()
        self._fault(self._path + name, f"must be one of {', '.join(choices)}")
        return default

    def _fault(self, where: str, what: str) -> None:
        self._faults.append(f"host.json: `{where}` {what}")


def _queue_options(section: _Section, settings: Settings) -> QueueOptions:
    batch_size = section.integer("batchSize", 16, low=1, high=_MAX_BATCH)
    return QueueOptions(
        batch_size=batch_size,
        new_batch_threshold=section.integer("newBatchThreshold", batch_size // 2 * (os.cpu_count() or 1), low=0),
        max_dequeue_count=section.integer("maxDequeueCount", 5, low=1),
        visibility_timeout=section.timespan("visibilityTimeout", timedelta(0)),
        max_polling_interval=section.timespan(
            "maxPollingInterval",
            timedelta(seconds=2) if settings.is_development else timedelta(minutes=1),
            low=timedelta(milliseconds=100),
        ),
        base64=section.choice("messageEncoding", "base64", "base64", "none") == "base64",
    )


def _function_timeout(document: Mapping[str, Any], faults: list[str]) -> timedelta | None:
    value = document.get("functionTimeout", "00:30:00")
    if value in {"-1", "-00:00:00.0010000"}:
        return None
    timeout = parse_timespan(value)
    if timeout is None or timeout < timedelta(seconds=1):
        faults.append('host.json: `functionTimeout` must be a time of at least one second like "00:10:00", or "-1"')
    return timeout


def parse_timespan(value: object) -> timedelta | None:
    """The value of a .NET TimeSpan `[d.]hh:mm:ss[.fff]`; None for any other text."""
    match = _TIMESPAN.fullmatch(value) if isinstance(value, str) else None
    if match is None or int(match[2]) > 23 or int(match[3]) > 59 or float(match[4]) >= 60:
        return None
    return timedelta(days=int(match[1] or 0), hours=int(match[2]), minutes=int(match[3]), seconds=float(match[4]))


def _read_json(path: Path, *, required: bool) -> dict[str, Any]:
    if not path.exists():
        if required:
            raise AppRefusedError(
                [f"{path.name} is missing: the smallest one is {{'version': '2.0'}}".replace("'", '"')]
            )
        return {}
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise AppRefusedError([f"{path.name} is not JSON: {error}"]) from error
    if not isinstance(document, dict):
        raise AppRefusedError([f"{path.name} must hold one JSON object"])
    return document
