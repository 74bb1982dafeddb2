"""sync.yaml: read whole or refused whole, every fault with its line, and whatever the text is, no other error."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings, strategies as st

from sync_core.config.file import Config, load_config, parse_config
from sync_core.config.limits import GuardShape
from sync_core.mapping import DEFAULT_MAPPING
from sync_core.model import (
    Adoption,
    Apply,
    Assigned,
    Clause,
    DeletedInTarget,
    Deprovision,
    GuardLimits,
    InviteBy,
    Json,
    Limit,
    Mode,
    Occasion,
    Operator,
    Policy,
    Receiver,
    ReceiverKind,
    RegexMode,
    Rule,
    Several,
    Tenant,
    WhenNull,
)
from sync_core.model.errors import ConfigError
from tests.support.make import ADA, SALES

EXAMPLE = Path(__file__).parents[3] / "sync.yaml"

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
ENABLED_AND_MAIL = ("  - { target: accountEnabled, source: accountEnabled }", "  - { target: mail, source: mail }")
UNQUOTED = [
    *("NO", "no", "on", "off", "yes", "y", "True", "FALSE", "="),
    *("0012", "12", "0x1F", "0o17", "1_000", "+1", "-0", "12:30", "12:30:45", "1.10", "1e3", ".inf", ".nan"),
    *("2026-01-31", "2026-01-31T12:00:00+01:00"),
]
OWNER = "extension_0123456789abcdef0123456789abcdef_xtsyncOwner"


def test_receivers_of_notices() -> None:
    """They say where their address is, and what they are told of: by default everything."""
    config = parse_config(
        SMALLEST
        + """\
notify:
  - { teams: XTSYNC_NOTIFY_TEAMS }
  - { webhook: XTSYNC_NOTIFY_HOOK, secret: XTSYNC_NOTIFY_KEY, events: [held], syncs: [a-to-b], parked_over: 9 }
"""
    )
    assert config.receivers == [
        Receiver(kind=ReceiverKind.TEAMS, address="XTSYNC_NOTIFY_TEAMS"),
        Receiver(
            kind=ReceiverKind.WEBHOOK,
            address="XTSYNC_NOTIFY_HOOK",
            secret="XTSYNC_NOTIFY_KEY",
            occasions=frozenset({Occasion.HELD}),
            syncs=frozenset({"a-to-b"}),
            parked_over=9,
        ),
    ]
    assert config.fingerprint == parse_config(SMALLEST).fingerprint


@pytest.mark.parametrize(
    ("receiver", "fault"),
    [
        ("{}", "notify[0]: needs either teams or webhook"),
        ("{ teams: XTSYNC_NOTIFY_A, webhook: XTSYNC_NOTIFY_B, secret: XTSYNC_NOTIFY_C }", "needs either"),
        ("{ webhook: XTSYNC_NOTIFY_A }", "notify[0].webhook: needs a secret"),
        ("{ teams: XTSYNC_NOTIFY_A, secret: XTSYNC_NOTIFY_B }", "notify[0].secret: is for webhook only"),
        ("{ teams: https://example.org/hook }", "notify[0].teams: "),
        ("{ teams: XTSYNC_NOTIFY_A, events: [heldd] }", "notify[0].events[0]: "),
        ("{ teams: XTSYNC_NOTIFY_A, syncs: [a-to-c] }", "no sync is named 'a-to-c' (did you mean 'a-to-b'?)"),
        ("{ teams: XTSYNC_NOTIFY_A }, { teams: XTSYNC_NOTIFY_A }", "is named by another receiver, too"),
    ],
)
def test_faults_of_receivers(receiver: str, fault: str) -> None:
    """An address in the file itself is refused: it would be a secret there."""
    assert any(fault in each for each in faults(f"{SMALLEST}notify: [{receiver}]\n")), faults(
        f"{SMALLEST}notify: [{receiver}]\n"
    )


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


def test_a_sync_runs_unless_it_says_that_it_observes() -> None:
    """Another word is a fault, which names the two."""
    modes = [parse_config(text).syncs["a-to-b"].mode for text in (SMALLEST, with_sync("mode: observe"))]
    assert modes == [Mode.RUN, Mode.OBSERVE]
    (fault,) = faults(with_sync("mode: watch"))
    assert "sync.yaml:8" in fault
    assert "'observe' or 'run'" in fault


def test_the_smallest_file_has_safe_defaults() -> None:
    """Nobody is adopted, nothing comes back by itself, deletions are soft and guarded."""
    config = parse_config(SMALLEST)
    sync = config.syncs["a-to-b"]
    assert sync.source == Tenant(key="contoso", id="11111111-1111-1111-1111-111111111111", cloud="global")
    assert sync.target.cloud == "usgov"
    assert sync.mapping == DEFAULT_MAPPING
    assert sync.policy == Policy()
    assert sync.guard == GuardLimits()


def test_thirty_days_allow_twice_the_window_unless_said_otherwise() -> None:
    """5 and 10 % for a newcomer; a guard that holds everybody holds everybody in thirty days, too."""
    days = [limit.window.days for limit in GuardLimits().windows]
    assert days == [1, 30]
    assert [(limit.max_percent, limit.min_count) for limit in GuardLimits().windows] == [(5, 10), (10, 20)]
    assert GuardLimits(max_percent=80, min_count=0).windows[1].max_percent == 100
    assert GuardLimits(max_percent=0, min_count=0).windows[1].min_count == 0
    guard = parse_config(with_sync("deletion_guard: { month: { max_percent: 3, min_count: 7 } }")).syncs["a-to-b"].guard
    assert guard.windows[1] == Limit(max_percent=3, min_count=7, window=timedelta(days=30))


def test_newcomers_have_a_ceiling_unless_it_is_switched_off() -> None:
    """It is on by default, and what is left out has its default."""
    default = Limit(max_percent=20, min_count=500, window=timedelta(hours=24))
    assert parse_config(SMALLEST).syncs["a-to-b"].creation_guard == default
    for text, expected in {
        "{}": default,
        "{ min_count: 7 }": replace(default, min_count=7),
        "{ max_percent: 2.5, window: 7d }": replace(default, max_percent=2.5, window=timedelta(days=7)),
        "off": None,
        "'off'": None,
    }.items():
        assert parse_config(with_sync(f"creation_guard: {text}")).syncs["a-to-b"].creation_guard == expected


def test_a_ceiling_is_no_part_of_the_fingerprint() -> None:
    """Another one makes nobody be looked at anew: those who wait are found by their links."""
    prints = {
        parse_config(with_sync(f"creation_guard: {text}")).fingerprint
        for text in ("{ min_count: 7 }", "off", "{ max_percent: 50 }")
    }
    assert prints == {parse_config(SMALLEST).fingerprint}


def test_a_target_tenant_has_the_widest_limits_of_its_syncs_unless_it_has_its_own() -> None:
    """No sync alone meets them before its own: most people, in the shortest time. Another tenant is another matter."""
    text = """
