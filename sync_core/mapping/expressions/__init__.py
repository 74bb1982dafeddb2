"""The expression language of Microsoft Entra's attribute mappings. Pure: clock and chance come in as arguments.

`compile` once, at load; `Expression.evaluate` for every user. docs/expressions.md lists the functions and says
where this differs from Microsoft's. `evaluate_lines` does the same for JSON lines.
"""

from .errors import CompileError, EvaluationError, ExpressionError, Position
from .expression import REDACTED, Expression, compile  # noqa: A004  # used as expressions.compile
from .lines import evaluate_lines, iso_time
from .registry import FUNCTIONS, UNAVAILABLE
from .values import Context, Flow

__all__ = [
    "FUNCTIONS",
    "REDACTED",
    "UNAVAILABLE",
    "CompileError",
    "Context",
    "EvaluationError",
    "Expression",
    "ExpressionError",
    "Flow",
    "Position",
    "compile",
    "evaluate_lines",
    "iso_time",
]
