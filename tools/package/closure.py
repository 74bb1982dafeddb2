"""What the app can reach: the rule by which the package is pruned.

1. From function_app and from Microsoft's worker library, every import is followed, wherever it stands: at the top of a
   module, in a function, in a try. (`if TYPE_CHECKING` is never entered.)
2. A distribution stays when one of its modules is reached, or when one that stays requires it. It stays whole, so that
   whatever it loads by name at run time is there.
3. Only a large distribution of plain Python without any import by name is pruned module by module: there the import
   statements are the whole truth. Today that is msgraph-sdk, which is nine tenths of everything.
4. In a dependency two kinds of import are not followed. The first stands in a function and names a distribution that
   the dependency does not require (pydantic prints in colour when `rich` is there). The second comes after an import
   that fails.
5. Within a distribution that is pruned, a module is *used* when an import names it. It is only *loaded* when it runs
   because a package above a used one is initialized. No code has a name by which to call the functions of a loaded
   module, so the imports inside them are not followed. An example: `import msgraph.graph_request_adapter` loads
   `msgraph/__init__.py` and with it GraphServiceClient. The properties of that class import all request builders.
"""

from __future__ import annotations

import sys
from collections import deque
from dataclasses import dataclass

from .imports import DYNAMIC_WORDS, Import, ancestors
from .tree import APP, Module, Tree

ROOTS = ("function_app", "azure_functions_runtime")
LARGE = 20_000_000  # bytes: below, a wrong guess costs more than it saves


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    reached: frozenset[str]  # modules
    kept: frozenset[str]  # distributions
    pruned: frozenset[str]  # those of them that keep only what is reached

    def keeps(self, module: Module) -> bool:
        if module.owner in self.pruned or module.owner == APP:
            return module.name in self.reached
        return module.owner in self.kept


def reach(tree: Tree) -> Closure:
    reader = _Reader(tree)
    for root in ROOTS:
        reader.reach(root, used=True)
    reader.run()
    reached = frozenset(reader.used | reader.loaded)
    kept = _with_requirements(tree, {tree.modules[name].owner for name in reached} - {APP})
    return Closure(reached=reached, kept=kept, pruned=frozenset(reader.prunable & kept))


def _with_requirements(tree: Tree, kept: set[str]) -> frozenset[str]:
    todo = list(kept)
    while todo:
        new = {name for name in tree.requires[todo.pop()] if name in tree.requires} - kept
        kept |= new
        todo += new
    return frozenset(kept)


def _prunable(tree: Tree, owner: str) -> bool:
    modules = tree.of(owner)
    if sum(module.path.stat().st_size for module in modules) < LARGE or any(m.path.suffix != ".py" for m in modules):
        return False
    # Parsing them all would take a minute; only a file with such a word in it can be dynamic.
    suspects = [module for module in modules if DYNAMIC_WORDS.search(module.path.read_bytes())]
    return not any(module.imports.dynamic for module in suspects)


class _Reader:
    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.prunable = {owner for owner in tree.requires if _prunable(tree, owner)}
        self.used: set[str] = set()
        self.loaded: set[str] = set()
        self.todo: deque[tuple[str, bool]] = deque()

    def reach(self, name: str, *, used: bool) -> None:
        for ancestor in ancestors(name):
            self._mark(ancestor, used=False)
        self._mark(name, used=used)

    def run(self) -> None:
        while self.todo:
            name, used = self.todo.popleft()
            module = self.tree.modules[name]
            if self._cannot_be_loaded(module):
                continue
            for each in module.imports.found:
                if (used or not each.in_function) and not self._is_an_extra(module, each):
                    self._follow(each, used=used)

    def _mark(self, name: str, *, used: bool) -> None:
        module = self.tree.modules.get(name)
        if module is None:
            return
        used = used or module.owner not in self.prunable
        marked = self.used if used else self.loaded
        if name not in marked:
            marked.add(name)
            self.todo.append((name, used))

    def _follow(self, each: Import, *, used: bool) -> None:
        submodule = f"{each.module}.{each.name}"
        if each.name == "*":
            for child in self.tree.children.get(each.module, ()):
                self.reach(child, used=used)
            self.reach(each.module, used=used)
        elif each.name and submodule in self.tree.modules:
            self.reach(submodule, used=used)
        else:
            self.reach(each.module, used=used)

    def _cannot_be_loaded(self, module: Module) -> bool:
        """It needs what is not installed, such as httpx's command line without `click`: what follows never runs."""
        return module.owner != APP and any(
            not (each.in_function or each.in_try) and not self._exists(each.module) for each in module.imports.found
        )

    def _is_an_extra(self, module: Module, each: Import) -> bool:
        """A function offers something to those who also have what its own distribution does not require."""
        if not each.in_function or module.owner == APP:
            return False
        owner = self.tree.owner(each.module)
        return owner not in {None, APP, module.owner, *self.tree.requires[module.owner]}

    def _exists(self, name: str) -> bool:
        top = name.partition(".")[0]
        return top in sys.stdlib_module_names or top in self.tree.modules or top in self.tree.children
