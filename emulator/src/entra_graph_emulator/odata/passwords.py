"""The password of a write, as Entra judges it.

https://learn.microsoft.com/graph/api/resources/passwordprofile, and the password policy of
https://learn.microsoft.com/entra/identity/authentication/concept-sspr-policy: 8 to 256 characters of three kinds.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from entra_graph_emulator.odata.rules import check_names
from entra_graph_emulator.wire.errors import bad_request, invalid_value

_FLAGS: Final = ("forceChangePasswordNextSignIn", "forceChangePasswordNextSignInWithMfa")
_KINDS: Final = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^A-Za-z0-9]")
_ENOUGH: Final = 3
_ALLOWED: Final = re.compile(r"[ -~]{8,256}")


def check_password(properties: Mapping[str, Any], *, new: bool) -> None:
    """Raises 400 for a profile that cannot be read, and for a weak password; a new user needs one."""
    profile = properties.get("passwordProfile")
    if profile is None:
        return
    check_names(profile, {"password", *_FLAGS}, "passwordProfile")
    for name in _FLAGS:
        if not isinstance(profile.get(name, False), bool):
            raise invalid_value(name)
    password = profile.get("password")
    if password is None:
        if new:
            raise bad_request("A password must be specified to create a new user.")
        return
    lax = "DisableStrongPassword" in (properties.get("passwordPolicies") or "")
    if not isinstance(password, str) or not (_is_strong(password) or (lax and password)):
        raise bad_request(
            "The specified password does not comply with password complexity requirements. Please provide a different "
            "password."
        )


def _is_strong(password: str) -> bool:
    kinds = sum(re.search(kind, password) is not None for kind in _KINDS)
    return _ALLOWED.fullmatch(password) is not None and kinds >= _ENOUGH
