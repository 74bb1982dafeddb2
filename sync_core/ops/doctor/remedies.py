"""Links and commands for people, with the ids of the tenant and the app filled in.

The Azure CLI may not ask for the permissions that cross-tenant access settings need; Microsoft Graph PowerShell may.
docs/deploy.md has the same commands with their sources.
"""

from __future__ import annotations

from ...ports import AppOnTenant

# The values of the templates.
SCHEDULES = {"POLL_SCHEDULE": "0 */5 * * * *", "SUBSCRIPTION_SCHEDULE": "0 30 * * * *"}
_POLICIES = "policies/crossTenantAccessPolicy"


def consent_link(app: AppOnTenant) -> str:
    """https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent"""
    return f"https://{app.authority}/{app.tenant.id}/adminconsent?client_id={app.app_id}"


def consent(app: AppOnTenant) -> list[str]:
    return [f"An administrator of {app.tenant.key} opens this link and accepts:", consent_link(app)]


# By AADSTS code. https://learn.microsoft.com/entra/identity-platform/reference-error-codes
_NOT_CONSENTED = {
    "AADSTS700016": "no service principal: nobody in this tenant consented to the app, or the client id is wrong",
    "AADSTS7000229": "no service principal: nobody in this tenant consented to the app",
    "AADSTS65001": "nobody in this tenant consented to the app",
    "AADSTS650051": "nobody in this tenant consented to the app",
}
_TOKEN_REMEDIES = {
    "AADSTS90002": ("there is no such tenant", "Correct the id of `{key}` under `tenants` in sync.yaml."),
    "AADSTS7000112": (
        "the app is disabled in this tenant",
        "Enable it there: Entra admin center, Enterprise applications, {app}, Properties.",
    ),
    "AADSTS53003": (
        "conditional access of this tenant blocks the app",
        "Exclude the service principal of {app} from that policy for workload identities.",
    ),
    "AADSTS7000215": ("the secret is wrong", "Set XTSYNC_CLIENT_SECRET to a valid secret of {app}."),
    "AADSTS7000222": ("the secret has expired", "Add a new secret to {app} and set XTSYNC_CLIENT_SECRET."),
    "AADSTS700027": ("the certificate is not the app's", "Add the certificate of XTSYNC_CERTIFICATE_PATH to {app}."),
    "AADSTS70021": (
        "no federated credential matches (yet)",
        "Right after a deployment: wait. Otherwise: azd provision",
    ),
    "AADSTS700211": ("no federated credential has this issuer", "azd provision"),
    "AADSTS700213": ("no federated credential has this subject", "azd provision"),
}


def refused_token(app: AppOnTenant, code: str) -> tuple[str, list[str]]:
    """The meaning of an AADSTS code, and its remedy."""
    if code in _NOT_CONSENTED:
        return f"{_NOT_CONSENTED[code]} ({code})", consent(app)
    if code in _TOKEN_REMEDIES:
        meaning, remedy = _TOKEN_REMEDIES[code]
        return f"{meaning} ({code})", [remedy.format(key=app.tenant.key, app=app.app_id)]
    if code.startswith("AADSTS"):
        number = code.removeprefix("AADSTS")
        return f"the token was refused ({code})", [f"https://login.microsoftonline.com/error?code={number}"]
    return f"the token was refused ({code})", [
        "Are the settings of the credential right?",
        "xtsync validate --settings",
    ]


def redemption(app: AppOnTenant, partner_id: str, setting: str, *, has_entry: bool) -> list[str]:
    """`setting` is inboundAllowed or outboundAllowed. POST makes the partner's entry, PATCH changes it."""
    partners = f"{app.graph_url}/v1.0/{_POLICIES}/partners"
    body = f"automaticUserConsentSettings = @{{ {setting} = $true }}"
    request = (
        f"Invoke-MgGraphRequest -Method PATCH -Uri '{partners}/{partner_id}' -Body @{{ {body} }}"
        if has_entry
        else f"Invoke-MgGraphRequest -Method POST -Uri '{partners}' -Body @{{ tenantId = '{partner_id}'; {body} }}"
    )
    return [
        f"An administrator of {app.tenant.key} runs, in PowerShell:",
        _connect(app, "Policy.ReadWrite.CrossTenantAccess"),
        request,
    ]


