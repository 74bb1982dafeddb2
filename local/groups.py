"""The groups in which Flex Consumption scales the functions of an app, as three processes.

On Flex all HTTP functions share instances, and every other function has its own. Three show what matters: HTTP, the
queue with nearly all of the work, and the rest. https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan
"""

from __future__ import annotations

import ast
from pathlib import Path

_BUSY = "user_changes"


def split(app: Path) -> list[list[str]]:
    """The names of the functions of each process, HTTP first, read from the decorators of function_app.py."""
    http, rest = list[str](), list[str]()
    for node in ast.parse((app / "function_app.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (kinds := _decorators(node)):
            (http if "route" in kinds else rest).append(node.name)
    return [http, [_BUSY], [name for name in rest if name != _BUSY]]


def _decorators(node: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """`app.route(...)` is `route`."""
    calls = [each.func for each in node.decorator_list if isinstance(each, ast.Call)]
    return {call.attr for call in calls if isinstance(call, ast.Attribute)}
