"""A backtracking matcher that counts its steps, for the patterns that re might never finish.

A pattern becomes a list of instructions; what to try next lies on a stack of our own, so that neither depth nor time
depends on the pattern alone. Slower than re by far, and it cannot run away.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from .regex_tree import Alt, Atomic, Chars, Group, Look, Loop, Ref, Regex, Seq, Zero

type Slots = tuple[int, ...]
type Matcher = Callable[[str, int], re.Match[str] | None]


class OutOfStepsError(Exception):
    pass


class Op(Enum):
    TEST = auto()  # a matcher of re: one character or a place without width
    RUN = auto()  # a loop over one character
    SPLIT = auto()  # try one branch, later the other
    JUMP = auto()
    SAVE = auto()  # write the place into a slot
    SET = auto()  # write a number into a slot
    LOOP = auto()
    REF = auto()
    AHEAD = auto()
    BEHIND = auto()
    ATOMIC = auto()
    HERE = auto()  # the place must be the one in a slot
    MATCH = auto()


@dataclass(slots=True)
class Step:
    op: Op
    a: int = 0
    b: int = 0
    least: int = 0
    most: int | None = None
    flag: bool = False  # lazy, negative, or ignoring case
    test: Matcher | None = None


@dataclass(slots=True)
class Steps:
    """How many steps are left."""

    left: int


class Machine:
    """`groups` maps each group's key to its slot; the slot holds the start, the next one the end, -1 for none."""

    def __init__(self, tree: Regex, keys: list[str]) -> None:
        self.groups = {key: 2 + 2 * i for i, key in enumerate(keys)}
        self._slots = 2 + 2 * len(keys)
        self._code: list[Step] = []
        self._compile(tree)
        self._add(Op.MATCH)

    def search(self, text: str, start: int, steps: Steps) -> Slots | None:
        """The first match at or after start: its slots, of which the first two are where it starts and ends."""
        empty = (-1,) * self._slots
        for at in range(start, len(text) + 1):
            found = self._run(0, text, at, empty, steps)
            if found:
                end, slots = found
                return (at, end, *slots[2:])
        return None

    # --- compiling ----------------------------------------------------------------------------------------------

    def _add(self, op: Op) -> Step:
        step = Step(op)
        self._code.append(step)
        return step

    def _compile(self, node: Regex) -> None:
        match node:
            case Chars():
                self._add(Op.TEST).test = _matcher(node, "")
            case Zero(source):
                self._add(Op.TEST).test = re.compile(source).match
            case Seq(items):
                for item in items:
                    self._compile(item)
            case Alt(options):
                self._alternatives(options)
            case Loop():
                self._loop(node)
            case Group(body, key):
                self._save(body, self.groups[key])
            case Ref(key, ignore_case):
                step = self._add(Op.REF)
                step.a, step.flag = self.groups[key], ignore_case
            case Look(body, ahead, negative):
                self._nested(body, Op.AHEAD if ahead else Op.BEHIND, negative=negative)
            case Atomic(body):  # pragma: no branch
                self._nested(body, Op.ATOMIC, negative=False)

    def _alternatives(self, options: tuple[Regex, ...]) -> None:
        ends: list[Step] = []
        *first, last = options
        for option in first:
            split = self._add(Op.SPLIT)
            split.a = len(self._code)
            self._compile(option)
            ends.append(self._add(Op.JUMP))
            split.b = len(self._code)
        self._compile(last)
        for end in ends:
            end.a = len(self._code)

    def _save(self, body: Regex, slot: int) -> None:
        """The start goes to a scratch slot first: until the group closes, its last capture stays readable."""
        scratch = self._slots
        self._slots += 1
        self._add(Op.SAVE).a = scratch
        self._compile(body)
        end = self._add(Op.SET)
        end.a, end.b = slot, scratch

    def _nested(self, body: Regex, op: Op, *, negative: bool) -> None:
        step = self._add(op)
        step.flag, step.a, step.least = negative, len(self._code), self._slots
        self._compile_nested(body, end=op is Op.BEHIND)
        step.b = len(self._code)

    def _compile_nested(self, body: Regex, *, end: bool) -> None:
        """A look-behind must end where it stands: that place waits in a slot."""
        slot = self._slots
        self._slots += end
        self._compile(body)
        if end:
            self._add(Op.HERE).a = slot
        self._add(Op.MATCH)

    def _loop(self, node: Loop) -> None:
        if isinstance(node.body, Chars):
            step = self._add(Op.RUN)
            step.test = _matcher(node.body, f"{{0,{'' if node.most is None else node.most}}}")
        else:
            counter = self._slots  # how often so far, and where the last time began
            self._slots += 2
            for slot in (counter, counter + 1):
                start = self._add(Op.SET)
                start.a, start.b = slot, -1
            step = self._add(Op.LOOP)
            step.a = counter
            head = len(self._code) - 1
            self._compile(node.body)
            self._add(Op.JUMP).a = head
            step.b = len(self._code)
        step.least, step.most, step.flag = node.least, node.most, node.lazy

    # --- running ------------------------------------------------------------------------------------------------

    def _run(self, pc: int, text: str, at: int, slots: Slots, steps: Steps) -> tuple[int, Slots] | None:
        """Where a match from here ends, and the slots."""
        stack: list[tuple[int, int, Slots]] = [(pc, at, slots)]
        while stack:
            pc, at, slots = stack.pop()
            while True:
                steps.left -= 1
                if steps.left < 0:
                    raise OutOfStepsError
                step = self._code[pc]
                if step.op is Op.TEST:  # by far the most frequent, so it is not worth a call
                    found = step.test and step.test(text, at)
                    if not found:
                        break
                    pc, at = pc + 1, found.end()
                    continue
                if step.op is Op.MATCH:
                    return at, slots
                follow = self._step(step, pc, text, at, slots, stack, steps)
                if follow is None:
                    break
                pc, at, slots = follow
        return None

    def _step(
        self, step: Step, pc: int, text: str, at: int, slots: Slots, stack: list[tuple[int, int, Slots]], steps: Steps
    ) -> tuple[int, int, Slots] | None:
        """The next state, or None when this branch fails; other branches go to the stack."""
        match step.op:
            case Op.RUN:
                return self._run_of_chars(step, pc, text, at, slots, stack, steps)
            case Op.SPLIT:
                stack.append((step.b, at, slots))
                return step.a, at, slots
            case Op.JUMP:
                return step.a, at, slots
            case Op.SAVE:
                return pc + 1, at, _with(slots, step.a, at)
            case Op.SET if step.b < 0:
                return pc + 1, at, _with(slots, step.a, -1)
            case Op.SET:
                return pc + 1, at, _with(_with(slots, step.a, slots[step.b]), step.a + 1, at)
            case Op.HERE:
                return (pc + 1, at, slots) if at == slots[step.a] else None
            case Op.LOOP:
                return self._iterate(step, pc, at, slots, stack)
            case Op.REF:
                end = _referred(step, text, at, slots)
                return None if end is None else (pc + 1, end, slots)
            case _:
                return self._inner(step, text, at, slots, steps)

    def _run_of_chars(
        self, step: Step, pc: int, text: str, at: int, slots: Slots, stack: list[tuple[int, int, Slots]], steps: Steps
    ) -> tuple[int, int, Slots] | None:
        found = step.test and step.test(text, at)
        end = found.end() if found else at
        if end - at < step.least:
            return None
        # Every place where the loop may stop is a branch, the best on top.
        ends = range(at + step.least, end + 1)
        steps.left -= len(ends) // 4  # putting a branch aside is cheaper than taking it
        best = ends if not step.flag else ends[::-1]
        stack.extend((pc + 1, place, slots) for place in best)
        return stack.pop()

    def _iterate(
        self, step: Step, pc: int, at: int, slots: Slots, stack: list[tuple[int, int, Slots]]
    ) -> tuple[int, int, Slots] | None:
        count, began = slots[step.a] + 1, slots[step.a + 1]
        out = (step.b, at, slots)
        if count > step.least and began == at:
            return out  # the last time took no character: another would not either
        again = (pc + 1, at, _with(_with(slots, step.a, count), step.a + 1, at))
        if count < step.least:
            return again
        if step.most is not None and count >= step.most:
            return out
        stack.append(again if step.flag else out)
        return out if step.flag else again

    def _inner(self, step: Step, text: str, at: int, slots: Slots, steps: Steps) -> tuple[int, int, Slots] | None:
        """Lookarounds and atomic groups: once matched, there is no way back into them."""
        if step.op is Op.BEHIND:
            found = self._behind(step, text, at, slots, steps)
        else:
            found = self._run(step.a, text, at, slots, steps)
        if step.op is Op.ATOMIC:
            return None if found is None else (step.b, *found)
        if step.flag:
            return (step.b, at, slots) if found is None else None
        return None if found is None else (step.b, at, found[1])

    def _behind(self, step: Step, text: str, at: int, slots: Slots, steps: Steps) -> tuple[int, Slots] | None:
        """.NET matches from right to left; some start further left must lead exactly here."""
        slots = _with(slots, step.least, at)
        starts = (self._run(step.a, text, start, slots, steps) for start in range(at, -1, -1))
        return next((found for found in starts if found), None)


def _matcher(node: Chars, count: str) -> Matcher:
    return re.compile(f"(?:{node.source}){count}", re.IGNORECASE if node.ignore_case else 0).match


def _with(slots: Slots, index: int, value: int) -> Slots:
    return (*slots[:index], value, *slots[index + 1 :])


def _referred(step: Step, text: str, at: int, slots: Slots) -> int | None:
    start, end = slots[step.a], slots[step.a + 1]
    if start < 0:
        return None
    again = text[at : at + end - start]
    wanted = text[start:end]
    if again == wanted or (step.flag and again.lower() == wanted.lower()):
        return at + end - start
    return None
