"""What the sign-in libraries ask before they ask for a token: the metadata of a tenant, and that of the instance.

The metadata of a tenant: https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc.
The instance: https://learn.microsoft.com/entra/msal/dotnet/advanced/custom-authority-aliases.
"""

from typing import Final
from urllib.parse import urlsplit

from entra_graph_emulator.directory.tenant import Tenant
from entra_graph_emulator.wire.messages import JsonObject, Request, Response, json_response

SHARED: Final = frozenset({"common", "organizations"})  # sign-ins to any tenant


def openid_configuration(request: Request, tenant: Tenant | None, named: str) -> Response:
    """`named` is the path's first segment: an id, a domain, or one of SHARED. Addresses begin with the caller's origin.

    No token is signed, so the list of keys is empty.
    """
    if tenant is None and named not in SHARED:
        text = f"AADSTS90002: Tenant '{named}' not found. Check to make sure you have the correct tenant ID."
        return json_response(400, {"error": "invalid_tenant", "error_description": text, "error_codes": [90002]})
    root = f"{request.origin}/{tenant.id if tenant else named}"
    issuer = f"{request.origin}/{tenant.id if tenant else '{tenantid}'}/v2.0"
    body: JsonObject = {
        "token_endpoint": f"{root}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": f"{root}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": issuer,
        "request_uri_parameter_supported": False,
        "userinfo_endpoint": f"{request.origin}/oidc/userinfo",
        "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{root}/oauth2/v2.0/devicecode",
        "end_session_endpoint": f"{root}/oauth2/v2.0/logout",
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "tid", "ver"],
        "tenant_region_scope": None,
        "cloud_instance_name": urlsplit(request.origin).netloc,
        "msgraph_host": urlsplit(request.origin).netloc,
    }
    return json_response(200, body)


def keys() -> Response:
    return json_response(200, {"keys": []})


def instance(request: Request) -> Response:
    """Whether the host of an `authorization_endpoint` is ours: that of the question. MSAL leaves the port out."""
    here = urlsplit(request.origin)
    asked = urlsplit(request.query.get("authorization_endpoint", ""))
    tenant = asked.path.strip("/").split("/")[0]
    if asked.scheme != "https" or asked.hostname != here.hostname or not tenant:
        text = "AADSTS50049: Unknown or invalid instance."
        return json_response(400, {"error": "invalid_instance", "error_description": text, "error_codes": [50049]})
    aliases = sorted({here.netloc, here.hostname or here.netloc})
    host = {"preferred_network": here.netloc, "preferred_cache": here.netloc, "aliases": aliases}
    body: JsonObject = {
        "tenant_discovery_endpoint": f"{request.origin}/{tenant}/v2.0/.well-known/openid-configuration",
        "api-version": request.query.get("api-version", "1.1"),
        "metadata": [host],
    }
    return json_response(200, body)
