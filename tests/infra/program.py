"""What the program needs of its deployment: settings, queues, tables, paths, roles. And the events that it logs."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache

from sync_core.config.settings import Settings
from sync_core.ops.doctor.token import least_roles
from sync_core.ops.principal import Role
from sync_core.ports import Side
from sync_core.storage.queues import ALL_QUEUES
from sync_core.storage.repositories import TABLES
from tools.infra import ROOT

APP = (ROOT / "function_app.py").read_text(encoding="utf-8")
PYTHON = re.search(r'requires-python = ">=(\d+\.\d+)', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))

# --- settings that are not everywhere, and why ------------------------------------------------------------------

LOCAL_ONLY = {
    "AzureWebJobsStorage": "a connection string, which is Azurite's; in Azure shared keys are off",
    "FUNCTIONS_WORKER_RUNTIME": "Core Tools need it; Flex Consumption refuses it, functionAppConfig says it",
    "XTSYNC_GRAPH_URL": "the emulator's",
    "XTSYNC_PUBLIC_URL": "in Azure WEBSITE_HOSTNAME serves",
}
AZURE_ONLY = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "read by the host",
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "read by the host, and by the app if telemetry goes there",
    "AzureWebJobsStorage__blobServiceUri": "read by the host, and for the copy of the record: identity instead of keys",
    "AzureWebJobsStorage__clientId": "identity instead of keys",
    "AzureWebJobsStorage__credential": "identity instead of keys",
    "AzureWebJobsStorage__queueServiceUri": "identity instead of keys",
    "AzureWebJobsStorage__tableServiceUri": "identity instead of keys",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "nobody has a collector beside the emulator",
    "XTSYNC_ACTIVITY_DAYS": "nobody runs the emulator for a year",
    "XTSYNC_IDENTITY_CLIENT_ID": "the emulator takes anybody",
    "XTSYNC_OPERATOR_ENDPOINTS": "no App Service authentication is in front of the local host",
    "XTSYNC_RECORD_CONTAINER": "off is the default",
    "XTSYNC_SOURCE_CLIENT_ID": "the emulator takes anybody",
    "XTSYNC_TARGET_CLIENT_ID": "the emulator takes anybody",
    "XTSYNC_TELEMETRY": "off is the default",
    "XTSYNC_TELEMETRY_RATIO": "telemetry is off",
    "XTSYNC_WRITE_BUDGET": "the emulator has the default",
}
SET_BY_NEITHER = {
    "AzureWebJobsStorage__accountName": "the shorter form of the three addresses that Bicep sets",
    "IDENTITY_ENDPOINT": "Azure's own, where there is a managed identity",
    "XTSYNC_CERTIFICATE_PATH": "for a deployment without a managed identity",
    "XTSYNC_CLIENT_SECRET": "for a deployment without a managed identity",
    "XTSYNC_NOTIFY_": "the beginning of names that sync.yaml chooses",
}

# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
AZURE_ROLES = {
    "MonitoringMetricsPublisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "StorageBlobDataContributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "StorageBlobDataOwner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "StorageQueueDataContributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "StorageTableDataContributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
}
# https://learn.microsoft.com/graph/permissions-reference
GRAPH_ROLES = {
    "Group.Read.All": "5b567255-7703-4780-807c-7be8301ae99b",
    "GroupMember.Read.All": "98830695-27a2-44f7-8c18-0c3ebc9698f6",
    "User.DeleteRestore.All": "eccc023d-eccf-4e7b-9683-8813ab36cecc",
    "User.Invite.All": "09850681-111b-4a89-9bed-3f2cae46d706",
    "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
    "User.ReadWrite.All": "741f803b-c850-494e-b5df-cde7c675a1ca",
}

QUEUES = set(ALL_QUEUES)
STATE_TABLES = set(TABLES)
OPERATOR_ROLES = {str(role) for role in Role}
WRITE_BUDGET = "{}/{}".format(*Settings.model_fields["write_budget"].default)


def read_settings() -> set[str]:
    """Aliases of Settings, and the settings that triggers name as %NAME%."""
    return {str(field.alias) for field in Settings.model_fields.values()} | set(re.findall(r"%(\w+)%", APP))


def local_settings() -> dict[str, str]:
    return dict(json.loads((ROOT / "local.settings.json.example").read_text(encoding="utf-8"))["Values"])


def public_paths() -> set[str]:
    """Of the routes those that no operator calls: Graph's and the health page."""
    routes = re.findall(r'route="([^"]+)"', APP)
    return {f"/api/{route}" for route in routes if route.split("/")[0] != "ops"}


def graph_roles(which: str, *, groups: bool) -> set[str]:
    """What the doctor looks for, and where groups are read also what lets Graph notify of them."""
    side = Side.SOURCE if which == "source" else Side.TARGET
    notified = {"Group.Read.All"} if groups and side is Side.SOURCE else set()
    return set(least_roles(side, groups=groups)) | notified


def functions() -> set[str]:
    """By the names that AppRequests has: those of the functions that a decorator of the app stands above."""
    return {
        node.name
        for node in ast.parse(APP).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.decorator_list
    }


@cache
def logged_events() -> dict[str, set[str]]:
    """Event names in the log calls of the code, and the fields of each: `log.info("feed.completed tenant=%s ...")`."""
    events: dict[str, set[str]] = {}
    for path in (ROOT / "function_app.py", *(ROOT / "sync_core").rglob("*.py")):
        for text in _logged_texts(path.read_text(encoding="utf-8")):
            if event := re.match(r"[a-z_]+\.[a-z_]+", text):
                events.setdefault(event[0], set()).update(re.findall(r"(\w+)=%", text))
    return events


def _logged_texts(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="log")), args=[ast.Constant(value=str(text)), *_]):
                yield text
