"""App settings: parsed once, every fault in one report, and never a secret in it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from azure.identity.aio import AzureCliCredential, ManagedIdentityCredential
from hypothesis import given, strategies as st

from sync_core.config.settings import CredentialKind, OperatorEndpoints, Settings, TelemetryKind, load_settings
from sync_core.identities import Identities
from sync_core.model.errors import ConfigError

SECRET = "hunter2-do-not-show"
STORAGE = {"AzureWebJobsStorage": f"AccountKey={SECRET}"}
EMULATOR = {**STORAGE, "XTSYNC_CREDENTIAL": "emulator", "XTSYNC_GRAPH_URL": "http://127.0.0.1:8040"}
IDENTITY = {
    "AzureWebJobsStorage__accountName": "store",
    "XTSYNC_IDENTITY_CLIENT_ID": "i",
    "XTSYNC_SOURCE_CLIENT_ID": "s",
    "XTSYNC_TARGET_CLIENT_ID": "t",
}


def faults(environ: dict[str, str]) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        load_settings(environ)
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value)
    assert caught.value.__cause__ is None
    return {fault.where: fault.message for fault in caught.value.faults}


def test_settings_of_notices_have_names_of_ones_own_and_are_not_shown() -> None:
    """sync.yaml says which they are; another setting is none of them."""
    address = f"https://example.org/hook?sig={SECRET}"
    settings = load_settings({**EMULATOR, "XTSYNC_NOTIFY_TEAMS": address, "XTSYNC_NOTIFY_EMPTY": "", "OTHER": "x"})
    assert {name: value.get_secret_value() for name, value in settings.notify.items()} == {
        "XTSYNC_NOTIFY_TEAMS": address
    }
    assert SECRET not in repr(settings)


def test_telemetry_is_off_unless_it_is_asked_for() -> None:
    """Whatever else is set: the host has the connection string for itself."""
    settings = load_settings({**EMULATOR, "APPLICATIONINSIGHTS_CONNECTION_STRING": SECRET})
    assert settings.telemetry is TelemetryKind.OFF
    assert SECRET not in repr(settings)


def test_telemetry_says_what_it_lacks() -> None:
    """An address, or the connection string; a share of the traces is one, and no percentage."""
    assert faults({**EMULATOR, "XTSYNC_TELEMETRY": "otlp"}) == {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "is missing: XTSYNC_TELEMETRY=otlp needs it"
    }
    assert faults({**EMULATOR, "XTSYNC_TELEMETRY": "azure_monitor"}) == {
        "APPLICATIONINSIGHTS_CONNECTION_STRING": "is missing: XTSYNC_TELEMETRY=azure_monitor needs it"
    }
    assert list(faults({**EMULATOR, "XTSYNC_TELEMETRY": "on"})) == ["XTSYNC_TELEMETRY"]
    assert list(faults({**EMULATOR, "XTSYNC_TELEMETRY_RATIO": "10"})) == ["XTSYNC_TELEMETRY_RATIO"]


def test_defaults_need_nothing_but_storage_and_identities() -> None:
    """On Azure: a managed identity, and the budget that Graph documents."""
    settings = load_settings(IDENTITY)
    assert settings.credential is CredentialKind.MANAGED_IDENTITY
    assert settings.config == Path("sync.yaml")
    assert settings.write_budget == (3000, 150)
    assert settings.graph_url is None
    assert settings.queue_endpoint == "https://store.queue.core.windows.net"
    assert settings.table_endpoint == "https://store.table.core.windows.net"


def test_storage_endpoints_may_be_named_one_by_one() -> None:
    """As the host's own settings allow, for sovereign clouds and private endpoints."""
    environ = {name: value for name, value in IDENTITY.items() if not name.startswith("Azure")}
    settings = load_settings(
        {
            **environ,
            "AzureWebJobsStorage__queueServiceUri": "https://q.example",
            "AzureWebJobsStorage__tableServiceUri": "https://t.example",
        }
    )
    assert (settings.queue_endpoint, settings.table_endpoint) == ("https://q.example", "https://t.example")


def test_nothing_set_reports_everything_that_is_missing() -> None:
    """One report, one round of mending."""
    assert set(faults({})) == {
        "AzureWebJobsStorage",
        "XTSYNC_IDENTITY_CLIENT_ID",
        "XTSYNC_SOURCE_CLIENT_ID",
        "XTSYNC_TARGET_CLIENT_ID",
    }


