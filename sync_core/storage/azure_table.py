"""A table in Azure Table Storage (or Azurite), with the promises of table.Table. Rows pass check_row first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.data.tables import EdmType, EntityProperty, TableEntity, UpdateMode
from azure.data.tables.aio import TableClient

from ..model.errors import ConflictError
from .azure_calls import attempt, error_code
from .table import PAGE_ROWS, Row, Value, Wanted, check_keys, check_row

_KEYS = ("PartitionKey", "RowKey")
_INT32 = 2**31
_MISSING_ROW = {"ResourceNotFound", "EntityNotFound"}  # the code of a missing table is TableNotFound


class AzureTable:
    """table.Table."""

    def __init__(self, client: TableClient) -> None:
        self._client = client

    async def create(self) -> None:
        """Make the table if it is missing."""

        async def create() -> None:
            try:
                await self._client.create_table()
            except ResourceExistsError as error:
                if error_code(error) != "TableAlreadyExists":
                    raise

        await attempt(create)

    async def get(self, pk: str, rk: str) -> Row | None:
        check_keys(pk, rk)

        async def get() -> Row | None:
            try:
                return _row(await self._client.get_entity(pk, rk))
            except ResourceNotFoundError as error:
                if error_code(error) in _MISSING_ROW:
                    return None
                raise

        return await attempt(get)

    async def insert(self, row: Row) -> str:
        entity = _entity(row)
        answer = await attempt(lambda: self._client.create_entity(entity, response_preference="return-no-content"))
        return str(answer["etag"])

    async def replace(self, row: Row, etag: str) -> str:
        entity = _entity(row)

        async def replace() -> Mapping[str, Any]:
            try:
                return await self._client.update_entity(
                    entity, UpdateMode.REPLACE, etag=etag, match_condition=MatchConditions.IfNotModified
                )
            except ResourceNotFoundError as error:
                if error_code(error) in _MISSING_ROW:
                    raise ConflictError("the row is gone") from error
                raise

        return str((await attempt(replace))["etag"])

    async def upsert(self, row: Row) -> str:
        entity = _entity(row)
        answer = await attempt(lambda: self._client.upsert_entity(entity, UpdateMode.REPLACE))
        return str(answer["etag"])

    async def delete(self, pk: str, rk: str, etag: str | None = None) -> None:
        check_keys(pk, rk)
        statuses: list[int] = []  # the SDK ignores a 404, even with an etag
        condition = MatchConditions.Unconditionally if etag is None else MatchConditions.IfNotModified
        await attempt(
            lambda: self._client.delete_entity(
                pk,
                rk,
                etag=etag,
                match_condition=condition,
                raw_response_hook=lambda response: statuses.append(response.http_response.status_code),
            )
        )
        if etag is not None and statuses[-1:] == [404]:
            raise ConflictError("the row is gone")

    async def query(
        self,
        pk: str | None,
        *,
        rk_from: str = "",
        rk_to: str = "",
        where: Mapping[str, Wanted] | None = None,
        select: Sequence[str] = (),
        limit: int | None = None,
    ) -> AsyncIterator[Row]:
        if limit == 0:
            return
        entities = self._client.query_entities(
            _filter(pk, rk_from, rk_to, where or {}),
            select=[*_KEYS, *select] if select else None,
            results_per_page=min(limit, PAGE_ROWS) if limit else None,
        )
        pages = entities.by_page()
        given = 0
        while (page := await attempt(lambda: anext(pages, None))) is not None:
            async for entity in page:
                yield _row(entity)
                given += 1
                if given == limit:
                    return


def _filter(pk: str | None, rk_from: str, rk_to: str, where: Mapping[str, Wanted]) -> str:
    """The OData filter of a query. https://learn.microsoft.com/rest/api/storageservices/querying-tables-and-entities"""
    terms = []
    if pk is not None:
        terms.append(f"PartitionKey eq {_literal(pk)}")
    if rk_from:
        terms.append(f"RowKey ge {_literal(rk_from)}")
    if rk_to:
        terms.append(f"RowKey lt {_literal(rk_to)}")
    terms += [f"{name} eq {_literal(value)}" for name, value in where.items()]
    return " and ".join(terms)


def _literal(value: Wanted) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return "'" + value.replace("'", "''") + "'"
        case int() if not -_INT32 <= value < _INT32:
            return f"{value}L"
        case _:
            return str(value)


def _entity(row: Row) -> dict[str, Any]:
    check_row(row)
    entity: dict[str, Any] = dict(zip(_KEYS, (row.pk, row.rk), strict=True))
    for name, value in row.values.items():
        # The service reads a plain number as 32 bits wide and refuses a larger one.
        wide = isinstance(value, int) and not -_INT32 <= value < _INT32
        entity[name] = EntityProperty(value, EdmType.INT64) if wide else value
    return entity


def _row(entity: TableEntity) -> Row:
    values: dict[str, Value] = {}
    for name, value in entity.items():
        if name not in _KEYS and value is not None:
            values[name] = value.value if isinstance(value, EntityProperty) else value
    return Row(
        pk=str(entity.get("PartitionKey", "")),
        rk=str(entity.get("RowKey", "")),
        values=values,
        etag=str(entity.metadata["etag"] or ""),
    )
