"""What deployment and code say of each other: settings, queues, tables, paths, roles, and the events in queries.

The Bicep files are read as text, by their shape: names at the beginning of lines, literals in quotes.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync_core.config.settings import Settings
from sync_core.model.messages import WORK_QUEUES, poison_queue
from sync_core.ops.doctor.token import least_roles
from sync_core.ops.principal import Role
from sync_core.ports import Side
from sync_core.storage.queues import ALL_QUEUES
from sync_core.storage.repositories import TABLES

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
HOSTING = (INFRA / "modules" / "hosting.bicep").read_text()
STORAGE = (INFRA / "modules" / "storage.bicep").read_text()
ALERTS = (INFRA / "modules" / "alerts.bicep").read_text()
WORKBOOK = (INFRA / "workbook.json").read_text()
APP = (ROOT / "function_app.py").read_text()
QUERIES = {path.name: path.read_text() for path in sorted((INFRA / "queries").glob("*.kql"))}

# --- settings that are not everywhere, and why ------------------------------------------------------------------

LOCAL_ONLY = {
    "AzureWebJobsStorage": "a connection string, which is Azurite's; in Azure shared keys are off",
    "FUNCTIONS_WORKER_RUNTIME": "Core Tools need it; Flex Consumption refuses it, functionAppConfig says it",
    "XTSYNC_GRAPH_URL": "the emulator's",
    "XTSYNC_PUBLIC_URL": "in Azure WEBSITE_HOSTNAME serves",
}
AZURE_ONLY = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "read by the host",
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "read by the host",
    "AzureWebJobsStorage__blobServiceUri": "read by the host: identity instead of keys",
    "AzureWebJobsStorage__clientId": "identity instead of keys",
    "AzureWebJobsStorage__credential": "identity instead of keys",
    "AzureWebJobsStorage__queueServiceUri": "identity instead of keys",
    "AzureWebJobsStorage__tableServiceUri": "identity instead of keys",
    "XTSYNC_ACTIVITY_DAYS": "nobody runs the emulator for a year",
    "XTSYNC_IDENTITY_CLIENT_ID": "the emulator takes anybody",
    "XTSYNC_OPERATOR_ENDPOINTS": "no App Service authentication is in front of the local host",
    "XTSYNC_SOURCE_CLIENT_ID": "the emulator takes anybody",
    "XTSYNC_TARGET_CLIENT_ID": "the emulator takes anybody",
    "XTSYNC_WRITE_BUDGET": "the emulator has the default",
}
SET_BY_NEITHER = {
    "AzureWebJobsStorage__accountName": "the shorter form of the three addresses that Bicep sets",
    "IDENTITY_ENDPOINT": "Azure's own, where there is a managed identity",
    "XTSYNC_CERTIFICATE_PATH": "for a deployment without a managed identity",
    "XTSYNC_CLIENT_SECRET": "for a deployment without a managed identity",
}
# https://learn.microsoft.com/azure/azure-functions/functions-app-settings#flex-consumption-plan-deprecations
REFUSED_BY_FLEX = re.compile(
    r"ENABLE_ORYX_BUILD|FUNCTIONS_EXTENSION_VERSION|FUNCTIONS_WORKER_RUNTIME\w*|FUNCTIONS_WORKER_PROCESS_COUNT|"
    r"FUNCTIONS_MAX_HTTP_CONCURRENCY|SCM_DO_BUILD_DURING_DEPLOYMENT|WEBSITE_CONTENT\w+|WEBSITE_NODE_DEFAULT_VERSION|"
    r"WEBSITE_RUN_FROM_PACKAGE|WEBSITE_SKIP_CONTENTSHARE_VALIDATION|WEBSITE_VNET_ROUTE_ALL|WEBSITE_TIME_ZONE|TZ|"
    r"linuxFxVersion|XDT_\w+"
)

# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
# https://learn.microsoft.com/graph/permissions-reference
KNOWN_ROLES = {
    "Group.Read.All": "5b567255-7703-4780-807c-7be8301ae99b",
    "GroupMember.Read.All": "98830695-27a2-44f7-8c18-0c3ebc9698f6",
    "MonitoringMetricsPublisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "StorageBlobDataOwner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "StorageQueueDataContributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "StorageTableDataContributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    "User.DeleteRestore.All": "eccc023d-eccf-4e7b-9683-8813ab36cecc",
    "User.Invite.All": "09850681-111b-4a89-9bed-3f2cae46d706",
    "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
    "User.ReadWrite.All": "741f803b-c850-494e-b5df-cde7c675a1ca",
}


def test_the_deployment_sets_what_the_code_reads() -> None:
    """And nothing else: a setting that nobody reads is one that somebody will trust."""
    assert deployed_settings() == (read_by_code() | set(AZURE_ONLY)) - set(LOCAL_ONLY) - set(SET_BY_NEITHER)


def test_the_local_example_sets_what_the_code_reads() -> None:
    """What is only for Azure, or for neither, is listed with its reason."""
    assert local_settings() == (read_by_code() | set(LOCAL_ONLY)) - set(AZURE_ONLY) - set(SET_BY_NEITHER)


def test_no_setting_is_listed_twice() -> None:
    """Each exception is one kind of exception."""
    lists = (set(LOCAL_ONLY), set(AZURE_ONLY), set(SET_BY_NEITHER))
    assert len(set.union(*lists)) == sum(map(len, lists))


def test_flex_consumption_refuses_none_of_the_settings() -> None:
    """A deployment with one of them fails."""
    assert not [name for name in deployed_settings() if REFUSED_BY_FLEX.fullmatch(name)]
    assert "linuxFxVersion" not in HOSTING


def test_schedules_are_the_same_in_azure_and_locally() -> None:
    """The alerts' windows are chosen for them."""
    values = json.loads((ROOT / "local.settings.json.example").read_text())["Values"]
    main = (INFRA / "main.bicep").read_text()
    for parameter, setting in (("pollSchedule", "POLL_SCHEDULE"), ("subscriptionSchedule", "SUBSCRIPTION_SCHEDULE")):
        assert values[setting] == literal(main, rf"param {parameter} string = ")


