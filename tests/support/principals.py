"""The header by which App Service authentication says who calls."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

HEADER = "X-MS-CLIENT-PRINCIPAL"
OPERATOR_ID = "99999999-0000-0000-0000-00000000000a"


def principal(*roles: str, object_id: str = OPERATOR_ID, **other: object) -> str:
    """https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities"""
    claims: Sequence[dict[str, str]] = [
        {"typ": "http://schemas.microsoft.com/identity/claims/objectidentifier", "val": object_id},
        {"typ": "name", "val": "Zoë"},
        *({"typ": "roles", "val": role} for role in roles),
    ]
    document = {"auth_typ": "aad", "name_typ": "name", "role_typ": "roles", "claims": claims, **other}
    return base64.b64encode(json.dumps(document).encode()).decode()