def look_at_partner(app: AppOnTenant, partner_id: str, name: str) -> list[str]:
    return [
        *_look(app, f"{_POLICIES}/partners/{partner_id}", name),
        "Where that says nothing, the default decides:",
        _read(app, f"{_POLICIES}/default", name),
    ]


def look_at_invitations(app: AppOnTenant) -> list[str]:
    return _look(app, "policies/authorizationPolicy", "allowInvitesFrom")


def allow_invitations(app: AppOnTenant) -> list[str]:
    uri = f"{app.graph_url}/v1.0/policies/authorizationPolicy"
    return [
        f"An administrator of {app.tenant.key} runs, in PowerShell:",
        _connect(app, "Policy.ReadWrite.Authorization"),
        f"Invoke-MgGraphRequest -Method PATCH -Uri '{uri}' "
        "-Body @{ allowInvitesFrom = 'adminsGuestInvitersAndAllMembers' }",
    ]


def unblock(app: AppOnTenant, partner_id: str, direction: str) -> list[str]:
    return [
        f"An administrator of {app.tenant.key} allows the users of the sync, in the Entra admin center: External",
        f"Identities, Cross-tenant access settings, {partner_id}, {direction} access settings, B2B collaboration.",
    ]


def domains(app: AppOnTenant) -> list[str]:
    return [
        f"Needed only for users whose mail is of another domain than their user principal name. Grant {app.app_id}",
        "Organization.Read.All, or name those domains in sync.yaml under `matching: {domains: [...]}`.",
    ]


def clock(app: AppOnTenant) -> list[str]:
    return [
        "Compare, and let a time service set the clock that is wrong:",
        f"date -u; curl -sI {app.graph_url} | grep -i '^date'",
    ]


GUARDED_READS = (
    "User-LifeCycleInfo.Read.All is not among them: add it to the registration (docs/deploy.md#leave-dates), and",
    "consent again. Until then a filter on employeeLeaveDateTime decides about nobody.",
)


def roles_granted(app: AppOnTenant) -> str:
    url = f"{app.graph_url}/v1.0/servicePrincipals(appId='{app.app_id}')/appRoleAssignments"
    return f'az rest --method GET --url "{url}" --query "value[].appRoleId"'


def timer_off(setting: str) -> list[str]:
    """The host turns off the function of a schedule whose app setting is missing, and no other."""
    return [
        f"The host turns off the timer if the app setting {setting} is missing. To see it, and to set it:",
        "az functionapp config appsettings list --resource-group GROUP --name APP "
        f"--query \"[?name=='{setting}'].value\"",
        f"az functionapp config appsettings set --resource-group GROUP --name APP --settings '{setting}="
        f"{SCHEDULES[setting]}'",
    ]


def function_off(function: str) -> list[str]:
    """A function is disabled by an app setting of its own. It comes into force by itself when the setting is gone."""
    setting = f"AzureWebJobs.{function}.Disabled"
    return [
        f"The host gives {function} no messages if the app setting {setting} is true. To see it, and to remove it:",
        "az functionapp config appsettings list --resource-group GROUP --name APP "
        f"--query \"[?name=='{setting}'].value\"",
        f"az functionapp config appsettings delete --resource-group GROUP --name APP --setting-names '{setting}'",
        "If it is not set: Azure portal, the function app, Diagnose and solve problems, Scale.",
    ]


def start_timer(function: str, public_url: str) -> list[str]:
    """A deployed app asks for a token before every path but three, so there the portal is the short way."""
    if public_url.startswith("http://"):
        return [
            "At once:",
            f"curl -X POST {public_url}/admin/functions/{function} -H 'Content-Type: application/json' "
            """-d '{"input":""}'""",
        ]
    return [f"At once: Azure portal, the function app, Functions, {function}, Code + Test, Test/Run."]


def _look(app: AppOnTenant, path: str, name: str) -> list[str]:
    return [
        f"An administrator of {app.tenant.key} looks, in PowerShell (or grants Policy.Read.All, see docs/deploy.md):",
        _connect(app, "Policy.Read.All"),
        _read(app, path, name),
    ]


def _read(app: AppOnTenant, path: str, name: str) -> str:
    return f"(Invoke-MgGraphRequest -Method GET -Uri '{app.graph_url}/v1.0/{path}').{name}"


def _connect(app: AppOnTenant, scope: str) -> str:
    return f"Connect-MgGraph -TenantId {app.tenant.id} -Scopes {scope}"
