"""Tokens of whoever is signed in with `az login`."""

from __future__ import annotations

import re

from azure.core.exceptions import ClientAuthenticationError
from azure.identity.aio import AzureCliCredential

from .app import SignInError

_ENTRA_CODE = re.compile(r"AADSTS\d+")


async def token(scope: str) -> str:
    """Raises SignInError."""
    try:
        async with AzureCliCredential(process_timeout=60) as credential:
            return str((await credential.get_token(scope)).token)
    except ClientAuthenticationError as error:
        code = _ENTRA_CODE.search(str(error))
        raise SignInError(
            "the Azure CLI gives no token for the app" + (f" ({code[0]})" if code else ""),
            hint="Sign in with `az login --tenant TENANT`. Entra gives tokens only to people with a role of the app.",
        ) from None
