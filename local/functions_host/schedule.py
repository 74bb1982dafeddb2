"""NCRONTAB schedules: six fields, seconds first, in UTC.

The parser is cronsim's, with two differences. NCRONTAB joins day and weekday with AND, cron with OR. NCRONTAB has
none of cronsim's extras (`L`, `W`, `#`, weekday 7), so they are refused.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from cronsim import CronSim, CronSimError

_EXTRAS = re.compile(r"(?<![A-Za-z])(L|LW|\d+L|[^\s,]*#[^\s,]*)(?![A-Za-z])", re.IGNORECASE)


class Schedule:
    """The times at which a timer fires. Raises ValueError with a sentence about the fault."""

    def __init__(self, expression: str) -> None:
        fields = expression.split()
        if len(fields) != 6:
            raise ValueError(f"`{expression}` must have six fields: second minute hour day month weekday")
        if _EXTRAS.search(expression) or "7" in re.split(r"[,/\-]", fields[5]):
            raise ValueError(f"`{expression}`: NCRONTAB knows no L, W or #, and Sunday is 0")
        self.expression = expression
        try:
            self.after(datetime(2000, 1, 1))  # noqa: DTZ001 (any moment proves that it parses and fires at all)
        except CronSimError as error:
            raise ValueError(f"`{expression}`: {error}") from error
        except StopIteration as error:
            raise ValueError(f"`{expression}` never fires") from error

    def after(self, moment: datetime) -> datetime:
        """The first occurrence later than `moment`."""
        return next(self._occurrences(moment))

    def is_faster_than(self, interval: timedelta, moment: datetime) -> bool:
        """Whether any two of the next occurrences are closer together than the interval."""
        occurrences = self._occurrences(moment)
        previous = next(occurrences)
        for _ in range(10):
            following = next(occurrences)
            if following - previous < interval:
                return True
            previous = following
        return False

    def _occurrences(self, moment: datetime) -> Iterator[datetime]:
        occurrences = CronSim(self.expression, moment)
        occurrences.day_and = True
        return occurrences
