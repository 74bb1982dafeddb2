"""Regular expressions of .NET on RE2: they do what .NET's pages say, or are refused at load."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st

from sync_core.mapping import expressions
from sync_core.mapping.expressions import CompileError
from sync_core.mapping.expressions.dotnet.faults import DotNetError
from sync_core.mapping.expressions.dotnet.letters import lower
from sync_core.mapping.expressions.dotnet.regex import compile_regex, expand, replace, replace_all
from sync_core.mapping.expressions.dotnet.regex_alphabet import Alphabet, Breaks
from sync_core.mapping.expressions.dotnet.regex_classes import char_class
from sync_core.mapping.expressions.dotnet.regex_tree import CharSet

from .support import x


def _sub(pattern: str, template: str, text: str) -> str:
    regex = compile_regex(pattern)
    return replace(regex, text, lambda match: expand(template, regex, text, match), 10_000)


@pytest.mark.parametrize(
    ("pattern", "template", "text", "expected"),
    [
        (r"(?<a>x)(y)", "$1$2", "xy", "yx"),  # the unnamed are numbered first
        (r"(?<2>x)(y)", "$2$1", "xy", "xy"),
        (r"(?'a'x)", "${a}${a}", "x", "xx"),
        (r"(?<a>x)|(?<a>y)", "[${a}]", "xy", "[x][y]"),
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
        (r"(?#note)a", "-", "a", "-"),
        (r"", "-", "ab", "-a-b-"),
        (r"a*", "-", "baac", "-b--c-"),
        (r"b", "$`|$'|$&|$_|$+", "abc", "aa|c|b|abc|c"),
        (r"a(?<g>b)?", "[$+]", "a", "[]"),
        (r"\.\+\*\[\(", "-", ".+*[(", "-"),
        (r"(a)|b", "[$1]", "ab", "[a][]"),
        (r"(?:(?:ab|cd){2}x)+", "-", "abcdxcdabx", "-"),
        (r"(?:(?:a|bc)x)+", "-", "axbcx", "-"),
        (r"(?:a{2}){1,30}", "-", "aaaa", "-"),
        (r"(?:a?b){1,30}", "-", "abb", "-"),
        (r"(?:(?:a?)(b)?)+", "-", "abc", "--c-"),
        (r"\cI[\b]", "-", "\t\b", "-"),
        (r"\w+\s\S+\D\W", "-", "ab c!!", "-"),
        (r"(?<1>x)(y)", "[$1]", "xy", "[y]"),  # one group in two places: the last
        (r"(?<a>x)(?<a>)", "[${a}]", "x", "[]"),
        (r"(?<a>.(?<a>.))", "[${a}]", "xy", "[xy]"),
        (r"(a?)*", "[$1]", "aab", "[][]b[]"),  # "never repeat after an empty match": the last round holds nothing
        (r"(a?)+b", "[$1]", "aab", "[]"),
        (r"(?:a|($))*", "[$1]", "ab", "[][]b[]"),
        (r"(?:b(a?)){2,}", "[$1]", "babab", "[]"),
        (r"(a?){2}", "[$1]", "aab", "[a][]b[]"),
        (r"a??", "-", "aa", "-a-a-"),  # after an empty match, a character further on
        (r"\B", "-", "", "-"),
        (r"(a){0}b", "[$1]", "ab", "a[]"),
        (r"[^\s\S]|x", "-", "ax", "a-"),
        (r"\w+", "-", "n\u0303 Łódź ٣ ‿ Ⅷ ²", "- - - - Ⅷ ²"),
        (r"\W", "-", "a·\u200d", "a--"),
        (r"\d", "-", "1٣²", "--²"),
        (r"\s", "-", "\u2028\x85\x1c\u200b", "--\x1c\u200b"),
        (r"\b\w", "-", "élan Ünal o\u200dn", "-lan -nal -\u200dn"),
        (r"\bé\b", "-", "é éa aé", "- éa aé"),
        (r"(?i)straße", "-", "STRAẞE STRASSE", "- STRASSE"),
        (r"(?i)[k-l]", "-", "K\u212aLm", "---m"),
        (r"(?i)[^k]", "-", "K\u212aa", "K\u212a-"),
        (r"(?i)s|i", "-", "SſIİıσς", "-ſ-İıσς"),
        (r"(?i)\p{Lu}\P{Ll}", "-", "a1 A1 ab", "- - ab"),
        (r"(?i)[a-z-[aeiou]]", "-", "AbEC", "A-E-"),
        (r"[^a-c-[x]]", "-", "axd", "ax-"),
        (r"[a-z-[^aeiou]]", "-", "abe", "-b-"),
        (r"[\W\d-[ ]]", "-", "a1 -", "a- -"),
        (r"[\S-[b]]", "-", "ab ", "-b "),
        (r"[\P{IsGreek}]", "-", "aα", "-α"),
        (r"^", "-", "a\nb\n", "-a\nb\n"),
        (r"$", "-", "a\nb\n", "a\nb-\n-"),
        (r"$\s*", "-", "a\n", "a--"),
        (r"a\s?$", "-", "a\n", "-"),
        (r"(?:a|a\n)$", "-", "a\n", "-\n"),
        (r"[\n]$", "-", "\n\n", "--"),
        (r"a.?$", "-", "a\na", "a\n-"),
        (r"(?m)^", "-", "a\nb\n", "-a\n-b\n-"),
        (r"(?m)$", "-", "a\nb\n", "a-\nb-\n-"),
        (r"(?m)^a$\z", "-", "a\na", "a\n-"),
        (r"(?m:^)a", "-", "a\na", "-\n-"),
        (r"(?x)a\ b", "-", "a b", "-"),
        (r".", "-", "😀\ud800é", "---"),
        (r"\uD83D\uDE00+", "-", "😀😀", "-"),
        (r"[\uD83D\uDE00]", "-", "a😀", "a-"),
        (r"\uD800", "-", "a\ud800", "a-"),
        (r"[😀-😂]", "-", "😁a", "-a"),
        (r"(?i)𐐀", "-", "𐐨𐐀", "𐐨-"),
        (r"a{1000}", "-", "a" * 1000, "-"),
        (r"(?:a{2}){500}", "-", "a" * 1000, "-"),
    ],
)
def test_dotnet_regular_expressions(pattern: str, template: str, text: str, expected: str) -> None:
    """.NET's constructs do what .NET's pages say."""
    assert _sub(pattern, template, text) == expected


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
        ("a{1001}", "count to 1,000"),
        ("a{99999999}", "too large"),
        ("[z-a]", "backwards"),
        ("[a-\\d]", "cannot end in a class"),
        ("\\", "ends in a backslash"),
        ("[\\", "ends in a backslash"),
        ("\\q", "no escape"),
        ("\\xZZ", "hexadecimal"),
        ("\\c!", "control"),
        ("\\p{Nope}", "not known here"),
        ("\\pL", "is written"),
        ("\\k<nope>", "cannot refer"),
        ("\\k", "cannot refer"),
        ("(.)\\1", "character 4: a pattern cannot refer"),
        ("\\2(a)", "cannot refer"),
        ("(?<a-b>x)", "balancing"),
        ("(?(1)a|b)", "condition"),
        ("(?P<a>x)", "not known"),
        ("(?r)a", "not known"),
        ("a\\G", "character 2: \\G cannot be used"),
        ("(?<a-b>x)", "(?<a-b>...) cannot be used"),
        ("(?#", "does not close"),
        ("(?<0>a)", "1 to 9999"),
        ("(" * 50 + ")" * 50, "nest 40 deep"),
        ("a" * 3000, "2,000"),
        ("[a-[b-[c-[d-[e-[f-[g]]]]]]]", "nest 5 deep"),
        ("[a-[b]c]", "at its end"),
        ("ab(?=c)", "character 3: look-ahead (?=...) cannot be used"),
        ("(?!c)", "look-ahead (?!...) cannot be used"),
        ("(?<=c)a", "look-behind (?<=...) cannot be used"),
        ("(?<!c)a", "look-behind (?<!...) cannot be used"),
        ("a(?>b+)", "character 2: an atomic group"),
        ("(?:a{10}){101}", "character 10: quantifiers may count to 1,000, multiplied"),
        ("(?:[a-z]{1,64}[.]){1,16}", "multiplied where they nest"),
        ("(a*?)*", "character 6: what would rather match nothing"),
        ("(?:|a)+", "would rather match nothing"),
        ("(?:a?|b){0,3}", "would rather match nothing"),
        ("(?m)^a\\Z", "character 7: \\Z, or $ outside the option m"),
        ("(?m:^)a$", "character 8: \\Z, or $ outside the option m"),
        ("(?:" + "a" * 900 + "){1000}", "too large"),
        ("(?:" + "[ab]{30}" * 200 + "){30}", "too large"),
        ("(" * 12 + "a*" + ")*" * 12, "nest fewer quantifiers"),
        ("(" * 39 + ")*" * 39, "nest fewer quantifiers"),
        ("".join(chr(0x4E00 + i) for i in range(300)), "too many characters apart"),
        ("\\b" + "".join(chr(0x4E00 + i) for i in range(70)), "too many characters apart"),
    ],
)
def test_patterns_that_are_refused(pattern: str, words: str) -> None:
    """At load, with the place in the pattern."""
    escaped = pattern.replace("\\", "\\\\")
    with pytest.raises(CompileError) as caught:
        expressions.compile(f'Replace([x], , "{escaped}", , "", , )')
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"(a+)+$", "a" * 10_000 + "b", "a" * 10_000 + "b"),
        (r"(a|a)*$", "a" * 10_000 + "b", "a" * 10_000 + "by"),
        (r"(.*)(.*)(.*)(.*)x", "a" * 10_000, "a" * 10_000),
        (r".*.*x", "a" * 60_000, "a" * 60_000),
        (r"(x+x+)+y", "x" * 10_000, "x" * 10_000),
        (r"(\w+\s?)+$", "w " * 5_000 + "!", "w " * 5_000 + "!"),
        (r"(a*)*b", "a" * 60_000, "a" * 60_000),
        (r"(a{0,12}){0,12}b", "a" * 10_000, "a" * 10_000),
        (r"^(\w+\.)*\w+@", "a." * 5_000, "a." * 5_000),
        (r"(?:a|b)*a(?:a|b){20}c", "ab" * 5_000, "ab" * 5_000),
        (r"a.*b|a", "a" * 10_000, "y" * 10_000),
    ],
)
def test_no_pattern_stalls_a_worker(pattern: str, text: str, expected: str) -> None:
    """Patterns over which a backtracking matcher would take years give their value."""
    expression = expressions.compile(f'Replace([x], , "{pattern.replace(chr(92), chr(92) * 2)}", , "y", , )')
    assert x(expression.text, text) == expected


@pytest.mark.parametrize("pattern", [r"(\w+\s?)+$", r"^(\w+\.)*\w+@", r"(a|ab)(c|bcd)*", r"(.*)_(.*)_(.*)[0-9]"])
def test_suspicious_patterns_work_on_ordinary_values(pattern: str) -> None:
    """Nested quantifiers are common and mostly harmless."""
    for text in ("Adele Vance", "adele.m.vance@contoso.com", "abcd", "NLD_Van_der3"):
        ours = [match.spans[0] for match in compile_regex(pattern).matches(text)]
        assert ours == [match.span() for match in re.finditer(pattern, text)]


_ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\w", r"\b", "^", "$", r"\d", r"\s"])
_PATTERNS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        inner.map(lambda body: f"({body})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{1,2}", "*?", "+?", "{2}"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=6,
)


@given(_PATTERNS, st.text("ab1 \n", max_size=8))
def test_pythons_re_finds_the_same(pattern: str, text: str) -> None:
    """Another matcher, of the same family as .NET's, over what both understand alike: places and groups."""
    try:
        regex = compile_regex(pattern)
    except DotNetError as error:
        assert "rather match nothing" in str(error)  # noqa: PT017
        return
    ours = next(regex.matches(text), None)
    theirs = re.search(pattern, text)
    assert (ours is None) == (theirs is None)
    if ours and theirs:
        assert ours.spans[0] == theirs.span()
        for number in regex.groups:
            assert (ours.group(number) or (-1, -1)) == theirs.span(number)


