"""Functions over dates. An empty date gives null, so that a condition over it fails as the reference says.

Intervals and counting follow Visual Basic's DateAdd and DateDiff, which the reference's examples agree with:
https://learn.microsoft.com/dotnet/api/microsoft.visualbasic.dateandtime.datediff
"""

from __future__ import annotations

from ..dotnet.exact import parse_exact, styles
from ..dotnet.faults import DotNetError
from ..dotnet.formats import format_moment, parts
from ..dotnet.general import parse_general
from ..dotnet.moment import FILETIME_EPOCH, TICKS_PER_DAY, TICKS_PER_SECOND, Moment
from ..errors import EvaluationError
from ..registry import function
from ..values import Run, Value, nothing, shape, single, to_text

_TICKS = {
    "d": TICKS_PER_DAY,
    "ww": 7 * TICKS_PER_DAY,
    "h": 3600 * TICKS_PER_SECOND,
    "n": 60 * TICKS_PER_SECOND,
    "s": TICKS_PER_SECOND,
}
_MONTHS = {"yyyy": 12, "m": 1}
_FAR = 10**12  # no two dates are that many intervals apart


def _interval(name: str | None) -> str:
    if name in _TICKS or name in _MONTHS:
        return name or ""
    raise DotNetError("the interval is one of yyyy, m, d, ww, h, n, s")


@function("CDate(expression:date)")
def cdate(date: Moment | None) -> Value:
    return date


@function("Now()", wants_run=True, volatile=True)
def now(run: Run) -> Value:
    return Moment.of(run.context.now)


@function("DateAdd(interval:text, value:number, dateTime:date)", checks={"interval": _interval})
def date_add(interval: str | None, value: float | None, date: Moment | None) -> Value:
    """A fraction of an interval does not count; a day that the month lacks becomes its last."""
    name = _interval(interval)
    if date is None or value is None:
        return None
    if abs(value) > _FAR:
        raise DotNetError("a date lies in the years 1 to 9999")
    count = int(value)
    if name in _MONTHS:
        return date.plus_months(count * _MONTHS[name])
    return date.plus(count * _TICKS[name])


@function("DateDiff(interval:text, date1:date, date2:date)", checks={"interval": _interval})
def date_diff(interval: str | None, date1: Moment | None, date2: Moment | None) -> Value:
    """date2 minus date1: years and months by the calendar, weeks by Sundays passed, all else by whole units elapsed."""
    name = _interval(interval)
    if date1 is None or date2 is None:
        return None
    if name in _MONTHS:
        first, second = date1.datetime, date2.datetime
        years = second.year - first.year
        return years if name == "yyyy" else years * 12 + second.month - first.month
    if name == "ww":
        return _whole(_whole(_sunday(date2) - _sunday(date1), TICKS_PER_DAY), 7)
    return _whole(date2.ticks - date1.ticks, _TICKS[name])


def _sunday(date: Moment) -> int:
    """The same time on the Sunday before; 0001-01-01 was a Monday."""
    return date.ticks - (date.days + 1) % 7 * TICKS_PER_DAY


def _whole(amount: int, unit: int) -> int:
    """Towards zero, where Python's division goes down."""
    return -(-amount // unit) if amount < 0 else amount // unit


@function("DateFromNum(value:number)")
def date_from_num(value: float | None) -> Value:
    """From Active Directory's count of 100-nanosecond ticks since 1601."""
    if value is None:
        return None
    if not 0 <= value < 2**63:
        raise DotNetError("a date of Active Directory is a number from 0 on")
    return Moment(int(value) + FILETIME_EPOCH)


@function("NumFromDate(value)", wants_run=True)
def num_from_date(run: Run, value: Value) -> Value:
    one = single(value)
    if nothing(one):
        return None
    date = one if isinstance(one, Moment) else _iso(run, one)
    if date.ticks < FILETIME_EPOCH:
        raise DotNetError("Active Directory has no dates before 1601")
    return date.ticks - FILETIME_EPOCH


def _iso(run: Run, value: Value) -> Moment:
    # A time alone, as when the date in a Join is empty, must not count as today.
    found = parse_general(to_text(value) or "", run.context.now, needs_date=True)
    if found is None:
        raise EvaluationError(f"expects a date such as 2025-12-31T23:59:59-08:00, not {shape(value)}")
    return found


@function(
    "FormatDateTime(source, dateTimeStyles:text?, inputFormat:text, outputFormat:text)",
    wants_run=True,
    checks={"dateTimeStyles": styles, "inputFormat": parts, "outputFormat": parts},
)
def format_date_time(
    run: Run, source: Value, style: str | None, input_format: str | None, output_format: str | None
) -> Value:
    """A date that comes from another function is taken as it is when its text is not in the input format."""
    one = single(source)
    text = to_text(one)
    if not text:
        return text
    found = parse_exact(text, input_format or "", styles(style or ""), run.context.now)
    if found is None and isinstance(one, Moment):
        found = one
    if found is None:
        raise EvaluationError(f"source is not in the format {input_format}: {shape(text)}")
    return format_moment(found, output_format or "")