tenants:
  contoso: { id: 11111111-1111-1111-1111-111111111111 }
  fabrikam: { id: 22222222-2222-2222-2222-222222222222 }
  adatum: { id: 33333333-3333-3333-3333-333333333333, deletion_guard: { min_count: 4, month: { min_count: 5 } } }
syncs:
  - { name: a, source: contoso, target: fabrikam, deletion_guard: { max_percent: 1, min_count: 30, window: 2d } }
  - { name: b, source: contoso, target: fabrikam, deletion_guard: { max_percent: 8, month: { min_count: 9 } } }
  - { name: c, source: contoso, target: adatum, deletion_guard: { min_count: 500 } }
"""
    syncs = parse_config(text).syncs
    assert syncs["a"].target_guard == syncs["b"].target_guard
    widest = syncs["a"].target_guard
    assert widest is not None
    assert [(limit.max_percent, limit.min_count, limit.window.days) for limit in widest.windows] == [
        (8, 30, 1),
        (10, 60, 30),
    ]
    own = syncs["c"].target_guard
    assert own is not None
    assert [(limit.max_percent, limit.min_count) for limit in own.windows] == [(5, 4), (10, 5)]


def test_the_limits_of_a_target_tenant_are_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the syncs is twice the work: a file may come from a caller, and others wait while it is read."""
    made: list[GuardLimits] = []
    limits = GuardShape.limits

    def counted(shape: GuardShape) -> GuardLimits:
        made.append(limits(shape))
        return made[-1]

    monkeypatch.setattr(GuardShape, "limits", counted)
    of: dict[int, int] = {}
    for syncs in (20, 40):
        made.clear()
        text = "".join(f"  - {{ name: s{n}, source: contoso, target: fabrikam }}\n" for n in range(syncs))
        parse_config(f"{TENANTS}syncs:\n{text}")
        of[syncs] = len(made)
    assert of == {20: 40, 40: 80}


