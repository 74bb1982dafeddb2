"""A date and time as .NET's DateTime holds it: 100-nanosecond ticks since 0001-01-01, and what zone they are in.

The service runs in UTC, so its local time and UTC differ in name only (`Zone`).
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto

from .faults import DotNetError

TICKS_PER_SECOND = 10_000_000
TICKS_PER_DAY = 86_400 * TICKS_PER_SECOND
_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_END = 3_652_059 * TICKS_PER_DAY  # 10000-01-01, the first moment that does not exist
FILETIME_EPOCH = 504_911_232_000_000_000  # 1601-01-01: where Active Directory counts from


class Zone(Enum):
    UNSPECIFIED = auto()
    UTC = auto()
    LOCAL = auto()


@dataclass(frozen=True, slots=True)
class Moment:
    """Raises DotNetError outside the years 1 to 9999."""

    ticks: int
    zone: Zone = Zone.UTC

    def __post_init__(self) -> None:
        if not 0 <= self.ticks < _END:
            raise DotNetError("a date lies in the years 1 to 9999")

    @classmethod
    def of(cls, at: datetime) -> Moment:
        """`at` is aware, or naive and then taken as UTC."""
        aware = at if at.tzinfo else at.replace(tzinfo=UTC)
        since = aware - _EPOCH
        return cls((since.days * 86_400 + since.seconds) * TICKS_PER_SECOND + since.microseconds * 10)

    @property
    def datetime(self) -> datetime:
        return _EPOCH + timedelta(microseconds=self.ticks // 10)

    @property
    def fraction(self) -> int:
        """The ticks within the second: seven digits."""
        return self.ticks % TICKS_PER_SECOND

    @property
    def days(self) -> int:
        return self.ticks // TICKS_PER_DAY

    def plus(self, ticks: int) -> Moment:
        return Moment(self.ticks + ticks, self.zone)

    def plus_months(self, months: int) -> Moment:
        """The same day of another month, or that month's last day."""
        at = self.datetime
        year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
        if not 1 <= year <= 9999:
            raise DotNetError("a date lies in the years 1 to 9999")
        day = min(at.day, monthrange(year, month + 1)[1])
        date = Moment.of(datetime(year, month + 1, day, tzinfo=UTC)).ticks
        return Moment(date + self.ticks % TICKS_PER_DAY, self.zone)

    def text(self) -> str:
        """`M/d/yyyy h:mm:ss tt`: how every date shows in expressions."""
        at = self.datetime
        half = "AM" if at.hour < 12 else "PM"
        return f"{at.month}/{at.day}/{at.year:04} {at.hour % 12 or 12}:{at.minute:02}:{at.second:02} {half}"
