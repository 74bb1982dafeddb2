"""Whether two tenants agree, judged independently: from both directories alone, without the sync's code or state.

Microsoft's default mapping is written here a second time on purpose: a mistake in the product's mapping must not be
repeated by its judge.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from local.emulated import Emulated, User

SAME = (
    "displayName",
    "givenName",
    "surname",
    "jobTitle",
    "department",
    "employeeId",
    "streetAddress",
    "city",
    "state",
    "postalCode",
    "country",
    "officeLocation",
    "businessPhones",
    "mailNickname",
    "preferredLanguage",
    "mail",
    "accountEnabled",
)
_SELECT = ["id", "userPrincipalName", "userType", "creationType", "externalUserState", "manager", *SAME]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    expected: int  # people who should be in the target
    faults: Sequence[str]  # object ids and attribute names, no values

    def __bool__(self) -> bool:
        return not self.faults


async def compare(
    emulated: Emulated, source: str, target: str, *also: str, never_provisioned: Collection[str] = ()
) -> Agreement:
    """Compare the target with the people of the source.

    `also`: further tenants whose people come to the target. `never_provisioned`: ids in the source that were disabled
    all the time and must have no user in the target.
    """
    everybody = [user for tenant in (source, *also) for user in await emulated.users(tenant, _SELECT)]
    people = [user for user in everybody if not _external(user) and user["id"] not in never_provisioned]
    guests = [user for user in await emulated.users(target, _SELECT) if _external(user)]
    by_mail = {_address(guest): guest for guest in guests}
    stand_in = {user["id"]: by_mail[_address(user)]["id"] for user in people if _address(user) in by_mail}
    faults = [f"{n} target users for one address" for n in Counter(map(_address, guests)).values() if n > 1]
    for person in people:
        guest = by_mail.pop(_address(person), None)
        if guest is None:
            faults.append(f"{person['id']} is missing in the target")
            continue
        differ = [name for name in SAME if (person.get(name) or None) != (guest.get(name) or None)]
        differ += ["manager"] if stand_in.get(person["manager"]) != guest["manager"] else []
        if differ:
            faults.append(f"{person['id']} differs in {', '.join(differ)}")
    faults += [f"{guest['id']} stands for nobody" for guest in by_mail.values()]
    return Agreement(expected=len(people), faults=faults)


def _address(user: User) -> str:
    return str(user.get("mail") or user["userPrincipalName"]).lower()


def _external(user: User) -> bool:
    return user.get("creationType") == "Invitation" or "#EXT#" in user["userPrincipalName"]
