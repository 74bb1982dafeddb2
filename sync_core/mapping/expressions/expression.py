"""An expression, compiled once and evaluated for many users."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...model import Attributes, Json
from . import functions as _functions  # noqa: F401  # registers them
from .compiler import Compiler
from .errors import Position
from .parser import parse
from .values import Context, Flow, Run, Thunk, to_json, to_text

REDACTED = "[Redact]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """`attributes` are the source attributes it reads. `volatile`: its value changes though the user does not (Now,
    Guid, RandomString), so it belongs to `apply: on_create`. `warnings` name forms that Microsoft calls unsupported.
    """

    text: str
    attributes: frozenset[str]
    volatile: bool = False
    redacts: bool = False
    warnings: tuple[tuple[Position, str], ...] = ()
    _thunk: Thunk = field(repr=False, compare=False)

    def evaluate(self, source: Attributes, context: Context) -> Json | Flow:
        """The value for one user; an attribute that `source` lacks is null. Raises EvaluationError with its place."""
        return to_json(self._thunk(Run(source, context)))

    def log_value(self, value: Json | Flow) -> str:
        """What logs and tables may show of a value: `[Redact]` when the expression holds Redact."""
        if isinstance(value, Flow):
            return f"({value.value})"
        if self.redacts:
            return REDACTED
        return str(value) if isinstance(value, list | dict) else to_text(value) or ""


def compile(text: str, *, looked_up: bool = False) -> Expression:  # noqa: A001  # the word for it, as in `re`
    """Raises CompileError with its place.

    `looked_up`: the context will hold what SelectUniqueValue and DefaultDomain ask for. Otherwise they are refused.
    """
    compiler = Compiler(text, looked_up=looked_up)
    compiler.top = parse(text)
    thunk = compiler.thunk(compiler.top)
    return Expression(
        text=text,
        attributes=frozenset(compiler.attributes),
        volatile=compiler.volatile,
        redacts=compiler.redacts,
        warnings=tuple(compiler.warnings),
        _thunk=thunk,
    )
