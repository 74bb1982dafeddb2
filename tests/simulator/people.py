"""The people: source users of every kind that the decision table knows, and those who are in the target already."""

from __future__ import annotations

from random import Random
from typing import Any

from entra_graph_emulator import Tenant, User

SOURCE_DOMAIN = "contoso.com"
TARGET_DOMAIN = "fabrikam.com"
OTHER_DOMAIN = "tailspin.com"
BLOCKED_DOMAIN = "blocked.example"

# Kind of source user and its weight.
_KINDS = {
    "plain": 60,
    "disabled": 8,
    "external": 7,
    "without-mail": 6,
    "same-mail": 5,
    "internal-in-target": 5,
    "guest-in-target": 6,
    "blocked": 4,
}
_PLACES = (("Berlin", "Germany", "10115"), ("Lyon", "France", "69001"), ("Osaka", "Japan", "530-0001"))
CITIES = tuple(city for city, _, _ in _PLACES)


class People:
    """Makes users. Every value it makes is new, so that an old one in the target can be told from the newest."""

    def __init__(self, rng: Random, *, source: Tenant, target: Tenant) -> None:
        self._rng = rng
        self._source = source
        self._target = target
        self._made = 0

    def hire(self) -> tuple[str, User]:
        """The kind, and the new source user."""
        kind = self._rng.choices([*_KINDS], [*_KINDS.values()])[0]
        number = self.number()
        local = f"u{number}.{self._rng.choice(('abel', 'o-neil', 'zhang'))}"
        properties: dict[str, Any] = {
            "accountEnabled": kind != "disabled",
            "displayName": f"User {number}",
            "givenName": "User",
            "mail": f"{local}@{SOURCE_DOMAIN}",
            "mailNickname": local,
            "userPrincipalName": f"{local}@{SOURCE_DOMAIN}",
            **self.profile(),
        }
        match kind:
            case "external":
                properties |= {
                    "creationType": "Invitation",
                    "externalUserState": "Accepted",
                    "mail": f"{local}@partner.example",
                    "userPrincipalName": f"{local}_partner.example#EXT#@{self._source.initial_domain}",
                }
            case "without-mail":
                properties["mail"] = None
            case "same-mail":
                others = [user.get("mail") for user in self._source.users() if user.get("mail")]
                if others:
                    properties |= {"mail": self._rng.choice(others), "proxyAddresses": []}
            case "internal-in-target":
                self._sit_in_target(str(properties["mail"]), guest=False)
            case "guest-in-target":
                self._sit_in_target(str(properties["mail"]), guest=True)
            case "blocked":
                properties["mail"] = f"{local}@{BLOCKED_DOMAIN}"
        return kind, self._source.create(properties)

    def profile(self) -> dict[str, Any]:
        """Some attributes of a person's job, some of them never set."""
        number = self.number()
        city, country, code = self._rng.choice(_PLACES)
        everything: dict[str, Any] = {
            "businessPhones": [f"+49 30 {number}"],
            "city": city,
            "country": country,
            "department": f"Department {number}",
            "employeeId": f"E{number}",
            "jobTitle": f"Job {number}",
            "officeLocation": f"Room {number}",
            "postalCode": code,
            "surname": f"Family {number}",
        }
        return {name: value for name, value in everything.items() if self._rng.random() < 0.6}

    def number(self) -> int:
        self._made += 1
        return self._made

    def _sit_in_target(self, address: str, *, guest: bool) -> None:
        local = address.partition("@")[0]
        properties = {
            "accountEnabled": True,
            "createdDateTime": "2025-06-01T08:00:00Z",
            "displayName": f"Somebody else {local}",
            "mail": address,
            "mailNickname": local,
            "userPrincipalName": f"{local}@{TARGET_DOMAIN}",
        }
        if guest:
            name = f"{address.replace('@', '_')}#EXT#@{self._target.initial_domain}"
            properties |= {
                "creationType": "Invitation",
                "externalUserState": "Accepted",
                "userPrincipalName": name,
                "userType": "Guest",
            }
        self._target.create(properties)
