"""Commands against a deployed app: the same documents as beside it, and a token that goes nowhere else."""

from __future__ import annotations

from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from sync_core.cli.__main__ import build_parser
from sync_core.cli.app import SignInError
from sync_core.cli.command import Reach
from tests.support.cli import ADA, BOB, CYD, NAME, SYNC, Result
from tests.support.directories import pages
from tests.support.make import person
from tests.support.principals import OPERATOR_ID
from tests.support.remote import AUDIENCE, URL, Remote

FILE = (
    f"{SYNC}    deletion_guard: {{ max_percent: 0, min_count: 1, window: 24h }}\n"
    "    creation_guard: { max_percent: 0, min_count: 1, window: 24h }\n"
    "    matching: { adopt: review }\n"
    "notify:\n  - { teams: XTSYNC_NOTIFY_TEAMS, events: [held] }\n"
)
THEIRS = "99999999-0000-0000-0000-000000000001"  # a guest of nobody
DORA, EMIL, FAY = (f"{letter * 8}-0000-0000-0000-000000000001" for letter in "def")


def deployment(folder: Path) -> Remote:
    """Ada waits for an adoption, Dora is in and Emil waits as a newcomer; two are held, and Fay was deleted."""
    folder.mkdir()
    bench = Remote(folder)
    (folder / "sync.yaml").write_text(FILE)
    bench.source.users = {user: person(name) for user, name in ((ADA, "Ada"), (DORA, "Dora"), (EMIL, "Emil"))}
    bench.source.users |= {BOB: person("Bob", accountEnabled=False), CYD: person("Cyd")}
    bench.source.deleted = {FAY: person("Fay")}
    bench.target.add("guest-1", "ada@contoso.example")
    bench.target.add(THEIRS, "ada@home.example")
    for user in (BOB, CYD, FAY):
        bench.link(user)
    for user in (ADA, DORA, EMIL):
        bench.run("sync", user)
    bench.hold_two()
    bench.hold(CYD, change="Disable")
    bench.run("keep", CYD, "--sync", NAME, "--until", "90d", "--reason", "why", "--by", "anna")
    bench.source.pages = dict(pages([bench.source.entry(user) for user in bench.source.users]))
    bench.clock.advance(timedelta(hours=1))
    return bench


# Every command that a deployed app can carry out, as it is typed. CODE is that of the list.
LINES = (
    "status",
    "doctor",
    "plan",
    f"plan --sync {NAME}",
    f"sync {ADA} --dry-run",
    "sync bob@contoso.example --dry-run",
    f"sync {FAY} --dry-run --sync {NAME}",
    f"why {ADA}",
    "why dora@contoso.example",
    "history",
    f"history {DORA} --since 2026-01-01 --kind invited,held --limit 1",
    f"history ada@contoso.example --sync {NAME}",
    "holds",
    f"holds list --sync {NAME}",
    "holds approve CODE --yes",
    f"holds reject CODE {BOB} --yes --sync {NAME}",
    "holds approve CODE bob@contoso.example --yes",
    "holds decisions",
    "creations",
    f"creations list --sync {NAME}",
    "creations approve CODE",
    "pause --reason who",
    f"pause --sync {NAME} --deletions-only --reason who",
    "resume",
    f"resume --sync {NAME}",
    "adopt",
    f"adopt --sync {NAME}",
    f"adopt {ADA} --yes",
    "adopt ada@contoso.example --target guest-1 --yes",
    "notify",
    "due",
    f"due --sync {NAME}",
    "drift",
    f"drift --sync {NAME}",
    "verify",
    f"verify --sync {NAME} --since 30d",
    f"keep {FAY} --sync {NAME} --until 14d --reason why",
    "keep bob@contoso.example --until 24h --reason why",
    f"keep {CYD} --sync {NAME} --end",
    "links",
    f"links --sync {NAME}",
    f"link {ADA} --target {THEIRS} --yes",
    f"unlink dora@contoso.example --reason why --sync {NAME}",
    "redeem dora@contoso.example",
    f"move {FAY} --to emil@contoso.example --sync {NAME} --yes",
    "resync",
    "resync --tenant contoso",
)
ACTS = ("approve", "reject", "pause", "resume", "resync", "adopt a", "keep", "link ", "unlink", "redeem", "move")


def typed(bench: Remote, line: str) -> list[str]:
    words = line.split()
    if "CODE" in words:
        listed = bench.run(words[0], "--json").json
        words[words.index("CODE")] = listed["code"] if words[0] == "holds" else listed["syncs"][0]["code"]
    return words


