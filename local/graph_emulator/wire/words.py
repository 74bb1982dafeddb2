"""Tables of names are easier to read, and to compare with their source, as one text."""


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())
