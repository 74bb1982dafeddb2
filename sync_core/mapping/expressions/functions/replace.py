"""Replace: which of its seven slots are filled decides what it does.

https://learn.microsoft.com/entra/identity/app-provisioning/functions-for-customizing-application-data#replace

    find      oldValue | regexPattern | regexPattern and regexGroupName
    put       replacementValue | replacementAttributeName | template (then source goes into the template)

Each way to find goes with each way to put. One pair is special: a pattern with a group, and an attribute. It gives
source when that has a value, else the text that the group finds in the attribute.
"""

from __future__ import annotations

from collections.abc import Callable

from ..dotnet.faults import DotNetError
from ..dotnet.regex import Match, Regex, compile_regex, expand, replace, replace_all
from ..errors import EvaluationError
from ..registry import FUNCTIONS, Builder, special
from ..syntax import Call, Node, Omitted, Text
from ..values import MAX_TEXT, Flow, Run, Thunk, Value, nothing, to_text

type Edit = Callable[[Run, str, str], Value]  # the text to search and what to put in, both known


@special(
    "Replace(source, oldValue?, regexPattern?, regexGroupName?,"
    " replacementValue?, replacementAttributeName?, template?)"
)
def build(call: Call, compiler: Builder) -> Thunk:
    source, old, pattern, group, value, attribute, template = compiler.arguments(call, FUNCTIONS["Replace"])
    _check(call, compiler, (old, pattern, group), (value, attribute, template))
    regex = None if isinstance(pattern, Omitted) else _regex(pattern, group, compiler)
    other = _attribute(attribute, compiler)
    if regex and other and not isinstance(group, Omitted):
        return _extract(compiler.thunk(source), other, regex, compiler.thunk(group))
    # `$1` in replacementValue names a group; in a template or an attribute it is plain text.
    literal = isinstance(value, Omitted) or not isinstance(group, Omitted)
    edit = _edit(compiler, old, regex, group, literal=literal)
    put = other or compiler.thunk(template if isinstance(value, Omitted) else value)
    swapped = not isinstance(template, Omitted)
    return _evaluate(compiler.thunk(source), put, edit, swapped=swapped)


def _check(call: Call, compiler: Builder, find: tuple[Node, ...], put: tuple[Node, ...]) -> None:
    old, pattern, group = (not isinstance(node, Omitted) for node in find)
    if old == pattern:
        what = "both oldValue and regexPattern" if old else "neither oldValue nor regexPattern"
        raise compiler.error(f"Replace has {what}; it takes one of them", call)
    if group and not pattern:
        raise compiler.error("regexGroupName of Replace needs a regexPattern", call)
    filled = sum(not isinstance(node, Omitted) for node in put)
    if filled != 1:
        message = "Replace needs one of replacementValue, replacementAttributeName and template"
        raise compiler.error(f"{message}; it has {filled or 'none'}", call)


def _regex(pattern: Node, group: Node, compiler: Builder) -> Callable[[Run], Regex]:
    """Compiled now when the pattern is a constant, as it nearly always is."""
    if not isinstance(pattern, Text):
        thunk = compiler.thunk(pattern)
        return lambda run: compile_regex(to_text(thunk(run)) or "")
    try:
        regex = compile_regex(pattern.value)
    except DotNetError as error:
        raise compiler.error(f"regexPattern of Replace: {error}", pattern) from error
    if isinstance(group, Text) and regex.number(group.value) is None:
        raise compiler.error(f"the pattern has no group named '{group.value}'", group)
    return lambda _run: regex


def _attribute(node: Node, compiler: Builder) -> Thunk | None:
    """An attribute's name as text, as the parameter is called, or the attribute itself, as the reference writes it."""
    if isinstance(node, Omitted):
        return None
    return compiler.attribute(node.value) if isinstance(node, Text) else compiler.thunk(node)


def _edit(compiler: Builder, old: Node, regex: Callable[[Run], Regex] | None, group: Node, *, literal: bool) -> Edit:
    if regex is None:
        return _by_text(compiler.thunk(old))
    if not isinstance(group, Omitted):
        return _by_group(regex, compiler.thunk(group))

    def by_pattern(run: Run, text: str, put: str) -> Value:
        found = regex(run)
        if literal or "$" not in put:
            return replace_all(found, text, put, MAX_TEXT)
        return replace(found, text, lambda match: expand(put, found, text, match), MAX_TEXT)

    return by_pattern


def _by_text(old: Thunk) -> Edit:
    def edit(run: Run, text: str, put: str) -> Value:
        wanted = to_text(old(run))
        if not wanted:
            raise EvaluationError("oldValue is empty: there is nothing to look for")
        if len(text) + text.count(wanted) * len(put) > MAX_TEXT * 2:
            raise EvaluationError(f"gives more than {MAX_TEXT:,} characters")
        return text.replace(wanted, put)

    return edit


def _by_group(regex: Callable[[Run], Regex], group: Thunk) -> Edit:
    """Of every match, the part that the group matched. A group that matched nothing has nothing to replace."""

    def edit(run: Run, text: str, put: str) -> Value:
        found = regex(run)
        number = _number(found, group(run))

        def write(match: Match) -> str:
            (first, last), (start, end) = match.spans[0], match.group(number) or (0, 0)
            if start == end:
                return text[first:last]
            return text[first:start] + put + text[end:last]

        return replace(found, text, write, MAX_TEXT)

    return edit


def _number(regex: Regex, name: Value) -> int:
    number = regex.number(to_text(name) or "")
    if number is None:
        raise EvaluationError("the pattern has no group of that name")
    return number


def _extract(source: Thunk, other: Thunk, regex: Callable[[Run], Regex], group: Thunk) -> Thunk:
    def evaluate(run: Run) -> Value:
        own = source(run)
        if not nothing(own):
            return own
        text = other(run)
        if isinstance(text, Flow) or nothing(text):
            return text if isinstance(text, Flow) else None
        found, subject = regex(run), to_text(text) or ""
        number = _number(found, group(run))
        for match in found.matches(subject):
            place = match.group(number)
            if place:
                return subject[slice(*place)]
        return None

    return evaluate


def _evaluate(source: Thunk, put: Thunk, edit: Edit, *, swapped: bool) -> Thunk:
    def evaluate(run: Run) -> Value:
        own = source(run)
        if own is None or isinstance(own, Flow):
            return own
        other = put(run)
        if isinstance(other, Flow):
            return other
        text, replacement = to_text(own) or "", to_text(other) or ""
        return edit(run, replacement, text) if swapped else edit(run, text, replacement)

    return evaluate