def acts(line: str) -> bool:
    return any(f" {word}" in f" {line}" for word in ACTS)


@pytest.fixture(scope="module")
def alike(tmp_path_factory: pytest.TempPathFactory) -> tuple[Remote, Remote]:
    """Two deployments for commands that change neither."""
    folder = tmp_path_factory.mktemp("alike")
    return deployment(folder / "beside"), deployment(folder / "app")


@pytest.mark.parametrize("line", [line for line in LINES if not acts(line)])
def test_it_is_the_document_of_the_command_beside_the_app(alike: tuple[Remote, Remote], line: str) -> None:
    """Exit code and JSON, of two deployments alike."""
    beside, app = alike
    here, there = beside.run(*line.split(), "--json"), app.there(*line.split(), "--json")
    assert (there.code, there.json) == (here.code, here.json)
    assert here.code in {0, 1, 3}, here.err
    assert set(here.json) != {"error"}


@pytest.mark.parametrize("line", [line for line in LINES if acts(line)])
def test_it_does_what_the_command_does_beside_the_app(tmp_path: Path, line: str) -> None:
    """And gives the same document; what was done is on record by the caller's object id."""
    beside, app = deployment(tmp_path / "beside"), deployment(tmp_path / "app")
    here = beside.run(*typed(beside, line), "--by", OPERATOR_ID, "--json")
    there = app.there(*typed(app, line), "--json")
    assert (there.code, there.json) == (here.code, here.json)
    assert set(here.json) != {"error"}
    assert app.run("history", "--json").json == beside.run("history", "--json").json
    assert app.run("holds", "--json").json == beside.run("holds", "--json").json


@pytest.mark.parametrize(
    "line",
    [
        "why nobody@contoso.example",
        "why x",
        "why x@contoso.example --sync nowhere",
        f"sync {ADA} --dry-run --sync nowhere",
        "holds --sync nowhere",
        "holds approve x --yes",
        "holds approve 9-aaaaaaaa --yes",
        f"holds approve 9-aaaaaaaa {ADA} --yes",
        "creations approve x",
        "creations approve 9-aaaaaaaa",
        "history --kind x",
        "history --since x",
        "history --after x",
        "history nobody@contoso.example",
        "resync --tenant nowhere",
        "plan --sync nowhere",
        "adopt dora@contoso.example --yes",
        f"adopt {ADA} --target guest-2 --yes",
    ],
)
def test_what_is_refused_beside_the_app_is_refused_by_it(alike: tuple[Remote, Remote], line: str) -> None:
    """With the same exit code: 1 for what cannot be done now, 2 for what cannot be asked."""
    beside, app = alike
    by = ["--by", "anna"] if acts(line) or line.startswith("adopt") else []
    here, there = beside.run(*line.split(), *by, "--json"), app.there(*line.split(), "--json")
    assert (there.code, set(there.json)) == (here.code, {"error"}), (here.err, there.err)
    assert there.json["error"]["messages"][0]


@pytest.mark.parametrize("line", ["plan", "plan --no-names --all", f"why {DORA}", f"sync {ADA} --dry-run", "notify"])
def test_it_is_what_a_person_sees_beside_the_app(alike: tuple[Remote, Remote], line: str) -> None:
    """Tables and sentences, with names where they are read."""
    beside, app = alike
    here, there = beside.run(*line.split()), app.there(*line.split())
    assert there.code == here.code
    assert _of_a_guard(there.out) == _of_a_guard(here.out)


def _of_a_guard(text: str) -> list[str]:
    """The order of looks says which of several a guard lets pass."""
    return sorted(line for line in text.splitlines() if "held" not in line)


@pytest.mark.parametrize("line", ["status", "holds", "history", "creations", "adopt"])
def test_a_person_sees_the_lists_of_the_app(alike: tuple[Remote, Remote], line: str) -> None:
    """How long ago something was is told by the clock of the caller; names come from the app."""
    _, app = alike
    result, named = app.there(line), line in {"holds", "history", "adopt"}
    assert result.code == 0
    assert NAME in result.out
    assert ("@contoso.example" in result.out) is named
    assert "@contoso.example" not in app.there(line, *(["--no-names"] if named else [])).out


def test_history_as_csv_is_that_of_the_command_beside_the_app(alike: tuple[Remote, Remote]) -> None:
    """Page by page."""
    beside, app = alike
    assert app.there("history", "--csv").out == beside.run("history", "--csv").out
    assert len(app.there("history", "--csv", "--limit", "1").out.splitlines()) == 2