def test_more_syncs_than_a_caller_may_have_are_refused_before_they_are_read() -> None:
    """The fault names the limit, and no fault of a sync is looked for: that is the work to be saved."""
    wrong = "".join(f"  - {{ name: s{n}, source: nobody, target: fabrikam, what: 1 }}\n" for n in range(3))
    with pytest.raises(ConfigError) as caught:
        parse_config(f"{TENANTS}syncs:\n{wrong}", most_syncs=2)
    (fault,) = map(str, caught.value.faults)
    assert fault == "sync.yaml:4 syncs: has 3 syncs, at most 2 are allowed here: leave some out"
    most = "".join(f"  - {{ name: s{n}, source: contoso, target: fabrikam }}\n" for n in range(2))
    assert len(parse_config(f"{TENANTS}syncs:\n{most}", most_syncs=2).syncs) == 2


def test_of_faults_without_end_the_first_thousand_are_told() -> None:
    """A few lines of aliases stand for very many, each with the nearest name looked up: nobody reads them all."""
    receivers = "".join(f"  - {{ teams: XTSYNC_NOTIFY_{n}, syncs: *names }}\n" for n in range(99))
    first = "  - { teams: XTSYNC_NOTIFY_A, syncs: &names [wrong, a-to-c" + ", x" * 20 + "] }\n"
    with pytest.raises(ConfigError) as caught:
        parse_config(f"{SMALLEST}notify:\n{first}{receivers}")
    faults = caught.value.faults
    assert len(faults) == 1000
    assert faults[1].message == "no sync is named 'a-to-c' (did you mean 'a-to-b'?)"
    with pytest.raises(ConfigError) as caught:
        parse_config(f"{SMALLEST}    what: 1\nnotify:\n{first}{receivers}")
    assert len(caught.value.faults) == 1000
    assert "is not known here" in caught.value.faults[0].message


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
            f"matching: {{ adopt: guests, owner_attribute: {OWNER} }}",
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
    assert sync.owner_attribute == OWNER


@pytest.mark.parametrize(
    "name",
    ["owner", "extensionAttribute1", "extension_0123_owner", OWNER.upper(), OWNER + "-", f"{OWNER}\\n", ""],
)
def test_an_owner_attribute_is_a_directory_extension(name: str) -> None:
    """A slip would be refused by Graph for every single user."""
    with pytest.raises(ConfigError) as refused:
        parse_config(with_sync(f'matching: {{ owner_attribute: "{name}" }}'))
    assert "must be a directory extension" in str(refused.value)


def test_syncs_into_one_tenant_should_share_the_owner_attribute() -> None:
    """A warning: each would adopt whom the other marked."""
    third = "  initech: { id: 33333333-3333-3333-3333-333333333333 }\n"

    def warnings(other: str) -> list[str]:
        more = (
            f"  - {{ name: c-to-b, source: initech, target: fabrikam, matching: {{ owner_attribute: {other} }} }}\n"
            f"  - {{ name: b-to-a, source: fabrikam, target: contoso, matching: {{ owner_attribute: {OWNER}2 }} }}\n"
        )
        first = f"    matching: {{ owner_attribute: {OWNER} }}\n"
        return [str(each) for each in parse_config(TENANTS + third + SYNC + first + more).warnings]

    assert warnings(OWNER) == []
    [warning] = warnings(f"{OWNER}2")
    assert "syncs[1].matching.owner_attribute: another sync into 'fabrikam' has another one" in warning


def test_the_address_to_invite_is_chosen_in_matching() -> None:
    """Mail and the verified domains by default; letters of a domain may be of either case."""
    plain = parse_config(SMALLEST).syncs["a-to-b"]
    assert (plain.invite, plain.domains) == (InviteBy.MAIL, frozenset())
    text = 'matching: { invite: userPrincipalName, domains: [Partner.example, "*"] }'
    sync = parse_config(with_sync(text)).syncs["a-to-b"]
    assert (sync.invite, sync.domains) == (InviteBy.PRINCIPAL_NAME, frozenset({"partner.example", "*"}))
    with pytest.raises(ConfigError, match="domains"):
        parse_config(with_sync("matching: { domains: ['@partner.example'] }"))


def test_the_mapping_leaves_the_owner_attribute_alone() -> None:
    """Two writers of one attribute would undo each other."""
    mapped = f"mapping: [{{ target: {OWNER}, source: employeeId }}]"
    with pytest.raises(ConfigError) as refused:
        parse_config(with_sync(mapped, f"matching: {{ owner_attribute: {OWNER} }}"))
    assert "owner_attribute: is a target of the mapping" in str(refused.value)


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


