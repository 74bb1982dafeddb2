"""Questions that only a write answers. Whatever they make bears the run's name, and goes with the run."""

from typing import Final

from graph_probe.asking import Seen
from graph_probe.gate import ADDRESSES
from graph_probe.probe import Found, Meaning, Probe, UnclearError
from graph_probe.session import Session

_LEARN: Final = "https://learn.microsoft.com/graph"


async def _seen_at_once(run: Session) -> str:
    user = await run.user()
    return "A" if user["seen_at_once"] else "B"


async def _location(run: Session) -> str:
    user = await run.user()
    return "B" if "/v2/" in user["location"] else "A"


async def _other_mails(run: Session) -> str:
    guest = await run.guest()
    seen = await run.ask.get(f"/users/{guest['id']}?$select=id,otherMails")
    if seen.status != 200:
        raise UnclearError(f"the guest was answered with {seen.status}")
    return "A" if seen.body.get("otherMails") else "B"


async def _address_of_a_member(run: Session) -> Found:
    address = f"{run.mark}-member{ADDRESSES}"
    await run.user(mail=address)
    _, seen = await run.invite(address)
    if seen.status != 400:
        raise UnclearError(f"the invitation was answered with {seen.status}")
    return Found("A" if seen.code == "BadRequest" else "B", {"already_exists_code": seen.code})


async def _invited_again(run: Session) -> str:
    address = f"{run.mark}-again{ADDRESSES}"
    guest = await run.guest(address)
    await run.ask.delete(f"/users/{guest['id']}")
    await run.settled(f"/directory/deletedItems/{guest['id']}")
    _, seen = await run.invite(address)
    if seen.status != 201:
        raise UnclearError(f"the invitation was answered with {seen.status} {seen.code}")
    return "B" if seen.body["invitedUser"]["id"] == guest["id"] else "A"


async def _sensitive(run: Session) -> str:
    user = await run.user()
    return _of(await run.ask.patch(f"/users/{user['id']}", {"mobilePhone": "+49 30 0"}), A=204, B=403)


async def _address_of_a_guest(run: Session) -> str:
    guest = await run.guest()
    seen = await run.ask.patch(f"/users/{guest['id']}", {"mail": f"{guest['name']}-new{ADDRESSES}"})
    return "A" if seen.status == 204 else "B"


async def _deleted_group(run: Session) -> str:
    group = await run.group()
    await run.ask.delete(f"/groups/{group['id']}")
    return _of(await run.settled(f"/directory/deletedItems/{group['id']}"), A=200, B=404)


async def _etag(run: Session) -> str:
    user = await run.user()
    seen = await run.ask.patch(f"/users/{user['id']}", {"jobTitle": "Probe"}, headers={"If-Match": 'W/"nonsense"'})
    return _of(seen, A=204, B=412)


async def _no_manager(run: Session) -> str:
    user = await run.user()
    return _of(await run.ask.delete(f"/users/{user['id']}/manager/$ref"), A=404, B=204)


async def _restored_manager(run: Session) -> str:
    boss, report = await run.user(), await run.user()
    reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/users/{boss['id']}"}
    written = await run.ask.send("PUT", f"/users/{report['id']}/manager/$ref", body=reference)
    if written.status != 204:
        raise UnclearError(f"the manager was answered with {written.status} {written.code}")
    await run.settled(f"/users/{report['id']}/manager?$select=id")
    await run.ask.delete(f"/users/{boss['id']}")
    await run.settled(f"/directory/deletedItems/{boss['id']}")
    await run.ask.post(f"/directory/deletedItems/{boss['id']}/restore", None)
    await run.settled(f"/users/{boss['id']}")
    return _of(await run.settled(f"/users/{report['id']}/manager?$select=id"), A=200, B=404)


async def _unregistered_extension(run: Session) -> str:
    user = await run.user()
    name = f"extension_{'0' * 32}_zzProbe"
    return _of(await run.ask.patch(f"/users/{user['id']}", {name: "probe"}), A=400, B=204)


def _of(seen: Seen, **readings: int) -> str:
    for letter, status in readings.items():
        if seen.status == status:
            return letter
    raise UnclearError(f"answered with {seen.status} {seen.code}")


def _yes_or_no(setting: str, yes: str, no: str) -> dict[str, Meaning]:
    return {"A": Meaning(yes, {setting: False}), "B": Meaning(no, {setting: True})}


WRITING: Final = (
    Probe(
        "W01",
        "Is a new user seen at once?",
        f"{_LEARN}/api/user-post-users",
        {"A": Meaning("yes"), "B": Meaning("no, but later")},
        _seen_at_once,
    ),
    Probe(
        "W02",
        "Which form has the Location of what was made?",
        f"{_LEARN}/api/user-post-users",
        {
            "A": Meaning("one that can be read", {"location_form": "v1.0"}),
            "B": Meaning("the other one, with /v2/", {"location_form": "v2"}),
        },
        _location,
    ),
    Probe(
        "W03",
        "Does a new guest have the invited address in otherMails?",
        f"{_LEARN}/api/resources/invitation",
        {"A": Meaning("yes", {"invited_other_mails": True}), "B": Meaning("no", {"invited_other_mails": False})},
        _other_mails,
    ),
    Probe(
        "W05",
        "Which code refuses the address of a member?",
        f"{_LEARN}/api/invitation-post",
        {"A": Meaning("BadRequest"), "B": Meaning("another one")},
        _address_of_a_member,
    ),
    Probe(
        "W06",
        "What becomes of a deleted guest who is invited again?",
        f"{_LEARN}/api/invitation-post",
        _yes_or_no("reinvite_revives_deleted", "a new user is made", "the guest is restored"),
        _invited_again,
    ),
    Probe(
        "W07",
        "Is `mobilePhone` of an ordinary user written without a directory role?",
        f"{_LEARN}/api/resources/users#who-can-perform-sensitive-actions",
        _yes_or_no("sensitive_needs_role", "yes", "no"),
        _sensitive,
    ),
    Probe(
        "W09",
        "Is If-Match looked at on users?",
        f"{_LEARN}/api/user-update",
        _yes_or_no("directory_etags", "no", "yes: another one is 412"),
        _etag,
    ),
    Probe(
        "W10",
        "How is the removal of a manager answered who is not there?",
        f"{_LEARN}/api/user-delete-manager",
        {
            "A": Meaning("with 404", {"missing_manager_status": 404}),
            "B": Meaning("with 204", {"missing_manager_status": 204}),
        },
        _no_manager,
    ),
    Probe(
        "W11",
        "Can a deleted security group be restored?",
        f"{_LEARN}/api/directory-deleteditems-restore",
        {
            "A": Meaning("yes: it is among the deleted", {"soft_delete_security_groups": True}),
            "B": Meaning("no", {"soft_delete_security_groups": False}),
        },
        _deleted_group,
    ),
    Probe(
        "W12",
        "Does a restored manager have their reports again?",
        f"{_LEARN}/api/directory-deleteditems-restore",
        _yes_or_no("deletion_drops_references", "yes", "no"),
        _restored_manager,
    ),
    Probe(
        "W20",
        "Is an extension refused that no app has registered?",
        f"{_LEARN}/extensibility-overview",
        {
            "A": Meaning("yes", {"extensions_need_registration": True}),
            "B": Meaning("no", {"extensions_need_registration": False}),
        },
        _unregistered_extension,
    ),
    Probe(
        "W22",
        "May the address of a guest be written?",
        f"{_LEARN}/api/user-update",
        _yes_or_no("external_service_owns_mail", "yes", "no"),
        _address_of_a_guest,
    ),
)