@pytest.mark.parametrize(
    ("kind", "needed"),
    [
        ("managed_identity", {"XTSYNC_IDENTITY_CLIENT_ID", "XTSYNC_SOURCE_CLIENT_ID", "XTSYNC_TARGET_CLIENT_ID"}),
        ("certificate", {"XTSYNC_CERTIFICATE_PATH", "XTSYNC_SOURCE_CLIENT_ID", "XTSYNC_TARGET_CLIENT_ID"}),
        ("secret", {"XTSYNC_CLIENT_SECRET", "XTSYNC_SOURCE_CLIENT_ID", "XTSYNC_TARGET_CLIENT_ID"}),
        ("emulator", {"XTSYNC_GRAPH_URL"}),
    ],
)
def test_each_credential_says_what_it_needs(kind: str, needed: set[str]) -> None:
    """The message names the credential that asks for it."""
    missing = faults({**STORAGE, "XTSYNC_CREDENTIAL": kind})
    assert set(missing) == needed
    assert all(f"XTSYNC_CREDENTIAL={kind} needs it" in message for message in missing.values())


def test_wrong_values_are_reported_together_by_their_settings() -> None:
    """Each fault under the name that a person has to change."""
    wrong = {
        **STORAGE,
        "XTSYNC_CREDENTIAL": "password",
        "XTSYNC_GRAPH_URL": "ftp://graph",
        "XTSYNC_PUBLIC_URL": "http://elsewhere.example",
        "XTSYNC_WRITE_BUDGET": "many",
    }
    report = faults(wrong)
    assert set(report) == set(wrong) - set(STORAGE)
    assert report["XTSYNC_WRITE_BUDGET"] == "must be writes/seconds, such as 3000/150"
    assert report["XTSYNC_GRAPH_URL"] == "must start with https:// (or be on this machine)"


def test_what_is_wrong_and_what_is_missing_come_in_one_report() -> None:
    """A proxy that the program cannot use is of them; whatever is not known yet is not called missing."""
    environ = {"XTSYNC_CREDENTIAL": "secret", "XTSYNC_WRITE_BUDGET": "many", "all_proxy": f"socks5://{SECRET}@proxy"}
    settings = {"XTSYNC_CLIENT_SECRET", "XTSYNC_SOURCE_CLIENT_ID", "XTSYNC_TARGET_CLIENT_ID", "AzureWebJobsStorage"}
    assert set(faults(environ)) == {"XTSYNC_WRITE_BUDGET", "all_proxy", *settings}
    assert set(faults({"XTSYNC_CREDENTIAL": "password"})) == {"XTSYNC_CREDENTIAL"}


def test_secrets_are_never_shown() -> None:
    """Neither in a fault, nor when somebody prints the settings."""
    faults({"XTSYNC_CLIENT_SECRET": SECRET, "XTSYNC_CREDENTIAL": SECRET, "XTSYNC_WRITE_BUDGET": SECRET, **STORAGE})
    settings = load_settings({**EMULATOR, "XTSYNC_CLIENT_SECRET": SECRET})
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings)
    assert settings.client_secret.get_secret_value() == SECRET


@pytest.mark.parametrize(("text", "budget"), [("3000/150", (3000, 150)), ("1/1", (1, 1)), ("0060/010", (60, 10))])
def test_a_budget_is_writes_slash_seconds(text: str, budget: tuple[int, int]) -> None:
    """As Graph documents its limits."""
    assert load_settings({**EMULATOR, "XTSYNC_WRITE_BUDGET": text}).write_budget == budget


@pytest.mark.parametrize("text", ["3000", "3000/", "/150", "0/150", "3000/0", "-1/5", "1.5/2", "1/2/3", "a/b", " 1/2"])
def test_another_budget_is_refused(text: str) -> None:
    """A budget of nothing would stop everything, and a guess might exceed Graph's."""
    assert set(faults({**EMULATOR, "XTSYNC_WRITE_BUDGET": text})) == {"XTSYNC_WRITE_BUDGET"}


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, "http://127.0.0.1:7071"),
        ({"WEBSITE_HOSTNAME": "app.example"}, "https://app.example"),
        ({"WEBSITE_HOSTNAME": "app.example", "XTSYNC_PUBLIC_URL": "https://front.example/"}, "https://front.example"),
        ({"WEBSITE_HOSTNAME": "app.example", "XTSYNC_PUBLIC_URL": ""}, "https://app.example"),
        ({"WEBSITE_HOSTNAME": ""}, "http://127.0.0.1:7071"),
    ],
)
def test_the_public_url_is_the_hosts_own_unless_it_is_set(environ: dict[str, str], url: str) -> None:
    """Azure says under which name the app is reached; a front door is named by a setting."""
    assert load_settings({**EMULATOR, **environ}).public_url == url