def test_the_values_to_record() -> None:
    """Of attributes that the mapping writes, also the default one; without a new fingerprint, so with no full round."""
    named = parse_config(with_sync("record_values: [department, displayName]"))
    assert named.syncs["a-to-b"].record_values == {"department", "displayName"}
    assert parse_config(SMALLEST).syncs["a-to-b"].record_values == frozenset()
    assert named.fingerprint == parse_config(SMALLEST).fingerprint


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
        (SMALLEST + "syncs: []\n", ["sync.yaml:8 syncs: is given twice"]),
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
            with_sync("record_values: [departmnet, employeeHireDate]"),
            [
                "sync.yaml:8 syncs[0].record_values[0]: the mapping does not write 'departmnet' (did you mean "
                "'department'?)",
                "sync.yaml:8 syncs[0].record_values[1]: the mapping does not write 'employeeHireDate' (did you mean "
                "'employeeId'?)",
            ],
        ),
        (
            with_sync(f"record_values: [{', '.join(['mail'] * 51)}]"),
            ["sync.yaml:8 syncs[0].record_values: List should have at most 50 items after validation, not 51"],
        ),
        (
            with_sync(
                "record_values: [city, country, extension_0123456789abcdef0123456789abcdef_Password]",
                "mapping:",
                *ENABLED_AND_MAIL,
                "  - { target: city, expression: 'RandomString(9,0,0,0,0,\"\")', apply: on_create }",
                "  - { target: extension_0123456789abcdef0123456789abcdef_Password, source: city }",
                "  - { target: country, expression: 'Append([city' }",
            ),
            [
                "sync.yaml:14 syncs[0].mapping[4].expression: column 8: this attribute has no closing bracket",
                "sync.yaml:8 syncs[0].record_values[0]: 'city' is drawn at random and may be a secret, so its values "
                "are never kept: take it out",
                "sync.yaml:8 syncs[0].record_values[2]: 'extension_0123456789abcdef0123456789abcdef_Password' may be "
                "a secret by its name, and its values are never kept: take it out",
            ],
        ),
        (
            with_sync("deletion_guard: { window: 24 }"),
            ["sync.yaml:8 syncs[0].deletion_guard.window: must be a duration such as 30m, 24h or 7d"],
        ),
        *(
            (
                with_sync(f"creation_guard: {text}"),
                ["sync.yaml:8 syncs[0].creation_guard: must be off, or have max_percent, min_count and window"],
            )
            for text in ("false", "500", "[500]", "")
        ),
        (
            with_sync("creation_guard: { min_count: -1, window: 24, most: 7 }"),
            [
                "sync.yaml:8 syncs[0].creation_guard.min_count: Input should be greater than or equal to 0",
                "sync.yaml:8 syncs[0].creation_guard.window: must be a duration such as 30m, 24h or 7d",
                "sync.yaml:8 syncs[0].creation_guard.most: is not known here",
            ],
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
            [
                "sync.yaml:8 syncs[0].deletion_guard.max_percent: "
                "Input should be a valid number, unable to parse string as a number"
            ],
        ),
        (
            with_sync("scope: { users: assigned, groups: [] }"),
            [
                "sync.yaml:8 syncs[0].scope.users: "
                "is assigned, but groups and members are empty: no user would be in scope"
            ],
        ),
        (
            with_sync("scope:", "  groups:", f"    - {SALES}", "    - Sales"),
            ["sync.yaml:11 syncs[0].scope.groups[1]: Input should be a valid UUID, invalid character: found `S` at 0"],
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


def test_an_edit_of_extension_attributes_has_one_policy() -> None:
    """They are read and written as one property, so that the one rule's word would be the other's, too."""
    left = "  - { target: extensionAttribute1, source: city, drift: leave }"
    second = "  - { target: extensionAttribute2, constant: x }"
    once = "  - { target: extensionAttribute3, constant: x, apply: on_create }"
    assert faults(with_sync("mapping:", left, once, second)) == [
        "sync.yaml:11 syncs[0].mapping[2].drift: extensionAttribute1 has another one, and both are one property: give "
        "both the same"
    ]
    same = second.replace("x }", "x, drift: leave }")
    assert parse_config(with_sync("mapping:", left, once, same)).syncs


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("{ target: proxyAddresses, source: mail }", ".target: 'proxyAddresses' cannot be written: Graph has it"),
        ("{ target: mobile, source: mobilePhone }", ".target: 'mobile' is called 'mobilePhone' by Graph"),
        ("{ target: extension_12_x, constant: 1 }", ".target: 'extension_12_x' cannot be written (did you mean"),
        ("{ target: city, source: cty }", ".source: no user has 'cty' (did you mean 'city'?)"),
        ("{ target: city, source: mobile }", ".source: 'mobile' is called 'mobilePhone' by Graph"),
        ("{ target: city, source: null }", ": has neither a source nor a constant nor an expression"),
        ("{ target: city, source: city, expression: x }", ": has both a source and an expression"),
        ("{ target: city, expression: 'Left([city], ' }", ".expression: column 14: an attribute, a text"),
        ("{ target: city, expression: '[City]' }", ".expression: no user has 'City' (did you mean 'city'?)"),
        ("{ target: city, expression: 'Guid()' }", ".expression: gives another value at every look"),
        ("{ target: city, expression: 'SelectUniqueValue([city], [mail])' }", "are not looked up"),
        ("{ target: city, constant: 5.5 }", ".constant: must be text, true, false, a whole number or a list of text"),
        ("{ target: city, constant: 5 }", ".constant: must be text"),
        ("{ target: businessPhones, constant: [a, b] }", ".constant: has more than 1 value"),
        ("{ target: manager, constant: Bob }", "manager is a reference to another user: say `{ target: manager, s"),
        ("{ target: manager, source: mail }", "[0]: manager is a reference"),
        ("{ target: city, source: manager }", "[0]: manager is a reference"),
        ("{ target: manager, source: manager, default: x }", "[0]: manager is a reference"),
        ("{ target: manager, source: manager, when_null: default }", "[0]: manager is a reference"),
        ("{ target: manager, source: manager, drift: report }", ".drift: is of no use here: no listing shows"),
        ("{ target: accountEnabled, constant: true, drift: enforce }", ".drift: is of no use here: say `blocked_in_"),
        ("{ target: city, source: city, apply: on_create, drift: leave }", ".drift: is of no use here: edits of what"),
        ("{ target: manager, source: manager, apply: on_create }", ".apply: manager is always applied"),
        ("{ target: city, expression: '[manager]' }", ".expression: manager is a reference"),
        ("{ target: city, source: city, default: null }", ".default: must have a value"),
        ("{ target: city, source: city, default: true }", ".default: must be text"),
        ("{ target: city, constant: Oslo, default: Rome }", ".default: is of no use beside a constant"),
        ("{ target: city, source: city, when_null: default }", ".when_null: needs a default"),
        ("{ target: city, source: city, default: a, when_null: clear }", ".when_null: clear would take the default"),
    ],
)
def test_a_rule_that_could_not_work_is_refused(rule: str, expected: str) -> None:
    """Names, kinds, expressions and defaults, each with what to write instead."""
    found = faults(with_sync("mapping:", f"  - {rule}"))
    assert [fault for fault in found if expected in fault], found
    assert all(fault.startswith("sync.yaml:9 syncs[0].mapping[0]") for fault in found)


