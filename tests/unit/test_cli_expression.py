"""`xtsync expression` and `xtsync test-mapping`: trying expressions and mappings without a tenant."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest

from sync_core.cli.__main__ import main
from sync_core.cli.world import World
from tests.support.cli import CONFIG, Bench, Result, Terminal


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def piped(tmp_path: Path, text: str, *argv: str) -> Result:
    """With something on standard input."""
    out, err = StringIO(), StringIO()
    world = World(environ={}, folder=tmp_path, stdin=StringIO(text), stdout=out, stderr=err)
    return Result(code=main(["expression", *argv], world), out=out.getvalue(), err=err.getvalue())


@pytest.mark.parametrize(
    ("argv", "out"),
    [
        (("ToUpper([city])", "--source", '{"city": "Oslo"}'), "OSLO\n"),
        (("[x]", "--source", '{"x": ["a", "Æ"]}'), '["a", "Æ"]\n'),
        (("[x]",), "null\n"),
        (("IgnoreAttributeFlow",), "nothing is written\n"),
        (("IgnoreObjectFlow",), "the whole user is skipped\n"),
        (('FormatDateTime(Now(), , "M/d/yyyy h:mm:ss tt", "yyyy")', "--now", "2031-01-01"), "2031\n"),
        (("[x]", "--json"), '{"value": null}\n'),
        (("IgnoreAttributeFlow", "--json"), '{"flow": "ignore"}\n'),
    ],
)
def test_one_expression_is_evaluated(bench: Bench, argv: tuple[str, ...], out: str) -> None:
    """Nothing else is needed: no settings, no sync.yaml."""
    bench.environ = {}
    (bench.folder / "sync.yaml").unlink()
    result = bench.run("expression", *argv)
    assert (result.code, result.out, bench.built) == (0, out, [])


def test_chance_is_repeatable(bench: Bench) -> None:
    """The seed decides."""
    first, second = (bench.run("expression", "Guid()").out for _ in range(2))
    assert first == second
    assert bench.run("expression", "Guid()", "--seed", "7").out != first


def test_a_wrong_expression_is_a_fault_with_its_place(bench: Bench) -> None:
    """On standard error, or as JSON."""
    result = bench.run("expression", "Left(")
    assert (result.code, result.out) == (1, "")
    assert "line 1, column 6" in result.err
    assert "column 6" in bench.run("expression", "Left(", "--json").json["error"]


@pytest.mark.parametrize("source", ["[]", "{", "[" * 100_000])
def test_a_source_that_is_no_object_is_wrong_usage(bench: Bench, source: str) -> None:
    """Said before anything is evaluated."""
    result = bench.run("expression", "[x]", "--source", source)
    assert result.code == 2
    assert "--source is no JSON object" in result.err


def test_json_lines_are_answered_line_by_line(tmp_path: Path) -> None:
    """One line of JSON for each, errors among them, and exit code 0."""
    requests = [
        {"expression": "[a]", "source": {"a": 1}},
        {"expression": "Left("},
        {"expression": "Now()", "now": "2026-01-31T12:00:00Z"},
        {"expression": "IgnoreObjectFlow"},
    ]
    result = piped(tmp_path, "".join(json.dumps(each) + "\n" for each in requests) + "nonsense\n")
    answers = [json.loads(line) for line in result.out.splitlines()]
    assert result.code == 0
    assert answers[0] == {"value": 1}
    assert answers[2] == {"value": "1/31/2026 12:00:00 PM"}
    assert answers[3] == {"flow": "ignore-object"}
    assert [set(answer) for answer in answers] == [{"value"}, {"error"}, {"value"}, {"flow"}, {"error"}]


def test_the_time_of_the_command_holds_for_lines_that_have_none(tmp_path: Path) -> None:
    """And one that is no time is wrong usage."""
    lines = '{"expression": "Now()"}\n{"expression": "Now()", "now": "2026-01-31"}\n'
    answers = [json.loads(line)["value"] for line in piped(tmp_path, lines, "--now", "2025-07-30").out.splitlines()]
    assert answers == ["7/30/2025 12:00:00 AM", "1/31/2026 12:00:00 AM"]
    wrong = piped(tmp_path, lines, "--now", "soon")
    assert (wrong.code, wrong.out) == (2, "")
    assert "--now must be an ISO 8601 time" in wrong.err


def test_nobody_waits_for_a_person_to_type_json(bench: Bench) -> None:
    """At a terminal an expression must be given."""
    result = bench.run("expression", answer="")
    assert result.code == 2
    assert "there is no expression" in result.err
    assert Terminal().isatty()


# --- test-mapping ---------------------------------------------------------------------------------------------------

MAPPING = """\
    scope:
      filters: [{ name: A, clauses: [{ attribute: city, operator: EQUALS, value: Oslo }] }]
    mapping:
      - { target: city, source: city }
      - { target: extensionAttribute1, source: city }
      - { target: usageLocation, source: country }
      - { target: state, expression: 'IIF([country] = "XX", IgnoreObjectFlow, [state])', when_null: keep }
      - { target: userType, constant: Member, apply: on_create }
"""
GOOD = """\
cases:
  - name: a new user
    source: { city: Oslo, country: Norway }
    target: { city: Oslo, userType: Member, extensionAttribute1: Oslo }
    update: { city: Oslo }
    left_out: [state, usageLocation]
    scope: in
    ignored: false
  - { name: nobody, source: { country: XX }, now: 2026-01-31, ignored: true, scope: out }