def test_the_default_write_budget_is_the_code_s() -> None:
    """One number, in two places that must agree."""
    writes, seconds = Settings.model_fields["write_budget"].default
    assert literal((INFRA / "main.bicep").read_text(), "param writeBudget string = ") == f"{writes}/{seconds}"


def test_bicep_makes_every_queue_and_its_poison_queue() -> None:
    """A missing queue would be made by the host, a missing poison queue only when it is needed first."""
    work = items(STORAGE, "workQueues")
    assert work == list(WORK_QUEUES)
    assert "map(workQueues, each => '${each}-poison')" in STORAGE
    assert {*work, *map(poison_queue, work)} == set(ALL_QUEUES)


def test_bicep_makes_every_table() -> None:
    """Nothing in the code creates them in Azure."""
    assert items(STORAGE, "tables") == list(TABLES)


def test_only_graph_s_paths_and_health_are_public() -> None:
    """Every other route, also one that is yet to be written, needs a token."""
    public = {f"/api/{route}" for route in re.findall(r'route="([^"]+)"', APP) if not route.startswith("ops/")}
    assert set(items(HOSTING, "excludedPaths")) == public


def test_the_operator_endpoints_are_on_only_behind_authentication() -> None:
    """The header that they trust is worth something only where App Service puts it there."""
    assert "  XTSYNC_OPERATOR_ENDPOINTS: 'entra'\n" in HOSTING
    settings = re.search(r"^resource settings .*?^\}", HOSTING, re.DOTALL | re.MULTILINE)
    assert settings is not None
    assert "dependsOn: [authentication]" in settings[0]
    assert "requireAuthentication: true" in HOSTING


