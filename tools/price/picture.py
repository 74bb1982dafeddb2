"""The bill at each size as stacked bars, in SVG: readable on light and dark pages, with a text for each part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from html import escape

from .month import Row, total
from .prices import Meter

_WIDTH, _LEFT, _RIGHT, _BAR, _GAP, _TOP = 760, 200, 80, 30, 18, 20
# Apart from each other in both schemes, also for people who tell few colours apart (Okabe and Ito).
_PARTS: Mapping[str, tuple[str, tuple[Meter, ...]]] = {
    "instance that is always ready": ("#0072b2", (Meter.BASELINE, Meter.READY_TIME, Meter.READY_EXECUTIONS)),
    "other executions": ("#e69f00", (Meter.TIME, Meter.EXECUTIONS)),
    "storage": ("#009e73", (Meter.TABLES, Meter.QUEUES)),
    "logs": ("#cc79a7", (Meter.LOGS,)),
    "alerts": ("#767676", (Meter.ALERTS_5, Meter.ALERTS_15)),
}
_STYLE = (
    "text{font:14px system-ui,sans-serif;fill:#1f2328}.back{fill:#fff}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.back{fill:#0d1117}}"
)


def picture(bills: Mapping[str, Sequence[Row]]) -> str:
    """One bar for each bill, in the order given, under its name."""
    longest = max((total(rows) for rows in bills.values()), default=Decimal(0)) or Decimal(1)
    step = _BAR + _GAP
    legend_top = _TOP + len(bills) * step
    height = legend_top + 24 * len(_PARTS) + 8
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" aria-labelledby="t">',
        '<title id="t">Dollars a month, at most, by size</title>',
        f"<style>{_STYLE}</style>",
        f'<rect class="back" width="{_WIDTH}" height="{height}" rx="6"/>',
    ]
    for n, (name, rows) in enumerate(bills.items()):
        lines += _bar(name, rows, _TOP + n * step, longest)
    for n, (part, (colour, _)) in enumerate(_PARTS.items()):
        y = legend_top + 24 * n
        lines += [
            f'<rect x="{_LEFT}" y="{y}" width="14" height="14" fill="{colour}"/>',
            f'<text x="{_LEFT + 22}" y="{y + 12}">{escape(part)}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])


def _bar(name: str, rows: Sequence[Row], y: int, longest: Decimal) -> list[str]:
    middle = y + _BAR // 2 + 5
    lines = [f'<text x="{_LEFT - 12}" y="{middle}" text-anchor="end">{escape(name)}</text>']
    x = Decimal(_LEFT)
    for part, (colour, meters) in _PARTS.items():
        dollars = total([row for row in rows if row.meter in meters])
        width = dollars * (_WIDTH - _LEFT - _RIGHT) / longest
        lines.append(
            f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_BAR}" fill="{colour}">'
            f"<title>{escape(part)}: ${dollars:,.2f}</title></rect>"
        )
        x += width
    return [*lines, f'<text x="{x + 8:.1f}" y="{middle}">${total(rows):,.0f}</text>']
