"""`python -m tools.openapi`: writes docs/openapi.json from the table of endpoints and the documents that they give.

https://spec.openapis.org/oas/v3.1.0
"""

from __future__ import annotations

import inspect
import json
import sys
import tomllib
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from itertools import groupby
from pathlib import Path
from string import Formatter

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import PydanticOmit, core_schema

from sync_core.config.shapes import FileShape
from sync_core.model import Json
from sync_core.ops.documents import ABSENT, Absent, Error
from sync_core.ops.endpoints import ENDPOINTS, ERRORS, Endpoint
from sync_core.ops.history import MOST

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "docs" / "openapi.json"

_DESCRIPTION = """\
What an operator sees and does, over HTTP: the documents of `xtsync COMMAND --json`. A Reader may call what reads, an
Operator everything; each operation says which. Times are ISO 8601 in UTC, spans are seconds. Fields may be added; none
is renamed or removed within a version.\
"""
_SIGN_IN = """\
An Entra access token for the registration "(operators)" of the deployment, with the app role Reader or Operator. App
Service authentication checks it and answers 401 by itself, with a body of its own. See docs/deploy.md.\
"""
_NAME = FileShape.model_json_schema()["$defs"]["SyncShape"]["properties"]["name"]["pattern"]
_PARAMETERS: Mapping[str, tuple[str, Json]] = {
    "sync": ("Name of a sync in sync.yaml.", {"type": "string", "pattern": _NAME}),
    "tenant": ("Name of a tenant in sync.yaml.", {"type": "string", "pattern": _NAME}),
    "target": ("Object id of the user in the target tenant.", {"type": "string", "format": "uuid"}),
    "user": ("Object id of the user in the source tenant.", {"type": "string", "format": "uuid"}),
    "plan": ("Id of a plan.", {"type": "string", "pattern": "^[0-9a-f]{24}$"}),
}
_TIME = r"^([1-9][0-9]{0,4}[dhm]|[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?Z?)?)$"
_QUERY: Mapping[str, tuple[str, Json]] = {
    "sync": ("Only this sync.", {"type": "string", "pattern": _NAME}),
    "user": ("Only this source user, by object id.", {"type": "string", "format": "uuid"}),
    "kind": (
        "Only these kinds, parted by commas.",
        {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Kind"}},
    ),
    "since": ("From then on: 7d, 24h or 30m ago, or a time in UTC.", {"type": "string", "pattern": _TIME}),
    "until": ("Before then, given like `since`.", {"type": "string", "pattern": _TIME}),
    "change": ("Only changes of this kind, as `counts` names it.", {"type": "string", "minLength": 1}),
    "limit": ("Events or changes of a page; 100 without it.", {"type": "integer", "minimum": 1, "maximum": MOST}),
    "after": ("`more` of the page before.", {"type": "string", "minLength": 1}),
}


class _Schemas(GenerateJsonSchema):
    """Schemas of what as_json makes: a field without a value is left out, every other one is there."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - pydantic's signature
        return False

    def field_is_required(
        self,
        field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField,
        total: bool,  # noqa: ARG002 - as above
    ) -> bool:
        schema = field["schema"]
        return schema["type"] != "default" or schema.get("default") is not ABSENT

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        if schema["cls"] is Absent:
            raise PydanticOmit
        return super().enum_schema(schema)

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        described = super().dataclass_schema(schema)
        text = inspect.getdoc(schema["cls"]) or ""
        if text and not text.startswith(f"{schema['cls'].__name__}("):  # not the signature that dataclass writes
            described["description"] = text
        return described


def document() -> dict[str, Json]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    paths: dict[str, Json] = {}
    for path, endpoints in groupby(sorted(ENDPOINTS.items(), key=_path), key=_path):
        paths[f"/{path}"] = {endpoint.method.lower(): _operation(name, endpoint) for name, endpoint in endpoints}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "xtsync, operator endpoints",
            "version": project["version"],
            "description": _DESCRIPTION,
            "license": {"name": project["license"], "identifier": project["license"]},
        },
        "servers": [{"url": "https://{app}/api", "variables": {"app": {"default": "example.azurewebsites.net"}}}],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "parameters": {name: _parameter(name) for name in _PARAMETERS},
            "responses": {_error_name(status): _response(text, [Error]) for status, text in ERRORS.items()},
            "securitySchemes": {
                "entra": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": _SIGN_IN}
            },
        },
    }


def _path(item: tuple[str, Endpoint]) -> str:
    return item[1].path


def _schemas() -> Json:
    documents = {Error, *(endpoint.document for endpoint in ENDPOINTS.values())}
    documents |= {endpoint.body for endpoint in ENDPOINTS.values() if endpoint.body is not None}
    _, schemas = TypeAdapter.json_schemas(
        [(each, "serialization", TypeAdapter(each)) for each in sorted(documents, key=lambda each: each.__name__)],
        ref_template="#/components/schemas/{model}",
        schema_generator=_Schemas,
    )
    defined: Json = schemas["$defs"]
    return defined


def _operation(name: str, endpoint: Endpoint) -> Json:
    names = [each for _, each, _, _ in Formatter().parse(endpoint.path) if each]
    parameters: list[Json] = [{"$ref": f"#/components/parameters/{each}"} for each in names]
    parameters += map(_filter, endpoint.query)
    operation: dict[str, Json] = {
        "operationId": name,
        "summary": endpoint.summary,
        "description": f"Needs the role {' or '.join(sorted(endpoint.needs))}.",
        # Of a bearer scheme the list names roles; one entry of several is enough.
        "security": [{"entra": [role]} for role in sorted(endpoint.needs)],
        "parameters": parameters,
        "responses": _responses(endpoint),
    }
    if endpoint.method == "POST":
        operation["requestBody"] = _body(endpoint)
    return operation


def _parameter(name: str) -> Json:
    description, schema = _PARAMETERS[name]
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def _filter(name: str) -> Json:
    description, schema = _QUERY[name]
    filtered: dict[str, Json] = {"name": name, "in": "query", "description": description, "schema": schema}
    return {**filtered, "explode": False} if name == "kind" else filtered


def _body(endpoint: Endpoint) -> Json:
    if endpoint.body is None:
        text = "Not read. Its content type tells this call from a form of another site."
        return {"required": True, "description": text, "content": {"application/json": {"schema": {}}}}
    return {"required": True, "content": {"application/json": {"schema": _reference(endpoint.body)}}}


def _responses(endpoint: Endpoint) -> Json:
    responses: dict[str, Json] = {}
    for status in sorted(endpoint.statuses | endpoint.errors):
        if status not in endpoint.statuses:
            responses[str(status)] = {"$ref": f"#/components/responses/{_error_name(status)}"}
        elif status in endpoint.errors:
            responses[str(status)] = _response(ERRORS[status], [endpoint.document, Error])
        else:
            responses[str(status)] = _response(f"{endpoint.summary}.", [endpoint.document])
    return responses


def _response(description: str, documents: Sequence[type]) -> Json:
    schemas: list[Json] = [_reference(each) for each in documents]
    return {
        "description": description,
        "headers": {"Cache-Control": {"required": True, "schema": {"const": "no-store"}}},
        "content": {"application/json": {"schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas}}},
    }


def _error_name(status: int) -> str:
    return HTTPStatus(status).phrase.replace(" ", "")


def _reference(document: type) -> Json:
    return {"$ref": f"#/components/schemas/{document.__name__}"}


def text() -> str:
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    FILE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"wrote {FILE.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
