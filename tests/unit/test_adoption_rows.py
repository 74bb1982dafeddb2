"""The rows of a file of adoptions: by hand, and with a first line that names columns."""

from __future__ import annotations

import pytest

from sync_core.ops.adoption_rows import Row, read_rows
from sync_core.ops.errors import UsageError


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("u1\n# by Grace\n\nu2, t2\n", [Row(line=1, user="u1"), Row(line=4, user="u2", target="t2")]),
        ("user,target\nu1,t1\nu2,\n", [Row(line=2, user="u1", target="t1"), Row(line=3, user="u2")]),
        ("Target,Remark,User\nt1,\"a, b\",u1\n", [Row(line=2, user="u1", target="t1")]),
        ("adopt;user;code\nYES;u1;as-1\nno;u2;\n;u3;as-3\n", [Row(line=2, user="u1", code="as-1")]),
        ("user,sync\nu1,a-to-b\n", [Row(line=2, user="u1", sync="a-to-b")]),
    ],
)  # fmt: skip
def test_rows_that_are_read(text: str, rows: list[Row]) -> None:
    """Columns by name in any order, others passed over, and with `adopt` only those that somebody said yes to."""
    assert read_rows(text) == rows


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the file names nobody"),
        ("adopt,user\n,u1\n", "the file names nobody"),
        ("u1,t1,x\n", "line 1 is neither USER nor USER,TARGET"),
        ("adopt,user\nperhaps,u1\n", "line 2: 'perhaps' in the column adopt is neither yes nor no"),
        ("adopt,user,target\nyes,,t1\n", "line 2 names no user"),
        ("adopt,user,code\nyes,u1,\n", "line 2 has no code"),
        ("adopt,user\nyes,u1,x\n", "line 2 has more cells than the first line"),
    ],
)
def test_rows_that_are_refused(text: str, told: str) -> None:
    """With their line."""
    with pytest.raises(UsageError, match=told):
        read_rows(text)
