"""`xtsync doctor` for people and for programs; what the checks say is tested with them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from sync_core.ports import FeedState, SubscriptionRecord
from tests.support.cli import ADA
from tests.support.clinic import Clinic


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    clinic = Clinic(tmp_path)
    now = clinic.clock.now()
    clinic.do(clinic.storage.feeds.save(FeedState(tenant="contoso", completed_at=now)))
    record = SubscriptionRecord(
        tenant="contoso", tenant_id="t", subscription_id="s", expires_at=now + timedelta(hours=40), kept_at=now
    )
    clinic.do(clinic.storage.subscriptions.save(record))
    return clinic


def test_all_green(clinic: Clinic) -> None:
    """One line for each check, grouped by tenant, and nothing to do; nothing is written anywhere."""
    before = clinic.stored()
    result = clinic.run("doctor")
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert [line for line in lines if line and not line.startswith(" ") and " " not in line] == ["deployment"]
    assert {"contoso (source)", "fabrikam (target)"} <= set(lines)
    assert any(line.split() == ["subscription", "ok", "live,", "expires", "in", "24", "h"] for line in lines)
    assert lines[-1] == "nothing failed"
    assert clinic.stored() == before
    assert clinic.built == [True]


def test_a_failure_has_its_remedy_below_the_tables(clinic: Clinic) -> None:
    """Links and commands stand on lines alone, to be copied."""
    clinic.hold(ADA)
    result = clinic.run("doctor")
    assert result.code == 1
    lines = result.out.splitlines()
    assert any(line.split()[:2] == ["holds", "FAILED"] for line in lines)
    assert "deployment, holds: failed" in lines
    assert "  xtsync holds approve CODE" in lines
    assert lines[-1] == "1 check failed"


def test_json_has_the_same(clinic: Clinic) -> None:
    """Every finding with the same keys."""
    clinic.hold(ADA)
    result = clinic.run("doctor", "--json")
    assert (result.code, result.json["failed"]) == (1, 1)
    keys = {"subject", "check", "looked_at", "verdict", "detail", "remedy"}
    assert all(set(each) == keys for each in result.json["findings"])
    (holds,) = [each for each in result.json["findings"] if each["check"] == "holds"]
    assert (holds["subject"], holds["verdict"]) == (None, "failed")


def test_colours_are_for_terminals_only(clinic: Clinic) -> None:
    """As with every command."""
    assert "\x1b[" not in clinic.run("doctor").out
    assert "\x1b[" in clinic.run("doctor", terminal=True).out


def test_wrong_configuration_is_exit_code_2(clinic: Clinic) -> None:
    """All its faults, and no check."""
    (clinic.folder / "sync.yaml").write_text("tenants: {}\n")
    assert clinic.run("doctor").code == 2


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ('{"extensions":{"queues":{"messageEncoding":"none"}}}', 1),
        ('{"extensions":{"queues":{}}}', 0),
        ('{"version":"2.0"}', 0),
        ("[]", 2),
        ("{", 2),
    ],
)
def test_the_host_s_encoding_is_read(clinic: Clinic, host: str, code: int) -> None:
    """base64 is the host's own default; any other content is a wrong configuration."""
    (clinic.folder / "host.json").write_text(host)
    assert clinic.run("doctor").code == code
