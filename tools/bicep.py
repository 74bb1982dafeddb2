"""The Bicep compiler as a process that is asked again and again: half a second an answer, where a command takes four.

    with Compiler(find_compiler()) as compiler:
        compiler.snapshot(Path("infra/snapshots/plain.bicepparam"))     # the evaluated deployment, as JSON text

It speaks JSON-RPC over its standard streams, each message behind a Content-Length header (`bicep jsonrpc --stdio`).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

HELP = "no `bicep` and no `az bicep` is on PATH: `az bicep install` brings one"
# Made-up ids: a snapshot needs some, and the same each time.
_MADE_UP = {
    "deploymentName": "xtsync",
    "subscriptionId": "00000000-0000-0000-0000-000000000001",
    "tenantId": "00000000-0000-0000-0000-000000000002",
}


def find_compiler() -> Path | None:
    """`bicep` on PATH, else the one that `az bicep install` brought; None where there is neither."""
    found = shutil.which("bicep")
    if found is not None:
        return Path(found)
    home = Path(os.environ.get("AZURE_CONFIG_DIR", Path.home() / ".azure"))
    installed = home / "bin" / "bicep"
    return installed if shutil.which("az") and installed.is_file() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    path: Path
    line: int
    level: str
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.level} {self.code}: {self.message}"


class CompilerError(Exception):
    """The compiler did not answer the question; its text says why."""


class Compiler:
    """One process of the compiler. It reads every file anew for each question."""

    def __init__(self, executable: Path) -> None:
        self._process = subprocess.Popen(
            [executable, "jsonrpc", "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._asked = 0

    def diagnostics(self, path: Path) -> list[Diagnostic]:
        """What the compiler and its linter have against this file and the modules that it uses."""
        return [
            Diagnostic(
                path=Path(each["source"]),
                line=each["range"]["start"]["line"] + 1,
                level=each["level"],
                code=each["code"],
                message=each["message"],
            )
            for each in self._ask("compile", path=str(path))["diagnostics"]
        ]

    def formatted(self, path: Path) -> str:
        """The file as `bicep format` would leave it."""
        return str(self._ask("format", path=str(path))["contents"])

    def template(self, parameters: Path) -> dict[str, Any]:
        """What Azure Resource Manager is given: modules as nested deployments, with the values that they hand on."""
        compiled = self._ask("compileParams", path=str(parameters), parameterOverrides={})
        template: dict[str, Any] = json.loads(compiled["template"])
        return template

    def snapshot(self, parameters: Path) -> str:
        """The whole deployment, evaluated: a JSON text. Raises CompilerError when the templates do not compile."""
        snapshot = json.loads(self._ask("getSnapshot", path=str(parameters), metadata=_MADE_UP)["snapshot"])
        outputs = sorted(snapshot["outputs"].items())  # the compiler gives them in another order each time
        return json.dumps({**snapshot, "outputs": dict(outputs)}, indent=2, ensure_ascii=False) + "\n"

    def close(self) -> None:
        self._process.terminate()
        self._process.communicate()

    def _ask(self, method: str, **params: object) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._asked += 1
        question = {"jsonrpc": "2.0", "id": self._asked, "method": f"bicep/{method}", "params": [params]}
        body = json.dumps(question).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._process.stdin.flush()
        length = 0
        while line := self._process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        answer = json.loads(self._process.stdout.read(length) or b'{"error":{"message":"the compiler ended"}}')
        if "error" in answer:
            raise CompilerError(f"{method} {params['path']}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
