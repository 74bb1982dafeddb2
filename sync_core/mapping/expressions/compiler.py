"""Tree to closures: names are resolved, and constants converted and checked, before the first user is evaluated."""

from __future__ import annotations

from collections.abc import Callable

from .conditions import compare
from .dotnet.faults import DotNetError
from .errors import CompileError, EvaluationError, Position
from .registry import ALIASES, FUNCTIONS, UNAVAILABLE, Function, Param, nearest
from .syntax import Attribute, Call, Comparison, Node, Number, Omitted, Text, Word
from .values import Flow, Run, Thunk, Value, bounded, to_integer, to_list, to_moment, to_number, to_text

type Coerce = Callable[[Value, Run], object]

_WORDS: dict[str, Value] = {
    "IgnoreAttributeFlow": Flow.IGNORE_ATTRIBUTE,
    "IgnoreObjectFlow": Flow.IGNORE_OBJECT,
    "True": True,
    "False": False,
}
_COMPARE_WORDS = {"vbBinaryCompare": 0, "vbTextCompare": 1}
# Words of other languages, and the way to write them in this one.
_MEANT = {
    "true": "it is written True",
    "false": "it is written False",
    "null": 'IsNull asks for an empty attribute, and a key "" of Switch stands for one',
}


def _integer(value: Value, _run: Run) -> int:
    found = to_integer(value)
    if found is None:
        raise EvaluationError("expects a whole number, not an empty value")
    return found


def _comparison(value: Value, _run: Run) -> int:
    try:
        return _integer(value, _run)
    except EvaluationError:
        raise EvaluationError(f"is {' or '.join(sorted(_COMPARE_WORDS))}, without quotes") from None


_COERCE: dict[str, Coerce | None] = {
    "any": None,
    "text": lambda value, _run: to_text(value),
    "int": _integer,
    "compare": _comparison,
    "number": lambda value, _run: to_number(value),
    "date": lambda value, run: to_moment(value, run.context.now),
    "list": lambda value, _run: to_list(value),
}


