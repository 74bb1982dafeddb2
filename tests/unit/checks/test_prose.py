"""How the checks read prose: which text is a sentence, on which line it begins, and how many words it has."""

from __future__ import annotations

import pytest

from tools.checks.prose import Sentence, of_markdown, of_python


def sentences(paragraphs: object) -> list[tuple[int, str, int]]:
    found: list[Sentence] = [sentence for each in paragraphs for sentence in each.sentences()]  # type: ignore[attr-defined]
    return [(sentence.line, sentence.text, sentence.words) for sentence in found]


def test_a_docstring_of_two_sentences_keeps_its_lines() -> None:
    """The second sentence begins where it begins, and not where its paragraph does."""
    source = '"""One sentence. Another\nof five words.\n\nA paragraph."""\n'
    assert sentences(of_python(source)) == [
        (1, "One sentence.", 2),
        (1, "Another of five words.", 4),
        (4, "A paragraph.", 2),
    ]


def test_comments_below_one_another_are_one_text() -> None:
    """A comment beside code stands for itself, and a linter's pragma is no prose."""
    source = "# One text\n# on two lines.\nx = 1  # beside\ny = 2  # noqa: E501 - the reason\nz = 3  # noqa: E501\n"
    assert sentences(of_python(source)) == [(1, "One text on two lines.", 5), (3, "beside", 1), (4, "the reason", 2)]


def test_code_counts_as_one_word_and_an_address_as_none() -> None:
    """A long expression is read at one glance."""
    text = "Call `f(a, b, c). Then` or read [the page](https://example.com/a/b c) now."
    assert [words for _, _, words in sentences(of_markdown(text))] == [7]


def test_a_table_is_read_by_the_cell() -> None:
    """A row is no sentence; each of its cells may be one."""
    text = "| word | meaning |\n|---|---|\n| sync | one direction. Not two. |\n"
    assert [text for _, text, _ in sentences(of_markdown(text))] == [
        "word",
        "meaning",
        "sync",
        "one direction.",
        "Not two.",
    ]


def test_columns_of_a_docstring_are_a_table() -> None:
    """The list of rooms in a package's docstring is no sentence of fifty words."""
    source = '"""The rooms.\n\n    one.py    the first\n    two.py    the second\n"""\n'
    assert [text for _, text, _ in sentences(of_python(source))] == [
        "The rooms.",
        "one.py",
        "the first",
        "two.py",
        "the second",
    ]


def test_code_pictures_and_front_matter_are_no_prose() -> None:
    """What stands between fences is not read, whatever it says."""
    text = "---\nname: a form\n---\nText.\n\n```sh\nmake demo. It runs.\n```\n seen --Invite--> linked\n"
    assert sentences(of_markdown(text)) == [(4, "Text.", 1)]


def test_items_of_a_list_are_sentences_of_their_own() -> None:
    """An item does not need a full stop to end."""
    assert [line for line, _, _ in sentences(of_markdown("- one\n- two\n  goes on\n1. three\n"))] == [1, 2, 4]


@pytest.mark.parametrize("text", ["Such as e.g. this one.", "That is i.e. this one."])
def test_an_abbreviation_ends_no_sentence(text: str) -> None:
    """Two full stops within a word are not the end."""
    assert len(sentences(of_markdown(text))) == 1


def test_a_heading_is_told_apart() -> None:
    """`## Who could do what` is a title, and titles may begin as they like."""
    assert [each.heading for each in of_markdown("## Who could do what\nText.\n")] == [True, False]