def _commands(parser: ArgumentParser, name: str = "") -> Iterator[tuple[str, Reach]]:
    if (reach := parser.get_default("reach")) is not None:
        yield name, reach
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            for child, inner in action.choices.items():
                yield from _commands(inner, f"{name} {child}".strip())


COMMANDS = dict(_commands(build_parser()))


def test_every_command_with_an_endpoint_is_compared() -> None:
    """A command that is new has to say where it works, and if that is an app, to stand among LINES."""
    reached = {name for name, reach in COMMANDS.items() if reach is Reach.APP}
    assert reached == {name for name in COMMANDS if any(f"{line} ".startswith(f"{name} ") for line in LINES)}


@pytest.mark.parametrize(
    "line",
    [
        "report",
        "poison",
        "poison put-back x",
        "rename a b",
        "move a",
        "remove a --keep-users",
        "notify --test",
        f"sync {ADA}",
        f"sync {ADA} --dry-run --show-values",
        "plan --show-values",
        "adopt --from x.csv",
    ],
)
def test_what_has_no_endpoint_says_so(tmp_path: Path, line: str) -> None:
    """With the way out; the app is not asked, and nothing is made here."""
    result = Remote(tmp_path).there(*line.split(), transport=None)
    assert result.code == 2, result.err
    assert "without --url and XTSYNC_URL" in result.err


def test_commands_on_files_do_not_mind_an_address(tmp_path: Path) -> None:
    """XTSYNC_URL stands in the environment for all commands; a file is a file."""
    assert Remote(tmp_path).there("export-schema", "--help").code == 0
    result = Remote(tmp_path).there("validate")
    assert "cannot be read" in result.out + result.err


def test_a_file_is_planned_in_the_place_of_the_deployed_one(tmp_path: Path) -> None:
    """No newcomer waits for its guard; a fault is told with its line, and here the settings name the file."""
    app = deployment(tmp_path / "app")
    laptop = app.folder / "laptop"
    laptop.mkdir()
    (laptop / "new.yaml").write_text(FILE.replace("min_count: 1", "min_count: 100"))
    (deployed,) = app.there("plan", "--json").json["syncs"]
    (plan,) = app.there("plan", "--file", "new.yaml", "--json").json["syncs"]
    assert [any("waiting" in kind for kind in each["counts"]) for each in (deployed, plan)] == [True, False]
    (laptop / "new.yaml").write_text(FILE.replace("target: fabrikam", "target: fabrik"))
    wrong = app.there("plan", "--file", "new.yaml")
    assert (wrong.code, "sync.yaml:7 syncs[0].target: no tenant is named" in wrong.err) == (2, True)
    assert app.there("plan", "--file", "missing.yaml").code == 2
    assert "--file needs --url" in app.run("plan", "--file", "sync.yaml").err


def test_a_person_confirms_what_the_app_is_asked_to_do(tmp_path: Path) -> None:
    """As beside it: without a terminal nobody confirms, and no means no."""
    app = deployment(tmp_path / "app")
    for line in ("holds approve CODE", f"adopt {ADA}"):
        assert app.there(*typed(app, line)).code == 2
        refused = app.there(*typed(app, line), typed="n\n")
        assert (refused.code, "not confirmed" in refused.err) == (1, True)
        assert app.there(*typed(app, line), typed="y\n").code == 0


def test_nobody_else_is_named_to_an_app(tmp_path: Path) -> None:
    """It knows who calls."""
    result = deployment(tmp_path / "app").there("pause", "--reason", "x", "--by", "anna")
    assert (result.code, "The app records who you are" in result.err) == (2, True)


def test_a_reader_is_told_which_role_it_takes(tmp_path: Path) -> None:
    """In the words of the app."""
    app = deployment(tmp_path / "app")
    app.roles = ("Reader",)
    assert app.there("status").code == 0
    result = app.there("resync")
    assert (result.code, "needs the role Operator" in result.err) == (1, True)
    assert "An administrator assigns it" in result.err


@pytest.mark.parametrize(
    "url",
    [
        "http://app.example",
        "app.example",
        "https://",
        "https://app.example/api/ops",
        "https://anna@app.example",
        "https://app.example?x=1",
        "ftp://app.example",
        "http://localhost.example",
    ],
)
def test_a_token_goes_only_to_a_plain_address_over_https(tmp_path: Path, url: str) -> None:
    """None is asked for, so that none can be sent."""

    async def token(scope: str) -> str:
        raise AssertionError(scope)

    result = Remote(tmp_path).there("status", "--url", url, token=token)
    assert (result.code, "Give scheme and host alone" in result.err) == (2, True)


