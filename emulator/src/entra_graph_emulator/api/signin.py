"""`POST /{tenant}/oauth2/v2.0/token`: client credentials.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow; any secret or assertion will do.
"""

import re
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl

from entra_graph_emulator.directory.tenant import Tenant
from entra_graph_emulator.wire import tokens
from entra_graph_emulator.wire.messages import Request, Response, json_response

_TEMPORARY: Final = frozenset({"AADSTS90033"})  # azure-sdk-for-python, issue 14241
_NUMBER: Final = re.compile(r"AADSTS(\d+)")


def token(tenant: Tenant | None, request: Request, now: datetime) -> Response:
    """The token has the roles registered for the app in the tenant; without a registration, every permission."""
    form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
    if tenant is None:
        return _refused("invalid_request", "AADSTS90002: Tenant not found.")
    if form.get("grant_type") != "client_credentials":
        return _refused("unsupported_grant_type", "AADSTS70003: The app requested an unsupported grant type.")
    app, scope = form.get("client_id"), form.get("scope", "https://graph.microsoft.com/.default")
    if not app:
        return _refused("invalid_request", "AADSTS900144: The request body must contain 'client_id'.")
    if not scope.endswith("/.default"):
        return _refused("invalid_scope", "AADSTS1002012: The provided value for scope is not valid.")
    settings = tenant.settings
    if settings.token_error:
        error = "temporarily_unavailable" if settings.token_error in _TEMPORARY else "unauthorized_client"
        return _refused(error, f"{settings.token_error}: The token was refused by a setting.")
    principal = tenant.apps.principal_of(app)
    if principal is not None and principal.properties.get("accountEnabled") is False:
        return _refused("unauthorized_client", f"AADSTS7000112: Application '{app}' is disabled.")
    made = tokens.issue(
        tenant=settings.token_tenant or tenant.id,
        app=app,
        now=now + timedelta(seconds=settings.token_skew_s),
        roles=tenant.app_roles.get(app),
        audience=scope.removesuffix("/.default"),
    )
    life = tokens.LIFETIME_S
    body = {"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": made}
    return json_response(200, body)


def _refused(error: str, description: str) -> Response:
    """https://learn.microsoft.com/entra/identity-platform/reference-error-codes"""
    codes = [int(number) for number in _NUMBER.findall(description)]
    return json_response(400, {"error": error, "error_description": description, "error_codes": codes})