def test_the_operators_registration_has_the_code_s_roles() -> None:
    """By the value that the claim has."""
    operators = (INFRA / "modules" / "operators.bicep").read_text()
    assert set(re.findall(r"^      value: '(\w+)'$", operators, re.MULTILINE)) == set(Role)


def test_the_doctor_asks_for_the_deployed_roles() -> None:
    """No more, and no fewer, than an administrator is asked to grant."""
    text = (INFRA / "roles.bicep").read_text()

    def granted(name: str) -> set[str]:
        block = re.search(rf"var {name} = \{{\n(.*?)^\}}", text, re.DOTALL | re.MULTILINE)
        assert block is not None
        return set(re.findall(r"^  '([\w.]+)':", block[1], re.MULTILINE))

    assert set(least_roles(Side.SOURCE)) == granted("sourceRoles")
    assert set(least_roles(Side.SOURCE, groups=True)) == granted("sourceRoles") | granted("groupRoles")
    assert set(least_roles(Side.TARGET, groups=True)) == granted("targetRoles")


def test_roles_have_the_ids_that_are_known() -> None:
    """A wrong id grants something else."""
    roles = re.findall(r"^  '?([\w.]+)'?: '([0-9a-f-]{36})'$", (INFRA / "roles.bicep").read_text(), re.MULTILINE)
    assert dict(roles) == KNOWN_ROLES
    elsewhere = "".join(path.read_text() for path in INFRA.rglob("*.bicep") if path.name != "roles.bicep")
    assert not [name for name, role in roles if role in elsewhere]


def test_every_role_assignment_names_the_kind_of_principal() -> None:
    """Without it, a new identity that has not spread through Entra yet makes the deployment fail."""
    for path in INFRA.rglob("*.bicep"):
        text = path.read_text()
        assert text.count("Microsoft.Authorization/roleAssignments@") == text.count("principalType: 'ServicePrincipal'")


def test_storage_and_telemetry_take_no_keys() -> None:
    """What opens them is an Entra token, and nothing that can be copied."""
    monitoring = (INFRA / "modules" / "monitoring.bicep").read_text()
    assert "allowSharedKeyAccess: false" in STORAGE
    assert "allowBlobPublicAccess: false" in STORAGE
    assert "minimumTlsVersion: 'TLS1_2'" in STORAGE
    assert "DisableLocalAuth: true" in monitoring
    assert "disableLocalAuth: true" in monitoring
    everything = "".join(path.read_text() for path in INFRA.rglob("*.bicep"))
    assert not re.search(r"listKeys|AccountKey|passwordCredentials|keyCredentials|SharedAccessKey", everything)


def test_queries_name_only_events_that_the_code_logs() -> None:
    """An alert on an event that nobody logs is never going to fire, or always."""
    assert queried_events() <= set(logged_events())


def test_queries_extract_only_fields_that_the_events_have() -> None:
    """A renamed field would leave the alert silent."""
    logged = logged_events()
    for name, query in every_query():
        families = tuple(re.findall(r'startswith "([a-z_]+\.)"', query))
        events = events_in(query) | {event for event in logged if event.startswith(families)}
        known = {field for event in events for field in logged[event]}
        assert set(re.findall(r'@"(\w+)=', query)) <= known, name


@pytest.mark.parametrize("name", QUERIES)
def test_an_alert_s_query_names_its_subject(name: str) -> None:
    """The rules split by `subject`, and count rows: each row is one thing in trouble."""
    assert "subject" in QUERIES[name]
    assert ALERTS.count(f"queries/{name}'") == 1


def test_every_placeholder_of_a_query_is_filled_in() -> None:
    """KQL has no complaint about a name that it does not know until the alert runs."""
    for query in QUERIES.values():
        for placeholder in re.findall(r"__[A-Z_]+__", query):
            assert f"'{placeholder}'" in ALERTS


