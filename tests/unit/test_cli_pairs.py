"""`xtsync link` and `move` of one user: what they refuse before anything is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import ADA, BOB, NAME, Bench


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f"move {ADA} --to {BOB} --sync {NAME} --dry-run", "without --dry-run"),
        (f"move {ADA} --to {BOB} --sync {NAME}", "nobody is there to confirm"),
        (f"move {ADA} --sync {NAME} --yes", "--to"),
        (f"move {ADA} --to-sync {NAME} --yes", "--to"),
        (f"link {ADA} --sync {NAME} --target ../me --yes", "no object id"),
        (f"link {ADA} --sync {NAME} --target ada@contoso.example --yes", "no object id"),
    ],
)
def test_what_a_command_cannot_do_is_not_done(tmp_path: Path, line: str, message: str) -> None:
    """Least of all by a dry run: nothing is read, and nothing is stored."""
    bench = Bench(tmp_path)
    bench.link(ADA)
    before = bench.stored()
    result = bench.run(*line.split())
    assert (result.code, message in result.err) == (2, True), result.err
    assert bench.stored() == before
