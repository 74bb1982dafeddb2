"""A small program as somebody writes it from Microsoft's pages alone: it knows of no emulator, only of addresses.

The pages:

- sign-in: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
- pages of a collection: https://learn.microsoft.com/graph/paging
- changes since the last time: https://learn.microsoft.com/graph/delta-query-users
- several requests at once: https://learn.microsoft.com/graph/json-batching
- an invitation: https://learn.microsoft.com/graph/api/invitation-post
- throttling: https://learn.microsoft.com/graph/throttling
- something new is tried three times: https://learn.microsoft.com/graph/api/team-put-teams
"""

from __future__ import annotations

import json
import os
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

LOGIN = os.environ.get("LOGIN", "https://login.microsoftonline.com")
GRAPH = os.environ.get("GRAPH", "https://graph.microsoft.com") + "/v1.0"
TENANT = os.environ["TENANT_ID"]
TRUST = ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE"))


def send(
    method: str,
    url: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
    form: dict[str, str] | None = None,
    tries: int = 1,
) -> Any:
    data = json.dumps(body).encode() if body is not None else urllib.parse.urlencode(form).encode() if form else None
    request = urllib.request.Request(url, data, dict(headers or {}), method=method)
    if body is not None:
        request.add_header("Content-Type", "application/json")
    while True:
        try:
            with urllib.request.urlopen(request, context=TRUST) as answer:
                text = answer.read()
                return json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            tries -= error.code == 404
            if error.code not in (404, 429, 503) or tries == 0:
                raise
            time.sleep(int(error.headers.get("Retry-After", "1")))


def sign_in() -> dict[str, str]:
    form = {"client_id": "535fb089-9ff3-47b6-9bfb-4f1264799865", "client_secret": "sampleCredentials"}
    form |= {"scope": "https://graph.microsoft.com/.default", "grant_type": "client_credentials"}
    answer = send("POST", f"{LOGIN}/{TENANT}/oauth2/v2.0/token", form=form)
    return {"Authorization": f"{answer['token_type']} {answer['access_token']}"}


def everything(url: str, headers: dict[str, str]) -> tuple[list[Any], Any]:
    """The items of all pages, and the deltaLink if there is one."""
    items: list[Any] = []
    while True:
        page = send("GET", url, headers=headers)
        items += page["value"]
        if "@odata.nextLink" not in page:
            return items, page.get("@odata.deltaLink")
        url = page["@odata.nextLink"]


def main() -> None:
    caller = sign_in()
    users, _ = everything(f"{GRAPH}/users?$select=id,displayName,department&$top=5", caller)
    print("users", len(users))
    counting = caller | {"ConsistencyLevel": "eventual"}
    engineers = send("GET", f"{GRAPH}/users/$count?$filter=startswith(displayName,'Ada')", headers=counting)
    print("called Ada", engineers)

    first, link = everything(f"{GRAPH}/users/delta?$select=displayName,department", caller)
    print("at first", len(first))
    person = users[0]["id"]
    send("PATCH", f"{GRAPH}/users/{person}", {"department": "Analysis"}, caller)
    changed, link = everything(link, caller)
    print("changed", [(each["id"] == person, each["department"]) for each in changed])

    group = {"displayName": "Report", "mailEnabled": False, "mailNickname": "report", "securityEnabled": True}
    made = send("POST", f"{GRAPH}/groups", group, caller)
    member = {"@odata.id": f"{GRAPH}/directoryObjects/{person}"}
    send("POST", f"{GRAPH}/groups/{made['id']}/members/$ref", member, caller, tries=3)
    requests = [
        {"id": "1", "method": "GET", "url": f"/groups/{made['id']}/members?$select=id"},
        {"id": "2", "method": "GET", "url": f"/users/{person}?$select=department"},
        {"id": "3", "method": "GET", "url": "/users/00000000-0000-0000-0000-000000000000"},
    ]
    answers = send("POST", f"{GRAPH}/$batch", {"requests": requests}, caller)["responses"]
    print("batch", sorted((each["id"], each["status"]) for each in answers))

    invited = {"invitedUserEmailAddress": "admin@fabrikam.com", "inviteRedirectUrl": "https://myapp.contoso.com"}
    invitation = send("POST", f"{GRAPH}/invitations", invited, caller)
    print("invited", invitation["status"], invitation["invitedUser"]["id"] != "")

    send("DELETE", f"{GRAPH}/users/{person}", headers=caller)
    send("POST", f"{GRAPH}/directory/deletedItems/{person}/restore", headers=caller)
    print("restored", person in [each["id"] for each in everything(f"{GRAPH}/users", caller)[0]])


if __name__ == "__main__":
    main()
