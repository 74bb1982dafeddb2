"""The files of the page, as they are served: to whom, with which headers, and how much they weigh."""

from __future__ import annotations

import re

import pytest

from sync_core.model import Occasion
from sync_core.ops import page
from sync_core.ops.calls import Call
from sync_core.ops.page import File, serve
from sync_core.ops.principal import HEADER
from tests.support.principals import principal

FILES = sorted(path.name for path in page._FOLDER.iterdir())
START = (page._FOLDER / page.START).read_text(encoding="utf-8")


def served(name: str, role: str, *, enabled: bool = True, known: str = "") -> File:
    """`known`: the tag of the file that the browser has."""
    headers = {HEADER: principal(role), "if-none-match": known}
    return serve(name, Call(headers=headers, route={}), enabled=enabled)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("role", ["Reader", "Operator"])
def test_each_file_is_served_to_those_with_a_role(name: str, role: str) -> None:
    """With a type that the browser runs, since it is told not to guess."""
    file = served(name, role)
    kinds = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
    assert (file.status, file.media) == (200, kinds[name.rpartition(".")[2]])
    assert file.body == (page._FOLDER / name).read_bytes()


@pytest.mark.parametrize("name", [page.START, "app.js"])
@pytest.mark.parametrize(
    ("header", "status", "told"),
    [("", 401, b"/.auth/login/aad"), ("x", 401, b"Sign in"), (principal(), 403, b"An administrator assigns it")],
)
def test_nobody_else_gets_a_file(name: str, header: str, status: int, told: bytes) -> None:
    """And is told in a sentence what is missing."""
    file = serve(name, Call(headers={HEADER: header}, route={}), enabled=True)
    assert file.status == status
    assert told in file.body
    assert b"<" not in file.body


def test_without_authentication_in_front_there_is_no_page() -> None:
    """404 to any caller, as for the endpoints."""
    assert served(page.START, "Operator", enabled=False).status == 404


@pytest.mark.parametrize(
    "name", ["", "..", "../ops/page.py", "index.html/", "/etc/passwd", "__init__.py", "INDEX.html"]
)
def test_only_the_files_of_the_page_have_a_name(name: str) -> None:
    """The name is looked up, and no path is made of it."""
    assert served(name, "Operator").status == 404


@pytest.mark.parametrize("name", [*FILES, "nothing"])
def test_every_answer_has_the_policy(name: str) -> None:
    """Nothing inline, nothing from elsewhere, in no other site's frame, and no referrer for another site."""
    headers = served(name, "Reader").headers
    policy = dict(each.split(" ", 1) for each in headers["Content-Security-Policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
    }
    assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "same-origin")


def test_a_file_that_did_not_change_is_not_sent_again() -> None:
    """The browser asks each time, so that a new version is seen at once."""
    first = served("app.js", "Reader")
    again = served("app.js", "Reader", known=first.headers["ETag"])
    assert (again.status, again.body, again.headers) == (304, b"", first.headers)
    assert served("api.js", "Reader", known=first.headers["ETag"]).status == 200


def test_the_page_is_light() -> None:
    """Less than 150 KB for all files, each short enough to read, and each is loaded by the first one at once."""
    texts = {name: (page._FOLDER / name).read_text(encoding="utf-8") for name in FILES}
    assert sum(len(text.encode()) for text in texts.values()) < 150_000
    assert [name for name, text in texts.items() if name.endswith(".js") and text.count("\n") > 300] == []
    assert set(re.findall(r"/api/ops/web/([\w.]+)", START)) == set(FILES) - {page.START}


def test_the_link_of_every_notice_leads_to_a_view() -> None:
    """The page shows "There is no such view" for any other word after #."""
    views = set(re.findall(r"{ name: \"(\w*)\", title:", (page._FOLDER / "app.js").read_text(encoding="utf-8")))
    assert {"", "holds"} <= views
    assert [occasion for occasion in Occasion if occasion.view not in views] == []
    assert Occasion.CREATIONS_WAIT.view == "newcomers"


def test_no_file_makes_markup_of_a_text() -> None:
    """The words by which a script would do that are in none of them, and neither is another host."""
    for name in FILES:
        text = (page._FOLDER / name).read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", text), (
            name
        )
        assert not re.search(r"<script(?! type=\"module\" src=)|<style| style=|\son\w+=\"", text), name
        assert set(re.findall(r"https?://[\w./]+", text)) <= {"http://www.w3.org/2000/svg"}, name
