"""The grammar: what is accepted, what is refused, and that every refusal names its place."""

from __future__ import annotations

import pytest

from sync_core.mapping import expressions
from sync_core.mapping.expressions import CompileError, EvaluationError
from sync_core.mapping.expressions.parser import MAX_DEPTH

from .support import context, value, x


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[x]", "v"),
        ("[ x ]", "v"),
        ('"1"', "1"),
        ("1000", 1000),
        ("-10", -10),
        ("42568.75", 42568.75),
        ("&HF", 15),
        ("&hff", 255),
        ("True", True),
        (r'"a \"b\" \\ c"', r'a "b" \ c'),
        (r'"\+\d"', r"\+\d"),
        ('"two\nlines"', "two\nlines"),
        ('Append (\t[x] ,\n"!")', "v!"),
        ('switch([x],"d","v","found")', "found"),
        ("IsNullorEmpty([x])", False),
        ('Instr("abc", "b")', 2),
        ('ToLower("A", )', "a"),
        ('[emails[type eq "work"].value]', "w"),
    ],
)
def test_accepted(text: str, expected: object) -> None:
    """What the pages write is accepted."""
    found = value(text, {"x": "v", 'emails[type eq "work"].value': "w"})
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("", (1, 1), "is missing before the end"),
        ("   ", (1, 4), "is missing"),
        ("Append([x]", (1, 11), "no closing parenthesis"),
        ('Append([x] "y")', (1, 12), "a comma or"),
        ('Append([x],\n  "y', (2, 3), "no closing quote"),
        ("Append([x],\n  [y", (2, 3), "no closing bracket"),
        ("[]", (1, 1), "needs a name"),
        ("[a] [b]", (1, 5), "nothing may follow"),
        ("Append('a', 'b')", (1, 8), "straight double quotes"),
        ("append([x], [y])", (1, 1), "did you mean 'Append'? Names are case-sensitive"),
        ("Apend([x], [y])", (1, 1), "did you mean 'Append'?"),
        ("Nonsense()", (1, 1), "no function is named"),
        ("mail", (1, 1), "an attribute is written [mail]"),
        ("Append([x])", (1, 1), "needs suffix"),
        ('Append(, "x")', (1, 8), "needs source"),
        ("Now(1)", (1, 5), "takes 0 arguments"),
        ('Left("x", "abc")', (1, 11), "expects a number, not text of 3 characters"),
        ('Left("x", 1.5)', (1, 11), "whole number"),
        ('Append([x] = "a", "b")', (1, 12), "only in the condition"),
        ('IIF([x] = "a" = "b", 1, 2)', (1, 15), "cannot hold another"),
        ("IIF([x], 1)", (1, 1), "needs valueIfFalse"),
        ('Switch([x], "d", "k")', (1, 1), "an even number"),
        ('Switch([x], "d")', (1, 1), "an even number"),
        ('Switch([x], , "k", )', (1, 20), "only the default"),
        ('InStr("a", "a", 1, vbFoo)', (1, 20), "vbTextCompare or vbBinaryCompare"),
        ('Append(vbTextCompare, "a")', (1, 8), "last of four arguments of InStr"),
        ('InStr("a", "a", 1, "vbTextCompare")', (1, 20), "without quotes"),
        ("IIF([x]=NULL, 1, 2)", (1, 9), "IsNull asks"),
        ("IIF([x]=true, 1, 2)", (1, 9), "it is written True"),
        ("IIF([x]=1 and [y]=2, 1, 2)", (1, 11), "nest IIF"),
        ("IIF([x]==1, 1, 2)", (1, 9), "equal is written ="),
        ("IIF([x]!=1, 1, 2)", (1, 8), "not equal is written <>"),
        ('"a" & [x]', (1, 5), "use Append or Join"),
        ('Append("@", %DomainFQDN%)', (1, 13), "written [name]"),
        ('Error("x")', (1, 1), "use IgnoreObjectFlow"),
        ('FormatDateTime([x], "256", "yyyy", "yyyy")', (1, 21), "DateTimeStyles"),
        ('DateAdd("x", 1, Now())', (1, 9), "one of yyyy, m, d, ww, h, n, s"),
        ('FormatDateTime([x], , "q", "yyyy")', (1, 23), "no standard format"),
        ('FormatDateTime([x], "Nope", "yyyy", "yyyy")', (1, 21), "DateTimeStyles"),
        ('ToLower([x], "not a culture")', (1, 14), "en-US"),
        ('Replace([x], , "(", , "", , )', (1, 16), "does not close"),
        ('Replace([x], , "(?<a>b)", "c", "", , )', (1, 27), "no group named 'c'"),
        ('Replace([x], "a", "b", , "", , )', (1, 1), "both oldValue and regexPattern"),
        ("Replace([x])", (1, 1), "neither oldValue nor regexPattern"),
        ('Replace([x], "a", , , , , )', (1, 1), "it has none"),
        ('Replace([x], "a", , "g", "b", , )', (1, 1), "needs a regexPattern"),
        ('Append(SelectUniqueValue("a", "b"), "c")', (1, 8), "not looked up"),
        ("SingleAppRoleAssignment([appRoleAssignments])", (1, 1), "no app role assignments"),
        ("AppRoleAssignmentsComplex([appRoleAssignments])", (1, 1), "no app role assignments"),
        ("AltSecIdFromNetId([netId])", (1, 1), "Microsoft's own matching"),
        ("1" * 50, (1, 1), "40 characters"),
        ("[a] ? [b]", (1, 5), "means nothing here"),
    ],
)
def test_refused(text: str, place: tuple[int, int], words: str) -> None:
    """A wrong expression is refused at load, with the place and what to do."""
    with pytest.raises(CompileError) as caught:
        expressions.compile(text)
    assert caught.value.position is not None
    assert (caught.value.position.line, caught.value.position.column) == place
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"line {place[0]}, column {place[1]}: ")


