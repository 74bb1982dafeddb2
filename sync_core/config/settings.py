"""The app settings, parsed once from a mapping such as os.environ, with every fault in one report.

The settings of storage are those of the Functions host: AzureWebJobsStorage, or its __queueServiceUri and
__tableServiceUri forms.
https://learn.microsoft.com/azure/azure-functions/functions-reference#connecting-to-host-storage-with-an-identity
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from ..model.errors import ConfigError, Fault


class CredentialKind(StrEnum):
    MANAGED_IDENTITY = "managed_identity"  # federated into the app registrations, so that there is no secret
    CERTIFICATE = "certificate"
    SECRET = "secret"  # noqa: S105 - a kind of credential, not one
    EMULATOR = "emulator"


class OperatorEndpoints(StrEnum):
    OFF = "off"
    ENTRA = "entra"  # App Service authentication is in front of the app and requires a token


class TelemetryKind(StrEnum):
    OFF = "off"
    OTLP = "otlp"
    AZURE_MONITOR = "azure_monitor"


_NOTIFY = "XTSYNC_NOTIFY_"
_THIS_MACHINE = {"127.0.0.1", "localhost", "::1"}


def _budget(value: object) -> object:
    """The two numbers of a text such as `3000/150`: writes and seconds."""
    writes, slash, seconds = str(value).partition("/")
    if not slash or not writes.isdecimal() or not seconds.isdecimal() or int(writes) < 1 or int(seconds) < 1:
        raise ValueError("must be writes/seconds, such as 3000/150")
    return int(writes), int(seconds)


def _https(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _THIS_MACHINE):
        raise ValueError("must start with https:// (or be on this machine)")
    return url.rstrip("/")


Url = Annotated[str, AfterValidator(_https)]


class Settings(BaseModel):
    """Every app setting that the code reads. The alias is its name, and the description is its documentation."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    config: Path = Field(default=Path("sync.yaml"), alias="XTSYNC_CONFIG", description="Path of sync.yaml.")
    credential: CredentialKind = Field(
        default=CredentialKind.MANAGED_IDENTITY,
        alias="XTSYNC_CREDENTIAL",
        description="How the app authenticates: managed_identity, certificate, secret or emulator.",
    )
    source_client_id: str = Field(
        default="", alias="XTSYNC_SOURCE_CLIENT_ID", description="App registration that reads source tenants."
    )
    target_client_id: str = Field(
        default="", alias="XTSYNC_TARGET_CLIENT_ID", description="App registration that writes target tenants."
    )
    identity_client_id: str = Field(
        default="",
        alias="XTSYNC_IDENTITY_CLIENT_ID",
        description="Client id of the user-assigned managed identity that is federated into both registrations.",
    )
    client_secret: SecretStr = Field(
        default=SecretStr(""), alias="XTSYNC_CLIENT_SECRET", description="For XTSYNC_CREDENTIAL=secret only."
    )
    certificate_path: Path | None = Field(
        default=None, alias="XTSYNC_CERTIFICATE_PATH", description="PEM file for XTSYNC_CREDENTIAL=certificate."
    )
    graph_url: Url | None = Field(
        default=None, alias="XTSYNC_GRAPH_URL", description="Address of Graph, if not the tenant's cloud: the emulator."
    )
    public_url: Url = Field(
        default="http://127.0.0.1:7071",
        alias="XTSYNC_PUBLIC_URL",
        description="Address at which Graph reaches this app. Without it, Azure's WEBSITE_HOSTNAME is used.",
    )
    operator_endpoints: OperatorEndpoints = Field(
        default=OperatorEndpoints.OFF,
        alias="XTSYNC_OPERATOR_ENDPOINTS",
        description="Whether /api/ops answers: off, or entra if App Service authentication requires a token. "
        "Without that authentication, the header that it trusts could be forged.",
    )
    write_budget: Annotated[tuple[int, int], BeforeValidator(_budget)] = Field(
        default=(3000, 150),
        alias="XTSYNC_WRITE_BUDGET",
        description="Write limit of Graph for one app on one tenant: writes/seconds.",
    )
    activity_days: int = Field(
        default=365,
        ge=1,
        le=3650,
        alias="XTSYNC_ACTIVITY_DAYS",
        description="Days for which the record of changes is kept.",
    )
    record_container: str = Field(
        default="",
        pattern=r"^([a-z0-9](-?[a-z0-9]){2,62})?$",
        alias="XTSYNC_RECORD_CONTAINER",
        description="Container of the same storage account to which each poll appends the record "
        "([operations.md](operations.md#a-copy-that-nobody-can-change)). Without it there is no copy.",
    )
    notify: Mapping[str, SecretStr] = Field(
        default={},
        alias="XTSYNC_NOTIFY_",
        description="Settings that begin with this name: addresses and secrets of notices, named in sync.yaml.",
    )
    telemetry: TelemetryKind = Field(
        default=TelemetryKind.OFF,
        alias="XTSYNC_TELEMETRY",
        description="Where traces and metrics go: off, otlp for a collector that takes OTLP over HTTP, or "
        "azure_monitor for Application Insights ([telemetry.md](telemetry.md)).",
    )
    telemetry_ratio: float = Field(
        default=0.1,
        ge=0,
        le=1,
        alias="XTSYNC_TELEMETRY_RATIO",
        description="Part of the traces that is kept, from 0 to 1; metrics count everything.",
    )
    otlp_endpoint: str = Field(
        default="",
        alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="For XTSYNC_TELEMETRY=otlp: address of the collector. OpenTelemetry's other settings hold, too.",
    )
    insights_connection: SecretStr = Field(
        default=SecretStr(""),
        alias="APPLICATIONINSIGHTS_CONNECTION_STRING",
        description="Of the host; also for XTSYNC_TELEMETRY=azure_monitor.",
    )
    storage: SecretStr = Field(
        default=SecretStr(""), alias="AzureWebJobsStorage", description="Connection string; locally Azurite's."
    )
    storage_account: str = Field(
        default="", alias="AzureWebJobsStorage__accountName", description="Account name, for identity-based access."
    )
    storage_queue_uri: str = Field(
        default="",
        alias="AzureWebJobsStorage__queueServiceUri",
        description="Queue endpoint, for identity-based access, instead of the account name.",
    )
    storage_table_uri: str = Field(
        default="",
        alias="AzureWebJobsStorage__tableServiceUri",
        description="Table endpoint, for identity-based access, instead of the account name.",
    )
    storage_blob_uri: str = Field(
        default="",
        alias="AzureWebJobsStorage__blobServiceUri",
        description="Blob endpoint of XTSYNC_RECORD_CONTAINER, for identity-based access, instead of the account name.",
    )
    storage_credential: str = Field(
        default="",
        alias="AzureWebJobsStorage__credential",
        description="With managedidentity, storage is opened with the managed identity, also on a virtual machine.",
    )
    identity_endpoint: str = Field(
        default="",
        alias="IDENTITY_ENDPOINT",
        description="Set by Azure if the app has a managed identity. Without it and AzureWebJobsStorage__credential, "
        "storage is opened as the person signed in with `az login`.",
    )
    storage_client_id: str = Field(
        default="", alias="AzureWebJobsStorage__clientId", description="Client id of the managed identity for storage."
    )

    @property
    def has_identity(self) -> bool:
        """Whether storage is opened with a managed identity, and not as a person at a laptop."""
        return bool(self.identity_endpoint) or self.storage_credential.lower() == "managedidentity"

    @property
    def queue_endpoint(self) -> str:
        return self.storage_queue_uri or f"https://{self.storage_account}.queue.core.windows.net"

    @property
    def table_endpoint(self) -> str:
        return self.storage_table_uri or f"https://{self.storage_account}.table.core.windows.net"

    @property
    def blob_endpoint(self) -> str:
        return (self.storage_blob_uri or f"https://{self.storage_account}.blob.core.windows.net").rstrip("/")


