"""Query field search: finds objects of any kind by a text."""

import asyncio
from typing import Annotated, Union

import strawberry

from resolvers.queries.nodes import find_node
from schema.context import Context, Info, Scope
from schema.ids import Node, encode_id, split_id
from schema.loaders.search import Find, Kind, search_rows
from schema.permissions import may_read, requires
from schema.ranges import size_of_list
from schema.types.customer import Customer
from schema.types.invoice import Invoice
from schema.types.meter import Meter
from schema.types.product import Product

_FIRST = 10
_TYPES = {
    Kind.METER: "Meter",
    Kind.CUSTOMER: "Customer",
    Kind.PRODUCT: "Product",
    Kind.INVOICE: "Invoice",
}

SearchResult = Annotated[
    Union["Meter", "Customer", "Product", "Invoice"],
    strawberry.union("SearchResult", description="Something that a search finds."),
]


@strawberry.type
class SearchQuery:
    @strawberry.field(
        description="Finds objects by a text, best matches first: exact matches, then those that"
        " begin with the text, then the rest. A customer matches if its externalId, "
        "name or email, or a word in one of them, begins with the text; if the text "
        "has several words, each must match. Meters and products, including archived"
        " ones, match by any part of their name, invoices by their number, and all "
        "of these by their id. Case is ignored, and there are no wildcards. Returns "
        "only what the token may read.",
        extensions=[requires(Scope.USAGE_READ, Scope.BILLING_READ)],
    )
    async def search(
        self,
        info: Info,
        query: Annotated[str, strawberry.argument(description="The text to search for.")],
        first: Annotated[
            int | None,
            strawberry.argument(description="How many results to return: 1 to 100, by default 10."),
        ] = None,
    ) -> list[SearchResult]:
        context, size = info.context, size_of_list(first, _FIRST)
        kinds = [kind for kind, name in _TYPES.items() if may_read(context, name)]
        named = split_id(query.strip())
        if named is not None:
            is_searched = named[0] in {_TYPES[kind] for kind in kinds}
            node = await find_node(context, query.strip()) if is_searched else None
            return [node] if node else []  # type: ignore[list-item]  # it is of one of the types
        found = await search_rows(context.organization_id, kinds, query, size)
        nodes = await asyncio.gather(*(_loaded(context, find) for find in found))
        return [node for node in nodes if node]  # type: ignore[misc]  # as above


async def _loaded(context: Context, find: Find) -> Node | None:
    return await find_node(context, encode_id(_TYPES[find.kind], find.key))
