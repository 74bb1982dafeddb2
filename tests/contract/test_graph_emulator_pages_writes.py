"""Writes that Graph refuses, property by property: groups and invitations."""

from typing import Any

import pytest

from tests.support.graph_clients import Client, documented

API = "https://learn.microsoft.com/graph/api"
TEAM = {
    "displayName": "G",
    "mailEnabled": True,
    "mailNickname": "g",
    "securityEnabled": False,
    "groupTypes": ["Unified"],
}
PLAIN = {"displayName": "G", "mailEnabled": False, "mailNickname": "g", "securityEnabled": True}


@documented("https://learn.microsoft.com/graph/group-set-options", f"{API}/resources/group", date="2026-07")
async def test_options_of_a_group_are_set_once(client: Client) -> None:
    """When a Microsoft 365 group is made, from the known values (group-set-options, 2026-07)."""
    options = {"resourceBehaviorOptions": ["WelcomeEmailDisabled"], "resourceProvisioningOptions": ["Team"]}
    made = (await client("POST", "/groups", {**TEAM, **options})).body
    assert made["resourceBehaviorOptions"] == ["WelcomeEmailDisabled"]
    for name, value in options.items():
        assert (await client("PATCH", f"/groups/{made['id']}", {name: value})).status == 400
        assert (await client("POST", "/groups", {**PLAIN, name: value})).status == 400
    assert (await client("POST", "/groups", {**TEAM, "resourceBehaviorOptions": ["Sing"]})).status == 400


@documented(f"{API}/resources/group", date="2026-07")
async def test_what_only_groups_of_microsoft_365_have(client: Client) -> None:
    """A hidden membership; a unique name stays what it is (resources/group, 2026-07)."""
    assert (await client("POST", "/groups", {**PLAIN, "visibility": "HiddenMembership"})).status == 400
    made = (await client("POST", "/groups", {**TEAM, "visibility": "HiddenMembership", "uniqueName": "one"})).body
    assert (await client("PATCH", f"/groups/{made['id']}", {"uniqueName": "two"})).status == 400


@documented(f"{API}/group-update", date="2026-07")
@pytest.mark.parametrize("name", ["allowExternalSenders", "autoSubscribeNewMembers", "hideFromOutlookClients"])
async def test_settings_of_a_group_take_a_signed_in_user(client: Client, name: str) -> None:
    """An app alone cannot write them, and can select them (group-update, 2026-07)."""
    made = (await client("POST", "/groups", TEAM)).body
    assert (await client("PATCH", f"/groups/{made['id']}", {name: True})).status == 403
    assert (await client("GET", f"/groups/{made['id']}", select=name)).body[name] is None


@documented(f"{API}/resources/invitedusermessageinfo", date="2024")
@pytest.mark.parametrize(
    "message",
    [
        {"ccRecipients": [{"emailAddress": {"address": "a@b.com"}}] * 2},
        {"messageLanguage": "english please"},
        {"customizedMessageBody": 5},
        {"subject": "Hello"},
    ],
)
async def test_messages_of_invitations(client: Client, message: dict[str, Any]) -> None:
    """One more recipient, a language by ISO 639, nothing else (resources/invitedusermessageinfo, 2024)."""
    body = {
        "invitedUserEmailAddress": "x@elsewhere.com",
        "inviteRedirectUrl": "https://x",
        "sendInvitationMessage": True,
    }
    assert (await client("POST", "/invitations", {**body, "invitedUserMessageInfo": message})).status == 400
    good = {"messageLanguage": "nl", "customizedMessageBody": "Hi", "ccRecipients": []}
    assert (await client("POST", "/invitations", {**body, "invitedUserMessageInfo": good})).status in {200, 201}
