"""Replace: which of its seven slots are filled decides what it does.

https://learn.microsoft.com/entra/identity/app-provisioning/functions-for-customizing-application-data#replace

    find      oldValue | regexPattern | regexPattern and regexGroupName
    put       replacementValue | replacementAttributeName | template (then source goes into the template)

Three by three; a pattern with a group and an attribute is the odd one: source when it has a value, else what the
group finds in the attribute.
"""

from __future__ import annotations

from collections.abc import Callable

from ..compiler import Compiler
from ..dotnet.faults import DotNetError
from ..dotnet.regex import Match, Regex, compile_regex, expand, replace, replace_all
from ..errors import EvaluationError
from ..registry import FUNCTIONS, special
from ..syntax import Call, Node, Omitted, Text
from ..values import MAX_TEXT, Flow, Run, Thunk, Value, nothing, to_text

type Edit = Callable[[Run, str, str], Value]  # the text to search and what to put in, both known


@special(
    "Replace(source, oldValue?, regexPattern?, regexGroupName?,"
    " replacementValue?, replacementAttributeName?, template?)"
)
def build(call: Call, compiler: Compiler) -> Thunk:
    source, old, pattern, group, value, attribute, template = compiler.arguments(call, FUNCTIONS["Replace"])
    _check(call, compiler, (old, pattern, group), (value, attribute, template))
    regex = None if isinstance(pattern, Omitted) else _regex(pattern, group, compiler)
    other = _attribute(attribute, compiler)
    if regex and other and not isinstance(group, Omitted):
        return _extract(compiler.thunk(source), other, regex, compiler.thunk(group))
    # A replacement value may name groups of the pattern; other people's values may not.
    literal = isinstance(value, Omitted) or not isinstance(group, Omitted)
    edit = _edit(compiler, old, regex, group, literal=literal)
    put = other or compiler.thunk(template if isinstance(value, Omitted) else value)
    swapped = not isinstance(template, Omitted)
    return _evaluate(compiler.thunk(source), put, edit, swapped=swapped)


def _check(call: Call, compiler: Compiler, find: tuple[Node, ...], put: tuple[Node, ...]) -> None:
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


def _regex(pattern: Node, group: Node, compiler: Compiler) -> Callable[[Run], Regex]:
    """Compiled now when the pattern is a constant, as it nearly always is."""
    if not isinstance(pattern, Text):
        thunk = compiler.thunk(pattern)
        return lambda run: compile_regex(to_text(thunk(run)) or "")
    try:
        regex = compile_regex(pattern.value)
    except DotNetError as error:
        raise compiler.error(f"regexPattern of Replace: {error}", pattern) from error
    if isinstance(group, Text) and not regex.has_group(group.value):
        raise compiler.error(f"the pattern has no group named '{group.value}'", group)
    return lambda _run: regex


def _attribute(node: Node, compiler: Compiler) -> Thunk | None:
    """The parameter is called the attribute's name, and the reference passes the attribute: both do."""
    if isinstance(node, Omitted):
        return None
    return compiler.attribute(node.value, node) if isinstance(node, Text) else compiler.thunk(node)


def _edit(compiler: Compiler, old: Node, regex: Callable[[Run], Regex] | None, group: Node, *, literal: bool) -> Edit:
    if regex is None:
        return _by_text(compiler.thunk(old))
    if not isinstance(group, Omitted):
        return _by_group(regex, compiler.thunk(group))

    def by_pattern(run: Run, text: str, put: str) -> Value:
        found = regex(run)
        if literal or "$" not in put:
            return replace_all(found, text, put, run, MAX_TEXT)
        return replace(found, text, lambda match: expand(put, found, text, match), run, MAX_TEXT)

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
        key = _key(found, group(run))

        def write(match: Match) -> str:
            start, end = match.groups.get(key, (0, 0))
            if start == end:
                return text[match.start : match.end]
            return text[match.start : start] + put + text[end : match.end]

        return replace(found, text, write, run, MAX_TEXT)

    return edit


def _key(regex: Regex, name: Value) -> str:
    key = regex.key(to_text(name) or "")
    if key is None:
        raise EvaluationError("the pattern has no group of that name")
    return key


def _extract(source: Thunk, other: Thunk, regex: Callable[[Run], Regex], group: Thunk) -> Thunk:
    def evaluate(run: Run) -> Value:
        own = source(run)
        if not nothing(own):
            return own
        text = other(run)
        if isinstance(text, Flow) or nothing(text):
            return text if isinstance(text, Flow) else None
        found, subject = regex(run), to_text(text) or ""
        key = _key(found, group(run))
        for match in found.matches(subject, run):
            if key in match.groups:
                start, end = match.groups[key]
                return subject[start:end]
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
