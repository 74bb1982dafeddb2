"""Laws: any text gives a value or an error with a place, and what is printed reads back the same."""

from __future__ import annotations

import json

from hypothesis import given, strategies as st

from sync_core.mapping import expressions
from sync_core.mapping.expressions import FUNCTIONS, ExpressionError, Flow, evaluate_lines
from sync_core.mapping.expressions.parser import parse
from sync_core.mapping.expressions.syntax import Attribute, Call, Comparison, Node, Number, Omitted, Text, Word, unparse
from sync_core.model import Json

from .support import NOW, context

_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=12), st.just("2025-08-01")
)
_JSON = st.one_of(_SCALARS, st.lists(_SCALARS, max_size=3), st.dictionaries(st.text(max_size=3), _SCALARS, max_size=2))
_NAMES = st.sampled_from([*FUNCTIONS, "switch"])
_TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["", "d", "yyyy", "(?<g>a*)", "g", "${g}", "yyyy-MM-dd", "2025-07-30", "en-US", "tr", "3", "\\d+"]),
)
_LEAVES = st.one_of(
    st.sampled_from(["x", "y"]).map(Attribute),
    _TEXTS.map(Text),
    st.integers(-300, 300).map(Number),
    st.floats(-1e6, 1e6, allow_nan=False).map(lambda n: Number(round(n, 3))),
    st.sampled_from(["True", "IgnoreAttributeFlow", "IgnoreObjectFlow", "vbTextCompare"]).map(Word),
)


def _arguments(found: list[Node]) -> tuple[Node, ...]:
    """`f()` has no argument, rather than one that is omitted."""
    return () if found == [Omitted()] else tuple(found)


def _calls(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    argument = st.one_of(inner, inner, inner, st.just(Omitted()))
    arguments = st.lists(argument, max_size=8).map(_arguments)
    operators = st.sampled_from(["=", "<>", ">", ">=", "<", "<="])
    condition = st.builds(Comparison, operators, inner, inner)
    return st.one_of(
        st.builds(Call, _NAMES, arguments),
        st.builds(lambda test, yes, no: Call("IIF", (test, yes, no)), condition, inner, inner),
    )


_TREES: st.SearchStrategy[Node] = st.recursive(_LEAVES, _calls, max_leaves=12)


def _try(text: str, source: dict[str, Json]) -> None:
    try:
        found = expressions.compile(text, looked_up=True).evaluate(source, context(existing=["a"], domain="c.com"))
    except ExpressionError as error:
        place = error.position
    else:
        assert isinstance(found, Flow) or json.dumps(found)
        return
    assert place is not None
    assert 0 <= place.offset <= len(text)


@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    """Whatever is typed."""
    _try(text, {})


@given(st.text(st.sampled_from(list('()[],"\\ \n=<>&H0129.-xyIfNow')), max_size=40))
def test_text_that_looks_like_an_expression(text: str) -> None:
    """Near misses reach further into the parser."""
    _try(text, {"x": "a"})


@given(_TREES, _JSON, _JSON)
def test_any_tree_over_any_values(tree: Node, one: Json, two: Json) -> None:
    """Every function with all manner of arguments."""
    _try(unparse(tree), {"x": one, "y": two})


@given(st.sampled_from(sorted(FUNCTIONS)), st.lists(_LEAVES, max_size=7), _JSON, _JSON)
def test_every_function_over_any_arguments(name: str, arguments: list[Node], one: Json, two: Json) -> None:
    """Shallow calls pass the checks of the compiler more often than deep ones."""
    params = FUNCTIONS[name].params
    count = max(len(params), len(arguments)) if FUNCTIONS[name].repeats else len(params)
    filled = [*arguments, *[Attribute("x")] * 9][:count]
    _try(unparse(Call(name, tuple(filled))), {"x": one, "y": two})


@given(_TREES)
def test_what_is_printed_reads_back_the_same(tree: Node) -> None:
    """parse(unparse(tree)) is the tree."""
    assert parse(unparse(tree)) == tree


@given(_TREES, _JSON)
def test_evaluation_is_deterministic(tree: Node, one: Json) -> None:
    """The same line gives the same answer."""
    line = json.dumps({"expression": unparse(tree), "source": {"x": one}})
    assert [*evaluate_lines([line], now_default=NOW, seed=3)] == [*evaluate_lines([line], now_default=NOW, seed=3)]


@given(
    st.one_of(
        st.text(max_size=40),
        _JSON.map(json.dumps),
        st.dictionaries(
            st.sampled_from(["expression", "source", "now", "context", "other"]), st.one_of(_JSON, st.just("[x]"))
        ).map(json.dumps),
    )
)
def test_any_line_gives_a_line_of_json(line: str) -> None:
    """Never a stack trace, never half a line."""
    for answer in evaluate_lines([line], now_default=NOW, seed=1):
        assert "\n" not in answer
        assert json.loads(answer).keys() & {"value", "flow", "error"}
