"""The model's own rule about a guest of a late invitation: what is taken back, and what is a wrong deletion."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from entra_graph_emulator import Emulator
from tests.support.clock import START, ManualClock

from .chance import Chance
from .evidence import Evidence, Owned, ownership
from .history import Exchange, Taken
from .others import Deeds
from .plan import CONTOSO, FABRIKAM, Plan

ADA, BOB = "ada", "bob"
LINKED, LATE = "linked guest", "late guest"
FROZEN = Taken(at=START, instance="a", user=ADA)  # the look that was frozen before its invitation
OTHER = replace(FROZEN, instance="b")


def invitation(target_id: str, by: Taken) -> Exchange:
    sent = exchange("POST", "/invitations", target_id, by)
    sent.created, sent.body = True, {"invitedUserEmailAddress": f"{by.user}@contoso.com"}
    return sent


def write(target_id: str, by: Taken, method: str = "PATCH") -> Exchange:
    return exchange(method, f"/users/{target_id}", target_id, by)


def exchange(method: str, path: str, target_id: str, by: Taken) -> Exchange:
    return Exchange(
        tenant=FABRIKAM,
        method=method,
        path=path,
        instance=by.instance,
        taken=by,
        sent_at=START,
        status=200,
        object_id=target_id,
    )


def owned(*exchanges: Exchange) -> Owned:
    """What the model concludes from these, in this order."""
    for n, each in enumerate(exchanges):
        each.done_at = START + timedelta(seconds=n)
    emulator = Emulator(clock=ManualClock(), rng=Random(1))
    source = emulator.create_tenant(CONTOSO, display_name="Contoso", domain="contoso.com")
    target = emulator.create_tenant(FABRIKAM, display_name="Fabrikam", domain="fabrikam.com")
    plan = replace(Plan.draw(Chance(1)), adopt="none")
    evidence = Evidence(
        plan=plan, source=source, target=target, exchanges=exchanges, deeds=Deeds(), kinds={}, bugs=[], logs=[]
    )
    return ownership(evidence)


def test_a_late_guest_whom_nobody_claims_is_taken_back() -> None:
    """The pair was made with another guest, and the worker that invited the late one deletes it: Ada keeps hers."""
    deletion = write(LATE, FROZEN, "DELETE")
    found = owned(invitation(LINKED, OTHER), write(LINKED, OTHER), invitation(LATE, FROZEN), deletion)
    assert found.taken_back == {LATE: deletion}
    assert found.by_source == {ADA: [LINKED]}


@pytest.mark.parametrize(("enabled", "status"), [(False, 200), (None, 404)])
def test_a_late_guest_of_somebody_who_is_disabled_or_gone_is_taken_back(enabled: bool | None, status: int) -> None:
    """Another look gave the invitation up meanwhile; one that found the person enabled did not."""
    deletion = write(LATE, FROZEN, "DELETE")
    deletion.sent_at = START + timedelta(minutes=2)
    read = exchange("GET", f"/users/{ADA}", ADA, OTHER)
    read.tenant, read.seen, read.sent_at = CONTOSO, status, START + timedelta(minutes=1)
    read.shown = {"accountEnabled": enabled}
    assert owned(invitation(LATE, FROZEN), read, deletion).taken_back == {LATE: deletion}
    read.seen, read.shown = 200, {"accountEnabled": True}
    assert owned(invitation(LATE, FROZEN), read, deletion).taken_back == {}


@pytest.mark.parametrize(
    "before",
    [
        pytest.param([invitation(LATE, FROZEN)], id="Ada has no other guest"),
        pytest.param(
            [invitation(LINKED, OTHER), invitation(LATE, FROZEN)], id="nobody has written to the other guest either"
        ),
        pytest.param(
            [
                invitation(LINKED, replace(OTHER, user=BOB)),
                write(LINKED, replace(OTHER, user=BOB)),
                invitation(LATE, FROZEN),
            ],
            id="the other guest is Bob's",
        ),
        pytest.param(
            [invitation(LINKED, OTHER), write(LINKED, OTHER), invitation(LATE, FROZEN), write(LATE, OTHER)],
            id="another worker has written to this one",
        ),
        pytest.param(
            [invitation(LINKED, OTHER), write(LINKED, OTHER), invitation(LATE, OTHER)], id="another worker invited it"
        ),
        pytest.param([invitation(LINKED, OTHER), write(LINKED, OTHER)], id="no invitation of ours made it"),
    ],
)
def test_the_deletion_of_any_other_guest_is_no_taking_back(before: list[Exchange]) -> None:
    """Such a deletion rests on a read of the source like every other one."""
    assert owned(*before, write(LATE, FROZEN, "DELETE")).taken_back == {}
