"""What Graph posts: the handshake, good and bad items, duplicates. Nothing unproven is ever put on a queue."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from sync_core.model import FeedRun, LifecycleEvent, Nomination, Why
from sync_core.model.messages import decode_feed_run, decode_lifecycle_event, decode_nomination, format_time
from sync_core.nominate.webhook import (
    LIFECYCLE_EVENTS,
    MAX_BODY,
    Answer,
    Known,
    Post,
    client_state_hash,
    known_subscriptions,
    receive_lifecycle,
    receive_notifications,
)
from tests.support.clock import START
from tests.support.make import ADA, BOB, CONTOSO, SALES, STAFF

STATE = "s3cret-state"
SUBSCRIPTION = "subscription-1"
CONFIG = "0123456789abcdef"
KNOWN = {
    SUBSCRIPTION: Known(
        subscription_id=SUBSCRIPTION,
        tenant="contoso",
        tenant_id=CONTOSO.id,
        client_state_hash=client_state_hash(STATE),
        syncs=["a-to-b", "a-to-c"],
        config=CONFIG,
    )
}


def item(user: object = ADA, **changed: object) -> dict[str, object]:
    """A change notification as Graph posts it."""
    return {
        "subscriptionId": SUBSCRIPTION,
        "tenantId": CONTOSO.id,
        "clientState": STATE,
        "changeType": "updated",
        "resource": f"Users/{user}",
        "resourceData": {"@odata.type": "#Microsoft.Graph.User", "id": user},
        **changed,
    }


def post(*items: object, body: bytes | None = None, content_type: str = "application/json") -> Post:
    given = json.dumps({"value": items}).encode() if body is None else body
    return Post(validation_token=None, content_type=content_type, body=given)


def notify(*items: object) -> Answer:
    return receive_notifications(post(*items), KNOWN, START)


def nominated(answer: Answer) -> list[tuple[str, str]]:
    return [(each.sync, each.user) for each in map(decode_nomination, answer.messages)]


# --- the handshake ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "token",
    ["Validation: Testing client application reachability", "a", "x" * 4096, "<b>&amp;</b>", "100% ü + ☃", " "],
    ids=lambda token: str(token)[:20],
)
@pytest.mark.parametrize("receive", [receive_notifications, receive_lifecycle])
def test_the_handshake_is_echoed_exactly(receive: type, token: str) -> None:
    """Graph compares the answer with what it sent, character by character."""
    answer = receive(Post(validation_token=token, content_type="text/plain", body=b""), {}, START)
    assert answer == Answer(status=200, text=token)


@pytest.mark.parametrize("token", ["", "x" * 4097, "a\r\nSet-Cookie: b", "\x00", "\x7f"], ids=repr)
def test_a_handshake_that_graph_would_not_send_is_refused(token: str) -> None:
    """Nothing with control characters, nothing endless, and no echo of it."""
    answer = receive_notifications(Post(validation_token=token, content_type="", body=b""), KNOWN, START)
    assert answer.status == 400
    assert token == "" or token not in answer.text


def test_a_handshake_enqueues_nothing() -> None:
    """Also when it carries a body that would be good."""
    good = post(item())
    shake = Post(validation_token="hello", content_type=good.content_type, body=good.body)
    assert receive_notifications(shake, KNOWN, START).messages == ()


# --- posts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-json", "multipart/form-data; boundary=b"])
def test_another_content_type_is_refused(content_type: str) -> None:
    """Graph posts JSON."""
    assert receive_notifications(post(item(), content_type=content_type), KNOWN, START).status == 415


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8", " application/json "])
def test_json_is_json_with_or_without_a_charset(content_type: str) -> None:
    """Parameters and case do not matter."""
    assert receive_notifications(post(item(), content_type=content_type), KNOWN, START).status == 202


def test_an_oversize_body_is_refused_before_it_is_parsed() -> None:
    """One byte more than the limit is too much; the limit itself is not."""
    assert receive_notifications(post(body=b" " * (MAX_BODY + 1)), KNOWN, START).status == 413
    full = post(item()).body
    padded = full + b" " * (MAX_BODY - len(full))
    assert receive_notifications(post(body=padded), KNOWN, START).status == 202


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"{}",
        b'{"value":{}}',
        b'{"value":null}',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"value":' + b"[" * 200_000,
        b'{"value":[' + b"9" * 5_000 + b"]}",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_a_malformed_body_is_refused_without_a_word_of_it(body: bytes) -> None:
    """Not JSON, no list, too deep, a number without end: 400, nothing enqueued, nothing quoted."""
    answer = receive_notifications(post(body=body), KNOWN, START)
    assert answer.status == 400
    assert answer.messages == ()


def test_an_empty_batch_is_accepted() -> None:
    """Nothing to do is no fault."""
    assert notify() == Answer(status=202)


def test_each_item_nominates_its_user_for_every_sync_of_the_tenant() -> None:
    """All items of a batch are handled, not only the first."""
    answer = notify(item(ADA), item(BOB))
    assert answer.status == 202
    assert nominated(answer) == [("a-to-b", ADA), ("a-to-c", ADA), ("a-to-b", BOB), ("a-to-c", BOB)]
    assert decode_nomination(answer.messages[0]) == Nomination(
        sync="a-to-b", user=ADA, why=Why.NOTIFICATION, at=START, config=CONFIG
    )


def test_a_user_is_nominated_once_however_often_a_post_names_them() -> None:
    """Graph repeats itself, in any case of the letters."""
    assert nominated(notify(item(ADA), item(ADA.upper()), item(ADA))) == [("a-to-b", ADA), ("a-to-c", ADA)]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (None, "not an object"),
        ("text", "not an object"),
        ([item()], "not an object"),
        ({}, "unknown subscription"),
        (item(subscriptionId="subscription-2"), "unknown subscription"),
        (item(subscriptionId=[SUBSCRIPTION]), "unknown subscription"),
        (item(subscriptionId=None), "unknown subscription"),
        (item(tenantId=BOB), "wrong tenant"),
        (item(tenantId=None), "wrong tenant"),
        (item(tenantId=7), "wrong tenant"),
        (item(clientState="guess"), "wrong client state"),
        (item(clientState=None), "wrong client state"),
        (item(clientState=""), "wrong client state"),
        (item(clientState=client_state_hash(STATE)), "wrong client state"),
        (item(clientState="\ud800"), "wrong client state"),
        (item(clientState={"$ne": ""}), "wrong client state"),
        (item(resourceData=None), "no object id"),
        (item(resourceData={}), "no object id"),
        (item(resourceData={"id": None}), "no object id"),
        (item("not-a-guid"), "no object id"),
        (item(f"{ADA}\n"), "no object id"),
        (item(f"../{ADA}"), "no object id"),
        (item("\ud800"), "no object id"),
        (item(10**30), "no object id"),
    ],
    ids=lambda value: str(value)[:40].encode("ascii", "replace").decode() if isinstance(value, str) else None,
)
def test_an_item_that_proves_nothing_is_refused_counted_and_not_enqueued(bad: object, reason: str) -> None:
    """Alone it yields no message; among good items it does not stop them."""
    assert notify(bad) == Answer(status=202, refused={reason: 1})
    mixed = notify(item(ADA), bad, item(BOB), bad)
    assert nominated(mixed) == nominated(notify(item(ADA), item(BOB)))
    assert mixed.refused == {reason: 2}


def test_the_tenant_id_is_compared_without_case() -> None:
    """A GUID is one however it is written."""
    upper = {**KNOWN, SUBSCRIPTION: replace(KNOWN[SUBSCRIPTION], tenant_id="ABCDEF")}
    assert receive_notifications(post(item(tenantId="abcdef")), upper, START).refused == {}


def test_without_a_known_subscription_everything_is_refused() -> None:
    """Before the first subscription is stored, nobody can prove anything."""
    answer = receive_notifications(post(item(), item()), {}, START)
    assert answer == Answer(status=202, refused={"unknown subscription": 2})


def test_a_subscription_without_a_stored_hash_proves_nothing() -> None:
    """No secret stored is no secret, not an open door."""
    open_door = {SUBSCRIPTION: replace(KNOWN[SUBSCRIPTION], client_state_hash="")}
    for state in (None, "", STATE):
        assert receive_notifications(post(item(clientState=state)), open_door, START).messages == ()


def test_a_tenant_without_syncs_is_answered_and_nominates_nobody() -> None:
    """A subscription may outlive the last sync of its tenant."""
    idle = {SUBSCRIPTION: replace(KNOWN[SUBSCRIPTION], syncs=[])}
    assert receive_notifications(post(item()), idle, START) == Answer(status=202)


# --- lifecycle --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", sorted(LIFECYCLE_EVENTS))
def test_a_lifecycle_event_becomes_one_message(event: str) -> None:
    """However often it is posted at once."""
    told = {"subscriptionId": SUBSCRIPTION, "tenantId": CONTOSO.id, "clientState": STATE, "lifecycleEvent": event}
    answer = receive_lifecycle(post(told, told), KNOWN, START)
    assert [decode_lifecycle_event(each) for each in answer.messages] == [
        LifecycleEvent(tenant="contoso", event=event, at=START)
    ]


@pytest.mark.parametrize(
    ("named", "refused"),
    [
        ({"organizationId": CONTOSO.id}, {}),
        ({"organizationId": CONTOSO.id.upper(), "tenantId": None}, {}),
        ({"organizationId": CONTOSO.id, "tenantId": CONTOSO.id}, {}),
        ({"organizationId": BOB}, {"wrong tenant": 1}),
        ({"organizationId": CONTOSO.id, "tenantId": BOB}, {"wrong tenant": 1}),
        ({"organizationId": BOB, "tenantId": CONTOSO.id}, {"wrong tenant": 1}),
        ({"organizationId": None}, {"wrong tenant": 1}),
        ({}, {"wrong tenant": 1}),
    ],
    ids=str,
)
def test_a_lifecycle_event_may_name_its_tenant_as_organization(
    named: dict[str, object], refused: dict[str, int]
) -> None:
    """Graph is seen to send `organizationId` and no `tenantId`; whatever names a tenant has to name ours."""
    told = {"subscriptionId": SUBSCRIPTION, "clientState": STATE, "lifecycleEvent": "missed", **named}
    answer = receive_lifecycle(post(told), KNOWN, START)
    assert answer.refused == refused
    assert len(answer.messages) == (0 if refused else 1)


@pytest.mark.parametrize("event", [None, "", "Missed", "deleteEverybody", ["missed"], {"missed": 1}, 1], ids=repr)
def test_another_lifecycle_event_is_refused(event: object) -> None:
    """Only the three that Graph documents are known, of whatever type the value is."""
    answer = receive_lifecycle(post(item(lifecycleEvent=event)), KNOWN, START)
    assert answer == Answer(status=202, refused={"no known lifecycle event": 1})


def test_a_lifecycle_event_proves_itself_like_a_notification() -> None:
    """Nobody but Graph can have a subscription renewed."""
    answer = receive_lifecycle(post(item(lifecycleEvent="missed", clientState="guess")), KNOWN, START)
    assert answer == Answer(status=202, refused={"wrong client state": 1})


# --- groups -----------------------------------------------------------------------------------------------------

OF_GROUPS = {SUBSCRIPTION: replace(KNOWN[SUBSCRIPTION], syncs=(), feed="groups")}


def of_group(group: object = SALES, **changed: object) -> dict[str, object]:
    data = {"@odata.type": "#Microsoft.Graph.Group", "id": group}
    return item(**{"resource": f"Groups/{group}", "resourceData": data, **changed})


def test_groups_that_changed_ask_for_one_round_of_their_feed() -> None:
    """A notification does not say who came or went; one round tells, however many groups a post names."""
    answer = receive_notifications(post(of_group(), of_group(STAFF), of_group()), OF_GROUPS, START)
    assert answer.messages == ()
    assert [decode_feed_run(body) for body in answer.rounds] == [
        FeedRun(tenant="contoso", feed="groups", round=format_time(START))
    ]


def test_a_post_about_users_and_groups_leads_to_both() -> None:
    """One post may carry items of several subscriptions."""
    known = {**KNOWN, "other": replace(OF_GROUPS[SUBSCRIPTION], subscription_id="other")}
    answer = receive_notifications(post(item(), of_group(subscriptionId="other")), known, START)
    assert (len(nominated(answer)), len(answer.rounds)) == (2, 1)


@pytest.mark.parametrize("bad", [of_group(clientState="guess"), of_group("Sales"), of_group(tenantId=ADA)])
def test_a_notification_of_a_group_proves_itself_like_one_of_a_user(bad: dict[str, object]) -> None:
    """Nobody but Graph can have the groups read."""
    answer = receive_notifications(post(bad), OF_GROUPS, START)
    assert (answer.status, answer.rounds, sum(answer.refused.values())) == (202, (), 1)


# --- what is known ----------------------------------------------------------------------------------------------

ROW = {
    "PartitionKey": "contoso",
    "RowKey": "users",
    "tenant_id": CONTOSO.id,
    "subscription_id": SUBSCRIPTION,
    "client_state_hash": client_state_hash(STATE),
}


def test_subscriptions_are_known_from_the_rows_of_the_table() -> None:
    """The binding gives JSON; what is about to be created or belongs to no configured tenant does not count."""
    rows = [ROW, {**ROW, "subscription_id": ""}, {"PartitionKey": "contoso"}, {**ROW, "PartitionKey": "initech"}]
    syncs = {"contoso": ["a-to-b", "a-to-c"]}
    assert known_subscriptions(json.dumps(rows), syncs, set(), CONFIG) == KNOWN
    of_groups = json.dumps([{**ROW, "RowKey": "groups"}])
    assert known_subscriptions(of_groups, syncs, {"contoso"}, CONFIG) == OF_GROUPS


def test_a_target_tenant_counts_where_graph_is_to_tell_of_it() -> None:
    """Alone, or beside what the tenant is as a source; not once nobody asks for it any more."""
    rows, syncs = json.dumps([ROW]), {"contoso": ["a-to-b", "a-to-c"]}
    both = {SUBSCRIPTION: replace(KNOWN[SUBSCRIPTION], feed="target")}
    assert known_subscriptions(rows, syncs, {"contoso"}, CONFIG) == both
    target = {SUBSCRIPTION: replace(KNOWN[SUBSCRIPTION], syncs=(), feed="target")}
    assert known_subscriptions(rows, {}, {"contoso"}, CONFIG) == target
    assert known_subscriptions(rows, {}, {"fabrikam"}, CONFIG) == {}


def test_a_notification_of_a_target_tenant_asks_for_a_round() -> None:
    """One round, however many users it names; where the tenant is a source, too, they are nominated besides."""
    target = {SUBSCRIPTION: replace(KNOWN[SUBSCRIPTION], syncs=(), feed="target")}
    answer = receive_notifications(post(item(), item(BOB)), target, START)
    assert [decode_feed_run(each) for each in answer.rounds] == [
        FeedRun(tenant="contoso", feed="target", round=format_time(START))
    ]
    assert nominated(answer) == []
    both = {SUBSCRIPTION: replace(KNOWN[SUBSCRIPTION], feed="target")}
    answer = receive_notifications(post(item(), item(BOB)), both, START)
    assert (len(nominated(answer)), len(answer.rounds)) == (4, 1)


def test_the_client_state_is_stored_as_its_hash() -> None:
    """A reader of the table cannot post in Graph's name."""
    assert client_state_hash(STATE) != STATE
    assert client_state_hash(STATE) == client_state_hash(STATE)
    assert len(client_state_hash("\ud800")) == 64


