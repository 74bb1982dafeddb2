"""What has to be true of every deployment: each check gives a sentence for each fault that it finds in a snapshot."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta

from . import program
from .snapshots import Deployment, Resource

type Faults = Iterator[str]
type Check = Callable[[Deployment], Faults]

# https://learn.microsoft.com/azure/azure-functions/functions-app-settings#flex-consumption-plan-deprecations
_REFUSED_BY_FLEX = re.compile(
    r"ENABLE_ORYX_BUILD|FUNCTIONS_EXTENSION_VERSION|FUNCTIONS_WORKER_RUNTIME\w*|FUNCTIONS_WORKER_PROCESS_COUNT|"
    r"FUNCTIONS_MAX_HTTP_CONCURRENCY|SCM_DO_BUILD_DURING_DEPLOYMENT|WEBSITE_CONTENT\w+|WEBSITE_NODE_DEFAULT_VERSION|"
    r"WEBSITE_RUN_FROM_PACKAGE|WEBSITE_SKIP_CONTENTSHARE_VALIDATION|WEBSITE_VNET_ROUTE_ALL|WEBSITE_TIME_ZONE|TZ|"
    r"linuxFxVersion|XDT_\w+"
)
_IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"
_STORAGE = "Microsoft.Storage/storageAccounts"
_POLICY = f"{_STORAGE}/blobServices/containers/immutabilityPolicies"
_COMPONENT = "Microsoft.Insights/components"
_SERVICES = ("blob", "queue", "table")


# --- the app ----------------------------------------------------------------------------------------------------


def settings(d: Deployment) -> Faults:
    """Exactly those that the code or the host reads: one that nobody reads is one that somebody will trust."""
    wanted = (program.read_settings() | set(program.AZURE_ONLY)) - set(program.LOCAL_ONLY) - set(program.SET_BY_NEITHER)
    yield from _differ(
        "setting", wanted, set(d.settings), missing="is read and not set", extra="is set, and nobody reads it"
    )
    yield from (
        f"Flex Consumption refuses the setting {name}" for name in d.settings if _REFUSED_BY_FLEX.fullmatch(name)
    )


def values_of_settings(d: Deployment) -> Faults:
    """Those that have to agree with something else."""
    local = program.local_settings()
    identity = f"reference('{d.one(_IDENTITY)['id']}', '{d.one(_IDENTITY)['apiVersion']}')"
    account = f"reference('{d.one(_STORAGE)['id']}', '{d.one(_STORAGE)['apiVersion']}')"
    telemetry = f"[format('ClientId={{0}};Authorization=AAD', {identity}.clientId)]"
    wanted = {
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": telemetry,
        "AzureWebJobsStorage__clientId": f"[{identity}.clientId]",
        "AzureWebJobsStorage__credential": "managedidentity",
        **{f"AzureWebJobsStorage__{each}ServiceUri": f"[{account}.primaryEndpoints.{each}]" for each in _SERVICES},
        "POLL_SCHEDULE": local["POLL_SCHEDULE"],
        "SUBSCRIPTION_SCHEDULE": local["SUBSCRIPTION_SCHEDULE"],
        "XTSYNC_CREDENTIAL": "managed_identity",
        "XTSYNC_IDENTITY_CLIENT_ID": f"[{identity}.clientId]",
        "XTSYNC_OPERATOR_ENDPOINTS": "entra",
        "XTSYNC_WRITE_BUDGET": program.WRITE_BUDGET,
    }
    for name, value in wanted.items():
        if d.settings.get(name) != value:
            yield f"setting {name} is {d.settings.get(name)} instead of {value}"


def hosting(d: Deployment) -> Faults:
    """One identity, Flex Consumption, the Python that is tested here, one instance that always answers Graph."""
    app, identity, plan = d.one("Microsoft.Web/sites"), d.one(_IDENTITY)["id"], d.one("Microsoft.Web/serverfarms")
    properties = app["properties"]
    config = properties["functionAppConfig"]
    package = config["deployment"]["storage"]
    scale = config["scaleAndConcurrency"]
    assert program.PYTHON is not None
    wanted = {
        "the app's only identity": (
            app["identity"],
            {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}},
        ),
        "the app's plan": (properties["serverFarmId"], plan["id"]),
        "the plan": (plan["sku"]["name"], "FC1"),
        "the app's runtime": (config["runtime"], {"name": "python", "version": program.PYTHON[1]}),
        "how the package is read": (
            package["authentication"],
            {"type": "UserAssignedIdentity", "userAssignedIdentityResourceId": identity},
        ),
        "what is always ready": (scale["alwaysReady"], [{"name": "http", "instanceCount": 1}]),
        "the tag by which azd finds the app": (app["tags"].get("azd-service-name"), "api"),
    }
    yield from _unlike(wanted)
    container = next(name for name in d.names(f"{_STORAGE}/blobServices/containers") if name != _record(d))
    if not re.search(rf"primaryEndpoints\.blob, '{container}'\)\]$", package["value"]):
        yield f"the package is looked for in {package['value']}, and the container is {container}"
    if not 40 <= scale["maximumInstanceCount"] <= 1000:
        yield f"Flex Consumption takes 40 to 1000 instances, not {scale['maximumInstanceCount']}"


def open_paths(d: Deployment) -> Faults:
    """Graph's two and the health page. Every other route, also one that is yet to be written, needs a token."""
    auth = d.config("authsettingsV2")
    validation = auth["globalValidation"]
    found = set(validation["excludedPaths"])
    yield from _differ(
        "path", program.public_paths(), found, missing="asks Graph for a token", extra="is open to anybody"
    )
    yield from _unlike(
        {
            "authentication": (auth["platform"]["enabled"], True),
            "whether a token is asked for": (validation["requireAuthentication"], True),
            "the answer without a token": (validation["unauthenticatedClientAction"], "Return401"),
            "whether sign-in needs HTTPS": (auth["httpSettings"]["requireHttps"], True),
            "who issues the tokens": (
                auth["identityProviders"]["azureActiveDirectory"]["registration"]["openIdIssuer"],
                _issuer(d),
            ),
        }
    )
    operators, (app,) = d.registration("operators"), d.names("Microsoft.Web/sites")
    callback = f"https://{app}.azurewebsites.net/.auth/login/aad/callback"
    yield from _unlike({"where the sign-in to the page ends": (operators["web"]["redirectUris"], [callback])})
    uri = operators["identifierUris"]
    if not set(uri) <= set(auth["identityProviders"]["azureActiveDirectory"]["validation"]["allowedAudiences"]):
        yield f"tokens for {', '.join(uri)} are not accepted"


