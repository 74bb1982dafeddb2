"""Functions that choose. A branch that is not chosen is not evaluated."""

from __future__ import annotations

from ..errors import EvaluationError
from ..registry import FUNCTIONS, Builder, function, special
from ..syntax import Attribute, Call, Comparison, Node, Omitted, Text, unparse
from ..values import Flow, Run, Thunk, Value, nothing, single, to_boolean, to_text

_TESTS = {"IsPresent", "IsNull", "IsNullOrEmpty", "IsNullorEmpty"}


@function("IsNull(Expression)")
def is_null(value: Value) -> Value:
    return value is None or value == []


@function("IsNullOrEmpty(Expression)")
def is_null_or_empty(value: Value) -> Value:
    return nothing(value)


@function("IsPresent(Expression)")
def is_present(value: Value) -> Value:
    return not nothing(value)


@function("IsString(Expression)")
def is_string(value: Value) -> Value:
    """Whether the value has a string form: everything but null, several values, and complex ones."""
    return not (value is None or isinstance(value, dict) or (isinstance(value, list) and len(value) != 1))


@function("Not(source)")
def negate(value: Value) -> Value:
    return not to_boolean_text(value)


def to_boolean_text(value: Value) -> bool:
    """True for true and "True" only: for Not, a number is no boolean."""
    one = single(value)
    return one is True or (isinstance(one, str) and one.strip().lower() == "true")


@special("CBool(Expression)")
def cbool(call: Call, compiler: Builder) -> Thunk:
    condition = compiler.condition(compiler.arguments(call, FUNCTIONS["CBool"])[0], null_fails=False)

    def evaluate(run: Run) -> Value:
        value = condition(run)
        return value if isinstance(value, Flow) else to_boolean(value)

    return evaluate


@special("IIF(condition, valueIfTrue, valueIfFalse)")
def iif(call: Call, compiler: Builder) -> Thunk:
    test, yes, no = compiler.arguments(call, FUNCTIONS["IIF"])
    if isinstance(test, Call) and test.name in _TESTS | {"IgnoreFlowIfNullOrEmpty"}:
        compiler.warn(
            f'Microsoft does not support {test.name} as the condition of IIF; use Switch with the key ""', test
        )
    if isinstance(test, Comparison) and _never_true(test):
        message = 'is never true: to IIF each comparison with an empty attribute is false; use Switch with the key ""'
        compiler.warn(f"{unparse(test)} {message}", test)
    condition, when_true, when_false = (
        compiler.condition(test, null_fails=True),
        compiler.thunk(yes),
        compiler.thunk(no),
    )

    def evaluate(run: Run) -> Value:
        value = condition(run)
        if isinstance(value, Flow):
            return value
        return when_true(run) if to_boolean(value) else when_false(run)

    return evaluate


def _never_true(test: Comparison) -> bool:
    """Whether an attribute has to equal the empty text, or to come before it: an empty one is not even compared."""
    match test:
        case Comparison("=" | "<" | "<=", Attribute(), Text("")) | Comparison("=" | ">" | ">=", Text(""), Attribute()):
            return True
    return False


@special("Coalesce(source, ...)")
def coalesce(call: Call, compiler: Builder) -> Thunk:
    """The first that is not null; an empty text is not null."""
    sources = [compiler.thunk(node) for node in compiler.arguments(call, FUNCTIONS["Coalesce"])]

    def evaluate(run: Run) -> Value:
        for source in sources:
            value = source(run)
            if value is not None and value != []:
                return value
        return None

    return evaluate


@special("Switch(source, defaultValue?, key, value, ...)")
def switch(call: Call, compiler: Builder) -> Thunk:
    given = call.arguments
    if len(given) < 4 or len(given) % 2:
        message = "Switch takes a source, a default and pairs of key and value: an even number of arguments"
        raise compiler.error(f"{message}, here {len(given)}", call)
    source_node, default_node, *pairs = given
    _no_holes(call, compiler, [source_node, *pairs])
    if isinstance(source_node, Call) and source_node.name in _TESTS:
        compiler.warn(
            f'Microsoft advises against {source_node.name} as the source of Switch; use the key ""', source_node
        )
    source = compiler.thunk(source_node)
    default = None if isinstance(default_node, Omitted) else compiler.thunk(default_node)
    keys, values = [compiler.thunk(node) for node in pairs[::2]], [compiler.thunk(node) for node in pairs[1::2]]

    def evaluate(run: Run) -> Value:
        value = source(run)
        if isinstance(value, Flow):
            return value
        text = to_text(value) or ""  # null is the key "" as well
        for key, result in zip(keys, values, strict=True):
            if (to_text(key(run)) or "") == text:
                return result(run)
        return default(run) if default else None

    return evaluate


def _no_holes(call: Call, compiler: Builder, nodes: list[Node]) -> None:
    for node in nodes:
        if isinstance(node, Omitted):
            raise compiler.error(f"only the default of {call.name} may be omitted", node)


@special("IgnoreFlowIfNullOrEmpty(expression)")
def ignore_flow_if_null_or_empty(call: Call, compiler: Builder) -> Thunk:
    inner = compiler.thunk(compiler.arguments(call, FUNCTIONS["IgnoreFlowIfNullOrEmpty"])[0])
    if compiler.top is not call:
        compiler.warn("IgnoreFlowIfNullOrEmpty belongs outermost; inside, it decides about the whole expression", call)

    def evaluate(run: Run) -> Value:
        value = inner(run)
        return Flow.IGNORE_ATTRIBUTE if nothing(value) else value

    return evaluate


@special("Redact(value)")
def redact(call: Call, compiler: Builder) -> Thunk:
    """The value flows unchanged; logs show `[Redact]` (Expression.log_value)."""
    compiler.redacts = True
    return compiler.thunk(compiler.arguments(call, FUNCTIONS["Redact"])[0])


@special("SelectUniqueValue(uniqueValueRule1, uniqueValueRule2, ...)")
def select_unique_value(call: Call, compiler: Builder) -> Thunk:
    """The first rule's value that no user of the target has. Directories compare names without case."""
    if compiler.top is not call:
        raise compiler.error("SelectUniqueValue must be the outermost function", call)
    rules = [compiler.thunk(node) for node in compiler.arguments(call, FUNCTIONS["SelectUniqueValue"])]

    def evaluate(run: Run) -> Value:
        existing = run.context.existing_target_values
        if existing is None:
            raise EvaluationError("needs the values that exist in the target, and nobody looked them up")
        taken = {value.casefold() for value in existing}
        for rule in rules:
            value = rule(run)
            if isinstance(value, Flow) or (to_text(value) or "").casefold() not in taken:
                return value
        raise EvaluationError("every value that its rules give exists in the target")

    return evaluate


@function("DefaultDomain()", wants_run=True)
def default_domain(run: Run) -> Value:
    if not run.context.default_domain:
        raise EvaluationError("the tenant has no default domain, or nobody looked it up")
    return run.context.default_domain
