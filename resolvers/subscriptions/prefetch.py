"""What a page of updates refers to, read once for the page: a loader sees one update at a time."""

from collections.abc import Collection, Iterable
from uuid import UUID

from strawberry.types.nodes import FragmentSpread, InlineFragment, Selection

from models import Customer, Meter
from schema.context import Info


async def asked_customers(info: Info, ids: Collection[UUID]) -> dict[UUID, Customer]:
    """The customers with these ids, if the subscription selects any; else none."""
    if not _selects(info.selected_fields, "customer"):
        return {}
    rows = await info.context.loaders.customer.load_many(list(ids))
    return {row.id: row for row in rows if row is not None}


async def asked_meters(info: Info, ids: Collection[UUID]) -> dict[UUID, Meter]:
    """The meters with these ids, if the subscription selects any; else none."""
    if not _selects(info.selected_fields, "meter"):
        return {}
    rows = await info.context.loaders.meter.load_many(list(ids))
    return {row.id: row for row in rows if row is not None}


def _selects(selections: Iterable[Selection], name: str) -> bool:
    """Whether a field of this name is selected at any depth; once too often does no harm."""
    return any(
        (not isinstance(selection, FragmentSpread | InlineFragment) and selection.name == name)
        or _selects(selection.selections, name)
        for selection in selections
    )