_NO_SOCKS = "is a proxy of SOCKS, through which this program cannot talk: name an HTTP proxy, or unset it"


def load_settings(environ: Mapping[str, str]) -> Settings:
    """The settings. Raises one ConfigError that lists every fault by the name of its setting."""
    known = {field.alias for field in Settings.model_fields.values()}
    values: dict[str, object] = {name: value for name, value in environ.items() if name in known and value != ""}
    values[_NOTIFY] = {name: value for name, value in environ.items() if name.startswith(_NOTIFY) and value}
    if "XTSYNC_PUBLIC_URL" not in values and environ.get("WEBSITE_HOSTNAME"):
        host = environ["WEBSITE_HOSTNAME"]  # Azure Functions Core Tools set it too, and serve plain http
        scheme = "http" if host.partition(":")[0] in _THIS_MACHINE else "https"
        values["XTSYNC_PUBLIC_URL"] = f"{scheme}://{host}"
    if environ.get("WEBSITE_AUTH_ENABLED", "true").lower() != "true":  # it was switched off in the portal
        values.pop("XTSYNC_OPERATOR_ENDPOINTS", None)
    settings, wrong = _valid(values)
    found = [*wrong.items(), *((name, _NO_SOCKS) for name in environ if _is_socks(name, environ[name]))]
    if "XTSYNC_CREDENTIAL" not in wrong:  # it says what else is needed
        found += [(name, message) for name, message in _missing(settings) if name not in wrong]
    if found:
        raise ConfigError([Fault(where=name, message=message) for name, message in found])
    return settings


