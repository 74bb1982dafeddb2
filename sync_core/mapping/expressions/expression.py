"""An expression, compiled once and evaluated for many users."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from ...model import Attributes, Json
from . import functions as _functions  # noqa: F401  # registers them
from .compiler import Compiler
from .errors import EvaluationError, Position
from .parser import parse
from .registry import Need
from .values import Context, Flow, Run, Thunk, nothing, shape, to_json, to_list, to_text

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
    needs: frozenset[Need] = frozenset()
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


def fit(value: Json, kind: type[bool | str | list[str]]) -> Json:
    """A value as a target attribute of this type takes it: "True" for true, 13 for "13", a text for a list of one.

    Nothing stays nothing. Raises EvaluationError, without a place, when there is no such form.
    """
    if nothing(value):
        return value
    if kind is list:
        return [to_text(item) for item in to_list(value)]
    text = to_text(value) or ""
    if kind is not bool:
        return text
    if text.lower() not in ("true", "false"):
        raise EvaluationError(f"the target attribute is true or false, and this is {shape(value)}")
    return text.lower() == "true"


def compile(  # noqa: A001  # the word for it, as in `re`
    text: str, *, known_attributes: Collection[str] | None = None, provides: Collection[Need] | None = None
) -> Expression:
    """Raises CompileError with its place.

    `known_attributes`: refuse others (names are case-sensitive). `provides`: what the caller will put into the
    context; functions that need more are refused now and not at the first user. None means anything goes.
    """
    compiler = Compiler(text, known=known_attributes, provides=provides)
    compiler.top = parse(text)
    thunk = compiler.thunk(compiler.top)
    return Expression(
        text=text,
        attributes=frozenset(compiler.attributes),
        volatile=compiler.volatile,
        redacts=compiler.redacts,
        needs=frozenset(compiler.needs),
        warnings=tuple(compiler.warnings),
        _thunk=thunk,
    )
