"""Dates: reading, writing, adding, counting."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sync_core.mapping.expressions import EvaluationError
from sync_core.model import Json

from .support import context, value, x


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2020-03-16-07:00", "3/16/2020 7:00:00 AM"),
        ("2021-06-30+08:00", "6/29/2021 4:00:00 PM"),
        ("2009-06-15T01:45:30-07:00", "6/15/2009 8:45:30 AM"),
        ("2009-06-15T01:45:30.1234567Z", "6/15/2009 1:45:30 AM"),
        ("2009-06-15 13:45", "6/15/2009 1:45:00 PM"),
        ("2021-08-24", "8/24/2021 12:00:00 AM"),
        ("2021/8/4", "8/4/2021 12:00:00 AM"),
        ("8/25/2021 5:41:18 PM", "8/25/2021 5:41:18 PM"),
        ("8/25/2021 12:00:00 AM", "8/25/2021 12:00:00 AM"),
        ("08-25-2021", "8/25/2021 12:00:00 AM"),
        ("8/25/49", "8/25/2049 12:00:00 AM"),
        ("8/25/50", "8/25/1950 12:00:00 AM"),
        ("16 March 2012", "3/16/2012 12:00:00 AM"),
        ("March 16, 2012 7:00 PM", "3/16/2012 7:00:00 PM"),
        ("Fri, 16 Mar 2012 07:00:00 GMT", "3/16/2012 7:00:00 AM"),
        ("2012-03", "3/1/2012 12:00:00 AM"),
        ("3/2012", "3/1/2012 12:00:00 AM"),
        ("March 2012", "3/1/2012 12:00:00 AM"),
        ("2012 March", "3/1/2012 12:00:00 AM"),
        ("2012, Mar 16 7:00", "3/16/2012 7:00:00 AM"),
        ("March 16", "3/16/2025 12:00:00 AM"),
        ("16 March", "3/16/2025 12:00:00 AM"),
        ("3/16", "3/16/2025 12:00:00 AM"),
        ("14:30", "7/30/2025 2:30:00 PM"),
        ("  2021-08-24  ", "8/24/2021 12:00:00 AM"),
        ("9999-12-31", "12/31/9999 12:00:00 AM"),
        ("", None),
        (None, None),
    ],
)
def test_cdate(given: Json, expected: Json) -> None:
    """Any form that .NET reads becomes UTC, shown as M/d/yyyy h:mm:ss tt."""
    assert x("CDate([x])", given) == expected


@pytest.mark.parametrize(
    "given",
    [
        "never",
        "2021-13-01",
        "2021-02-30",
        "25:00",
        "13/13/2021",
        "Mon, 16 Mar 2012",
        "2021-08-24T",
        "9999-12-31-08:00T23:00",
        "9999-12-31T23:00-08:00",
        "0001-01-01+08:00",
        "20210824",
        "1" * 100,
        "2021-08-24 13:00 PM",
        "2021-08-24+20:00",
        13,
        True,
        ["2021-13-01"],
    ],
)
def test_no_date(given: Json) -> None:
    """A value that is no date is an error that does not quote it."""
    with pytest.raises(EvaluationError, match="expects a date"):
        x("CDate([x])", given)


@pytest.mark.parametrize(
    ("interval", "count", "given", "expected"),
    [
        ("d", "7", "2012-03-16-07:00", "3/23/2012 7:00:00 AM"),
        ("d", "-10", "2012-03-16-07:00", "3/6/2012 7:00:00 AM"),
        ("ww", "2", "2012-03-16-07:00", "3/30/2012 7:00:00 AM"),
        ("m", "10", "2012-03-16-07:00", "1/16/2013 7:00:00 AM"),
        ("yyyy", "2", "2012-03-16-07:00", "3/16/2014 7:00:00 AM"),
        ("m", "1", "2024-01-31", "2/29/2024 12:00:00 AM"),
        ("m", "-1", "2023-03-31", "2/28/2023 12:00:00 AM"),
        ("yyyy", "1", "2024-02-29", "2/28/2025 12:00:00 AM"),
        ("h", "25", "2024-01-01", "1/2/2024 1:00:00 AM"),
        ("n", '"90"', "2024-01-01", "1/1/2024 1:30:00 AM"),
        ("s", "-1", "2024-01-01", "12/31/2023 11:59:59 PM"),
        ("d", "1.9", "2024-01-01", "1/2/2024 12:00:00 AM"),
    ],
)
def test_date_add(interval: str, count: str, given: str, expected: str) -> None:
    """A day that a month lacks becomes its last, and fractions do not count."""
    assert x(f'DateAdd("{interval}", {count}, CDate([x]))', given) == expected
    assert x(f'DateAdd("{interval}", {count}, [x])', given) == expected


@pytest.mark.parametrize(("interval", "count"), [("yyyy", 9999), ("d", -999999999), ("s", 10**20), ("m", -99999)])
def test_date_add_beyond_the_calendar(interval: str, count: int) -> None:
    """There are the years 1 to 9999."""
    with pytest.raises(EvaluationError, match="years 1 to 9999"):
        value(f'DateAdd("{interval}", {count}, Now())')


@pytest.mark.parametrize(
    ("interval", "first", "second", "expected"),
    [
        ("d", "2021-08-18+08:00", "2021-08-31+08:00", 13),
        ("d", "8/25/2021 5:41:18 PM", "2012-03-16-07:00", -3449),
        ("ww", "8/25/2021 5:41:18 PM", "2012-03-16-07:00", -493),
        ("m", "8/25/2021 5:41:18 PM", "2012-03-16-07:00", -113),
        ("yyyy", "8/25/2021 5:41:18 PM", "2012-03-16-07:00", -9),
        ("d", "2021-08-31+08:00", "2021-08-31+08:00", 0),
        ("h", "2021-08-24", "2021-08-25", 24),
        ("n", "2021-08-24", "2021-08-25", 1440),
        ("s", "2021-08-25", "2021-08-24", -86400),
        ("yyyy", "2020-12-31", "2021-01-01", 1),
        ("m", "2021-01-31", "2021-02-01", 1),
        ("d", "2021-01-01 23:00", "2021-01-02 22:00", 0),
        ("d", "2021-01-02 22:00", "2021-01-01 23:00", 0),
        ("ww", "2021-08-28", "2021-08-29", 1),
        ("ww", "2021-08-29", "2021-09-04", 0),
        ("h", "2021-01-01 00:59", "2021-01-01 01:01", 0),
    ],
)
def test_date_diff(interval: str, first: str, second: str, expected: int) -> None:
    """Calendar years, calendar months, Sundays passed, and otherwise whole units elapsed."""
    text = f'DateDiff("{interval}", CDate([a]), CDate([b]))'
    assert value(text, {"a": first, "b": second}) == expected


@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        ("DateFromNum([x])", 129699324000000000, "1/1/2012 11:00:00 PM"),
        ("DateFromNum([x])", "129699324000000000", "1/1/2012 11:00:00 PM"),
        ("DateFromNum([x])", 0, "1/1/1601 12:00:00 AM"),
        ("DateFromNum([x])", None, None),
        ("NumFromDate([x])", "2012-01-01T23:00:00Z", 129699324000000000),
        ("NumFromDate([x])", "2012-01-01 23:00:00", 129699324000000000),
        ("NumFromDate([x])", "2012-01-01T23:00:00.0000001Z", 129699324000000001),
        ("NumFromDate(CDate([x]))", "1/1/2012 11:00 PM", 129699324000000000),
        ("NumFromDate([x])", None, None),
        ("NumFromDate([x])", "", None),
        ('DateAdd("d", 1, CDate([x]))', None, None),
        ('DateDiff("d", Now(), CDate([x]))', None, None),
        ("CStr(CDate([x]))", "2012-01-01", "1/1/2012 12:00:00 AM"),
        ("Left(CDate([x]), 8)", "2012-01-01", "1/1/2012"),
    ],
)
def test_numbers_and_dates(text: str, given: Json, expected: Json) -> None:
    """Active Directory counts from 1601; an empty date gives null."""
    assert x(text, given) == expected


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("DateFromNum([x])", -1),
        ("DateFromNum([x])", 2**63),
        ("DateFromNum([x])", 9223372036854775807),
        ("DateFromNum([x])", "text"),
        ("NumFromDate([x])", "1600-12-31"),
        ("NumFromDate([x])", " 23:59:59-08:00"),
        ('FormatDateTime([x], , "yyyy-MM-dd", "yyyy")', "31.12.2020"),
    ],
)
def test_dates_that_do_not_fit(text: str, given: Json) -> None:
    """A time without its date must not become today's."""
    with pytest.raises(EvaluationError):
        x(text, given)