def _valid(values: Mapping[str, object]) -> tuple[Settings, Mapping[str, str]]:
    """The settings without those of which a value is wrong, and the fault of each. No fault quotes a value."""
    try:
        return Settings.model_validate(values), {}
    except ValidationError as error:
        wrong = {str(e["loc"][0]): e["msg"].removeprefix("Value error, ") for e in error.errors(include_input=False)}
    return Settings.model_validate({name: value for name, value in values.items() if name not in wrong}), wrong


def _is_socks(name: str, value: str) -> bool:
    return name.lower() in {"http_proxy", "https_proxy", "all_proxy"} and value.lower().startswith("socks")


def _missing(settings: Settings) -> list[tuple[str, str]]:
    faults = []
    if not (settings.storage.get_secret_value() or settings.storage_account or settings.storage_queue_uri):
        faults.append(("AzureWebJobsStorage", "is missing: set it or AzureWebJobsStorage__accountName"))
    by_key = settings.storage.get_secret_value()
    if settings.record_container and not (by_key or settings.storage_account or settings.storage_blob_uri):
        missing = "is missing: XTSYNC_RECORD_CONTAINER needs it or AzureWebJobsStorage__accountName"
        faults.append(("AzureWebJobsStorage__blobServiceUri", missing))
    kind = settings.credential
    needed = {
        CredentialKind.MANAGED_IDENTITY: {"XTSYNC_IDENTITY_CLIENT_ID": settings.identity_client_id},
        CredentialKind.CERTIFICATE: {"XTSYNC_CERTIFICATE_PATH": str(settings.certificate_path or "")},
        CredentialKind.SECRET: {"XTSYNC_CLIENT_SECRET": settings.client_secret.get_secret_value()},
        CredentialKind.EMULATOR: {"XTSYNC_GRAPH_URL": settings.graph_url or ""},
    }[kind]
    if kind is not CredentialKind.EMULATOR:
        needed |= {
            "XTSYNC_SOURCE_CLIENT_ID": settings.source_client_id,
            "XTSYNC_TARGET_CLIENT_ID": settings.target_client_id,
        }
    faults += [(name, f"is missing: XTSYNC_CREDENTIAL={kind} needs it") for name, value in needed.items() if not value]
    name, value = {
        TelemetryKind.OFF: ("", "-"),
        TelemetryKind.OTLP: ("OTEL_EXPORTER_OTLP_ENDPOINT", settings.otlp_endpoint),
        TelemetryKind.AZURE_MONITOR: (
            "APPLICATIONINSIGHTS_CONNECTION_STRING",
            settings.insights_connection.get_secret_value(),
        ),
    }[settings.telemetry]
    return faults if value else [*faults, (name, f"is missing: XTSYNC_TELEMETRY={settings.telemetry} needs it")]
