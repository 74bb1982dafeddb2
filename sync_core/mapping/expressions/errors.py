"""Errors of expressions: in the text, found at load, or with the values of one user, found while evaluating.

Messages name places, functions and shapes ("text of 12 characters"), never a user's values, so they may be logged.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...model.errors import PermanentError


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the expression's text. `offset` counts characters from 0, line and column from 1."""

    offset: int
    line: int
    column: int

    @classmethod
    def of(cls, text: str, offset: int) -> Position:
        before = text[:offset]
        return cls(offset, before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}"


class ExpressionError(PermanentError):
    """Base of both. `position` is always set once the error leaves this package."""

    def __init__(self, message: str, position: Position | None = None) -> None:
        super().__init__(f"{position}: {message}" if position else message)
        self.message = message
        self.position = position


class CompileError(ExpressionError):
    """The expression itself is wrong: no user could be evaluated with it."""

    hint = "Correct the expression in sync.yaml and run `xtsync validate`; docs/expressions.md lists the functions."


class EvaluationError(ExpressionError):
    """The expression does not fit the values of this user."""

    hint = "Try the expression with this user's values: `xtsync expression`; then correct the values or the expression."

    def at(self, position: Position, where: str) -> EvaluationError:
        """The same error with its place; the innermost place wins."""
        return self if self.position else EvaluationError(f"{where}: {self.message}", position)
