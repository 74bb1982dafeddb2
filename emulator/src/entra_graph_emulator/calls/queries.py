"""A collection as a request asks for it: filtered, searched, sorted, counted, expanded, one page of it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from entra_graph_emulator.calls.call import Call
from entra_graph_emulator.calls.expansion import Expansion, expanded
from entra_graph_emulator.calls.paging import page
from entra_graph_emulator.calls.views import context, guarded, shown, typed
from entra_graph_emulator.directory.objects import DirectoryObject
from entra_graph_emulator.odata.entities import BY_NAME, EntityType
from entra_graph_emulator.odata.filters import Filter, parse_filter
from entra_graph_emulator.odata.search import parse_search
from entra_graph_emulator.wire.errors import GraphError, bad_request, unsupported_query
from entra_graph_emulator.wire.messages import Response, json_response

Find: TypeAlias = Callable[[Filter | None], Sequence[DirectoryObject]]

OPTIONS: Final = ("$top", "$skiptoken", "$select", "$filter", "$count", "$expand", "$search", "$orderby")


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """`find` gives the items that a filter leaves, in order of creation unless `ordered`.

    `mixed`: each item says its own type. `strict`: a relation, where `$filter`, `$search` and `$orderby` need an
    advanced query; `advanced`: one that needs it always.

    `name` is the collection's name in contexts, if it is not the plural of the type.
    """

    of: EntityType
    path: str
    find: Find
    mixed: bool = False
    strict: bool = False
    advanced: bool = False
    ordered: bool = False
    name: str = ""
    add_select: tuple[str, ...] = ()


def listed(call: Call, collection: Collection) -> Response:
    """One page. Raises 400 for an option that cannot be read, or that needs an advanced query."""
    of = collection.of
    call.allow(*OPTIONS)
    select = of.parse_select(call.options.get("$select"))
    expansion = Expansion.parse(call.options.get("$expand"), of)
    _check_combination(call, collection, expansion)
    items = matching(call, collection)
    order = _order(call, of)
    if order:
        items = _sorted(items, order)
    some, notes = page(call, items, collection.path, ordered=collection.ordered or bool(order))
    picked = (*of.default_select, *collection.add_select) if collection.add_select and select is None else select
    value = [entity(call, item, picked, expansion, None if collection.mixed else of) for item in some]
    where = context(call.origin, collection.name or of.plural, select, expand=expansion.in_context if expansion else "")
    return json_response(200, {"@odata.context": where, **notes, "value": value})


def counted(call: Call, collection: Collection) -> Response:
    """`/$count`: plain text."""
    call.allow("$filter", "$search", "$count")
    if not call.eventual:
        raise bad_request("$count is not currently supported.")
    advanced = replace(call, request=replace(call.request, query={**call.options, "$count": "true"}))
    number = str(len(matching(advanced, collection)))
    return Response(status=200, headers={"Content-Type": "text/plain"}, body=number.encode())


def entity(
    call: Call,
    item: DirectoryObject,
    select: Sequence[str] | None,
    expansion: Expansion | None = None,
    of: EntityType | None = None,
) -> dict[str, Any]:
    """One object as JSON. Without `of` it belongs to a mixed collection and says its own type."""
    kind = of or BY_NAME[item.kind]
    body = shown(item, select, kind, add_id=call.tenant.settings.select_adds_id)
    if select is not None:  # no property is guarded that is shown by default
        guarded(body, call.caller)
    if expansion is not None:
        body |= expanded(call, item, expansion)
    return body if of is not None else typed(item.kind, body)


def matching(call: Call, collection: Collection) -> list[DirectoryObject]:
    """The items that pass the filter and the search and are already visible to the caller."""
    text, wanted = call.options.get("$filter"), call.options.get("$search")
    clause = parse_filter(text, advanced=call.advanced, of=collection.of) if text is not None else None
    if wanted is not None and not call.eventual:
        raise unsupported_query(
            "Request with $search query parameter only works through MSGraph with a special request header: "
            "'ConsistencyLevel: eventual'"
        )
    test = None if wanted is None else parse_search(wanted, collection.of)
    found = collection.find(clause)
    return [item for item in found if call.visible(item) and (test is None or test(item.get))]


def among(items: Iterable[DirectoryObject], kind: str | None = None) -> Find:
    """A `find` over the items of a relation; `kind` is the type that the path casts to."""

    def find(clause: Filter | None) -> list[DirectoryObject]:
        return [each for each in items if kind in {None, each.kind} and (clause is None or clause.test(each.get))]

    return find


def _check_combination(call: Call, collection: Collection, expansion: Expansion | None) -> None:
    if call.advanced and expansion is not None:
        raise unsupported_query("$expand is not supported together with an advanced query.")
    if call.advanced or not collection.strict:
        return
    if collection.advanced:
        raise unsupported_query("The cast of a transitive relation needs $count=true and ConsistencyLevel: eventual.")
    if not call.options.keys().isdisjoint({"$filter", "$search", "$orderby"}):
        raise unsupported_query("The specified filter to the reference property query is currently not supported.")


def _order(call: Call, of: EntityType) -> list[tuple[str, bool]]:
    """Properties and whether each descends. https://learn.microsoft.com/graph/aad-advanced-queries"""
    text = call.options.get("$orderby")
    if text is None:
        return []
    order: list[tuple[str, bool]] = []
    for part in text.split(","):
        name, *direction = part.split() or [""]
        name = of.official(name)
        if (
            not of.has(name)
            or len(direction) > 1
            or [each.lower() for each in direction] not in ([], ["asc"], ["desc"])
        ):
            raise GraphError(
                400,
                "BadRequest",
                f"Invalid orderby clause: Could not find a property named '{name}' on type '{of.full_name}'.",
            )
        if name not in of.sortable | of.sortable_advanced or (name not in of.sortable and not call.advanced):
            raise unsupported_query("Sorting not supported for current query.")
        order.append((name, [each.lower() for each in direction] == ["desc"]))
    if not call.advanced and ("$filter" in call.options or "$search" in call.options):
        raise unsupported_query("Sorting not supported for current query.")
    return order


def _sorted(items: list[DirectoryObject], order: list[tuple[str, bool]]) -> list[DirectoryObject]:
    """A stable sort, by the last property first. Items without a value come first, as in OData."""
    for name, descending in reversed(order):
        items = sorted(items, key=lambda item: _rank(item.get(name)), reverse=descending)
    return items


def _rank(value: Any) -> tuple[bool, str]:
    return (value is not None, str(value).lower())
