"""Names written as one text: a table of them is easier to read, and to compare with its source."""


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())