def test_every_alert_is_explained() -> None:
    """And none is explained that does not exist."""
    explained = re.findall(r"^\| `([\w-]+)` \|", section("Alerts"), re.MULTILINE)
    assert explained == re.findall(r"^    name: '([\w-]+)'$", ALERTS, re.MULTILINE)


def test_every_permission_is_explained() -> None:
    """What an administrator is asked to grant stands on the page with its reason, and nothing besides."""
    explained = re.findall(r"^\| `([\w.]+)` \|", section("Permissions"), re.MULTILINE)
    assert sorted(explained) == sorted(KNOWN_ROLES)


def test_the_package_leaves_out_what_is_never_imported() -> None:
    """And leaves in what is."""
    ignored = {line for line in (ROOT / ".funcignore").read_text().splitlines() if not line.startswith("#")}
    assert {"bench", "docs", "infra", "local", "tests", ".venv", "local.settings.json"} <= ignored
    needed = {"function_app.py", "host.json", "requirements.txt", "sync.yaml", "sync_core"}
    needed |= {part for path in (ROOT / "sync_core").rglob("*.py") for part in path.relative_to(ROOT).parts}
    assert not needed & ignored


def test_actions_are_pinned_by_commit() -> None:
    """A tag can be moved."""
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        for action in re.findall(r"uses: (\S+)", path.read_text()):
            assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", action), action


# --- reading ----------------------------------------------------------------------------------------------------


def read_by_code() -> set[str]:
    """Aliases of Settings, and the settings that triggers name as %NAME%."""
    return {str(field.alias) for field in Settings.model_fields.values()} | set(re.findall(r"%(\w+)%", APP))


def deployed_settings() -> set[str]:
    block = re.search(r"^var appSettings = \{\n(.*?)^\}", HOSTING, re.DOTALL | re.MULTILINE)
    assert block is not None
    return set(re.findall(r"^  (\w+):", block[1], re.MULTILINE))


def local_settings() -> set[str]:
    return set(json.loads((ROOT / "local.settings.json.example").read_text())["Values"])


def items(bicep: str, name: str) -> list[str]:
    """The texts of a list that has one on each line."""
    block = re.search(rf"{name}(?: =|:) \[\n(.*?)\n\s*\]", bicep, re.DOTALL)
    assert block is not None, name
    return re.findall(r"'([^']+)'", block[1])


def section(title: str) -> str:
    """Of docs/deploy.md, up to the next heading."""
    found = re.search(
        rf"^## {title}\n(.*?)(?=^## |\Z)", (ROOT / "docs" / "deploy.md").read_text(), re.DOTALL | re.MULTILINE
    )
    assert found is not None, title
    return found[1]


def literal(bicep: str, before: str) -> str:
    found = re.search(rf"^{before}'([^']+)'", bicep, re.MULTILINE)
    assert found is not None, before
    return found[1]


def logged_events() -> dict[str, set[str]]:
    """Event names in the log calls of the code, and the fields of each: `log.info("feed.completed tenant=%s ...")`."""
    events: dict[str, set[str]] = {}
    for path in (ROOT / "function_app.py", *(ROOT / "sync_core").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="log")), args=[ast.Constant(value=str(text)), *_]
                ) if event := re.match(r"[a-z_]+\.[a-z_]+", text):
                    events.setdefault(event[0], set()).update(re.findall(r"(\w+)=%", text))
    return events


def every_query() -> Iterator[tuple[str, str]]:
    yield from QUERIES.items()
    for item in json.loads(WORKBOOK)["items"]:
        if "query" in item["content"]:
            yield item["name"], item["content"]["query"]


def events_in(query: str) -> set[str]:
    """Whole event names; `startswith "feed."` names a family, and no event."""
    return set(re.findall(r'startswith "([a-z_]+\.[a-z_]+) "', query))


def queried_events() -> set[str]:
    return {event for _, query in every_query() for event in events_in(query)}