@given(st.text(st.sampled_from(list(r"ab()[]{}*+?|\^$.-<>=!:#'kpPwdsDuxLn0129, ")), max_size=25), st.text(max_size=8))
def test_any_text_is_a_pattern_or_refused(pattern: str, text: str) -> None:
    """Nothing but DotNetError comes out; matches come in order; both ways of replacing give the same text."""
    try:
        regex = compile_regex(pattern)
    except DotNetError:
        return
    found = [match.spans[0] for match in regex.matches(text)]
    assert found == sorted({*found})
    assert all(0 <= start <= end <= len(text) for start, end in found)
    assert replace_all(regex, text, "-", 10_000) == replace(regex, text, lambda _match: "-", 10_000)
    assert regex.is_in(text) == bool(found)
    assert regex.is_in(text) or not regex.is_all_of(text)


_PIECES: dict[str, Callable[[str], bool]] = {
    "a-f": lambda char: "a" <= char <= "f",
    "é": lambda char: char == "é",
    "\\w": lambda char: unicodedata.category(char) in {"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Nd", "Pc"},
    "\\D": lambda char: unicodedata.category(char) != "Nd",
    "\\s": lambda char: char in "\f\n\r\t\v\x85" or unicodedata.category(char)[0] == "Z",
    "\\p{L}": lambda char: unicodedata.category(char)[0] == "L",
    "\\P{IsGreek}": lambda char: not "\u0370" <= char <= "\u03ff",
}
_SETS = st.tuples(st.booleans(), st.sets(st.sampled_from([*_PIECES]), min_size=1), st.sets(st.sampled_from([*_PIECES])))