@pytest.mark.parametrize(
    ("given", "style", "pattern", "out", "expected"),
    [
        ("20150123105347.1Z", "", "yyyyMMddHHmmss.fZ", "yyyy-MM-dd", "2015-01-23"),
        ("2020-12-31-08:00", "", "yyyy-MM-ddzzz", "yyyy-MM-dd HH:mm", "2020-12-31 08:00"),
        ("12/31/2020 12:00:00 AM", "", "M/d/yyyy hh:mm:ss tt", "yyyy-MM-dd", "2020-12-31"),
        ("12/31/2020 11:05:00 pm", "", "M/d/yyyy hh:mm:ss tt", "HH:mm", "23:05"),
        ("1/2/2020", "", "M/d/yyyy", "dddd, d MMMM yyyy", "Thursday, 2 January 2020"),
        ("1/2/2020", "", "M/d/yyyy", "ddd dd MMM yy", "Thu 02 Jan 20"),
        ("2020-01-02", "", "yyyy-MM-dd", "d", "01/02/2020"),
        ("2020-01-02", "", "yyyy-MM-dd", "%d", "2"),
        ("2020-01-02", "", "yyyy-MM-dd", "s", "2020-01-02T00:00:00"),
        ("2020-01-02", "", "yyyy-MM-dd", "o", "2020-01-02T00:00:00.0000000"),
        ("2020-01-02Z", "", "yyyy-MM-ddK", "o", "2020-01-02T00:00:00.0000000Z"),
        ("2020-01-02+01:00", "", "yyyy-MM-ddK", "yyyy-MM-ddTHH:mmK", "2020-01-01T23:00+00:00"),
        ("2020-01-02", "", "yyyy-MM-dd", "yyyy'T'MM\\d \"q\"", "2020T01d q"),
        ("2020-01-02", "", "yyyy-MM-dd", "h:mm t z zz zzz", "12:00 A +0 +00 +00:00"),
        ("2020-01-02 03:04:05.120", "", "yyyy-MM-dd HH:mm:ss.fff", "HH:mm:ss.FFFFF", "03:04:05.12"),
        ("2020-01-02 03:04:05.000", "", "yyyy-MM-dd HH:mm:ss.fff", "HH:mm:ss.FFF", "03:04:05"),
        ("2020-01-02 03:04:05", "", "yyyy-MM-dd HH:mm:ss.FFF", "ss.ff", "05.00"),
        ("  2020-01-02 ", "", "yyyy-MM-dd", "yyyy", "2020"),
        ("2020 - 01-02", "AllowInnerWhite", "yyyy-MM-dd", "yyyy", "2020"),
        ("2020-01-02", "AssumeUniversal, AdjustToUniversal", "yyyy-MM-dd", "yyyy-MM-ddK", "2020-01-02Z"),
        ("2020-01-02", "AssumeLocal", "yyyy-MM-dd", "yyyy-MM-ddK", "2020-01-02+00:00"),
        ("2020-01-02", "DateTimeStyles.None", "yyyy-MM-dd", "yyyy-MM-ddK", "2020-01-02"),
        ("14:30", "", "HH:mm", "yyyy-MM-dd HH:mm", "2025-07-30 14:30"),
        ("14:30", "NoCurrentDateDefault", "HH:mm", "yyyy-MM-dd", "0001-01-01"),
        ("March 2020", "", "MMMM yyyy", "yyyy-MM-dd", "2020-03-01"),
        ("02.01.49", "", "dd.MM.yy", "yyyy-MM-dd", "2049-01-02"),
        ("02.01.50", "", "dd.MM.yy", "yyyy-MM-dd", "1950-01-02"),
        ("2020 A.D.", "", "yyyy gg", "gg yyyy", "A.D. 2020"),
        ("2020 -03", "", "yyyy zz", "yyyy HH", "2020 03"),
        ("2020-01-02", "", "yyyy-MM-ddK", "yyyy", "2020"),
        ("2020", "", "yyyy", "'it\\'s'", "it's"),
        ("2020 - 01", "AllowInnerWhite", "yyyy - MM", "yyyy", "2020"),
    ],
)
def test_formats(given: str, style: str, pattern: str, out: str, expected: str) -> None:
    """.NET's custom and standard formats, read and written."""
    slots = [f'"{text}"' for text in (style, pattern, out.replace("\\", "\\\\").replace('"', '\\"'))]
    assert x(f"FormatDateTime([x], {', '.join(slots)})", given) == expected