class Compiler:
    """Compiles one expression and collects its properties on the way. Functions see it as a registry.Builder."""

    def __init__(self, text: str, *, looked_up: bool) -> None:
        self.text = text
        self.attributes: dict[str, None] = {}
        self.redacts = False
        self.volatile = False
        self.warnings: list[tuple[Position, str]] = []
        self.top: Node | None = None
        self._looked_up = looked_up

    # --- registry.Builder -----------------------------------------------------------------------------------------

    def error(self, message: str, node: Node) -> CompileError:
        return CompileError(message, Position.of(self.text, node.offset))

    def warn(self, message: str, node: Node) -> None:
        self.warnings.append((Position.of(self.text, node.offset), message))

    def thunk(self, node: Node) -> Thunk:
        match node:
            case Attribute(name):
                return self.attribute(name)
            case Text(value) | Number(value):
                return _constant(value)
            case Word(name):
                return _constant(self._word(name, node))
            case Call():
                return self._call(node)
            case _:  # omitted arguments were refused before
                raise self.error("a comparison may stand only in the condition of IIF and in CBool", node)

    def attribute(self, name: str) -> Thunk:
        self.attributes[name] = None
        return lambda run: run.source.get(name)

    def condition(self, node: Node, *, null_fails: bool) -> Thunk:
        """A comparison, or any value. `null_fails`: a comparison with an empty attribute is never true (IIF)."""
        if not isinstance(node, Comparison):
            return self.thunk(node)
        left, right, position = self.thunk(node.left), self.thunk(node.right), Position.of(self.text, node.offset)
        fails = (null_fails and isinstance(node.left, Attribute), null_fails and isinstance(node.right, Attribute))
        operator = node.operator

        def compared(run: Run) -> Value:
            a, b = left(run), right(run)
            for flow in (a, b):
                if isinstance(flow, Flow):
                    return flow
            try:
                return compare(operator, a, b, fails, null_fails=null_fails, now=run.context.now)
            except EvaluationError as error:
                raise error.at(position, f"'{operator}'") from None

        return compared

    def arguments(self, call: Call, function: Function) -> list[Node]:
        """The arguments by position, omitted ones filled in. Refuses too many, too few, and holes where none may be."""
        given, params = list(call.arguments), function.params
        if len(given) > len(params) and not function.repeats:
            extra = given[len(params)]
            raise self.error(f"{function.signature} takes {len(params)} arguments, not {len(given)}", extra)
        given += [Omitted(call.offset)] * (len(params) - len(given))
        for i, node in enumerate(given):
            param = params[min(i, len(params) - 1)]
            if isinstance(node, Omitted) and not param.optional:
                raise self.error(f"{function.signature} needs {param.name}", node)
        return given

    # --- the rest -----------------------------------------------------------------------------------------------

    def _word(self, name: str, node: Node) -> Value:
        if name in _WORDS:
            return _WORDS[name]
        if name in _COMPARE_WORDS:
            raise self.error(f"{name} may stand only as the last of four arguments of InStr", node)
        if name.lower() in _MEANT:
            raise self.error(f"'{name}' means nothing here; {_MEANT[name.lower()]}", node)
        raise self.error(f"'{name}' means nothing here; an attribute is written [{name}], a text \"{name}\"", node)

    def _call(self, call: Call) -> Thunk:
        name = ALIASES.get(call.name, call.name)
        if name in UNAVAILABLE and not (self._looked_up and name in FUNCTIONS):
            raise self.error(f"{name} cannot be used here: {UNAVAILABLE[name]}", call)
        function = FUNCTIONS.get(name)
        if function is None:
            raise self.error(f"no function is named '{name}'{nearest(name)}", call)
        self.volatile |= function.volatile
        if function.build:
            return self._guarded(name, call, function.build(call, self))
        return self._plain(function, call)

    def _guarded(self, name: str, node: Node, compute: Thunk) -> Thunk:
        """Gives errors their place, and bounds the length of what comes out."""
        position = Position.of(self.text, node.offset)

        def run_guarded(run: Run) -> Value:
            try:
                return bounded(compute(run))
            except EvaluationError as error:
                raise error.at(position, name) from None
            except DotNetError as error:
                raise EvaluationError(f"{name}: {error}", position) from error

        return run_guarded

    def _plain(self, function: Function, call: Call) -> Thunk:
        if function.name == "FormatDateTime" and len(call.arguments) == 3:
            # Microsoft's guides leave dateTimeStyles out altogether, as the Graph schema lists the function.
            first, *rest = call.arguments
            call = Call(call.name, (first, Omitted(first.offset), *rest), call.offset)
        params, compute = function.params, function.compute
        assert compute is not None
        nodes = self.arguments(call, function)
        steps = [self._argument(function, params[min(i, len(params) - 1)], node) for i, node in enumerate(nodes)]
        wants_run = function.wants_run

        def evaluate(run: Run) -> Value:
            values: list[object] = [run] if wants_run else []
            for thunk, coerce in steps:
                value = thunk(run)
                if value.__class__ is Flow:
                    return value
                values.append(value if coerce is None else coerce(value, run))
            return compute(*values)

        return self._guarded(function.name, call, evaluate)

    def _argument(self, function: Function, param: Param, node: Node) -> tuple[Thunk, Coerce | None]:
        """How to get at one argument. Constants are converted and checked now, once and with their place."""
        coerce = _COERCE[param.kind]
        if isinstance(node, Omitted):
            return _constant(None), None
        if isinstance(node, Word) and param.kind == "compare":
            if node.value not in _COMPARE_WORDS:
                raise self.error(f"{param.name} is vbTextCompare or vbBinaryCompare", node)
            return _constant(_COMPARE_WORDS[node.value]), None
        if not isinstance(node, Text | Number) or coerce is None or param.kind == "date":
            return self.thunk(node), coerce
        try:
            value = coerce(node.value, None)  # type: ignore[arg-type]  # constants need no run
            if param.name in function.checks and isinstance(value, str):
                function.checks[param.name](value)
        except (EvaluationError, DotNetError) as error:
            raise self.error(f"{param.name} of {function.name}: {getattr(error, 'message', error)}", node) from error
        return _constant(value), None  # type: ignore[arg-type]


def _constant(value: Value) -> Thunk:
    return lambda _run: value
