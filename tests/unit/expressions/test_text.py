"""Functions over text: the reference's rules, null and empty, positions out of range, cultures."""

from __future__ import annotations

import string

import pytest

from sync_core.mapping.expressions import EvaluationError
from sync_core.model import Json

from .support import context, value, x


@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        ('Append([x], ".test")', "a", "a.test"),
        ('Append([x], ".test")', None, None),
        ('Append([x], ".test")', "", ".test"),
        ('Append("a", [x])', None, "a"),
        ('Append([x], "!")', 13, "13!"),
        ('Append([x], "!")', True, "True!"),
        ('Append([x], "!")', ["one"], "one!"),
        ("ConvertToBase64([x])", "é", "6QA="),
        ("ConvertToBase64([x])", None, None),
        ("ConvertToUTF8Hex([x])", "é", "C3A9"),
        ("ConvertToUTF8Hex([x])", "", ""),
        ("CStr([x])", 13, "13"),
        ("CStr([x])", True, "True"),
        ("CStr([x])", 1.0, "1"),
        ("CStr([x])", 1.5, "1.5"),
        ("CStr([x])", 1e20, "1E+20"),
        ("CStr([x])", None, None),
        ('InStr([x], "quick")', "The quick brown fox", 5),
        ('InStr([x], "QUICK")', "The quick brown fox", 0),
        ('InStr([x], "QUICK", , vbTextCompare)', "The quick brown fox", 5),
        ('InStr([x], "QUICK", 1, 1)', "The quick brown fox", 5),
        ('InStr([x], "e", 3, vbBinaryCompare)', "repEated", 7),
        ('InStr([x], "e", "3", vbTextCompare)', "repEated", 4),
        ('InStr([x], "e", 99)', "repEated", 0),
        ('InStr([x], "e")', None, 0),
        ('InStr("abc", [x])', None, 0),
        ("Left([x], 3)", "John Doe", "Joh"),
        ("Left([x], 0)", "John Doe", ""),
        ("Left([x], -1)", "John Doe", "John Doe"),
        ("Left([x], 99)", "John Doe", "John Doe"),
        ('Left([x], "2")', "John", "Jo"),
        ("Left([x], 2)", 12345, "12"),
        ("Left([x], 3)", None, ""),
        ("Len([x])", "John Doe", 8),
        ("Len([x])", None, 0),
        ("Len([x])", "", 0),
        ("Len([x])", 13, 2),
        ("Trim([x])", "\t John Doe \n", "John Doe"),
        ("Trim([x])", None, None),
        ("Trim([x])", 13, "13"),
        ("Trim([x])", [" a", "b ", 3], ["a", "b", 3]),
        ("Mid([x], 1, 3)", "John", "Joh"),
        ("Mid([x], 3, 64)", "John", "hn"),
        ("Mid([x], 9, 2)", "John", ""),
        ('Mid([x], "2", "1")', "John", "o"),
        ("Mid([x], 0, 2)", "John", "John"),
        ("Mid([x], 1, -1)", "John", "John"),
        ("Mid([x], 1, 1)", None, ""),
        ("NormalizeDiacritics([x])", "Zoë Łódź Şükrü Straße ØÆ", "Zoe Lodz Sukru Strasse OEAE"),
        ("NormalizeDiacritics([x])", "Zoe\u0308", "Zoe"),
        ("NormalizeDiacritics([x])", "a\u0331 \u0101\u0301", "a a"),
        ("NormalizeDiacritics([x])", "日本 œ", "日本 œ"),
        ("NormalizeDiacritics([x])", None, None),
        ("PCase([x])", "PABLO GONSALVES (SECOND)", "Pablo Gonsalves (Second)"),
        ("PCase([x])", "o'neil-smith_jones", "O'Neil-Smith_Jones"),
        ("PCase([x])", "a\tb\nc", "A\tB\nC"),
        ('PCase([x], " ")', "PINTO-DE'SILVA x", "Pinto-de'silva X"),
        ('PCase([x], "")', "TWO WORDS", "Two words"),
        ("PCase([x])", "élodie ÉMILE", "Élodie Émile"),
        ("PCase([x])", "21st street, 4b a1c", "21St Street, 4B A1c"),
        ("PCase([x])", None, None),
        ("StripSpaces([x])", " a b\tc ", "ab\tc"),
        ("StripSpaces([x])", None, None),
        ("ToLower([x])", "ÀÉ İI", "àé İi"),
        ('ToLower([x], "en-US")', "İI", "ii"),
        ('ToLower([x], "tr-TR")', "İIŞ", "iış"),
        ('ToLower([x], "az")', "I", "ı"),
        ('ToLower([x], "tur")', "I", "ı"),
        ('ToLower([x], "ja-JP")', "AB", "ab"),
        ("ToLower([x])", "ΣΑΣ", "σασ"),
        ("ToLower([x])", None, None),
        ("ToUpper([x])", "straße ıi", "STRAßE ıI"),
        ('ToUpper([x], "en-US")', "ıi", "II"),
        ('ToUpper([x], "tr-TR")', "ıi", "Iİ"),
        ('ToUpper([x], "az-Latn-AZ")', "i", "İ"),
        ("ToUpper([x])", True, "TRUE"),
        ('Word([x], 3, " ")', "The quick brown fox", "brown"),
        ('Word([x], 3, ",!&#")', "This,string!has&many separators", "has"),
        ('Word([x], 2, " ")', "a  b", "b"),
        ('Word([x], 1, " ")', "single", "single"),
        ('Word([x], 0, " ")', "a b", ""),
        ('Word([x], -1, " ")', "a b", ""),
        ('Word([x], 9, " ")', "a b", ""),
        ('Word([x], 1, " ")', None, ""),
        ("BitAnd([x], 2)", 3, 2),
        ("BitAnd([x], &HF7)", "15", 7),
        ("BitAnd([x], -2)", 7, 6),
        ("BitAnd([x], 1)", None, None),
    ],
)
def test_text(text: str, given: Json, expected: Json) -> None:
    """One rule of the reference, or one edge that it leaves open."""
    found = x(text, given)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("text", "given", "words"),
    [
        ("ToLower([x])", ["a", "b"], "not a list of 2; use Join or Item"),
        ("ToLower([x])", {"id": "1"}, "not a complex one"),
        ('InStr("abc", "b", [x])', 0, "counts from 1"),
        ('InStr("abc", "b", 1, [x])', 7, "compareType"),
        ("Left([x], [x])", "abc", "expects a number"),
        ('Left("abc", [x])', None, "not an empty value"),
        ('Left("abc", [x])', True, "expects a number"),
        ("BitAnd([x], 1)", 1.5, "whole numbers"),
        ('ToLower("A", [x])', "??", "en-US"),
    ],
)
def test_values_that_do_not_fit(text: str, given: Json, words: str) -> None:
    """An error for this user, with the place in the expression."""
    with pytest.raises(EvaluationError) as caught:
        x(text, given)
    assert words in str(caught.value)
    assert caught.value.position is not None


