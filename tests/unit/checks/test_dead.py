"""The check on dead definitions: a use by a test is none, and neither is one by another dead definition."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.checks.dead import PRODUCT, Source, findings
from tools.checks.kept import KEPT
from tools.checks.source import python_files


def found(root: Path, product: str, tests: str = "") -> list[str]:
    for name, text in {"sync_core/a.py": product, "tests/test_a.py": tests}.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return [finding.what for finding in findings(root)]


@pytest.mark.parametrize(
    ("definition", "label"),
    [
        ("def f(): ...", "function f"),
        ("async def f(): ...", "function f"),
        ("class f: ...", "class f"),
        ("f = 1", "name f"),
        ("f: int = 1", "name f"),
        ("type f = int", "name f"),
        ("if True:\n    f = 1", "name f"),
    ],
)
def test_a_definition_that_only_tests_use_is_found(tmp_path: Path, definition: str, label: str) -> None:
    """Of every kind; where the product uses it, too, all is well."""
    assert found(tmp_path, definition, "from sync_core.a import f\nprint(f)") == [f"{label}: only tests use it"]
    assert found(tmp_path, definition) == [f"{label}: nobody uses it"]
    assert found(tmp_path, f"{definition}\nprint(f)") == []


def test_fields_methods_and_attributes_of_a_class_are_found(tmp_path: Path) -> None:
    """By name: a read of `.used` on anything counts."""
    product = """\
class A:
    used: int
    field: int
    def __init__(self):
        self.used, self.attribute = 1, 2
    def method(self): ...
A().used
"""
    assert found(tmp_path, product) == [
        "name A.field: nobody uses it",
        "attribute A.attribute: nobody uses it",
        "function A.method: nobody uses it",
    ]


def test_a_pattern_reads_its_fields(tmp_path: Path) -> None:
    """`case A(field=1)` is a use."""
    assert found(tmp_path, "class A:\n    field: int\nmatch A():\n    case A(field=1): ...") == []


def test_a_name_that_only_itself_or_something_dead_uses_is_dead(tmp_path: Path) -> None:
    """A recursive function keeps nobody alive, nor what it calls."""
    product = "def first():\n    first()\n    second()\ndef second(): ..."
    assert found(tmp_path, product) == ["function first: nobody uses it", "function second: nobody uses it"]


def test_an_import_is_no_use(tmp_path: Path) -> None:
    """A name that is only handed on is used by nobody."""
    assert found(tmp_path, "from .a import f\n__all__ = ['f']\ndef f(): ...") == ["function f: nobody uses it"]


def test_what_a_decorator_hands_on_is_used(tmp_path: Path) -> None:
    """A registry calls it; a decorator of the standard library does not."""
    assert found(tmp_path, "@route('GET')\ndef f(): ...") == []
    assert found(tmp_path, "@functools.cache\ndef f(): ...") == ["function f: nobody uses it"]


@pytest.mark.parametrize(
    ("call", "passed"),
    [
        ("f(1)", False),
        ("f(1, 2)", True),
        ("f(1, b=2)", True),
        ("f(*[1, 2])", True),
        ("f(**{'b': 2})", True),
        ("f(1); map(f, [])", True),
    ],
)
def test_a_parameter_that_no_call_passes_is_found(tmp_path: Path, call: str, passed: bool) -> None:
    """With a default; of a function that is handed about, nobody knows the calls."""
    wanted = [] if passed else ["parameter f.b: no call of the product passes it"]
    assert found(tmp_path, f"def f(a, b=1): ...\n{call}", "f(1, b=2)") == wanted


def test_parameters_of_methods_and_constructors_are_found(tmp_path: Path) -> None:
    """`self` is not passed by position, and a constructor is called by its class."""
    product = """\
class A:
    def __init__(self, a=1, *, b=2): ...
    def method(self, a, c=3): ...
A(1).method(1)
"""
    assert found(tmp_path, product) == [
        "parameter A.b: no call of the product passes it",
        "parameter method.c: no call of the product passes it",
    ]


def test_everything_that_is_kept_would_be_found() -> None:
    """An entry of kept.py that is used by now, or gone, has to go."""
    product = Source(python_files(*PRODUCT))
    names = {name for each in [*product.unused(), *product.never_passed()] for name in (each.label, each.name)}
    assert sorted(set(KEPT) - names) == []