# --- storage ----------------------------------------------------------------------------------------------------


def queues(d: Deployment) -> Faults:
    """A missing queue would be made by the host, a missing poison queue only when it is needed first."""
    found = set(d.names(f"{_STORAGE}/queueServices/queues"))
    yield from _differ("queue", program.QUEUES, found, missing="is not made", extra="is made, and nobody uses it")


def tables(d: Deployment) -> Faults:
    """Nothing in the code creates them in Azure."""
    found = set(d.names(f"{_STORAGE}/tableServices/tables"))
    yield from _differ("table", program.STATE_TABLES, found, missing="is not made", extra="is made, and nobody uses it")


def keys(d: Deployment) -> Faults:
    """What opens anything is an Entra token, and nothing that can be copied."""
    storage, component = d.one(_STORAGE)["properties"], d.one(_COMPONENT)["properties"]
    app = d.one("Microsoft.Web/sites")["properties"]
    workspace = d.one("Microsoft.OperationalInsights/workspaces")["properties"]
    yield from _unlike(
        {
            "whether storage takes keys": (storage.get("allowSharedKeyAccess"), False),
            "whether blobs are public": (storage.get("allowBlobPublicAccess"), False),
            "whether storage needs HTTPS": (storage.get("supportsHttpsTrafficOnly"), True),
            "the oldest TLS of storage": (storage.get("minimumTlsVersion"), "TLS1_2"),
            "whether telemetry needs Entra": (component.get("DisableLocalAuth"), True),
            "whether logs need Entra": (workspace["features"].get("disableLocalAuth"), True),
            "whether the app needs HTTPS": (app.get("httpsOnly"), True),
            "the oldest TLS of the app": (app["siteConfig"].get("minTlsVersion"), "1.2"),
        }
    )
    policies = d.of("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    allowed = {each["name"].rpartition("/")[2]: each["properties"]["allow"] for each in policies}
    for service in ("ftp", "scm"):
        if allowed.get(service) is not False:
            yield f"passwords are allowed for {service}"
    for word in ("listKeys", "AccountKey", "SharedAccessKey", "passwordCredentials", "keyCredentials"):
        if word in d.text:
            yield f"the deployment has a secret: {word}"


def record(d: Deployment) -> Faults:
    """A copy of the record that grows and never changes, as long as its policy says; or none at all."""
    policies, ends = d.of(_POLICY), d.of(f"{_STORAGE}/managementPolicies")
    if not _record(d):
        yield from (f"{each['id']} is made without a container" for each in (*policies, *ends))
        return
    (policy,) = (each["properties"] for each in policies)
    (rule,) = ends[0]["properties"]["policy"]["rules"]
    definition, days = rule["definition"], policy["immutabilityPeriodSinceCreationInDays"]
    yield from _unlike(
        {
            "whether blocks can be added to the record": (policy.get("allowProtectedAppendWrites"), True),
            "whether other blobs can be changed": (policy.get("allowProtectedAppendWritesAll", False), False),
            "what is deleted": (definition["filters"]["prefixMatch"], [f"{_record(d)}/"]),
            "when it is deleted": (
                definition["actions"]["baseBlob"]["delete"]["daysAfterModificationGreaterThan"],
                days + 1,
            ),
        }
    )
    of = next(each["id"] for each in policies)
    if f"/containers/{_record(d)}/" not in of:
        yield f"the policy is of another container: {of}"


def _record(d: Deployment) -> str:
    """The name of the container for the copy of the record; empty where there is none."""
    return str(d.settings["XTSYNC_RECORD_CONTAINER"])


# --- who may what -----------------------------------------------------------------------------------------------


def roles(d: Deployment) -> Faults:
    """Each on its one scope, to the app's identity and nobody else, under a name that what-if can tell."""
    on = {name: _COMPONENT if name.startswith("Monitoring") else _STORAGE for name in program.AZURE_ROLES}
    at = {name: str(d.one(kind)["id"]) for name, kind in on.items()}
    at["StorageBlobDataContributor"] += f"/blobServices/default/containers/{_record(d)}"
    if not _record(d):
        del at["StorageBlobDataContributor"]
    wanted = {f"{name} on {where}" for name, where in at.items()}
    known = {role: name for name, role in program.AZURE_ROLES.items()}
    assignments = d.of("Microsoft.Authorization/roleAssignments")
    found = set()
    for each in assignments:
        role = each["properties"]["roleDefinitionId"].rpartition("/")[2]
        name = known.get(role, role)
        found.add(f"{name} on {each['id'].partition('/providers/Microsoft.Authorization/')[0]}")
        yield from _assignment(d, name, each)
    yield from _differ("role", wanted, found, missing="is not assigned", extra="is assigned, and not needed")
    if len({each["name"] for each in assignments}) < len(assignments):
        yield "two role assignments have one name"


def _assignment(d: Deployment, name: str, assignment: Resource) -> Faults:
    properties, identity = assignment["properties"], d.one(_IDENTITY)
    if properties["principalId"] != f"[reference('{identity['id']}', '{identity['apiVersion']}').principalId]":
        yield f"role {name} is assigned to somebody else than the app's identity"
    if properties.get("principalType") != "ServicePrincipal":
        yield f"role {name} is assigned without the kind of principal, so that a new identity makes the deployment fail"
    if assignment["name"].startswith("["):
        yield f"what-if cannot show the assignment of {name}: its name is known only while deploying"


def registrations(d: Deployment) -> Faults:
    """Two multi-tenant apps with the least permissions, whose only credential is the identity."""
    identity, groups = d.one(_IDENTITY), bool(d.of("Microsoft.Network/virtualNetworks"))
    known = {role: name for name, role in program.GRAPH_ROLES.items()}
    for which in ("source", "target"):
        app = d.registration(which)
        (graph,) = app["requiredResourceAccess"]
        asked = {known.get(each["id"], each["id"]) for each in graph["resourceAccess"]}
        yield from _differ(
            f"{which} permission",
            program.graph_roles(which, groups=groups),
            asked,
            missing="is not asked for",
            extra="is asked for, and not needed",
        )
        yield from _unlike(
            {
                f"who may consent to {which}": (app["signInAudience"], "AzureADMultipleOrgs"),
                f"whether {which} is locked": (app["servicePrincipalLockConfiguration"]["isEnabled"], True),
                f"where consent to {which} leads": (app["web"]["redirectUris"], [_health(d)]),
            }
        )
    credentials = d.of("Microsoft.Graph/applications/federatedIdentityCredentials")
    subject = f"[reference('{identity['id']}', '{identity['apiVersion']}').principalId]"
    for credential in (each["properties"] for each in credentials):
        name = credential["name"].partition("/")[0]
        yield from _unlike(
            {
                f"who may sign in as {name}": (credential["subject"], subject),
                f"who vouches for {name}": (credential["issuer"], _issuer(d)),
            }
        )
    yield from _unlike({"the number of federated credentials": (len(credentials), 2)})


def operators(d: Deployment) -> Faults:
    """The endpoints' roles by the value that the claim has, and a token for nobody who is not assigned."""
    app = d.registration("operators")
    found = {role["value"] for role in app["appRoles"]}
    yield from _differ(
        "operator role", program.OPERATOR_ROLES, found, missing="is not made", extra="is unknown to the code"
    )
    principal = d.one("Microsoft.Graph/servicePrincipals")["properties"]
    (role,) = (role["id"] for role in app["appRoles"] if role["value"] == "Operator")
    first = d.one("Microsoft.Graph/appRoleAssignedTo")["properties"]
    yield from _unlike(
        {
            "whose tokens the operators' app takes": (app["signInAudience"], "AzureADMyOrg"),
            "whether operators have to be assigned": (principal["appRoleAssignmentRequired"], True),
            "the first operator's role": (first["appRoleId"], role),
        }
    )


# --- network ----------------------------------------------------------------------------------------------------


def network(d: Deployment) -> Faults:
    """Storage is public without a network, and closed with one, where each service has an endpoint that is found."""
    storage, networks = d.one(_STORAGE)["properties"], d.of("Microsoft.Network/virtualNetworks")
    access = (storage["publicNetworkAccess"], storage["networkAcls"]["defaultAction"])
    yield from _unlike(
        {"storage's public address": (access, ("Disabled", "Deny") if networks else ("Enabled", "Allow"))}
    )
    for each in networks:
        yield from _private(d, each)


def _private(d: Deployment, network: Resource) -> Faults:
    subnets = {each["name"]: each["properties"] for each in network["properties"]["subnets"]}
    delegations = [each["properties"]["serviceName"] for each in subnets["app"].get("delegations", [])]
    yield from _unlike(
        {
            "who has the app's subnet": (delegations, ["Microsoft.App/environments"]),
            "the app's subnet": (
                d.one("Microsoft.Web/sites")["properties"].get("virtualNetworkSubnetId"),
                f"{network['id']}/subnets/app",
            ),
        }
    )
    endpoints = {}
    for each in d.of("Microsoft.Network/privateEndpoints"):
        (link,) = each["properties"]["privateLinkServiceConnections"]
        if link["properties"]["privateLinkServiceId"] == d.one(_STORAGE)["id"]:
            endpoints[link["properties"]["groupIds"][0]] = each
    yield from _differ("private endpoint", set(_SERVICES), set(endpoints), missing="is not made", extra="is not needed")
    for service, endpoint in endpoints.items():
        groups = [
            each
            for each in d.of("Microsoft.Network/privateEndpoints/privateDnsZoneGroups")
            if each["name"].startswith(f"{endpoint['name']}/")
        ]
        zone = f"'{service}', environment().suffixes.storage"
        linked = any(zone in each["name"] for each in d.of("Microsoft.Network/privateDnsZones/virtualNetworkLinks"))
        if not linked or zone not in json.dumps(groups):
            yield f"the name of the private endpoint {service} is not found from the network"


# --- alerts and the workbook ------------------------------------------------------------------------------------


def alerts(d: Deployment) -> Faults:
    """Each row of a query is one thing in trouble: the rules count rows and split them by `subject`."""
    workspace = d.one("Microsoft.OperationalInsights/workspaces")["id"]
    groups = [each["id"] for each in d.of("Microsoft.Insights/actionGroups")]
    for rule in d.rules:
        criterion = rule.properties["criteria"]["allOf"][0]
        yield from _unlike(
            {
                f"alert {rule.name} is on": (rule.properties["enabled"], True),
                f"alert {rule.name} asks": (rule.properties["scopes"], [workspace]),
                f"alert {rule.name} tells": (rule.properties["actions"]["actionGroups"], groups),
                f"alert {rule.name} splits by": ([each["name"] for each in criterion["dimensions"]], ["subject"]),
                f"alert {rule.name} fires on": (
                    (criterion["timeAggregation"], criterion["operator"], criterion["threshold"]),
                    ("Count", "GreaterThan", 0),
                ),
                f"alert {rule.name} resolves by itself": (rule.properties["autoMitigate"], True),
            }
        )
        if "subject" not in rule.query:
            yield f"alert {rule.name} does not say what is in trouble: no column `subject`"
        if rule.window < rule.every:
            yield f"alert {rule.name} overlooks what happens between two windows"


def windows(d: Deployment) -> Faults:
    """A window of fewer than three polls would rest on one measurement, which can be lost."""
    poll = timedelta(minutes=5)
    for rule in d.rules:
        if rule.window < 3 * poll:
            yield f"alert {rule.name} looks back {rule.window}, and what it waits for comes every {poll}"


def events(d: Deployment) -> Faults:
    """An alert on an event that nobody logs is never going to fire, or always; a renamed field leaves it silent."""
    logged = program.logged_events()
    for name, query in d.queries():
        if placeholders := re.findall(r"__[A-Z_]+__", query):
            yield f"{name} has a placeholder that nobody filled in: {', '.join(placeholders)}"
        named = set(re.findall(r'startswith "([a-z_]+\.[a-z_]+) "', query))
        yield from (f"{name} asks for the event {event}, which nobody logs" for event in sorted(named - set(logged)))
        families = tuple(re.findall(r'startswith "([a-z_]+\.)"', query))
        of_families = {event for event in logged if event.startswith(families)}
        known = {field for event in (named | of_families) & set(logged) for field in logged[event]}
        unknown = sorted(set(re.findall(r'[@ ]"(\w+)=', query)) - known)
        yield from (f"{name} asks for the field {field}, which its events do not have" for field in unknown)


CHECKS: tuple[Check, ...] = (
    settings,
    values_of_settings,
    hosting,
    open_paths,
    queues,
    tables,
    keys,
    record,
    roles,
    registrations,
    operators,
    network,
    alerts,
    windows,
    events,
)


def faults(d: Deployment) -> list[str]:
    """Of all checks. What one of them cannot even look at, because it is not there, is a fault too."""
    found: list[str] = []
    for check in CHECKS:
        try:
            found += check(d)
        except (AssertionError, KeyError, ValueError, TypeError) as error:
            found.append(f"{check.__name__}: {type(error).__name__}: {error}")
    return found


def _differ(what: str, wanted: set[str], found: set[str], *, missing: str, extra: str) -> Faults:
    yield from (f"{what} {name} {missing}" for name in sorted(wanted - found))
    yield from (f"{what} {name} {extra}" for name in sorted(found - wanted))


def _unlike(wanted: dict[str, tuple[object, object]]) -> Faults:
    yield from (f"{what}: {is_} instead of {should}" for what, (is_, should) in wanted.items() if is_ != should)


def _issuer(d: Deployment) -> str:
    tenant = json.loads(d.text)["outputs"]["AZURE_TENANT_ID"]
    return f"[format('{{0}}{{1}}/v2.0', environment().authentication.loginEndpoint, '{tenant}')]"


def _health(d: Deployment) -> str:
    return f"https://{d.one('Microsoft.Web/sites')['name']}.azurewebsites.net/api/health"