@pytest.mark.parametrize(
    ("given", "pattern"),
    [
        ("2020-1-2", "yyyy-MM-dd"),
        ("7:00:00 AM", "hh:mm:ss tt"),
        ("17:00 AM", "HH:mm tt"),
        ("13:00", "hh:mm"),
        ("Mon 02 Jan 2020", "ddd dd MMM yyyy"),
        ("2020-01-02 extra", "yyyy-MM-dd"),
        ("2020-02-30", "yyyy-MM-dd"),
        ("2020 2021", "yyyy yyyy"),
        ("2020-01-02+99:00", "yyyy-MM-ddzzz"),
        ("2020-01-02x", "yyyy-MM-ddzzz"),
        ("Foo 2020", "MMM yyyy"),
        ("25", "HH"),
    ],
)
def test_formats_are_exact(given: str, pattern: str) -> None:
    """Two letters want two digits; days and their names must agree."""
    with pytest.raises(EvaluationError, match="not in the format"):
        x(f'FormatDateTime([x], , "{pattern}", "yyyy")', given)


def test_format_date_time_takes_null_and_three_arguments() -> None:
    """Nothing to convert stays nothing; the guides leave the styles out altogether."""
    assert x('FormatDateTime([x], , "yyyy", "yy")', None) is None
    assert x('FormatDateTime([x], , "yyyy", "yy")', "") == ""
    assert x('FormatDateTime([x], "yyyy-MM-dd", "dd.MM.yyyy")', "2020-01-02") == "02.01.2020"