def test_every_kind_of_rule_is_understood() -> None:
    """And a default keeps what is there, unless the rule says more."""
    sync = parse_config(
        with_sync(
            "mapping:",
            "  - { target: city, expression: '[city]', default: Oslo }",
            "  - { target: state, source: state, default: x, when_null: default }",
            "  - { target: faxNumber, default: none }",
            "  - { target: extensionAttribute1, expression: 'Now()', apply: on_create }",
            "  - { target: extension_0123456789abcdef0123456789abcdef_n, constant: 5 }",
        )
    ).syncs["a-to-b"]
    assert sync.mapping == (
        Rule(target="city", expression="[city]", default="Oslo", when_null=WhenNull.KEEP),
        Rule(target="state", source="state", default="x", when_null=WhenNull.DEFAULT),
        Rule(target="faxNumber", default="none", when_null=WhenNull.KEEP),
        Rule(target="extensionAttribute1", expression="Now()", apply=Apply.ON_CREATE),
        Rule(target="extension_0123456789abcdef0123456789abcdef_n", constant=5),
    )


def test_a_fault_in_a_long_expression_has_its_own_line() -> None:
    """In a block the line is the file's; in a quoted text of several lines it is the expression's."""
    block = ("mapping:", "  - target: city", "    expression: |", "      Append([city],", '        "a" "b")')
    assert faults(with_sync(*block))[0].startswith("sync.yaml:12 syncs[0].mapping[0].expression: column 7: ")
    quoted = ("mapping:", "  - target: city", '    expression: "Append([city],\\n  5 5)"')
    assert faults(with_sync(*quoted))[0].startswith("sync.yaml:10 syncs[0].mapping[0].expression: line 2, column 5: ")


