"""Functions over multi-valued attributes. A single value counts as a list of one, null as a list of none."""

from __future__ import annotations

from ....model import Json
from ..errors import EvaluationError
from ..registry import function
from ..values import MAX_TEXT, Value, to_text


@function("Count(attribute:list)")
def count(values: list[Json]) -> Value:
    return len(values)


@function("Item(attribute:list, index:int)")
def item(values: list[Json], index: int) -> Value:
    """Null past the end."""
    if index < 1:
        raise EvaluationError("index counts from 1")
    return values[index - 1] if index <= len(values) else None


@function("Join(separator:text, source, ...)")
def join(separator: str | None, *sources: Value) -> Value:
    """Every value of every source; empty values add neither text nor separator."""
    texts: list[str] = []
    for source in sources:
        for value in source if isinstance(source, list) else [source]:
            text = to_text(value)
            if text:
                texts.append(text)
    joint = separator or ""
    if sum(map(len, texts)) + len(joint) * len(texts) > MAX_TEXT * 2:
        raise EvaluationError(f"gives more than {MAX_TEXT:,} characters")
    return joint.join(texts)


@function("RemoveDuplicates(attribute:list)")
def remove_duplicates(values: list[Json]) -> Value:
    """The first of each, in order. Case tells values apart, as everywhere."""
    seen: set[str] = set()
    kept: list[Json] = []
    for value in values:
        key = repr(value)
        if key not in seen:
            seen.add(key)
            kept.append(value)
    return kept


@function("Split(source:text, delimiter:text)")
def split(source: str | None, delimiter: str | None) -> Value:
    """The pieces as they are: white space around a delimiter stays, whatever Microsoft's example shows."""
    if source is None:
        return None
    if not source:
        return []
    return [*source.split(delimiter)] if delimiter else [source]
