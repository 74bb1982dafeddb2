"""The declarations of functions: a signature in the reference's words, and the code that computes the result.

Most functions are plain Python over converted arguments (`@function`). The few that decide for themselves what to
evaluate, such as IIF, build their own evaluation from the tree (`@special`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Protocol

from .errors import CompileError
from .syntax import Call, Node
from .values import Thunk, Value

type Check = Callable[[str], object]
type Build = Callable[[Call, Builder], Thunk]


class Builder(Protocol):
    """The part of the compiler that a function uses to build its own evaluation."""

    top: Node | None
    redacts: bool

    def error(self, message: str, node: Node) -> CompileError: ...

    def warn(self, message: str, node: Node) -> None: ...

    def thunk(self, node: Node) -> Thunk: ...

    def attribute(self, name: str) -> Thunk: ...

    def condition(self, node: Node, *, null_fails: bool) -> Thunk: ...

    def arguments(self, call: Call, function: Function) -> list[Node]: ...


@dataclass(frozen=True, slots=True)
class Param:
    name: str
    kind: str = "any"
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """`repeats`: the last parameter may come any number of times. `volatile`: equal users get unequal values."""

    name: str
    params: tuple[Param, ...]
    repeats: bool = False
    compute: Callable[..., Value] | None = None
    build: Build | None = None
    wants_run: bool = False
    volatile: bool = False
    checks: Mapping[str, Check] = field(default_factory=dict)

    @property
    def signature(self) -> str:
        names = [f"[{p.name}]" if p.optional else p.name for p in self.params]
        return f"{self.name}({', '.join(names)}{', ...' if self.repeats else ''})"


FUNCTIONS: dict[str, Function] = {}

# Spellings that Microsoft's own pages use besides the real ones.
ALIASES = {"switch": "Switch", "IsNullorEmpty": "IsNullOrEmpty", "Instr": "InStr"}

_NO_ROLES = "a user of one tenant has no app role assignments to hand to another tenant"

_CLOUD_SYNC = "it belongs to Entra Cloud Sync and Entra Connect, not to user provisioning"

# Functions that exist, and why no mapping can use them. Two of them are in FUNCTIONS all the same, for callers who have
# looked up what they ask for.
UNAVAILABLE = {
    "AppRoleAssignments": _NO_ROLES,
    "AppRoleAssignmentsComplex": _NO_ROLES,
    "AssertiveAppRoleAssignmentsComplex": _NO_ROLES,
    "SingleAppRoleAssignment": _NO_ROLES,
    "AltSecIdFromNetId": "it belongs to Microsoft's own matching; users are matched by their link here",
    "CNum": f"{_CLOUD_SYNC}; a number in a text counts as a number",
    "Contains": f"{_CLOUD_SYNC}; use InStr on a text",
    "ConvertFromBase64": _CLOUD_SYNC,
    "CRef": _CLOUD_SYNC,
    "DNComponent": f"{_CLOUD_SYNC}; use Split and Item",
    "DNComponentRev": f"{_CLOUD_SYNC}; use Split and Item",
    "DefaultDomain": "the target's default domain is not looked up; write the domain as a text",
    "Error": f"{_CLOUD_SYNC}; use IgnoreObjectFlow to leave such a user alone",
    "SelectUniqueValue": "the target's values are not looked up; Microsoft has it from HR to Active Directory only",
    "StringFromSid": _CLOUD_SYNC,
}


def function(
    spec: str,
    *,
    wants_run: bool = False,
    volatile: bool = False,
    checks: Mapping[str, Check] | None = None,
) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
    """Registers a computation. The spec reads `Left(String:text, NumChars:int)`; `?` marks what may be omitted."""

    def register(compute: Callable[..., Value]) -> Callable[..., Value]:
        name, params, repeats = _parse(spec)
        FUNCTIONS[name] = Function(
            name=name,
            params=params,
            repeats=repeats,
            compute=compute,
            wants_run=wants_run,
            volatile=volatile,
            checks=checks or {},
        )
        return compute

    return register


def special(spec: str) -> Callable[[Build], Build]:
    """Registers a function that builds its own evaluation."""

    def register(build: Build) -> Build:
        name, params, repeats = _parse(spec)
        FUNCTIONS[name] = Function(name=name, params=params, repeats=repeats, build=build)
        return build

    return register


def nearest(name: str) -> str:
    """A hint for a name that is no function; names are case-sensitive, so case is the likeliest slip."""
    by_case = {known.lower(): known for known in FUNCTIONS}
    if name.lower() in by_case:
        return f"; did you mean '{by_case[name.lower()]}'? Names are case-sensitive"
    close = get_close_matches(name, FUNCTIONS, n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


def _parse(spec: str) -> tuple[str, tuple[Param, ...], bool]:
    match = re.fullmatch(r"(\w+)\((.*)\)", spec)
    assert match, spec
    names = [part.strip() for part in match[2].split(",") if part.strip()]
    repeats = bool(names) and names[-1] == "..."
    return match[1], tuple(_param(name) for name in (names[:-1] if repeats else names)), repeats


def _param(text: str) -> Param:
    name, _, kind = text.rstrip("?").partition(":")
    return Param(name, kind or "any", text.endswith("?"))
