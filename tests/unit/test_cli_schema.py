"""`xtsync import-schema` and `xtsync export-schema`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sync_core.config.entra import normalise
from sync_core.config.file import load_config, parse_config
from tests.support.cli import CONFIG, Bench

DATA = Path(__file__).parent / "data" / "entra_schema.json"
SCHEMA = json.loads(DATA.read_text(encoding="utf-8"))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    (tmp_path / "sync.yaml").unlink()
    (tmp_path / "schema.json").write_text(DATA.read_text(encoding="utf-8"), encoding="utf-8-sig")
    return bench


IDS = ("--source", "11111111-1111-1111-1111-111111111111", "--target", "22222222-2222-2222-2222-222222222222")


def test_a_schema_becomes_a_file_that_goes_back(bench: Bench) -> None:
    """Into sync.yaml, and out of it the same schema."""
    result = bench.run("import-schema", "schema.json", "--sync", "contoso-to-fabrikam", "--out", "sync.yaml", *IDS)
    assert (result.code, result.out) == (0, "")
    assert "note: IsSoftDeleted: left out" in result.err
    assert "27 mapping rules carried over" in result.err
    config = load_config(bench.folder / "sync.yaml")
    assert list(config.syncs) == ["contoso-to-fabrikam"]
    exported = bench.run("export-schema")
    assert exported.code == 0
    assert normalise(exported.json) == normalise(SCHEMA)
    assert exported.err == ""


def test_without_a_file_name_the_result_is_printed(bench: Bench) -> None:
    """Standard output is the file, standard error the notes; the ids are for a person to fill in."""
    result = bench.run("import-schema", "schema.json", "--clear-nulls")
    assert result.code == 0
    assert "when_null" not in result.out
    assert parse_config(result.out).syncs.keys() == {"source-to-target"}
    assert "hint: Fill in the ids of both tenants." in result.err
    document = bench.run("import-schema", "schema.json", "--json").json
    assert document["faults"] == []
    left = {"what": "userPrincipalName", "why": "left out: the invitation makes it"}
    assert left in document["notes"]
    assert parse_config(document["sync_yaml"])


def test_what_needs_a_persons_hand_is_listed(bench: Bench) -> None:
    """The clause is in the file, and its line among the faults; exit code 2."""
    text = json.dumps(SCHEMA).replace('"IS TRUE"', '"IsMemberOf"')
    (bench.folder / "schema.json").write_text(text)
    result = bench.run("import-schema", "schema.json")
    assert result.code == 2
    assert "operator: IsMemberOf" in result.out
    assert "note: filter 'Staff of two departments': no operator is called 'IsMemberOf'" in result.err
    assert "scope.filters[0].clauses[1].operator: must be one of" in result.err


def test_what_a_pattern_cannot_do_is_listed_with_its_place(bench: Bench) -> None:
    """A mapping with such a pattern is left out; a filter with one stays, and is among the faults."""
    expression = 'Join("",\n  Replace([city], , "(a)\\\\1", , "b", , ))'
    source = {"type": "Function", "expression": expression, "name": "Join", "parameters": []}
    mapping = {"targetAttributeName": "city", "flowType": "Always", "source": source}
    clause = {"sourceOperandName": "city", "operatorName": "REGEX MATCH", "targetOperand": {"values": ["(?!a)."]}}
    schema = json.loads(DATA.read_text(encoding="utf-8"))
    [users] = (
        each
        for rule in schema["synchronizationRules"]
        for each in rule["objectMappings"]
        if each["sourceObjectName"] == "User"
    )
    users["attributeMappings"] = [mapping]
    users["scope"] = {"groups": [{"name": "Towns", "clauses": [clause]}]}
    (bench.folder / "schema.json").write_text(json.dumps(schema))
    result = bench.run("import-schema", "schema.json", *IDS)
    assert result.code == 2
    place = "note: city: left out: line 2, column 21: regexPattern of Replace: pattern, character 4: "
    assert f"{place}a pattern cannot refer to what a group matched" in result.err
    assert "clauses[0].value: cannot be used: pattern, character 1: look-ahead (?!...) cannot be used" in result.err


def test_nothing_is_overwritten(bench: Bench) -> None:
    """A sync.yaml may hold more than the schema did."""
    (bench.folder / "sync.yaml").write_text("mine")
    result = bench.run("import-schema", "schema.json", "--out", "sync.yaml")
    assert result.code == 2
    assert "sync.yaml is there already" in result.err
    assert (bench.folder / "sync.yaml").read_text() == "mine"
    assert "cannot be written: FileNotFoundError" in bench.run("import-schema", "schema.json", "--out", "no/x.yaml").err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{\n,", "schema.json:2: not JSON"),
        ("[" * 100_000, "schema.json: not JSON"),
        ("{}", "no object mapping from User to User"),
    ],
)
def test_what_is_no_schema_is_refused(bench: Bench, content: str, message: str) -> None:
    """With its line where it has one."""
    (bench.folder / "schema.json").write_text(content)
    result = bench.run("import-schema", "schema.json")
    assert result.code == 2
    assert message in result.err
    assert "cannot be read" in bench.run("import-schema", "none.json").err


def test_export_says_what_entra_has_no_words_for(bench: Bench) -> None:
    """And asks which sync is meant where there are several."""
    (bench.folder / "sync.yaml").write_text(CONFIG)
    assert "note: city: Entra does not clear" in bench.run("export-schema", "--config", "sync.yaml").err
    (bench.folder / "sync.yaml").write_text(CONFIG + "  - { name: back, source: fabrikam, target: contoso }\n")
    assert "more than one sync" in bench.run("export-schema").err
    assert "no sync is named 'bak' (did you mean 'back'?)" in bench.run("export-schema", "--sync", "bak").err
    assert bench.run("export-schema", "--sync", "back").code == 0
