"""Relay connections: the GraphQL side of pages by keyset.

`page_request` reads first, after, last and before; `Connection.of` turns a page of rows into
edges and nodes. `totalCount` costs a query of its own, and only where it is selected.
See https://relay.dev/graphql/connections.htm.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Generic, TypeVar

import strawberry

from resolvers.loaders import Loaders
from resolvers.loaders.keyset import CursorError, Page, PageRequest, Row, bounds_of, page_of
from resolvers.loaders.sources import SQLSource
from schema.errors import BadUserInput
from schema.scalars import BigInt

Node = TypeVar("Node")

MAX_PAGE = 100
DEFAULT_PAGE = 50

First = Annotated[
    int | None,
    strawberry.argument(
        description=f"How many from the beginning, or after `after`: 1 to {MAX_PAGE}, "
        f"{DEFAULT_PAGE} where left out."
    ),
]
After = Annotated[
    str | None,
    strawberry.argument(description="Only what comes after this cursor, such as `endCursor`."),
]
Last = Annotated[
    int | None,
    strawberry.argument(description=f"How many from the end, or before `before`: 1 to {MAX_PAGE}."),
]
Before = Annotated[
    str | None,
    strawberry.argument(description="Only what comes before this cursor, such as `startCursor`."),
]


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    """Where a page lies in its list."""

    has_next_page: bool = strawberry.field(description="Whether more follow this page.")
    has_previous_page: bool = strawberry.field(description="Whether more come before this page.")
    start_cursor: str | None = strawberry.field(
        description="The cursor of the page's first edge; null where the page is empty."
    )
    end_cursor: str | None = strawberry.field(
        description="The cursor of the page's last edge; null where the page is empty."
    )


@strawberry.type(description="One object of a list, and its place in it.")
class Edge(Generic[Node]):
    """One object of a list, and its place in it."""

    cursor: str = strawberry.field(
        description="An opaque text that names this place, for `after` and `before`."
    )
    node: Node = strawberry.field(description="The object.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[Node]):
    """A page of a list."""

    edges: list[Edge[Node]] = strawberry.field(
        description="The objects of this page, each with its cursor."
    )
    nodes: list[Node] = strawberry.field(description="The objects of this page.")
    page_info: PageInfo = strawberry.field(description="Where this page lies in the list.")
    count: strawberry.Private[Callable[[], Awaitable[int]]]

    @strawberry.field(
        description="How many objects the whole list has. Counted only where it is selected."
    )
    async def total_count(self) -> BigInt:
        """Counts the whole list."""
        return BigInt(await self.count())


def page_request(
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> PageRequest:
    """The page that a field's arguments ask for; raises BadUserInput."""
    if first is not None and last is not None:
        raise BadUserInput("Give `first` or `last`, not both")
    for name, size in (("first", first), ("last", last)):
        if size is not None and not 1 <= size <= MAX_PAGE:
            raise BadUserInput(f"`{name}` must be from 1 to {MAX_PAGE}, not {size}")
    size = first or last or DEFAULT_PAGE
    return PageRequest(size=size, backward=last is not None, after=after, before=before)


async def connect(
    loaders: Loaders, source: SQLSource[Row], request: PageRequest, node: Callable[[Row], Node]
) -> Connection[Node]:
    """Reads the page of `source` that is asked for, and makes a node of each row."""
    try:
        bounds = bounds_of(source.keyset, request)
    except CursorError:
        raise BadUserInput("The cursor is none that this list has given out") from None
    rows = await loaders.pages.load((source, bounds, request.size + 1))
    page = page_of(source.keyset, request, rows, lambda: loaders.counts.load(source))
    return connection_of(page, node)


def connection_of(page: Page[Row], node: Callable[[Row], Node]) -> Connection[Node]:
    """A page of rows as a connection."""
    nodes = [node(row) for row in page.rows]
    edges: list[Edge[Any]] = [
        Edge(cursor=cursor, node=node) for cursor, node in zip(page.cursors, nodes, strict=True)
    ]
    return Connection(
        edges=edges,
        nodes=nodes,
        page_info=PageInfo(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=page.cursors[0] if page.cursors else None,
            end_cursor=page.cursors[-1] if page.cursors else None,
        ),
        count=page.count,
    )