def test_now_is_the_clock_of_the_context() -> None:
    """UTC, in the form of all dates."""
    assert value("Now()", {}, context(now=datetime(2021, 7, 2, 15, 33, 38, tzinfo=UTC))) == "7/2/2021 3:33:38 PM"


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("", "is empty"),
        ("ffffffff", "at most 7"),
        ("yyyy\\", "backslash"),
        ("y%", "before a letter"),
        ("yyyy'", "does not close"),
    ],
)
def test_wrong_formats(pattern: str, words: str) -> None:
    """From an attribute; a constant is refused at load."""
    with pytest.raises(EvaluationError, match=words):
        x('FormatDateTime("2020", , "yyyy", [x])', pattern)


@pytest.mark.parametrize("style", ["AssumeLocal,AssumeUniversal", "RoundtripKind, AdjustToUniversal", "Sometimes"])
def test_styles_that_exclude_each_other(style: str) -> None:
    """As in .NET; a style from an attribute is checked when it comes."""
    with pytest.raises(EvaluationError):
        x('FormatDateTime("2020", [x], "yyyy", "yy")', style)


@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        (
            'NumFromDate(Join("", FormatDateTime(DateAdd("yyyy", 5, CDate([x])), , "yyyy-MM-dd", "yyyy-MM-dd"),'
            ' " 23:59:59-05:00"))',
            "2025-01-15",
            135392435990000000,
        ),
        (
            'FormatDateTime(CDate([x]), , "M/d/yyyy hh:mm:ss tt", "yyyy-MM-dd HH:mm")',
            "1990-01-15-07:00",
            "1990-01-15 07:00",
        ),
        ('FormatDateTime(CDate([x]), , "d/M/yyyy h:mm:ss tt", "yyyy-MM-dd")', "2025-01-02", "2025-02-01"),
        ('FormatDateTime(CDate([x]), , "yyyy", "yyyy")', None, None),
        ('FormatDateTime([x], "128", "yyyy-MM-dd", "s")', "2025-01-02", "2025-01-02T00:00:00"),
        ('FormatDateTime([x], "32", "yyyy-MM-dd", "yyyy")', "2025-01-02", "2025"),
    ],
)
def test_a_date_from_another_function_is_formatted(text: str, given: Json, expected: Json) -> None:
    """As text where that is in the given format, as Microsoft's guides write it; else as the date that it is."""
    assert x(text, given) == expected
