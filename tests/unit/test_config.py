"""sync.yaml: read whole or refused whole, every fault with its line, and whatever the text is, no other error."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings, strategies as st

from sync_core.config import Config, load_config, parse_config
from sync_core.errors import ConfigError
from sync_core.mapping import DEFAULT_MAPPING
from sync_core.model import (
    Adoption,
    Apply,
    DeletedInTarget,
    Deprovision,
    GuardLimits,
    Policy,
    Rule,
    Tenant,
    WhenNull,
)

EXAMPLE = Path(__file__).parents[2] / "sync.yaml"

TENANTS = """\
tenants:
  contoso: { id: 11111111-1111-1111-1111-111111111111 }
  fabrikam: { id: 22222222-2222-2222-2222-222222222222, cloud: usgov }
"""
SYNC = """\
syncs:
  - name: a-to-b
    source: contoso
    target: fabrikam
"""
SMALLEST = TENANTS + SYNC


def faults(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_config(text)
    assert caught.value.hint
    return [str(fault) for fault in caught.value.faults]


def with_sync(*lines: str) -> str:
    """The smallest file with more lines in its sync; the first is line 8."""
    return SMALLEST + "".join(f"    {line}\n" for line in lines)


def test_the_example_is_valid() -> None:
    """The file in the repository is the one that people copy."""
    config = load_config(EXAMPLE)
    assert list(config.syncs) == ["contoso-to-fabrikam"]
    (sync,) = config.syncs.values()
    assert sync.guard == GuardLimits(max_percent=5, min_count=10, window=timedelta(hours=24))
    assert sync.policy.deleted_in_target is DeletedInTarget.RESTORE


def test_the_smallest_file_has_safe_defaults() -> None:
    """Nobody is adopted, nothing comes back by itself, deletions are soft and guarded."""
    config = parse_config(SMALLEST)
    sync = config.syncs["a-to-b"]
    assert sync.source == Tenant(key="contoso", id="11111111-1111-1111-1111-111111111111", cloud="global")
    assert sync.target.cloud == "usgov"
    assert sync.mapping == DEFAULT_MAPPING
    assert sync.policy == Policy()
    assert sync.guard == GuardLimits()


def test_everything_that_can_be_said_is_understood() -> None:
    """Each setting ends up in the model."""
    sync = parse_config(
        with_sync(
            "scope: { users: all }",
            "mapping:",
            "  - { target: displayName, source: displayName }",
            "  - { target: userType, constant: Guest, apply: on_create }",
            "  - { target: otherMails, constant: [a@b.example], when_null: keep }",
            "  - { target: department, constant: null }",
            "matching: { adopt: guests }",
            "deprovision: { out_of_scope: leave, source_deleted: disable, deleted_in_target: restore }",
            "deletion_guard: { max_percent: 0.5, min_count: 0, window: 7d }",
        )
    ).syncs["a-to-b"]
    assert sync.mapping == (
        Rule(target="displayName", source="displayName"),
        Rule(target="userType", constant="Guest", apply=Apply.ON_CREATE),
        Rule(target="otherMails", constant=["a@b.example"], when_null=WhenNull.KEEP),
        Rule(target="department"),
    )
    assert sync.policy == Policy(
        adopt=Adoption.GUESTS,
        out_of_scope=Deprovision.LEAVE,
        source_deleted=Deprovision.DISABLE,
        deleted_in_target=DeletedInTarget.RESTORE,
    )
    assert sync.guard == GuardLimits(max_percent=0.5, min_count=0, window=timedelta(days=7))


def test_syncs_are_found_by_their_tenants() -> None:
    """One source may feed many syncs, and a tenant may be both."""
    more = (
        "  - { name: a-to-c, source: contoso, target: initech }\n"
        "  - { name: b-to-a, source: fabrikam, target: contoso }\n"
    )
    initech = "  initech: { id: 33333333-3333-3333-3333-333333333333 }\n"
    config = parse_config(TENANTS + initech + SYNC + more)
    assert config.syncs_by_source == {"contoso": ["a-to-b", "a-to-c"], "fabrikam": ["b-to-a"]}
    assert set(config.source_tenants) == {"contoso", "fabrikam"}
    assert set(config.target_tenants) == {"contoso", "fabrikam", "initech"}


@pytest.mark.parametrize(("text", "window"), [("30m", 30), ("24h", 1440), ("7d", 10_080)])
def test_a_window_is_written_with_its_unit(text: str, window: int) -> None:
    """Minutes, hours or days."""
    config = parse_config(with_sync(f"deletion_guard: {{ window: {text} }}"))
    assert config.syncs["a-to-b"].guard.window == timedelta(minutes=window)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["sync.yaml tenants: is missing", "sync.yaml syncs: is missing"]),
        ("[]", ["sync.yaml:1: Input should be a valid dictionary or instance of FileShape"]),
        (TENANTS, ["sync.yaml:1 syncs: is missing"]),
        (TENANTS + "syncs: []\n", ["sync.yaml:4 syncs: List should have at least 1 item after validation, not 0"]),
        (SMALLEST + "extra: 1\n", ["sync.yaml:8 extra: is not known here"]),
        (
            SMALLEST.replace("cloud: usgov", "cloud: mars"),
            ["sync.yaml:3 tenants.fabrikam.cloud: Input should be 'global', 'usgov', 'dod' or 'china'"],
        ),
        (
            SMALLEST.replace("source: contoso", "source: contosso"),
            ["sync.yaml:6 syncs[0].source: no tenant is named 'contosso' (did you mean 'contoso'?)"],
        ),
        (
            SMALLEST.replace("target: fabrikam", "target: initech"),
            ["sync.yaml:7 syncs[0].target: no tenant is named 'initech' (known: contoso, fabrikam)"],
        ),
        (
            SMALLEST.replace("target: fabrikam", "target: contoso"),
            ["sync.yaml:7 syncs[0].target: source and target are the same tenant"],
        ),
        (
            SMALLEST + "  - { name: a-to-b, source: fabrikam, target: contoso }\n",
            ["sync.yaml:8 syncs[1].name: 'a-to-b' names two syncs"],
        ),
        (
            SMALLEST.replace("22222222-2222-2222-2222-222222222222", "11111111-1111-1111-1111-111111111111"),
            [
                "sync.yaml:2 tenants.contoso.id: two tenants have this id",
                "sync.yaml:3 tenants.fabrikam.id: two tenants have this id",
            ],
        ),
        (
            with_sync("deletion_guard: { window: 24 }"),
            ["sync.yaml:8 syncs[0].deletion_guard.window: must be a duration such as 30m, 24h or 7d"],
        ),
        (
            with_sync("deletion_guard: { window: 0h }"),
            ["sync.yaml:8 syncs[0].deletion_guard.window: must be a duration such as 30m, 24h or 7d"],
        ),
        (
            with_sync("deletion_guard: { max_percent: 101, min_count: -1 }"),
            [
                "sync.yaml:8 syncs[0].deletion_guard.max_percent: Input should be less than or equal to 100",
                "sync.yaml:8 syncs[0].deletion_guard.min_count: Input should be greater than or equal to 0",
            ],
        ),
        (
            with_sync("deletion_guard: { max_percent: .nan }"),
            ["sync.yaml:8 syncs[0].deletion_guard.max_percent: Input should be less than or equal to 100"],
        ),
        (
            with_sync("scope: { users: assigned }"),
            ["sync.yaml:8 syncs[0].scope.users: assigned is not available yet: all, with filters if need be"],
        ),
    ],
    ids=lambda value: value[0].partition(": ")[2] if isinstance(value, list) else "",
)
def test_a_fault_is_named_with_its_line(text: str, expected: list[str]) -> None:
    """The line is where to look, the path says what it is about, the message what to do."""
    assert faults(text) == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("{ target: displayname, source: displayName }", "[0].target: 'displayname' cannot be written"),
        ("{ target: displayname, source: displayName }", "(did you mean 'displayName'?)"),
        ("{ target: xyzzy, source: displayName }", "(known: accountEnabled, businessPhones,"),
        ("{ target: xyzzy, constant: plugh }", "'xyzzy' cannot be written"),
        ("{ target: city }", "[0]: has neither a source nor a constant"),
        ("{ target: city, source: city, constant: Oslo }", "[0]: has both a source and a constant"),
        ("{ target: accountEnabled, constant: null }", "[0].constant: cannot be cleared"),
        ("{ target: department, constant: true }", "[0].constant: must be text"),
        ("{ target: usageLocation, constant: NOR }", "[0].constant: is longer than 2 characters"),
        ("{ source: city }", "[0].target: is missing"),
        ("{ target: city, source: city, formula: x }", "[0].formula: is not known here"),
    ],
)
def test_a_faulty_rule_is_named_with_its_line(rule: str, expected: str) -> None:
    """A mapping is the longest part of the file, and the likeliest to be wrong."""
    assert any(expected in fault for fault in faults(with_sync("mapping:", f"  - {rule}")))
    assert all(
        fault.startswith("sync.yaml:9 syncs[0].mapping[0]") for fault in faults(with_sync("mapping:", f"  - {rule}"))
    )


def test_an_attribute_is_mapped_once() -> None:
    """The second rule for the same attribute is the fault."""
    city = "  - { target: city, source: city }"
    assert faults(with_sync("mapping:", city, city)) == [
        "sync.yaml:10 syncs[0].mapping[1].target: 'city' is mapped twice"
    ]


def test_all_faults_are_reported_together() -> None:
    """Nobody likes to mend a file one fault at a time."""
    text = (
        with_sync("deletion_guard: { window: soon }", "drift: report")
        .replace("name: a-to-b", "name: A_to_B")
        .replace("id: 1111", "id: xxxx")
    )
    assert [fault.partition(": ")[0] for fault in faults(text)] == [
        "sync.yaml:2 tenants.contoso.id",
        "sync.yaml:5 syncs[0].name",
        "sync.yaml:8 syncs[0].deletion_guard.window",
        "sync.yaml:9 syncs[0].drift",
    ]
    text = SMALLEST.replace("source: contoso", "source: x").replace("target: fabrikam", "target: x")
    assert len(faults(text)) == 3


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a: [", "sync.yaml:1"),
        ("a: 1\nb: {", "sync.yaml:2"),
        ("a: 1\n\tb: 2", "sync.yaml:2"),
        ("a: *nobody", "sync.yaml:1"),
        ("a: 1\nb: !!python/object:os.system x", "sync.yaml:2"),
        ("--- a\n--- b", "sync.yaml:2"),
        ("\x00", "sync.yaml"),
        ("2001-99-99", "sync.yaml"),
        ("[" * 1000, "sync.yaml"),
        ("a: !!bool maybe", "sync.yaml"),
        ("a: !!int ''", "sync.yaml"),
        ("a: !!float ''", "sync.yaml"),
        ("a: !!timestamp never", "sync.yaml"),
    ],
    ids=lambda text: repr(text[:20]),
)
def test_what_is_not_yaml_is_a_fault_with_its_line(text: str, where: str) -> None:
    """Also where the YAML library itself trips; no tag runs any code."""
    (fault,) = faults(text)
    assert fault.startswith(f"{where}: not YAML: ")


@pytest.mark.parametrize(
    "text",
    ["&a [*a]", "tenants: &a { contoso: *a }", "syncs: &a [{ mapping: *a }]", "? &a [b]\n: *a"],
)
def test_a_file_that_holds_itself_is_a_fault(text: str) -> None:
    """An alias may lead back to what it is part of."""
    assert faults(text)


def test_many_aliases_of_aliases_take_no_time() -> None:
    """A few lines of aliases may stand for a thousand million nodes."""
    doubling = "".join(f"k{n}: &k{n} [{', '.join([f'*k{n - 1}'] * 10)}]\n" for n in range(1, 10))
    assert faults("k0: &k0 x\n" + doubling)


def test_aliases_may_be_used(tmp_path: Path) -> None:
    """Two syncs may share a mapping."""
    mapping = "mapping: &m [{ target: city, source: city }]"
    more = "  - { name: b-to-a, source: fabrikam, target: contoso, mapping: *m }\n"
    config = parse_config(with_sync(mapping) + more)
    assert config.syncs["a-to-b"].mapping == config.syncs["b-to-a"].mapping


def test_a_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    """Missing, a folder, or not text: the same kind of report, without the path of the machine."""
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("# Zoë".encode("latin-1"))
    for path, kind in ((tmp_path / "none.yaml", "FileNotFoundError"), (tmp_path, "IsADirectoryError"), (latin, "Unic")):
        with pytest.raises(ConfigError, match=f"^{path.name}: cannot be read: {kind}"):
            load_config(path)


def outcome(text: str) -> Config | ConfigError:
    """Anything else that the parser raises fails the test."""
    try:
        return parse_config(text)
    except ConfigError as error:
        return error


_lines = st.lists(st.sampled_from(SMALLEST.splitlines() + EXAMPLE.read_text(encoding="utf-8").splitlines()))
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


@given(st.text())
def test_any_text_is_a_configuration_or_a_config_error(text: str) -> None:
    """No text makes the parser raise anything else."""
    outcome(text)


@given(st.binary())
def test_any_file_is_a_configuration_or_a_config_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Nor does any file."""
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(data)
    with pytest.raises(ConfigError):
        load_config(path)


@given(_lines, st.text(alphabet="&*!|>{}[]%@`'\"#:,-? \n\tab01.", max_size=12), st.integers(0, 300))
def test_a_mutilated_file_is_a_configuration_or_a_config_error(lines: list[str], noise: str, at: int) -> None:
    """Lines in any order, and noise in the middle of a good file."""
    outcome("\n".join(lines))
    outcome(SMALLEST[:at] + noise + SMALLEST[at:])


@settings(max_examples=40)
@given(st.sampled_from(["name", "source", "scope", "mapping", "matching", "deprovision", "deletion_guard"]), _values)
def test_any_value_anywhere_is_a_configuration_or_a_config_error(name: str, value: object) -> None:
    """Well-formed YAML of the wrong shape is a fault like any other."""
    sync = {"name": "a-to-b", "source": "contoso", "target": "fabrikam", name: value}
    outcome(TENANTS + yaml.safe_dump({"syncs": [sync]}, allow_unicode=True))
    outcome(TENANTS + yaml.safe_dump({"syncs": [{**sync, name: [value]}], "tenants": {name: value}}))
