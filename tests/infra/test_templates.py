"""The templates themselves, where a compiler is at hand: no diagnostic, formatted, and as their snapshots say."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools.bicep import Compiler, CompilerError
from tools.infra import INFRA, ROOT, bicep_files, diagnostics, parameter_files, snapshot_of

from .checks import faults
from .snapshots import Deployment


def test_the_compiler_has_nothing_to_say(compiler: Compiler) -> None:
    """Not even a warning, under the rules of bicepconfig.json."""
    assert list(map(str, diagnostics(compiler))) == []


@pytest.mark.parametrize("path", [*bicep_files(), *parameter_files()], ids=lambda path: path.name)
def test_a_template_is_formatted(compiler: Compiler, path: Path) -> None:
    """`make infra` formats them."""
    assert compiler.formatted(path) == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", parameter_files(), ids=lambda path: path.stem)
def test_a_snapshot_is_what_the_templates_evaluate_to(compiler: Compiler, path: Path) -> None:
    """A stale one would be checked in the place of what is deployed: `make infra` writes them anew."""
    stale = f"{snapshot_of(path).name} is stale: run `make infra`"
    assert compiler.snapshot(path) == snapshot_of(path).read_text(encoding="utf-8"), stale


def test_a_snapshot_that_somebody_edited_is_found(compiler: Compiler) -> None:
    """The comparison above is of every property."""
    (plain, *_) = parameter_files()
    edited = snapshot_of(plain).read_text(encoding="utf-8").replace('"TLS1_2"', '"TLS1_0"')
    assert compiler.snapshot(plain) != edited


def test_each_side_signs_in_as_its_own_app(compiler: Compiler) -> None:
    """In a snapshot the client ids of both registrations are one expression: the template still tells them apart."""
    assert _wiring(compiler, parameter_files()[0]) == {
        "sourceClientId": "[reference('source').outputs.clientId.value]",
        "targetClientId": "[reference('target').outputs.clientId.value]",
        "operatorsClientId": "[reference('operators').outputs.clientId.value]",
    }


def _wiring(compiler: Compiler, parameters: Path) -> dict[str, str]:
    hosting = compiler.template(parameters)["resources"]["hosting"]["properties"]["parameters"]
    return {name: each["value"] for name, each in hosting.items() if name.endswith("ClientId") and name[0] in "sto"}


# --- faults that are planted in the templates, and the sentences by which the checks name them ---------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    path: str
    old: str
    new: str
    told: str
    snapshot: str = "plain"


HOSTING, STORAGE, ALERTS = "modules/hosting.bicep", "modules/storage.bicep", "modules/alerts.bicep"
PLANTED = {
    "a queue is misspelt": Planted(
        path=STORAGE, old="'feed-pages'", new="'feed-page'", told="queue feed-pages-poison is not made"
    ),
    "poison queues are forgotten": Planted(
        path=STORAGE,
        old="union(workQueues, map(workQueues, each => '${each}-poison'))",
        new="workQueues",
        told="queue user-changes-poison is not made",
    ),
    "a table is dropped": Planted(path=STORAGE, old="  'guards'\n", new="", told="table guards is not made"),
    "a table is left over": Planted(
        path=STORAGE, old="  'guards'\n", new="  'guards'\n  'old'\n", told="table old is made, and nobody uses it"
    ),
    "a setting is dropped": Planted(
        path=HOSTING,
        old="  XTSYNC_CONFIG: '/home/site/wwwroot/sync.yaml'\n",
        new="",
        told="setting XTSYNC_CONFIG is read and not set",
    ),
    "a setting is misspelt": Planted(
        path=HOSTING,
        old="  XTSYNC_CREDENTIAL:",
        new="  XTSYNC_CREDENTIALS:",
        told="setting XTSYNC_CREDENTIALS is set, and nobody reads it",
    ),
    "a setting that Flex Consumption refuses": Planted(
        path=HOSTING,
        old="  POLL_SCHEDULE: pollSchedule\n",
        new="  POLL_SCHEDULE: pollSchedule\n  FUNCTIONS_WORKER_RUNTIME: 'python'\n",
        told="Flex Consumption refuses the setting FUNCTIONS_WORKER_RUNTIME",
    ),
    "two endpoints are swapped": Planted(
        path=HOSTING,
        old="AzureWebJobsStorage__queueServiceUri: storageEndpoints.queue",
        new="AzureWebJobsStorage__queueServiceUri: storageEndpoints.table",
        told="setting AzureWebJobsStorage__queueServiceUri is",
    ),
    "the poll is slowed down": Planted(
        path="main.bicep", old="'0 */5 * * * *'", new="'0 0 * * * *'", told="setting POLL_SCHEDULE is 0 0 * * * *"
    ),
    "a path is opened": Planted(
        path=HOSTING, old="'/api/health'\n", new="'/api/health'\n        '/api/ops/*'\n", told="path /api/ops/* is open"
    ),
    "the webhook is closed": Planted(
        path=HOSTING,
        old="        '/api/graph/notifications'\n",
        new="",
        told="path /api/graph/notifications asks Graph for a token",
    ),
    "anonymous callers are let in": Planted(
        path=HOSTING,
        old="'Return401'",
        new="'AllowAnonymous'",
        told="the answer without a token: AllowAnonymous instead of Return401",
    ),
    "a sign-in that ends elsewhere": Planted(
        path="main.bicep",
        old="/.auth/login/aad/callback",
        new="/api/health",
        told="where the sign-in to the page ends",
    ),
    "keys are allowed": Planted(
        path=STORAGE,
        old="allowSharedKeyAccess: false",
        new="allowSharedKeyAccess: true",
        told="whether storage takes keys: True instead of False",
    ),
    "a property stands in the wrong place": Planted(
        path="modules/monitoring.bicep",
        old="features: { disableLocalAuth: true, ",
        new="features: { ",
        told="whether logs need Entra: None instead of True",
    ),
    "passwords for deploying": Planted(
        path=HOSTING,
        old="  name: 'scm'\n  properties: { allow: false }",
        new="  name: 'scm'\n  properties: { allow: true }",
        told="passwords are allowed for scm",
    ),
    "a wrong role": Planted(
        path="roles.bicep",
        old="974c5e8b-45b9-4653-ba55-5f855dd0fb88",
        new="8e3af657-a8ff-443c-a75c-2fe8c4bcb635",  # Owner
        told="role 8e3af657-a8ff-443c-a75c-2fe8c4bcb635 on",
    ),
    "a wrong scope": Planted(
        path=STORAGE,
        old="    scope: account\n",
        new="",
        told="role StorageBlobDataOwner on /subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-x",
    ),
    "somebody else's role": Planted(
        path="main.bicep",
        old="    principalId: identity.outputs.principalId\n    publicAccess",
        new="    principalId: principalId\n    publicAccess",
        told="role StorageTableDataContributor is assigned to somebody else than the app's identity",
    ),
    "a role without the kind of principal": Planted(
        path="modules/monitoring.bicep",
        old="      principalType: 'ServicePrincipal'\n",
        new="",
        told="role MonitoringMetricsPublisher is assigned without the kind of principal",
    ),
    "a permission too many": Planted(
        path="main.bicep",
        old="items(union(sourceRoles, readGroups ?",
        new="items(union(sourceRoles, targetRoles, readGroups ?",
        told="source permission User.ReadWrite.All is asked for, and not needed",
    ),
    "anybody may sign in as the app": Planted(
        path="modules/registration.bicep",
        old="    subject: identityPrincipalId\n",
        new="    subject: '${identityPrincipalId}-old'\n",
        told="who may sign in as xtsync-source-",
    ),
    "operators need not be assigned": Planted(
        path="modules/operators.bicep",
        old="appRoleAssignmentRequired: true",
        new="appRoleAssignmentRequired: false",
        told="whether operators have to be assigned: False instead of True",
    ),
    "a role that the code does not know": Planted(
        path="modules/operators.bicep",
        old="value: 'Reader'",
        new="value: 'Viewer'",
        told="operator role Viewer is unknown to the code",
    ),
    "an alert on an event that nobody logs": Planted(
        path="queries/users-parked.kql",
        old='"sync.measured "',
        new='"sync.counted "',
        told="alert users-parked asks for the event sync.counted, which nobody logs",
    ),
    "an alert on a field that is not there": Planted(
        path="queries/deletions-held.kql",
        old="held=(",
        new="waiting=(",
        told="alert deletions-held asks for the field waiting",
    ),
    "a chart of an event that nobody logs": Planted(
        path="workbook.json",
        old='\\"user.again \\"',
        new='\\"user.retried \\"',
        told="chart again asks for the event user.retried",
    ),
    "a placeholder is left": Planted(
        path=ALERTS,
        old="replace(rule.query, '__SOURCE_TENANTS__', string(sourceTenants))",
        new="replace(rule.query, '__TENANTS__', string(sourceTenants))",
        told="alert no-live-subscription has a placeholder that nobody filled in: __SOURCE_TENANTS__",
    ),
    "an alert that is off": Planted(
        path=ALERTS,
        old="      enabled: true\n      scopes",
        new="      enabled: rule.name != 'latency'\n      scopes",
        told="alert latency is on: False instead of True",
    ),
    "nobody gets the mail": Planted(
        path=ALERTS,
        old="empty(email) ? [] : [operators.id]",
        new="[]",
        told="alert deletions-held tells: [] instead of",
        snapshot="private",
    ),
    "a window that is too short": Planted(
        path=ALERTS, old="window: 'PT2H'", new="window: 'PT10M'", told="alert no-live-subscription looks back 0:10:00"
    ),
    "a record that anybody can change": Planted(
        path="modules/storage.bicep",
        old="allowProtectedAppendWrites: true",
        new="allowProtectedAppendWritesAll: true",
        told="whether blocks can be added to the record: None instead of True",
        snapshot="private",
    ),
    "a role on every blob for the sake of the record": Planted(
        path="modules/storage.bicep",
        old="scope: record\n",
        new="scope: account\n",
        told="role StorageBlobDataContributor on",
        snapshot="private",
    ),
    "storage stays public beside the network": Planted(
        path="main.bicep",
        old="publicAccess: !vnetEnabled",
        new="publicAccess: true",
        told="storage's public address: ('Enabled', 'Allow') instead of ('Disabled', 'Deny')",
        snapshot="private",
    ),
    "a service without a private endpoint": Planted(
        path="modules/network.bicep",
        old="['blob', 'queue', 'table']",
        new="['blob', 'queue']",
        told="private endpoint table is not made",
        snapshot="private",
    ),
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The templates, to plant a fault in. A new folder each time: the compiler remembers the texts that it loads."""
    shutil.copytree(INFRA, tmp_path / "infra")
    shutil.copy(ROOT / "sync.yaml", tmp_path)
    return tmp_path / "infra"


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found(compiler: Compiler, copy: Path, name: str) -> None:
    """By a check, in a sentence that names it."""
    planted = PLANTED[name]
    _plant(copy / planted.path, planted.old, planted.new)
    found = faults(Deployment(compiler.snapshot(copy / "snapshots" / f"{planted.snapshot}.bicepparam")))
    assert [each for each in found if each.startswith(planted.told)], found