def test_offset_counts_from_the_start_of_the_text() -> None:
    """Line and column are for people, the offset is for editors."""
    with pytest.raises(CompileError) as caught:
        expressions.compile("Append([x],\n  nope)")
    assert caught.value.position == expressions.Position(14, 2, 3)


def test_an_expression_may_have_10000_characters() -> None:
    """Microsoft's limit."""
    padded = "[x]".ljust(10_000)
    assert x(padded, "v") == "v"
    with pytest.raises(CompileError, match="10,000"):
        expressions.compile(padded + " ")


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 1_000, 2_400])
def test_deep_nesting_is_refused_and_does_not_exhaust_the_stack(depth: int) -> None:
    """A thousand levels are an error with a place."""
    with pytest.raises(CompileError, match="100 deep"):
        expressions.compile("Not(" * depth)


def test_the_deepest_nesting_still_evaluates() -> None:
    """The limit itself works."""
    assert x("Not(" * MAX_DEPTH + "[x]" + ")" * MAX_DEPTH, True) is True


def test_an_expression_tells_the_attributes_that_it_reads() -> None:
    """Feeds select them; what is named twice counts once."""
    text = 'IIF([a]="1", Coalesce([b], [a]), Replace([c], , "(?<g>.)", "g", , "d", ))'
    assert expressions.compile(text).attributes == {"a", "b", "c", "d"}


@pytest.mark.parametrize("text", ['SelectUniqueValue("a", "b")', 'Append("a", DefaultDomain())'])
def test_what_is_not_looked_up_is_refused_at_load(text: str) -> None:
    """A mapping that could never be evaluated is found before the first user."""
    with pytest.raises(CompileError, match="not looked up"):
        expressions.compile(text)
    assert expressions.compile(text, looked_up=True)


@pytest.mark.parametrize("text", ["Now()", "Append(Guid(), [x])", "RandomString(6,3,0,0,3)"])
def test_what_changes_by_itself_is_marked(text: str) -> None:
    """Such an expression would write to every user at every look."""
    assert expressions.compile(text).volatile
    assert not expressions.compile("[x]").volatile


@pytest.mark.parametrize(
    "text",
    [
        'IIF(IsPresent([x]), [x], "Other")',
        'IIF(IsNullOrEmpty([x]), "Other", [x])',
        'IIF(IgnoreFlowIfNullOrEmpty([x]), [x], "Other")',
        'Switch(IsPresent([x]), , "True", "a")',
        'Switch(IsNull([x]), , "True", "a")',
        'Append(IgnoreFlowIfNullOrEmpty([x]), "a")',
    ],
)
def test_forms_that_microsoft_calls_unsupported_are_warned_about(text: str) -> None:
    """They evaluate, as Microsoft's own guides use them, and a person is told."""
    assert expressions.compile(text).warnings


@pytest.mark.parametrize(
    ("test", "never"),
    [
        ('[x] = ""', True),
        ('"" = [x]', True),
        ('[x] <= ""', True),
        ('[x] <> ""', False),
        ('"" < [x]', False),
        ('Trim([x]) = ""', False),
        ('[x] = " "', False),
    ],
)
def test_a_comparison_that_can_never_be_true_is_warned_about(test: str, never: bool) -> None:
    """An attribute that is empty makes each comparison of IIF false, so that none is seen to equal the empty text."""
    expression = expressions.compile(f'IIF({test}, "a", "b")')
    assert any("is never true" in message for _, message in expression.warnings) == never
    values = (None, "", "Ada", " ")
    if never:
        assert {x(expression.text, value) for value in values} == {"b"}


def test_an_evaluation_error_names_the_function_and_its_place() -> None:
    """And does not quote the value: it may be personal."""
    with pytest.raises(EvaluationError) as caught:
        x('Append("a", Left([x], [x]))', "secret")
    assert str(caught.value) == "line 1, column 13: Left: expects a number, not text of 6 characters"


def test_redacted_values_flow_and_do_not_show() -> None:
    """Redact changes what logs show, and nothing else."""
    expression = expressions.compile('Append(Redact([x]), "!")')
    found = expression.evaluate({"x": "secret"}, context())
    assert found == "secret!"
    assert expression.log_value(found) == "[Redact]"
    assert expressions.compile("[x]").log_value(True) == "True"
    assert expressions.compile("[x]").log_value(None) == ""
    assert expressions.compile("[x]").log_value(["a"]) == "['a']"
    assert expressions.compile("[x]").log_value(expressions.Flow.IGNORE_OBJECT) == "(ignore-object)"


def test_results_cannot_grow_without_end() -> None:
    """Nested calls multiply lengths; 65,536 characters are the end of it."""
    for text in (
        "ConvertToUTF8Hex(" * 20 + "[x]" + ")" * 20,
        "Replace(" * 9 + "[x]" + ', "a", , , "aaaaaaaaaa", , )' * 9,
        "Replace(" * 9 + "[x]" + ', , "a", , "aaaaaaaaaa", , )' * 9,
        "Replace(" * 9 + "[x]" + ', , "a", , "$0aaaaaaaaa", , )' * 9,
        "Join([x], [y])",
        'Replace(Left([x], 60), "a", , , Replace([x], "a", , , "%s", , ), , )' % ("b" * 600),
    ):
        with pytest.raises(EvaluationError, match="65,536"):
            value(text, {"x": "a" * 100, "y": ["b"] * 2_000})