@pytest.mark.parametrize("audience", ["", "https://graph.microsoft.com", "api://", f"{AUDIENCE} x"])
def test_the_audience_comes_from_the_person(tmp_path: Path, audience: str) -> None:
    """Not from a challenge of the app: a wrong address could ask for a token of Graph."""
    result = Remote(tmp_path).there("status", environ={"XTSYNC_URL": URL, "XTSYNC_AUDIENCE": audience})
    assert (result.code, "azd env get-value OPERATORS_AUDIENCE" in result.err) == (2, True)


def _answers(answer: httpx.Response) -> dict[str, Any]:
    return {"transport": httpx.MockTransport(lambda _: answer)}


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (httpx.Response(401, text="no"), 1, "az login --tenant TENANT"),
        (httpx.Response(302, headers={"Location": "https://evil.example/"}), 2, "from another address"),
        (httpx.Response(404), 2, "its operator endpoints are switched off"),
        (httpx.Response(200, text="<html>"), 2, "is no document of xtsync (status 200)"),
        (httpx.Response(500, text="<html>"), 2, "is no document of xtsync (status 500)"),
        (httpx.Response(500, json={"x": 1}), 1, "is no document of xtsync (status 500)"),
        (httpx.Response(200, json={"x": 1}), 1, "Status.at: is missing"),
        (httpx.Response(200, json=["x"]), 1, "Status is no object"),
        (httpx.Response(503, json={"error": {"code": "X", "messages": ["busy"], "hint": None}}), 1, "busy"),
        (
            httpx.Response(429, json={"error": {"code": "X", "messages": ["3"], "hint": "Wait."}}),
            1,
            "hint: Wait.",
        ),
    ],
)
def test_each_other_answer_says_what_to_do(tmp_path: Path, answer: httpx.Response, code: int, words: str) -> None:
    """One line and a hint, and never the token."""
    result = Remote(tmp_path).there("status", **_answers(answer))
    assert (result.code, words in result.err) == (code, True), result.err
    assert "hush-hush" not in result.out + result.err


def test_an_app_that_does_not_answer_is_named(tmp_path: Path) -> None:
    """By its host, not by the error's own text."""

    def silent(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("secret-ish")

    result = Remote(tmp_path).there("status", transport=httpx.MockTransport(silent))
    assert (result.code, "app.example does not answer: ConnectError" in result.err) == (1, True)
    assert "secret-ish" not in result.err


def test_who_is_not_signed_in_is_told_to(tmp_path: Path) -> None:
    """The Azure CLI is asked once, and the app not at all."""

    async def token(_: str) -> str:
        raise SignInError("the Azure CLI gives no token for the app", hint="Sign in with `az login`.")

    result = Remote(tmp_path).there("status", token=token, **_answers(httpx.Response(500)))
    assert (result.code, "hint: Sign in with `az login`." in result.err) == (1, True)


def test_on_this_machine_the_local_sign_in_takes_a_role(tmp_path: Path) -> None:
    """Without an audience; no token is asked for."""
    seen: list[httpx.Headers] = []

    def serve(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(404)

    for role in ({}, {"XTSYNC_LOCAL_ROLE": "Reader"}):
        environ = {"XTSYNC_URL": "http://127.0.0.1:7071", **role}
        Remote(tmp_path).there("status", environ=environ, transport=httpx.MockTransport(serve))
    assert [each["Cookie"] for each in seen] == ["AppServiceAuthSession=Operator", "AppServiceAuthSession=Reader"]
    assert not any("Authorization" in each for each in seen)


def test_a_newer_app_may_say_more(tmp_path: Path) -> None:
    """Fields that this version does not know are passed over; a kind of change that it does not know is not."""
    app = deployment(tmp_path / "app")

    async def newer(request: httpx.Request) -> httpx.Response:
        answer = await app.serve(request)
        said = answer.json()
        said["of_tomorrow"] = [1]
        if isinstance(said.get("changes"), list):
            said["changes"][0]["change"] = "Teleport"
        return httpx.Response(answer.status_code, json=said)

    assert app.there("status", transport=httpx.MockTransport(newer)).code == 0
    result: Result = app.there("plan", transport=httpx.MockTransport(newer))
    assert (result.code, "update xtsync" in result.err) == (1, True)