def test_client_ids_that_are_swapped_are_found(compiler: Compiler, copy: Path) -> None:
    """The one fault that a snapshot cannot show."""
    _plant(copy / "main.bicep", "sourceClientId: source.", "sourceClientId: target.")
    wiring = _wiring(compiler, copy / "snapshots" / "plain.bicepparam")
    assert wiring["sourceClientId"] == "[reference('target').outputs.clientId.value]"


def test_receivers_of_notices_are_read_from_the_vault(compiler: Compiler, copy: Path) -> None:
    """Each setting that sync.yaml names refers to the secret of its name, in which no underscore is allowed."""
    sync_yaml = copy.parent / "sync.yaml"
    hook = "{ webhook: XTSYNC_NOTIFY_HOOK, secret: XTSYNC_NOTIFY_KEY }"
    receivers = f"notify: [{{ teams: XTSYNC_NOTIFY_TEAMS }}, {hook}]\n"
    sync_yaml.write_text(sync_yaml.read_text(encoding="utf-8") + receivers, encoding="utf-8")
    settings = Deployment(compiler.snapshot(copy / "snapshots" / "private.bicepparam")).settings
    vault = "@Microsoft.KeyVault(VaultName=contoso-notices;SecretName={})"
    assert {name: value for name, value in settings.items() if name.startswith("XTSYNC_NOTIFY_")} == {
        "XTSYNC_NOTIFY_TEAMS": vault.format("XTSYNC-NOTIFY-TEAMS"),
        "XTSYNC_NOTIFY_HOOK": vault.format("XTSYNC-NOTIFY-HOOK"),
        "XTSYNC_NOTIFY_KEY": vault.format("XTSYNC-NOTIFY-KEY"),
    }
    plain = Deployment(compiler.snapshot(copy / "snapshots" / "plain.bicepparam")).settings
    assert [name for name in plain if name.startswith("XTSYNC_NOTIFY_")] == []


def test_what_does_not_compile_is_told(compiler: Compiler, copy: Path) -> None:
    """The compiler's process survives it, and the next question is answered."""
    _plant(copy / HOSTING, "httpsOnly: true", "httpsOnly true")
    with pytest.raises(CompilerError, match="getSnapshot"):
        compiler.snapshot(copy / "snapshots" / "plain.bicepparam")
    assert [str(each) for each in compiler.diagnostics(copy / "main.bicep") if each.path.name == "hosting.bicep"]
    _plant(copy / HOSTING, "httpsOnly true", "httpsOnly: true")
    assert faults(Deployment(compiler.snapshot(copy / "snapshots" / "plain.bicepparam"))) == []


def _plant(path: Path, old: str, new: str) -> None:
    sound = path.read_text(encoding="utf-8")
    assert old in sound, f"{path.name} has no place for this fault any more"
    path.write_text(sound.replace(old, new), encoding="utf-8")
