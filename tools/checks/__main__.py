"""`python -m tools.checks`: all checks, with the arguments of each; `--lower` lowers every ceiling."""

from __future__ import annotations

import sys

from . import ceilings, dead, sizes, words

CHECKS = {"words": words.findings, "dead": dead.findings, "sizes": sizes.findings}

if __name__ == "__main__":
    sys.exit(max(ceilings.main(name, list(findings())) for name, findings in CHECKS.items()))
