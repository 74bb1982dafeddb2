"""Text to tree. The parser knows the grammar; the compiler knows the functions and their arguments."""

from __future__ import annotations

from .errors import CompileError, Position
from .syntax import Attribute, Call, Comparison, Node, Number, Omitted, Text, Word
from .tokens import Kind, Token, number, tokenize

# Bounds the recursion of parser, compiler and evaluation. Microsoft's longest published examples nest 9 deep.
MAX_DEPTH = 100


def parse(text: str) -> Node:
    """The tree of one expression. Raises CompileError with its place."""
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(tokenize(text))
        self._next = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._comparison()
        if self._peek().kind is not Kind.END:
            raise self._error(f"nothing may follow the expression, but {self._peek()} does")
        return node

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._peek()
        self._next += 1
        return token

    def _error(self, message: str) -> CompileError:
        return CompileError(message, Position.of(self._text, self._peek().offset))

    def _comparison(self) -> Node:
        left = self._operand()
        if self._peek().kind is not Kind.OPERATOR:
            return left
        operator = self._take()
        right = self._operand()
        if self._peek().kind is Kind.OPERATOR:
            raise self._error("one comparison cannot hold another; nest IIF for 'and' and 'or'")
        return Comparison(operator.value, left, right, operator.offset)

    def _operand(self) -> Node:
        token = self._peek()
        match token.kind:
            case Kind.ATTRIBUTE:
                return Attribute(self._take().value, token.offset)
            case Kind.STRING:
                return Text(self._take().value, token.offset)
            case Kind.NUMBER:
                value = number(self._take().value)
                assert value is not None
                return Number(value, token.offset)
            case Kind.NAME:
                self._take()
                return self._call(token) if self._peek().kind is Kind.OPEN else Word(token.value, token.offset)
            case _:
                equal = "; equal is written =" if token.value == "=" else ""
                raise self._error(f"an attribute, a text, a number or a function is missing before {token}{equal}")

    def _call(self, name: Token) -> Call:
        if self._depth == MAX_DEPTH:
            raise self._error(f"functions may nest {MAX_DEPTH} deep")
        self._depth += 1
        self._take()
        arguments = self._arguments(name)
        self._depth -= 1
        return Call(name.value, arguments, name.offset)

    def _arguments(self, name: Token) -> tuple[Node, ...]:
        if self._peek().kind is Kind.CLOSE:
            self._take()
            return ()
        arguments: list[Node] = []
        while True:
            empty = self._peek().kind in {Kind.COMMA, Kind.CLOSE}
            arguments.append(Omitted(self._peek().offset) if empty else self._comparison())
            match self._peek().kind:
                case Kind.COMMA:
                    self._take()
                case Kind.CLOSE:
                    self._take()
                    return tuple(arguments)
                case Kind.END:
                    raise self._error(f"'{name.value}(' has no closing parenthesis")
                case _:
                    raise self._error(f"a comma or ')' is missing before {self._peek()}{self._remedy()}")

    def _remedy(self) -> str:
        token = self._peek()
        joins = token.kind is Kind.NAME and token.value.upper() in {"AND", "OR"}
        return "; nest IIF for 'and' and 'or'" if joins else ""
