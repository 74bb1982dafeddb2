"""Questions that only a write answers. Whatever they make bears the run's name, and goes with the run."""

from typing import Final

from graph_probe.gate import ADDRESSES
from graph_probe.probe import LEARN, Found, Meaning, Probe, UnclearError, by_status, switch
from graph_probe.session import Session


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
    return by_status(await run.ask.patch(f"/users/{user['id']}", {"mobilePhone": "+49 30 0"}), A=204, B=403)


async def _address_of_a_guest(run: Session) -> str:
    guest = await run.guest()
    seen = await run.ask.patch(f"/users/{guest['id']}", {"mail": f"{guest['name']}-new{ADDRESSES}"})
    return "A" if seen.status == 204 else "B"


async def _deleted_group(run: Session) -> str:
    group = await run.group()
    await run.ask.delete(f"/groups/{group['id']}")
    return by_status(await run.settled(f"/directory/deletedItems/{group['id']}"), A=200, B=404)


async def _etag(run: Session) -> str:
    user = await run.user()
    seen = await run.ask.patch(f"/users/{user['id']}", {"jobTitle": "Probe"}, headers={"If-Match": 'W/"nonsense"'})
    return by_status(seen, A=204, B=412)


async def _no_manager(run: Session) -> str:
    user = await run.user()
    return by_status(await run.ask.delete(f"/users/{user['id']}/manager/$ref"), A=404, B=204)


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
    return by_status(await run.settled(f"/users/{report['id']}/manager?$select=id"), A=200, B=404)


async def _unregistered_extension(run: Session) -> str:
    user = await run.user()
    name = f"extension_{'0' * 32}_zzProbe"
    return by_status(await run.ask.patch(f"/users/{user['id']}", {name: "probe"}), A=400, B=204)


WRITING: Final = (
    Probe(
        "W01",
        "Is a new user seen at once?",
        f"{LEARN}/api/user-post-users",
        {"A": Meaning("yes"), "B": Meaning("no, but later")},
        _seen_at_once,
    ),
    Probe(
        "W02",
        "Which form has the Location of what was made?",
        f"{LEARN}/api/user-post-users",
        switch("location_form", A=("v1.0", "one that can be read"), B=("v2", "the other one, with /v2/")),
        _location,
    ),
    Probe(
        "W03",
        "Does a new guest have the invited address in otherMails?",
        f"{LEARN}/api/resources/invitation",
        switch("invited_other_mails", A=(True, "yes"), B=(False, "no")),
        _other_mails,
    ),
    Probe(
        "W05",
        "Which code refuses the address of a member?",
        f"{LEARN}/api/invitation-post",
        {"A": Meaning("BadRequest"), "B": Meaning("another one")},
        _address_of_a_member,
    ),
    Probe(
        "W06",
        "What becomes of a deleted guest who is invited again?",
        f"{LEARN}/api/invitation-post",
        switch("reinvite_revives_deleted", A=(False, "a new user is made"), B=(True, "the guest is restored")),
        _invited_again,
    ),
    Probe(
        "W07",
        "Is `mobilePhone` of an ordinary user written without a directory role?",
        f"{LEARN}/api/resources/users#who-can-perform-sensitive-actions",
        switch("sensitive_needs_role", A=(False, "yes"), B=(True, "no")),
        _sensitive,
    ),
    Probe(
        "W09",
        "Is If-Match looked at on users?",
        f"{LEARN}/api/user-update",
        switch("directory_etags", A=(False, "no"), B=(True, "yes: another one is 412")),
        _etag,
    ),
    Probe(
        "W10",
        "How is the removal of a manager answered who is not there?",
        f"{LEARN}/api/user-delete-manager",
        switch("missing_manager_status", A=(404, "with 404"), B=(204, "with 204")),
        _no_manager,
    ),
    Probe(
        "W11",
        "Can a deleted security group be restored?",
        f"{LEARN}/api/directory-deleteditems-restore",
        switch("soft_delete_security_groups", A=(True, "yes: it is among the deleted"), B=(False, "no")),
        _deleted_group,
    ),
    Probe(
        "W12",
        "Does a restored manager have their reports again?",
        f"{LEARN}/api/directory-deleteditems-restore",
        switch("deletion_drops_references", A=(False, "yes"), B=(True, "no")),
        _restored_manager,
    ),
    Probe(
        "W20",
        "Is an extension refused that no app has registered?",
        f"{LEARN}/extensibility-overview",
        switch("extensions_need_registration", A=(True, "yes"), B=(False, "no")),
        _unregistered_extension,
    ),
    Probe(
        "W22",
        "May the address of a guest be written?",
        f"{LEARN}/api/user-update",
        switch("external_service_owns_mail", A=(False, "yes"), B=(True, "no")),
        _address_of_a_guest,
    ),
)