"""


@pytest.fixture
def cases(bench: Bench) -> Bench:
    (bench.folder / "sync.yaml").write_text(CONFIG + MAPPING)
    (bench.folder / "cases.yaml").write_text(GOOD)
    return bench


def test_cases_pass(cases: Bench) -> None:
    """An attribute that a case does not mention is not compared."""
    result = cases.run("test-mapping", "cases.yaml")
    assert (result.code, result.out) == (0, "2 cases passed\n")


def test_a_case_says_which_groups_have_the_user(cases: Bench) -> None:
    """Without any the user is in none."""
    group = "dddddddd-0000-0000-0000-000000000001"
    clause = f"{{ attribute: memberOf, operator: NOT IN, value: [{group}] }}"
    scope = f"    scope: {{ filters: [{{ name: A, clauses: [{clause}] }}] }}\n"
    (cases.folder / "sync.yaml").write_text(CONFIG + scope)
    (cases.folder / "cases.yaml").write_text(f"""\
cases:
  - {{ name: of no group, source: {{}}, scope: in }}
  - {{ name: of this one, source: {{}}, groups: [{group.upper()}], scope: out }}
""")
    assert cases.run("test-mapping", "cases.yaml").out == "2 cases passed\n"


TEXTS = """\
    scope:
      filters:
        - { name: A, clauses: [{ attribute: country, operator: IN, value: [NO, SE] },
                               { attribute: employeeId, operator: EQUALS, value: 0012 }] }
    mapping:
      - { target: accountEnabled, source: accountEnabled }
      - { target: country, source: country }
      - { target: employeeId, source: employeeId }
      - { target: officeLocation, source: officeLocation }
      - { target: businessPhones, source: businessPhones }
      - { target: extensionAttribute1, source: extensionAttribute1 }
"""


def test_unquoted_values_of_a_case_are_text_where_graph_has_text(cases: Bench) -> None:
    """On both sides: Norway is no false, 0012 no ten, 12:30 no 750, and `on` no true."""
    (cases.folder / "sync.yaml").write_text(CONFIG + TEXTS)
    (cases.folder / "cases.yaml").write_text("""\
cases:
  - name: texts
    source: { accountEnabled: true, country: NO, employeeId: 0012, officeLocation: 12:30, businessPhones: [2233] }
    target: { accountEnabled: true, country: NO, employeeId: 0012, officeLocation: 12:30, businessPhones: [2233] }
    scope: in
  - name: more texts
    source: { country: SE, employeeId: 12, onPremisesExtensionAttributes: { extensionAttribute1: on } }
    update: { country: SE, employeeId: 12, extensionAttribute1: on }
    now: 2026-01-31
    scope: out
""")
    assert cases.run("test-mapping", "cases.yaml").out == "2 cases passed\n"


def test_differences_are_shown_as_a_diff(cases: Bench) -> None:
    """What was expected, and what came; exit code 1."""
    text = GOOD.replace("city: Oslo }\n    left", "city: Rome }\n    left").replace("scope: in", "scope: out")
    text = text.replace("left_out: [", "left_out: [city, ").replace("ignored: false", "ignored: true")
    (cases.folder / "cases.yaml").write_text(text.replace("userType: Member", "manager: x"))
    result = cases.run("test-mapping", "cases.yaml", "--config", "sync.yaml")
    assert result.code == 1
    assert result.out.splitlines() == [
        "FAILED a new user",
        "  target.manager",
        '  - "x"',
        '  + "(left out)"',
        "  update.city",
        '  - "Rome"',
        '  + "Oslo"',
        "  target.city",
        '  - "(left out)"',
        '  + "Oslo"',
        "  scope",
        '  - "out"',
        """  + "in (filter 'A')\"""",
        "  ignored",
        "  - true",
        "  + false",
        "1 of 2 cases failed",
    ]
    document = cases.run("test-mapping", "cases.yaml", "--json").json
    assert [each["passed"] for each in document["cases"]] == [False, True]
    assert document["cases"][0]["differences"][1] == {"what": "update.city", "expected": "Rome", "got": "Oslo"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cases.yaml cases: is missing"),
        ("cases:\n  - { name: a, source: {}, sorce: {} }", "cases.yaml:2 cases[0].sorce: is not known here"),
        ("cases:\n  - { name: a, source: {}, sync: x }", "cases.yaml:2 cases[0].sync: no sync is named 'x'"),
        (
            "cases:\n  - { name: a, source: { d: !!timestamp 2026-01-31 } }",
            "cases.yaml:2 cases[0].source: may contain text",
        ),
        ("cases:\n  - { name: a, source: {}, target: &a { x: *a } }", "cases.yaml:2 cases[0].target: may contain text"),
        ("cases: [", "cases.yaml:1: not YAML"),
    ],
)
def test_a_wrong_file_of_cases_is_refused_with_its_line(cases: Bench, text: str, message: str) -> None:
    """As sync.yaml itself."""
    (cases.folder / "cases.yaml").write_text(text)
    result = cases.run("test-mapping", "cases.yaml")
    assert result.code == 2
    assert message in result.err


def test_where_there_are_several_syncs_a_case_says_which(cases: Bench) -> None:
    """And is run against that one."""
    more = "  - { name: back, source: fabrikam, target: contoso }\n"
    (cases.folder / "sync.yaml").write_text(CONFIG + more)
    assert "cases[0].sync: is missing: there is more than one sync" in cases.run("test-mapping", "cases.yaml").err
    (cases.folder / "cases.yaml").write_text(
        "cases: [{ name: a, sync: back, source: { city: A }, update: { city: A } }]"
    )
    assert cases.run("test-mapping", "cases.yaml").code == 0