def with_clause(*clauses: str) -> str:
    return with_sync(
        "scope:", "  filters:", "    - name: A", "      clauses:", *(f"        - {each}" for each in clauses)
    )


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("{ attribute: cty, operator: IS NULL }", ".attribute: no user has 'cty' (did you mean 'city'?)"),
        ("{ attribute: city, operator: LIKE, value: x }", ".operator: must be one of EQUALS, NOT EQUALS"),
        ("{ attribute: city, operator: 7, value: x }", ".operator: must be one of EQUALS, NOT EQUALS"),
        ("{ attribute: city, operator: EQUALS }", ": EQUALS needs a value"),
        ("{ attribute: city, operator: EQUALS, value: '' }", ".value: EQUALS needs a value"),
        ("{ attribute: city, operator: EQUALS, value: [a] }", ".value: EQUALS takes one value"),
        ("{ attribute: city, operator: IN, value: a }", ".value: IN takes a list of values"),
        ("{ attribute: city, operator: IN, value: [] }", ".value: IN needs a value"),
        ("{ attribute: city, operator: IS TRUE, value: a }", ".value: IS TRUE takes no value"),
        ("{ attribute: employeeId, operator: Less_Than, value: ten }", ".value: Less_Than takes a whole number"),
        ("{ attribute: createdDateTime, operator: BEFORE, value: soon }", ".value: BEFORE takes an ISO date"),
        ("{ attribute: createdDateTime, operator: BEFORE, value: 9999-12-31 }", ".value: BEFORE takes an ISO date"),
        ("{ attribute: city, operator: REGEX MATCH, value: '(' }", ".value: cannot be used: pattern, character "),
        ("{ attribute: city, operator: REGEX MATCH, value: 'a)|(b' }", ".value: cannot be used: pattern, character "),
        ("{ attribute: city, operator: EQUALS, value: a, mode: full }", ".mode: is for REGEX MATCH"),
        (
            "{ attribute: otherMails, operator: EQUALS, value: a }",
            ": 'otherMails' has several values: say `match: any`",
        ),
        ("{ attribute: memberOf, operator: IS NULL }", ".operator: memberOf takes EQUALS, IN, NOT EQUALS, NOT IN,"),
        ("{ attribute: memberof, operator: IN, value: [a] }", ".attribute: is written memberOf"),
        ("{ attribute: memberOf, operator: EQUALS }", ": EQUALS needs a value"),
        ("{ attribute: memberOf, operator: EQUALS, value: Sales }", ".value: 'sales' is no object id of a group"),
        ("{ attribute: memberOf, operator: IN, value: [''] }", ".value: '' is no object id of a group"),
        (f"{{ attribute: memberOf, operator: IN, value: {SALES} }}", ".value: IN takes a list of values"),
        (
            f"{{ attribute: memberOf, operator: IN, value: [{SALES}], match: any }}",
            ".match: is not for memberOf",
        ),
    ],
)
def test_a_clause_that_could_not_work_is_refused(clause: str, expected: str) -> None:
    """A wrong scope deletes people, so nothing is guessed."""
    found = faults(with_clause(clause))
    assert [fault for fault in found if expected in fault], found
    assert all(fault.startswith("sync.yaml:12 syncs[0].scope.filters[0].clauses[0]") for fault in found)


def test_a_filter_is_understood() -> None:
    """YAML's own ideas of dates, numbers and booleans come back to the text that was written."""
    sync = parse_config(
        with_clause(
            "{ attribute: createdDateTime, operator: before, value: 2026-01-31 }",
            "{ attribute: createdDateTime, operator: AFTER, value: 2026-01-31T12:00:00Z }",
            "{ attribute: otherMails, operator: In, value: [1, a], match: any }",
            "{ attribute: city, operator: REGEX MATCH, value: x, mode: search }",
            "{ attribute: accountEnabled, operator: EQUALS, value: true }",
            f"{{ attribute: memberOf, operator: not in, value: [{SALES.upper()}] }}",
        )
    ).syncs["a-to-b"]
    [found] = sync.filters
    assert found.name == "A"
    assert found.clauses == (
        Clause(attribute="createdDateTime", operator=Operator.BEFORE, value="2026-01-31"),
        Clause(attribute="createdDateTime", operator=Operator.AFTER, value="2026-01-31T12:00:00Z"),
        Clause(attribute="otherMails", operator=Operator.IN, value=("1", "a"), match=Several.ANY),
        Clause(attribute="city", operator=Operator.REGEX_MATCH, value="x", mode=RegexMode.SEARCH),
        Clause(attribute="accountEnabled", operator=Operator.EQUALS, value="true"),
        Clause(attribute="memberOf", operator=Operator.NOT_IN, value=(SALES,)),
    )
    assert sync.groups == {SALES}


