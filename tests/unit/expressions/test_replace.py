"""Replace in all its forms, and .NET's regular expressions under it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, strategies as st

from sync_core.mapping import expressions
from sync_core.mapping.expressions import CompileError, EvaluationError
from sync_core.mapping.expressions.dotnet.faults import DotNetError
from sync_core.mapping.expressions.dotnet.regex import compile_regex, expand, replace, replace_all
from sync_core.mapping.expressions.dotnet.regex_machine import Machine, Steps
from sync_core.model import Json

from .support import value, x


@pytest.mark.parametrize(
    ("text", "given_", "expected"),
    [
        ('Replace([x], "a", , , "b", , )', "banana", "bbnbnb"),
        ('Replace([x], "A", , , "b", , )', "banana", "banana"),
        ('Replace([x], "a", , , "", ,)', "banana", "bnn"),
        ('Replace([x], "a", , , "b", , )', None, None),
        ('Replace([x], "a", , , "b", , )', "", ""),
        ("Replace([x], 1, , , 2, , )", 121, "222"),
        ('Replace([x], "a", , , "$0", , )', "ab", "$0b"),
        ('Replace([x], "<u>", , , , , "<u>@c.com, <u>")', "ann", "ann@c.com, ann"),
        ('Replace([x], "<u>", , , , , "<u>@c.com")', None, None),
        ('Replace([x], "a", , , , [y], )', "ab", "Yb"),
        ('Replace([x], "a", , , , "y", )', "ab", "Yb"),
        ('Replace([x], , "[a-zA-Z_]*", , "", , )', "john_doe72", "72"),
        ('Replace([x], , "b+", , "-", , )', "abbbc", "a-c"),
        ('Replace([x], , "b+", , "[$0]", , )', "abbbc", "a[bbb]c"),
        ('Replace([x], , "(?<f>\\\\w+) (?<l>\\\\w+)", , "${l}, ${f}", , )', "John Doe", "Doe, John"),
        ('Replace([x], , "(\\\\w+) (?<l>\\\\w+)", , "$2-$1", , )', "John Doe", "Doe-John"),
        ('Replace([x], , "b", , "${nope}$9$$", , )', "abc", "a${nope}$9$c"),
        ('Replace([x], , "b", , , [y], )', "abc", "aYc"),
        ('Replace([x], , "<.>", , , , "<a> and <b>")', "$0", "$0 and $0"),
        ('Replace([x], , "(?<n>^\\\\d*)", "n", "888", , )', "545 Tremont Street", "888 Tremont Street"),
        ('Replace([x], , "(?<n>^\\\\d*)", "n", "888", , )', "Tremont Street", "Tremont Street"),
        ('Replace([x], , "a(?<n>\\\\d)", "n", "#", , )', "a1 a2 1", "a# a# 1"),
        ('Replace([x], , "a(?<n>\\\\d)", "n", "$0", , )', "a1", "a$0"),
        ('Replace([x], , "a(?<n>\\\\d)", "n", , , "a1-a2")', "Z", "aZ-aZ"),
        ('Replace([x], , "(?<n>\\\\d+)", "n", , [y], )', "own", "own"),
        ('Replace([x], , "(?<n>Y)", "n", , [y], )', "", "Y"),
        ('Replace([x], , "(?<n>Y)", "n", , "y", )', None, "Y"),
        ('Replace([x], , "(?<n>\\\\d+)", "n", , [y], )', None, None),
        ('Replace([x], , "(?<n>\\\\d+)", "n", , [z], )', None, None),
        ('Replace([x], , [x], , "!", , )', "a", "!"),
        ('Replace([x], , "(?<n>z)|Y", "n", , [y], )', "", None),
        ('Replace([x], "a", , , IIF(1, IgnoreAttributeFlow, ""), , )', "a", expressions.Flow.IGNORE_ATTRIBUTE),
        ('Replace(IIF(1, IgnoreAttributeFlow, ""), "a", , , "b", , )', "a", expressions.Flow.IGNORE_ATTRIBUTE),
    ],
)
def test_replace(text: str, given_: Json, expected: Json | expressions.Flow) -> None:
    """Which slots are filled decides what it does."""
    assert value(text, {"x": given_, "y": "Y"}) == expected


@pytest.mark.parametrize("pattern", ['[x], , "', '"("'])
def test_patterns_from_attributes_are_checked_when_they_come(pattern: str) -> None:
    """An attribute may hold anything."""
    with pytest.raises(EvaluationError, match="does not close"):
        x('Replace("abc", , [x], , "", , )', "(")
    with pytest.raises(EvaluationError, match="oldValue is empty"):
        x('Replace("abc", [x], , , "", , )', None)
    with pytest.raises(EvaluationError, match="no group of that name"):
        x('Replace("abc", , "(?<g>a)", [x], "", , )', "nope")


class _Plenty:
    steps = 1_000_000


def _sub(pattern: str, template: str, text: str) -> str:
    regex = compile_regex(pattern)
    return replace(regex, text, lambda match: expand(template, regex, text, match), _Plenty(), 10_000)


@pytest.mark.parametrize(
    ("pattern", "template", "text", "expected"),
    [
        (r"(?<a>x)(y)", "$1$2", "xy", "yx"),  # the unnamed are numbered first
        (r"(?<2>x)(y)", "$2$1", "xy", "xy"),
        (r"(?'a'x)", "${a}${a}", "x", "xx"),
        (r"(?<a>x)|(?<a>y)", "[${a}]", "xy", "[x][y]"),
        (r"(?<a>.)\k<a>", "=", "abbc", "a=c"),
        (r"(.)\1", "=", "abbc", "a=c"),
        (r"(?i)ABC", "-", "abc", "-"),
        (r"a(?i)b|c", "-", "aB C", "- -"),
        (r"(?i:a)b", "-", "Ab AB", "- AB"),
        (r"(?i)a(?-i)b", "-", "Ab AB", "- AB"),
        (r"(?x) a b # comment", "-", "ab", "-"),
        (r"(?n)(a)(?<g>b)", "$1", "ab", "b"),
        (r"(?s)a.b", "-", "a\nb", "-"),
        (r"(?m)^b$", "-", "a\nb\nc", "a\n-\nc"),
        (r"b$", "-", "ab\n", "a-\n"),
        (r"b\Z", "-", "ab\n", "a-\n"),
        (r"b\z", "-", "ab\n", "ab\n"),
        (r"\Aa", "-", "aa", "-a"),
        (r"\bfoo\b", "-", "foo food", "- food"),
        (r"[a-z-[aeiou]]+", "-", "hello", "-e-o"),
        (r"[^a-c]", "-", "abd", "ab-"),
        (r"[]a]", "-", "]a", "--"),
        (r"[a\-]", "-", "a-b", "--b"),
        (r"\p{Lu}", "-", "aÄB", "a--"),
        (r"\P{L}+", "-", "a1 b", "a-b"),
        (r"[\p{IsCyrillic}\d]+", "-", "жук1x", "-x"),
        (r"[^\p{L}]", "", "a-b", "ab"),
        (r"\x41\u0042\103\t\e", "-", "ABC\t\x1b", "-"),
        (r"a{2}b{1,}c{0,1}", "-", "aabbc", "-"),
        (r"a{,2}", "-", "a{,2}", "-"),
        (r"x{", "-", "x{", "-"),
        (r"a+?", "-", "aa", "--"),
        (r"(?=a).", "-", "ab", "-b"),
        (r"(?<=a|bb)c", "-", "ac bbc bc", "a- bb- bc"),
        (r"(?<!a)b", "-", "ab b", "ab -"),
        (r"(?<=(\d+) )x", "[$1]", "2 x", "2 [2]"),
        (r"(?<=\bb+)\.", "-", "abb. bb.", "abb. bb-"),
        (r"(?>a+)b", "-", "aab", "-"),
        (r"(?#note)a", "-", "a", "-"),
        (r"", "-", "ab", "-a-b-"),
        (r"a*", "-", "baac", "-b--c-"),
        (r"b", "$`|$'|$&|$_|$+", "abc", "aa|c|b|abc|c"),
        (r"a(?<g>b)?", "[$+]", "a", "[]"),
        (r"\.\+\*\[\(", "-", ".+*[(", "-"),
        (r"(a)|b", "[$1]", "ab", "[a][]"),
        (r"(?<a>x)(?<a>y)\k<a>", "-", "xyy xyx", "- xyx"),
        (r"(?i)(a)\1", "-", "aA", "-"),
        (r"(?:(?=a)){2}a", "-", "a", "-"),
        (r"(?:(a)\1){1,2}", "-", "aaaa", "-"),
        (r"(?:(?:ab|cd){2}x)+", "-", "abcdxcdabx", "-"),
        (r"(?:(?:a|bc)x)+", "-", "axbcx", "-"),
        (r"(?:a{2}){1,30}", "-", "aaaa", "-"),
        (r"(?:a?b){1,30}", "-", "abb", "-"),
        (r"(?:(?:a?)(b)?)+", "-", "abc", "--c-"),
        (r"(?:(b)|a)\1", "-", "a bb", "a -"),
        (r"\cI[\b]", "-", "\t\b", "-"),
        (r"\w+\s\S+\D\W", "-", "ab c!!", "-"),
    ],
)
def test_dotnet_regular_expressions(pattern: str, template: str, text: str, expected: str) -> None:
    """.NET's constructs do what .NET's pages say, whichever engine runs them."""
    assert _sub(pattern, template, text) == expected
    regex = compile_regex(pattern)
    regex.fast = None
    try:
        assert _sub(pattern, template, text) == expected
    finally:
        compile_regex.cache_clear()


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(", "does not close"),
        (")", "closes nothing"),
        ("[a", "does not close"),
        ("a**", "follows a quantifier"),
        ("a++", "follows a quantifier"),
        ("*a", "follows nothing"),
        ("a{2,1}", "below its beginning"),
        ("a{1001}", "count to 1000"),
        ("a{99999999}", "too large"),
        ("[z-a]", "backwards"),
        ("[a-\\d]", "cannot end in a class"),
        ("\\", "ends in a backslash"),
        ("\\q", "no escape"),
        ("\\xZZ", "hexadecimal"),
        ("\\c!", "control"),
        ("\\p{Nope}", "not known here"),
        ("\\pL", "is written"),
        ("\\k<nope>", "does not have"),
        ("\\k", "is written"),
        ("\\2(a)", "does not have"),
        ("(?<a-b>x)", "balancing"),
        ("(?(1)a|b)", "conditional"),
        ("(?P<a>x)", "not known"),
        ("(?r)a", "not known"),
        ("\\Ga", "not supported"),
        ("(?#", "does not close"),
        ("(?<0>a)", "1 to 9999"),
        ("(" * 50 + ")" * 50, "nest 40 deep"),
        ("a" * 3000, "2,000"),
        ("[a-[b-[c-[d-[e-[f-[g]]]]]]]", "nest 5 deep"),
        ("[a-[b]c]", "at its end"),
    ],
)
def test_patterns_that_are_refused(pattern: str, words: str) -> None:
    """At load, with the place in the pattern."""
    escaped = pattern.replace("\\", "\\\\")
    with pytest.raises(CompileError) as caught:
        expressions.compile(f'Replace([x], , "{escaped}", , "", , )')
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"(a+)+$", "a" * 5_000 + "b"),
        (r"(a|a)*$", "a" * 3_000 + "b"),
        (r"(.*)(.*)(.*)(.*)x", "a" * 2_000),
        (r"(?<=(a+)+)b", "a" * 3_000),
        (r".*.*x", "a" * 60_000),
        (r"(x+x+)+y", "x" * 60),
        (r"(?:(?=a*)a)*b", "a" * 10_000),
        (r"(\w+\s?)+$", "w " * 30_000 + "!"),
        (r"(a*)*b", "a" * 60_000),
        (r"(a{0,12}){0,12}b", "a" * 200),
    ],
)
def test_no_pattern_stalls_a_worker(pattern: str, text: str) -> None:
    """Patterns that would run for years fail within a second or so, and the same way every time."""
    expression = expressions.compile(f'Replace([x], , "{pattern.replace(chr(92), chr(92) * 2)}", , "y", , )')
    began = time.process_time()
    with pytest.raises(EvaluationError, match="takes too long"):
        x(expression.text, text)
    assert time.process_time() - began < 3


def test_the_allowance_is_one_for_the_whole_expression() -> None:
    """Many slow patterns are no way around it."""
    slow = 'Replace([x], , "(a+)+$", , "y", , )'
    began = time.process_time()
    with pytest.raises(EvaluationError, match="takes too long"):
        x(f'Coalesce(Item(Split(Join(",", {", ".join([slow] * 50)}), ","), 99))', "a" * 12 + "b")
    assert time.process_time() - began < 3


@pytest.mark.parametrize("pattern", [r"(\w+\s?)+$", r"^(\w+\.)*\w+@", r"(a|ab)(c|bcd)*", r"(.*)_(.*)_(.*)[0-9]"])
def test_suspicious_patterns_still_work_on_ordinary_values(pattern: str) -> None:
    """Nested quantifiers are common and mostly harmless."""
    for text in ("Adele Vance", "adele.m.vance@contoso.com", "abcd", "NLD_Van_der3"):
        compile_regex(pattern)
        assert _sub(pattern, "<$0>", text) is not None


_ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\w", r"\b", "^", "$", "(?=a)", "(?!b)", "(?<=a)", r"\d"])
_PATTERNS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        inner.map(lambda body: f"({body})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{1,2}", "*?", "+?", "{2}"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
        inner.map(lambda body: f"(?>{body})"),
    ),
    max_leaves=6,
)


@given(_PATTERNS, st.text("ab1 \n", max_size=8))
def test_both_engines_agree(pattern: str, text: str) -> None:
    """The counting matcher finds what Python's re finds."""
    regex = compile_regex(pattern)
    assert regex.fast is not None
    machine = Machine(regex.parsed.tree, list(regex.parsed.numbers))
    found = machine.search(text, 0, Steps(100_000))
    expected = regex.fast.search(text)
    assert (found[:2] if found else None) == (expected.span() if expected else None)


@given(st.text(st.sampled_from(list(r"ab()[]{}*+?|\^$.-<>=!:#'kpPwdsDuxLn0129, ")), max_size=25), st.text(max_size=8))
def test_any_text_is_a_pattern_or_refused(pattern: str, text: str) -> None:
    """Nothing but DotNetError comes out, and the same text in both ways of replacing."""
    try:
        regex = compile_regex(pattern)
        one = replace_all(regex, text, "-", _Plenty(), 10_000)
        two = replace(regex, text, lambda _match: "-", _Plenty(), 10_000)
    except DotNetError:
        return
    assert one == two
