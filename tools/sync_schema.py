"""docs/sync.schema.json, for editors: `python -m tools.sync_schema > docs/sync.schema.json`."""

from __future__ import annotations

import json

from sync_core.config.shapes import FileShape


def schema_text() -> str:
    return json.dumps(FileShape.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    print(schema_text(), end="")


if __name__ == "__main__":
    main()