@pytest.mark.parametrize(
    "text",
    UNQUOTED,
)
def test_a_filter_compares_with_the_text_that_was_written(text: str) -> None:
    """YAML 1.1 takes Norway for false, 0012 for ten and 12:30 for 750: everybody in Norway would lose access."""
    [one] = parse_config(with_clause(f"{{ attribute: city, operator: EQUALS, value: {text} }}")).syncs.values()
    [several] = parse_config(with_clause(f"{{ attribute: city, operator: IN, value: [{text}, x] }}")).syncs.values()
    assert one.filters[0].clauses[0].value == text
    assert several.filters[0].clauses[0].value == (text, "x")


@pytest.mark.parametrize(
    ("rule", "constant"),
    [
        ("{ target: country, constant: NO }", "NO"),
        ("{ target: employeeId, constant: 0012 }", "0012"),
        ("{ target: jobTitle, constant: on }", "on"),
        ("{ target: officeLocation, constant: 12:30 }", "12:30"),
        ("{ target: otherMails, constant: [NO, 0012] }", ["NO", "0012"]),
        ("{ target: accountEnabled, constant: true }", True),
        ("{ target: showInAddressList, constant: FALSE }", False),
        (f"{{ target: {OWNER}, constant: 12 }}", 12),
        (f"{{ target: {OWNER}, constant: 0012 }}", "0012"),
        (f'{{ target: {OWNER}, constant: "12" }}', "12"),
        ("{ target: employeeType, default: NO }", "NO"),
    ],
)
def test_a_constant_keeps_its_text_unless_it_is_true_false_or_a_whole_number(rule: str, constant: Json) -> None:
    """By YAML's own rules country NO is false, and employeeId 0012 is ten; a list has text alone."""
    [sync] = parse_config(with_sync("mapping:", f"  - {rule}")).syncs.values()
    found = sync.mapping[0].default if "default" in rule else sync.mapping[0].constant
    assert (type(found), found) == (type(constant), constant)


def test_names_and_keys_keep_their_text_and_their_line() -> None:
    """A sync may be called `on`; a key of YAML 1.1's booleans is named as it was written."""
    assert set(parse_config(SMALLEST.replace("name: a-to-b", "name: on")).syncs) == {"on"}
    assert faults(with_sync("no: 12")) == ["sync.yaml:8 syncs[0].no: is not known here"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((f"scope: {{ groups: [{SALES}] }}",), "groups or members are given: set it to assigned, or remove them"),
        (
            (f"scope: {{ users: all, members: [{SALES}] }}",),
            "groups or members are given: set it to assigned, or remove them",
        ),
        (("scope: { users: assigned, groups: Sales }",), "should be a valid list"),
        (("scope: { users: nobody }",), "should be 'all' or 'assigned'"),
        (("scope: { filters: [{ name: A, clauses: [] }] }",), "at least 1 item"),
        (("scope: []",), "should be a valid dictionary"),
    ],
)
def test_a_scope_that_could_not_work_is_refused(lines: tuple[str, ...], expected: str) -> None:
    """A scope never has fewer people, or more, than the file says."""
    assert any(expected in fault for fault in faults(with_sync(*lines)))


def test_assignment_is_read_as_ids_of_one_spelling() -> None:
    """Graph writes ids in lower case; who copies one from elsewhere may not."""
    lines = f"scope: {{ users: assigned, groups: [{SALES.upper()}], members: [{ADA}] }}"
    (sync,) = parse_config(with_sync(lines)).syncs.values()
    assert sync.assigned == Assigned(groups=frozenset({SALES}), members=frozenset({ADA}))


def test_all_users_are_assigned_to_nothing() -> None:
    """An empty list beside `users: all` says what it says without one."""
    (sync,) = parse_config(with_sync("scope: { users: all, groups: [], members: [] }")).syncs.values()
    assert sync.assigned is None


