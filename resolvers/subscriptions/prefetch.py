"""What a page of updates refers to, read once for the page: a loader sees one update at a time."""

from collections.abc import Collection
from uuid import UUID

from models import Customer, Meter
from schema.context import Info
from schema.selections import selects


async def asked_customers(info: Info, ids: Collection[UUID]) -> dict[UUID, Customer]:
    """The customers with these ids, if the subscription selects any; else none."""
    if not selects(info, "customer"):
        return {}
    rows = await info.context.loaders.customer.load_many(list(ids))
    return {row.id: row for row in rows if row is not None}


async def asked_meters(info: Info, ids: Collection[UUID]) -> dict[UUID, Meter]:
    """The meters with these ids, if the subscription selects any; else none."""
    if not selects(info, "meter"):
        return {}
    rows = await info.context.loaders.meter.load_many(list(ids))
    return {row.id: row for row in rows if row is not None}
