"""Functions over one text. Null stays null, except where the reference says otherwise (Left, Len, Word, Mid)."""

from __future__ import annotations

import base64

from ..dotnet import letters
from ..dotnet.diacritics import normalize_diacritics
from ..dotnet.faults import DotNetError
from ..errors import EvaluationError
from ..registry import function
from ..values import MAX_TEXT, Value, to_text


@function("Append(source:text, suffix:text)")
def append(source: str | None, suffix: str | None) -> Value:
    return None if source is None else source + (suffix or "")


@function("ConvertToBase64(source:text)")
def convert_to_base64(source: str | None) -> Value:
    """Of the UTF-16 bytes, low byte first: what .NET calls Unicode."""
    return None if source is None else base64.b64encode(source.encode("utf-16-le", "surrogatepass")).decode("ascii")


@function("ConvertToUTF8Hex(source:text)")
def convert_to_utf8_hex(source: str | None) -> Value:
    return None if source is None else source.encode("utf-8", "surrogatepass").hex().upper()


@function("CStr(value)")
def cstr(value: Value) -> Value:
    return to_text(value)


@function("InStr(value1:text, value2:text, start:int?, compareType:compare?)")
def instr(value1: str | None, value2: str | None, start: int | None, compare: int | None) -> Value:
    """The first place of value2 at or after start, counted from 1; 0 when there is none."""
    if not value1 or value2 is None:
        return 0
    first = 1 if start is None else start
    if first < 1:
        raise EvaluationError("start counts from 1")
    if compare not in (None, 0, 1):
        raise EvaluationError("compareType is vbTextCompare or vbBinaryCompare")
    if compare == 1:  # simple mapping keeps every letter in its place
        value1, value2 = letters.upper(value1), letters.upper(value2)
    return value1.find(value2, first - 1) + 1


@function("Left(String:text, NumChars:int)")
def left(string: str | None, count: int) -> Value:
    if string is None:
        return ""
    return string if count < 0 else string[:count]


@function("Len(String:text)")
def length(string: str | None) -> Value:
    return len(string or "")


@function("Mid(source:text, start:int, length:int)")
def mid(source: str | None, start: int, count: int) -> Value:
    if source is None:
        return ""
    if start < 1 or count < 0:
        return source
    return source[start - 1 : start - 1 + count]


@function("NormalizeDiacritics(source:text)")
def normalize(source: str | None) -> Value:
    return None if source is None else normalize_diacritics(source)


@function("PCase(source:text, wordSeparators:text?)")
def pcase(source: str | None, separators: str | None) -> Value:
    return None if source is None else letters.title(source, separators)


@function("StripSpaces(source:text)")
def strip_spaces(source: str | None) -> Value:
    return None if source is None else source.replace(" ", "")


@function("Trim(source)")
def trim(source: Value) -> Value:
    """Of a list each value. Not in the reference of user provisioning, but in Entra's own mappings of users.

    https://learn.microsoft.com/entra/identity/hybrid/cloud-sync/reference-expressions#trim
    """
    if isinstance(source, list):
        return [each.strip() if isinstance(each, str) else each for each in source]
    text = to_text(source)
    return None if text is None else text.strip()


def _culture(name: str | None) -> str:
    fault = letters.culture_fault(name or "")
    if fault:
        raise DotNetError(fault)
    return name or ""


@function("ToLower(source:text, culture:text?)", checks={"culture": _culture})
def to_lower(source: str | None, culture: str | None) -> Value:
    return None if source is None else letters.lower(source, _culture(culture))


@function("ToUpper(source:text, culture:text?)", checks={"culture": _culture})
def to_upper(source: str | None, culture: str | None) -> Value:
    return None if source is None else letters.upper(source, _culture(culture))


@function("Word(String:text, WordNumber:int, Delimiters:text)")
def word(string: str | None, count: int, delimiters: str | None) -> Value:
    """The words are the runs of characters between delimiters, so two delimiters in a row do not make an empty one."""
    if not string or count < 1 or count > MAX_TEXT:
        return ""
    table = {ord(char): "\0" for char in delimiters or ""}
    words = [part for part in string.translate(table).split("\0") if part]
    return words[count - 1] if count <= len(words) else ""


@function("BitAnd(value1:number, value2:number)")
def bit_and(value1: float | None, value2: float | None) -> Value:
    if value1 is None or value2 is None:
        return None
    if value1 != int(value1) or value2 != int(value2):
        raise EvaluationError("expects whole numbers")
    return int(value1) & int(value2)