# --- laws -------------------------------------------------------------------------------------------------------

_values: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([STATE, ADA, CONTOSO.id]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_items = _values | st.builds(
    lambda changed: item(**changed), st.dictionaries(st.sampled_from(sorted(item())), _values, max_size=3)
)


@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")), st.none() | st.text())
def test_arbitrary_bytes_never_raise(body: bytes, token: str | None) -> None:
    """Anybody on the internet may post anything."""
    for receive in (receive_notifications, receive_lifecycle):
        answer = receive(Post(validation_token=token, content_type="application/json", body=body), KNOWN, START)
        assert answer.status in {200, 202, 400}
        assert answer.messages == ()


@given(st.lists(_items, max_size=6))
def test_every_item_is_either_proven_or_counted_as_refused(items: list[object]) -> None:
    """No item is dropped silently, and only a complete proof reaches the queue."""
    answer = receive_notifications(post(*items), KNOWN, START)
    proven = [each for each in items if _is_good(each)]
    assert answer.status == 202
    assert sum(answer.refused.values()) == len(items) - len(proven)
    assert {user for _, user in nominated(answer)} == {_user(each) for each in proven}


def _is_good(each: object) -> bool:
    good = item()
    return isinstance(each, dict) and all(
        each.get(name) == good[name] for name in ("subscriptionId", "tenantId", "clientState", "resourceData")
    )


def _user(each: object) -> object:
    assert isinstance(each, dict)
    return each["resourceData"]["id"]