def test_an_empty_setting_counts_as_unset() -> None:
    """Templates leave empty strings behind."""
    settings = load_settings({**EMULATOR, "XTSYNC_WRITE_BUDGET": "", "XTSYNC_CONFIG": ""})
    assert settings == load_settings(EMULATOR)


def test_other_settings_are_not_looked_at() -> None:
    """The environment is full of other people's variables."""
    assert load_settings({**EMULATOR, "PATH": "/bin", "config": "other.yaml"}).config == Path("sync.yaml")


def test_every_setting_is_documented_under_its_name() -> None:
    """The documentation's table is generated from here."""
    for field in Settings.model_fields.values():
        assert field.alias
        assert field.description


@given(
    st.dictionaries(
        st.sampled_from([str(field.alias) for field in Settings.model_fields.values()] + ["WEBSITE_HOSTNAME"]),
        st.text(max_size=12) | st.sampled_from(["secret", "emulator", "https://a.example", "1/1", "9" * 5000 + "/1"]),
    )
)
def test_any_environment_gives_settings_or_a_config_error(environ: dict[str, str]) -> None:
    """Whatever is set, start-up ends with settings or with one report."""
    with suppress(ConfigError):
        load_settings(environ)


def test_operator_endpoints_are_off_unless_said() -> None:
    """Without App Service authentication in front the header that they trust could be forged."""
    assert load_settings(EMULATOR).operator_endpoints is OperatorEndpoints.OFF
    on = {**EMULATOR, "XTSYNC_OPERATOR_ENDPOINTS": "entra"}
    assert load_settings(on).operator_endpoints is OperatorEndpoints.ENTRA
    assert load_settings({**on, "WEBSITE_AUTH_ENABLED": "True"}).operator_endpoints is OperatorEndpoints.ENTRA


@pytest.mark.parametrize("said", ["False", "false", "", "0"])
def test_authentication_switched_off_by_hand_closes_the_endpoints(said: str) -> None:
    """The platform's own word counts more than our setting."""
    environ = {**EMULATOR, "XTSYNC_OPERATOR_ENDPOINTS": "entra", "WEBSITE_AUTH_ENABLED": said}
    assert load_settings(environ).operator_endpoints is OperatorEndpoints.OFF


@pytest.mark.parametrize(
    ("environ", "identity"),
    [
        ({}, False),
        ({"IDENTITY_ENDPOINT": "http://localhost:4141"}, True),
        ({"AzureWebJobsStorage__credential": "managedidentity"}, True),
    ],
)
def test_who_opens_the_storage(environ: dict[str, str], identity: bool) -> None:
    """The managed identity where there is one or where it is asked for; a person at a laptop otherwise."""
    settings = load_settings({**IDENTITY, **environ})
    assert settings.has_identity is identity
    kind = ManagedIdentityCredential if identity else AzureCliCredential
    assert type(Identities(settings).of_storage()) is kind


@pytest.mark.parametrize("name", ["Record", "re", "record_1", "-record", "record--1", "https://a.example/record"])
def test_a_container_is_named_as_azure_has_it(name: str) -> None:
    """A name of the same account, and no address of another one."""
    assert "XTSYNC_RECORD_CONTAINER" in faults({**EMULATOR, "XTSYNC_RECORD_CONTAINER": name})


def test_a_copy_of_the_record_needs_an_address() -> None:
    """Of the account, or of its blobs alone; with keys the connection string has it."""
    by_queue = {**IDENTITY, "AzureWebJobsStorage__accountName": "", "AzureWebJobsStorage__queueServiceUri": "https://q"}
    wanted = {**by_queue, "XTSYNC_RECORD_CONTAINER": "record"}
    assert list(faults(wanted)) == ["AzureWebJobsStorage__blobServiceUri"]
    found = load_settings({**wanted, "AzureWebJobsStorage__blobServiceUri": "https://b/"})
    assert (found.record_container, found.blob_endpoint) == ("record", "https://b")
    found = load_settings({**IDENTITY, "XTSYNC_RECORD_CONTAINER": "record"})
    assert found.blob_endpoint == "https://store.blob.core.windows.net"
    assert load_settings(EMULATOR).record_container == ""
