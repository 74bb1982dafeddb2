"""`xtsync verify` on the Graph emulator: each newcomer who cannot be used is found by the cause, and nobody else."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from entra_graph_emulator.testing import CONTOSO, FABRIKAM
from sync_core.model import ENABLED, fingerprint
from sync_core.ops.documents import Unusable
from tests.support.emulated import NAME, EmulatedBench

HOUR = timedelta(hours=1)
HIDDEN = {"showInAddressList": fingerprint(False)}
GONE, INTERNAL, BLOCKED, UNREDEEMED, UNSHOWN, UNKNOWN = Unusable
ID = "aaaaaaaa-0000-0000-0000-{:012d}"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[EmulatedBench]:
    """Both tenants redeem automatically."""
    with EmulatedBench(tmp_path) as made:
        made.redeem_automatically(CONTOSO, FABRIKAM, outbound=True)
        made.redeem_automatically(FABRIKAM, CONTOSO, inbound=True)
        yield made


def newcomer(
    bench: EmulatedBench, number: int = 1, *, ago: timedelta = HOUR, link: Any = None, **attributes: Any
) -> str:
    """A pair of so long ago; the source id."""
    address = f"p{number}@contoso.com"
    guest = bench.world.target.create(
        {
            "accountEnabled": True,
            "creationType": "Invitation",
            "displayName": f"P{number}",
            "externalUserState": "Accepted",
            "mail": address,
            "userPrincipalName": f"p{number}_contoso.com#EXT#@fabrikam.com",
            **attributes,
        }
    )
    user = ID.format(number)
    bench.link(user, guest.id, linked_at=bench.world.clock.now() - ago, **(link or {}))
    return user


def guest_of(bench: EmulatedBench, user: str) -> Any:
    link = bench.stored(user)
    assert link is not None
    assert link.target_id is not None
    return bench.world.target.user(link.target_id)


def usable(bench: EmulatedBench) -> None:
    newcomer(bench, showInAddressList=True)
    newcomer(bench, 2, externalUserState="PendingAcceptance")


def gone(bench: EmulatedBench) -> None:
    bench.world.target.delete(guest_of(bench, newcomer(bench)))


def converted(bench: EmulatedBench) -> None:
    changes = {"externalUserState": None, "creationType": None, "userPrincipalName": "p1@fabrikam.com"}
    bench.world.target.update(guest_of(bench, newcomer(bench)), changes)


def blocked(bench: EmulatedBench) -> None:
    newcomer(bench, accountEnabled=False)


def disabled_by_us(bench: EmulatedBench) -> None:
    newcomer(bench, accountEnabled=False, link={"applied": {ENABLED: fingerprint(False)}})


def pending(bench: EmulatedBench) -> None:
    bench.redeem_automatically(FABRIKAM, CONTOSO, inbound=False)
    newcomer(bench, externalUserState="PendingAcceptance")


def pending_and_unseen(bench: EmulatedBench) -> None:
    bench.roles(FABRIKAM, ["User.ReadWrite.All"])
    newcomer(bench, externalUserState="PendingAcceptance")


def hidden(bench: EmulatedBench) -> None:
    newcomer(bench, showInAddressList=False)


def refused(bench: EmulatedBench) -> None:
    newcomer(bench, link={"refused": {"showInAddressList": "403 x"}})


def hidden_on_purpose(bench: EmulatedBench) -> None:
    newcomer(bench, showInAddressList=False, link={"applied": HIDDEN})


def several(bench: EmulatedBench) -> None:
    newcomer(bench, accountEnabled=False, showInAddressList=False)


def long_ago(bench: EmulatedBench) -> None:
    newcomer(bench, ago=timedelta(days=8), accountEnabled=False)


def a_minute_ago(bench: EmulatedBench) -> None:
    newcomer(bench, ago=timedelta(minutes=1), accountEnabled=False)


@pytest.mark.parametrize(
    ("plant", "found", "looked_at", "code"),
    [
        (usable, [], 2, 0),
        (gone, [GONE], 1, 1),
        (converted, [INTERNAL], 1, 1),
        (blocked, [BLOCKED], 1, 1),
        (disabled_by_us, [], 0, 0),
        (pending, [UNREDEEMED], 1, 1),
        (pending_and_unseen, [UNKNOWN], 1, 0),
        (hidden, [UNSHOWN], 1, 1),
        (refused, [UNSHOWN], 1, 1),
        (hidden_on_purpose, [], 1, 0),
        (several, [BLOCKED, UNSHOWN], 1, 1),
        (long_ago, [], 0, 0),
        (a_minute_ago, [], 0, 0),
    ],
)
def test_who_cannot_be_used(
    bench: EmulatedBench, plant: Callable[[EmulatedBench], None], found: list[Unusable], looked_at: int, code: int
) -> None:
    """By cause, of those who are newcomers, and by the exit code; what the sync meant is no trouble."""
    plant(bench)
    result = bench.run("verify", "--json")
    assert [user["cause"] for user in result.json["users"]] == [each.value for each in found]
    assert [cause["cause"] for cause in result.json["causes"]] == [each.value for each in found]
    assert (result.json["looked_at"], result.code) == (looked_at, code)
    assert result.json["usable"] == looked_at - bool(found)
    assert {each["method"] for each in bench.requests()} <= {"GET", "POST"}


def test_everybody_is_asked_about_in_few_requests(bench: EmulatedBench) -> None:
    """Fifteen users in each, and pages of the stored pairs as one document."""
    for number in range(40):
        newcomer(bench, number, accountEnabled=number % 2 == 0)
    result = bench.run("verify", "--json")
    assert (result.json["looked_at"], result.json["usable"], result.json["more"]) == (40, 20, None)
    assert len(bench.requests()) == 3


def rows(text: str) -> list[Mapping[str, str]]:
    return list(csv.DictReader(StringIO(text)))


def test_people_see_causes_and_remedies(bench: EmulatedBench) -> None:
    """With names while they are shown, no more of each cause than a screen takes, and a spreadsheet has all."""
    for number in range(22):
        newcomer(bench, number, accountEnabled=False)
    shown = bench.run("verify").out
    assert "22 newcomers since 2025-12-29 09:00:00 UTC, 0 known to be usable." in shown
    assert "the target user may not sign in, and the sync did not do that: 22 users" in shown
    assert "P0 <p0@contoso.com>" in shown
    assert "and 2 more (--all lists them)" in shown
    assert "@contoso.com" not in bench.run("verify", "--all", "--no-names").out
    found = rows(bench.run("verify", "--csv").out)
    assert len(found) == 22
    assert found[0] == {
        "sync": NAME,
        "source user": ID.format(0),
        "target user": guest_of(bench, ID.format(0)).id,
        "cause": "blocked",
        "since": "2026-01-05T08:00:00.000000Z",
    }


def test_nobody_came(bench: EmulatedBench) -> None:
    """Said in words; another time is taken, and nonsense refused."""
    newcomer(bench, ago=timedelta(days=3))
    assert "1 newcomer since" in bench.run("verify").out
    later = bench.run("verify", "--since", "2d", "--sync", NAME)
    assert (later.code, "0 newcomers since" in later.out) == (0, True)
    assert bench.run("verify", "--since", "yesterday").code == 2
