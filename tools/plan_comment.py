"""`python -m tools.plan_comment FILE`: what `xtsync plan --json` printed, as the comment of a pull request.

Names of syncs, reasons and faults may quote the file of the pull request. So each of them stands in a code span: GitHub
makes neither a link, nor a mention, nor markup of it. Users are object ids. Needs nothing but the standard library.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

TITLE = "# What this changes for people"

_MOST = 60_000  # characters; GitHub takes 65,536
_LONGEST = 200  # characters of one text
_LISTED = 10  # users of one kind
_REST = "\n\nThe rest is left out: `xtsync plan --url ... --file sync.yaml --all` has all.\n"


def comment(document: Any) -> str:
    """The title, and the plan under it or why there is none. Raises ValueError for a document of neither kind."""
    match document:
        case {"syncs": list(syncs)}:
            lines = [line for sync in syncs for line in _sync(sync)] or ["", "No sync is in the file."]
        case {"error": {"messages": list(messages), **rest}}:
            lines = ["", "No plan could be made:", "", *(f"- {_code(each)}" for each in messages)]
            lines += ["", f"What helps: {_code(rest['hint'])}"] if rest.get("hint") else []
        case _:
            raise ValueError("neither a plan nor an error")
    return _cut("\n".join([TITLE, *lines]) + "\n")


def _sync(sync: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", f"## {_code(sync['sync'])}", "")
    extent = [f"- {_code(each)}" for each in sync.get("extent", {}).get("sentences", [])]
    if not sync["counts"]:
        yield from ("Nothing is to be done for those who were looked at.", "", *extent)
        return
    yield from ("| what would happen | users |", "|---|---:|")
    for kind, number in sync["counts"].items():
        yield f"| {_code(kind)} | {int(number)} |"
    for change in dict.fromkeys(user["change"] for user in sync["users"]):
        users = [user for user in sync["users"] if user["change"] == change]
        shown = users[:_LISTED]
        yield from ("", f"<details><summary>{len(shown)} of {len(users)}: {_plain(change)}</summary>", "")
        for user in shown:
            why = user.get("why") or user.get("reason") or ""
            yield f"- {_code(user['user'])} {_code(why)}"
        yield from ("", "</details>")
    yield from ("", *extent) if extent else ()


def _code(text: object) -> str:
    """In a code span, also within a table. Nothing ends it: it has no backtick, and is one line."""
    said = " ".join(str(text).split()).replace("`", "'").replace("|", "\\|")
    return f"`{said[:_LONGEST] or ' '}{'…' if len(said) > _LONGEST else ''}`"


def _plain(text: object) -> str:
    """Outside of a code span, for a name of ours: letters alone."""
    return "".join(letter for letter in str(text) if letter.isascii() and letter.isalpha())[:40]


def _cut(text: str) -> str:
    """Whole lines; details that were opened are closed."""
    if len(text) <= _MOST:
        return text
    kept = text[: _MOST - len(_REST) - len("\n</details>")].rpartition("\n")[0]
    closed = "\n</details>" if kept.count("<details>") > kept.count("</details>") else ""
    return kept + closed + _REST


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    try:
        said = comment(json.loads(Path(arguments[0]).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.stderr.write(f"error: {arguments[0]} is no document of `xtsync plan --json`: {type(error).__name__}\n")
        return 2
    sys.stdout.write(said)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