def test_an_id_that_is_named_twice_is_pointed_at() -> None:
    """It works; perhaps another one was meant."""
    config = parse_config(with_sync("scope:", "  users: assigned", "  groups:", f"    - {SALES}", f"    - {SALES}"))
    assert [str(each) for each in config.warnings] == ["sync.yaml:12 syncs[0].scope.groups[1]: is named twice"]


def test_two_filters_of_one_name_are_refused() -> None:
    """Verdicts name them."""
    one = "    - { name: A, clauses: [{ attribute: city, operator: IS NULL }] }"
    assert faults(with_sync("scope:", "  filters:", one, one)) == [
        "sync.yaml:11 syncs[0].scope.filters[1].name: 'A' names two filters"
    ]


@pytest.mark.parametrize(
    ("pattern", "warned"),
    [("Sales", True), ("^Sales", True), ("^Sales$", False), (".*@x[.]y$", False), ("^a|b$", True), ("^a[$]", True)],
)
def test_a_pattern_that_might_mean_either_is_warned_of(pattern: str, warned: bool) -> None:
    """Unless the clause says what it means."""
    clause = f"attribute: city, operator: REGEX MATCH, value: '{pattern}'"
    warnings = parse_config(with_clause(f"{{ {clause} }}")).warnings
    assert [each.where for each in warnings] == ["sync.yaml:12 syncs[0].scope.filters[0].clauses[0].value"] * warned
    assert not parse_config(with_clause(f"{{ {clause}, mode: search }}")).warnings


def test_a_form_that_microsoft_calls_unsupported_is_warned_of() -> None:
    """It works here, and would not go back."""
    rule = "  - { target: city, expression: 'IIF(IsPresent([city]), [city], \"x\")' }"
    [warning] = parse_config(with_sync("mapping:", rule, *ENABLED_AND_MAIL)).warnings
    assert str(warning).startswith("sync.yaml:9 syncs[0].mapping[0].expression: column 5: Microsoft does not support")


def test_all_faults_are_reported_together() -> None:
    """Nobody likes to mend a file one fault at a time."""
    text = (
        with_sync("deletion_guard: { window: soon }", "drifting: report")
        .replace("name: a-to-b", "name: A_to_B")
        .replace("id: 1111", "id: xxxx")
    )
    assert [fault.partition(": ")[0] for fault in faults(text)] == [
        "sync.yaml:2 tenants.contoso.id",
        "sync.yaml:5 syncs[0].name",
        "sync.yaml:8 syncs[0].deletion_guard.window",
        "sync.yaml:9 syncs[0].drifting",
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
        ("!!timestamp 2001-99-99", "sync.yaml"),
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


def test_faults_of_values_and_faults_between_them_come_in_one_run() -> None:
    """Each at its own place: a rule with a fault of its own moves no other, and its tenant is known by its name."""
    mapping = [
        "mapping:",
        "  - { target: city, source: [1] }",
        "  - { target: department, expression: 'Joni([city])' }",
        "deletion_guard: { max_percent: 500 }",
    ]
    text = with_sync(*mapping).replace("22222222-2", "2-2").replace("source: contoso", "source: cotoso")
    assert [fault.split(": ")[0] for fault in faults(text)] == [
        "sync.yaml:3 tenants.fabrikam.id",
        "sync.yaml:9 syncs[0].mapping[0].source",
        "sync.yaml:11 syncs[0].deletion_guard.max_percent",
        "sync.yaml:6 syncs[0].source",
        "sync.yaml:10 syncs[0].mapping[1].expression",
    ]


def test_what_a_fault_leaves_open_is_no_second_fault() -> None:
    """A group that is no id is a group all the same: one thing is to be mended, and one is said."""
    [fault] = faults(with_sync("scope: { users: assigned, groups: [nobody] }"))
    assert "groups[0]" in fault
    [fault] = faults(SMALLEST.replace("name: a-to-b", "name: '!'"))
    assert "syncs[0].name" in fault


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


@given(st.text(alphabet='()[]",\\ =<>&.09aAIFSw{}|*+?$^', max_size=30), st.sampled_from(["expression", "value"]))
def test_any_expression_and_any_pattern_is_a_configuration_or_a_config_error(text: str, where: str) -> None:
    """Languages within the language fail like the file itself."""
    value = yaml.safe_dump(text, default_style='"', width=1000).strip()
    if where == "expression":
        outcome(with_sync("mapping:", f"  - {{ target: city, expression: {value} }}"))
    else:
        outcome(with_clause(f"{{ attribute: city, operator: REGEX MATCH, value: {value} }}"))


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
