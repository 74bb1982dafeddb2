"""Input bindings, which the host reads before it calls the worker. Tables are the only ones."""

import base64
import json
import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import EntityProperty, TableEntity
from azure.data.tables.aio import TableClient

from local.functions_host.model import Binding
from local.functions_host.settings import Settings
from local.functions_host.storage import Storage, error_code
from local.functions_host.worker import TypedData

_EXPRESSION = re.compile(r"\{([^{}]*)\}")


class TableInputs:
    """Entities as JSON: one object if both keys are given, an array otherwise."""

    def __init__(self, storage: Storage, settings: Settings) -> None:
        self._storage = storage
        self._settings = settings

    async def read(self, binding: Binding, parameters: Mapping[str, str]) -> TypedData:
        """An absent entity leaves the argument None. Raises ResourceNotFoundError if the table is absent."""

        def text(option: str) -> str:
            return _fill(self._settings.resolve(binding.text(option)), parameters, quote=option == "filter")

        partition, row = text("partitionKey"), text("rowKey")
        table = self._storage.tables(binding.text("connection")).get_table_client(text("tableName"))
        try:
            if partition and row:
                return TypedData(json=json.dumps(_plain(await table.get_entity(partition, row))))
            entities = _query(table, partition, text("filter"), int(binding.options.get("take") or 0))
            return TypedData(json=json.dumps([_plain(entity) async for entity in entities]))
        except ResourceNotFoundError as error:
            if not (partition and row) or error_code(error) == "TableNotFound":
                raise
            return TypedData()


async def _query(table: TableClient, partition: str, condition: str, take: int) -> AsyncIterator[TableEntity]:
    conditions = [f"({condition})"] if condition else []
    if partition:
        conditions.append(f"PartitionKey eq '{_quoted(partition)}'")
    left = take
    async for entity in table.query_entities(" and ".join(conditions), results_per_page=min(take, 1000) or None):
        yield entity
        left -= 1
        if left == 0:
            return


def _plain(entity: TableEntity) -> dict[str, Any]:
    """Keys first, then the properties; the timestamp and the ETag are not shown."""
    keys = {name: entity[name] for name in ("PartitionKey", "RowKey")}
    return keys | {name: _json_value(value) for name, value in entity.items() if name not in keys}


def _json_value(value: object) -> object:
    match value:
        case EntityProperty():
            return _json_value(value.value)
        case datetime():
            return _time(value)
        case bytes():
            return base64.b64encode(value).decode()
        case UUID():
            return str(value)
    return value


def _time(moment: datetime) -> str:
    """As .NET writes a DateTimeOffset: no zeros at the end of the fraction, and the offset in figures."""
    whole, offset = moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat(), "+00:00"
    fraction = f".{moment.microsecond:06}".rstrip("0").rstrip(".")
    return f"{whole}{fraction}{offset}"


def _fill(text: str, parameters: Mapping[str, str], *, quote: bool) -> str:
    """Put route parameters in the place of `{name}`; an optional one that is absent is empty."""

    def value(match: re.Match[str]) -> str:
        found = parameters.get(match[1], "")
        return _quoted(found) if quote else found

    return _EXPRESSION.sub(value, text)


def _quoted(value: str) -> str:
    return value.replace("'", "''")
