"""The life of a link for docs/architecture.md, made from the table in sync_core/model/link.py.

`python -m tools.link_picture` writes it between the two markers of the page.
"""

from __future__ import annotations

from pathlib import Path

from sync_core.model import TRANSITIONS, LinkState

PAGE = Path("docs/architecture.md")
BEGIN, END = "<!-- life of a link: made by `make docs` -->", "<!-- end of the life of a link -->"


def arrows() -> list[tuple[LinkState, str, LinkState]]:
    """Each step that leads to another state: state before, method of Link, state after."""
    return [
        (before, step, after)
        for step, states in TRANSITIONS.items()
        for before, after in states.items()
        if before != after
    ]


def picture() -> str:
    lines = [f"    {before} --> {after}: {_words(step)}" for before, step, after in arrows()]
    return "\n".join(["```mermaid", "stateDiagram-v2", "    [*] --> seen", *lines, "```"])


def table() -> str:
    head = ["| step | " + " | ".join(LinkState) + " |", "|---|" + "---|" * len(LinkState)]
    rows = [
        f"| {_words(step)} | " + " | ".join(_cell(state, states.get(state)) for state in LinkState) + " |"
        for step, states in TRANSITIONS.items()
    ]
    return "\n".join([*head, *rows])


def document(page: str) -> str:
    """The page with today's picture and table between the markers. ValueError when a marker is missing."""
    before, end = page.index(BEGIN) + len(BEGIN), page.index(END)
    return f"{page[:before]}\n\n{picture()}\n\n{table()}\n\n{page[end:]}"


def main() -> None:
    PAGE.write_text(document(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def _words(step: str) -> str:
    return step.replace("_", " ")


def _cell(state: LinkState, after: LinkState | None) -> str:
    if after is None:
        return ""
    return "stays" if after is state else f"**{after}**"


if __name__ == "__main__":
    main()