@given(st.lists(_SETS, min_size=1, max_size=4), st.text(max_size=8), st.booleans(), st.sampled_from(Breaks))
def test_a_character_is_in_a_set_when_its_byte_is(
    drawn: list[tuple[bool, set[str], set[str]]], text: str, letters: bool, breaks: Breaks
) -> None:
    """The alphabet keeps apart what the sets keep apart, and encodes every character as one byte."""
    sets = [_written(negated, pieces, without) for negated, pieces, without in drawn]
    alphabet = Alphabet(sets, letters=letters, breaks=breaks)
    data = alphabet.encode(text)
    assert len(data) == len(text)
    for (negated, pieces, without), chars in zip(drawn, sets, strict=True):
        stands_for = re.compile(alphabet.pattern(chars).encode())
        for i, char in enumerate(text):
            inside = any(_PIECES[piece](char) for piece in pieces) is not negated
            expected = inside and not any(_PIECES[piece](char) for piece in without)
            assert (stands_for.match(data, i) is not None) == expected


def _written(negated: bool, pieces: set[str], without: set[str]) -> CharSet:
    taken = f"-[{''.join(sorted(without))}]" if without else ""
    return char_class(f"[{'^' if negated else ''}{''.join(sorted(pieces))}{taken}]", 0, ignore_case=False)[0]


@given(st.characters(max_codepoint=0xFFFF), st.characters(max_codepoint=0xFFFF))
def test_case_is_ignored_where_the_small_letter_is_one(one: str, other: str) -> None:
    """As .NET has it in the invariant culture: ToLower decides, neither ToUpper nor Unicode's case folding."""
    regex = compile_regex(f"(?i)\\u{ord(one):04x}")
    for char in (one, other, one.swapcase()[0], one.title()[0]):
        assert regex.is_all_of(char) == (lower(char) == lower(one))
