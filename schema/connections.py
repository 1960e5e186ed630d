"""Relay connections: the GraphQL side of pages by keyset.

A field that is declared with `connection` has the arguments first, after, last and before. Cursors
are written only if they are selected. `totalCount` takes another query, also only if selected.
See https://relay.dev/graphql/connections.htm.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import strawberry
from graphql.pyutils import Path
from strawberry.annotation import StrawberryAnnotation
from strawberry.extensions.field_extension import AsyncExtensionResolver, FieldExtension
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from schema.context import Info
from schema.errors import BadUserInput
from schema.loaders.keyset import CursorError, Page, PageRequest, bounds_of, page_of
from schema.loaders.sources import SQLSource
from schema.scalars import BigInt

Node = TypeVar("Node")

MAX_PAGE = 100
DEFAULT_PAGES = (50, 10, 5)
"""The default page size: at the top, inside a list, and deeper."""

_ARGUMENTS: tuple[tuple[str, Any, str], ...] = (
    (
        "first",
        int | None,
        f"Return at most this many objects, from the start or after `after`: 1 to {MAX_PAGE}. By "
        "default {}, inside a list {}, and inside a list of a list {}.".format(*DEFAULT_PAGES),
    ),
    ("after", str | None, "Return objects after this cursor, such as `endCursor`."),
    (
        "last",
        int | None,
        f"Return at most this many objects, from the end or before `before`: 1 to {MAX_PAGE}.",
    ),
    ("before", str | None, "Return objects before this cursor, such as `startCursor`."),
)


@strawberry.type(description="The position of a page in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether there are objects after this page.")
    has_previous_page: bool = strawberry.field(
        description="Whether there are objects before this page."
    )
    start_cursor: str | None = strawberry.field(
        description="The cursor of the page's first edge. Null if the page is empty."
    )
    end_cursor: str | None = strawberry.field(
        description="The cursor of the page's last edge. Null if the page is empty."
    )


@strawberry.type(description="An object of a list, with its cursor.")
class Edge(Generic[Node]):
    cursor: str = strawberry.field(description="An opaque cursor for `after` and `before`.")
    node: Node = strawberry.field(description="The object.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[Node]):
    page: strawberry.Private[Page[Any]]
    nodes: list[Node] = strawberry.field(description="The objects of this page.")

    @strawberry.field(description="The objects of this page, each with its cursor.")
    def edges(self) -> list[Edge[Node]]:
        pairs = zip(self.page.rows, self.nodes, strict=True)
        return [Edge(cursor=self.page.cursor(row), node=node) for row, node in pairs]

    @strawberry.field(description="The position of this page in the list.")
    def page_info(self) -> PageInfo:
        page, rows = self.page, self.page.rows
        return PageInfo(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=page.cursor(rows[0]) if rows else None,
            end_cursor=page.cursor(rows[-1]) if rows else None,
        )

    @strawberry.field(description="The number of objects in the whole list.")
    async def total_count(self) -> BigInt:
        return BigInt(await self.page.count())


def default_page(level: int) -> int:
    """The default size of a page inside `level` lists."""
    return DEFAULT_PAGES[min(level, len(DEFAULT_PAGES) - 1)]


def _level(path: Path) -> int:
    """Returns how many lists surround a field."""
    level = 0
    place: Path | None = path
    while place is not None:
        level += isinstance(place.key, int)
        place = place.prev
    return level


@dataclass(frozen=True, slots=True)
class Listed:
    """What a resolver of a connection returns: a list, and how its rows become nodes."""

    source: SQLSource[Any]
    node: Callable[[Any], Any]


def connection(
    node_type: Any, *, description: str, extensions: Sequence[FieldExtension] = ()
) -> Any:
    """A field that is a connection of `node_type`. Its resolver returns `Listed`."""
    connection_type: Any = Connection
    return strawberry.field(
        graphql_type=connection_type[node_type],
        description=description,
        extensions=[_Paging(), *extensions],  # the last one is asked first
    )


class _Paging(FieldExtension):
    """Adds the paging arguments to a field, and reads the requested page of the resolver's list."""

    def apply(self, field: StrawberryField) -> None:
        """Adds the paging arguments in front of the resolver's own."""
        paging = [
            StrawberryArgument(
                python_name=name,
                graphql_name=None,
                type_annotation=StrawberryAnnotation(kind),
                description=description,
                default=None,
            )
            for name, kind, description in _ARGUMENTS
        ]
        field.arguments = [*paging, *field.arguments]

    async def resolve_async(
        self,
        next_: AsyncExtensionResolver,
        source: Any,
        info: Info,
        *,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        **kwargs: Any,
    ) -> Connection[Any]:
        """Reads the page. Raises BadUserInput."""
        request = PageRequest(_size(info, first, last), last is not None, after, before)
        listed: Listed = await next_(source, info, **kwargs)
        loaders, keyset = info.context.loaders, listed.source.keyset
        try:
            bounds = bounds_of(keyset, request)
        except CursorError as error:
            name = "after" if str(error) == after else "before"
            raise BadUserInput(f"`{name}` is not a cursor of this list") from None
        rows = await loaders.pages.load((listed.source, bounds, request.size + 1))
        page = page_of(keyset, request, rows, lambda: loaders.counts.load(listed.source))
        return Connection(page=page, nodes=[listed.node(row) for row in page.rows])


def _size(info: Info, first: int | None, last: int | None) -> int:
    if first is not None and last is not None:
        raise BadUserInput("Give `first` or `last`, not both")
    for name, size in (("first", first), ("last", last)):
        if size is not None and not 1 <= size <= MAX_PAGE:
            raise BadUserInput(f"`{name}` must be from 1 to {MAX_PAGE}, not {size}")
    return first or last or default_page(_level(info.path))