def test_random_strings_keep_their_promises() -> None:
    """At least so many of each kind, none of the avoided characters, and the length asked for."""
    for seed in range(50):
        text = value('RandomString(10,2,2,2,1,"?,")', {}, context(seed=seed))
        assert isinstance(text, str)
        assert len(text) == 10
        assert sum(map(str.isdigit, text)) >= 2
        assert sum(map(str.isupper, text)) >= 2
        assert sum(map(str.islower, text)) >= 1
        assert sum(not char.isalnum() for char in text) >= 2
        assert not set(text) & {"?", ","}


@pytest.mark.parametrize(
    ("arguments", "length"), [("0,0,0,0,0", 0), ("8,0,0,0,0", 8), ('"6","3",0,0,"3"', 6), ("3,1,1,1,5", 3)]
)
def test_random_strings_of_any_length(arguments: str, length: int) -> None:
    """Lower-case letters are not in the sum that Length must reach; they get what is left."""
    assert len(str(value(f"RandomString({arguments})"))) == length


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("257,0,0,0,0", "0 to 256"),
        ("-1,0,0,0,0", "0 to 256"),
        ("5,3,2,1,0", "less than the minimums"),
        ("5,-1,0,0,0", "negative"),
        ('5,1,0,0,0,"0123456789"', "leaves no numbers"),
        (f'5,0,0,0,0,"{string.ascii_letters}{string.digits}"', "leaves no characters"),
    ],
)
def test_random_strings_that_cannot_be(arguments: str, words: str) -> None:
    """Impossible demands are errors."""
    with pytest.raises(EvaluationError, match=words):
        value(f"RandomString({arguments})")


def test_chance_comes_from_the_context() -> None:
    """The same seed gives the same value."""
    for text in ("Guid()", "RandomString(20,1,1,1,1)"):
        assert value(text, {}, context(seed=7)) == value(text, {}, context(seed=7))
        assert value(text, {}, context(seed=7)) != value(text, {}, context(seed=8))
