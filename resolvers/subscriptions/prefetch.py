"""What a page of updates refers to, read once for the page: a loader sees one update at a time."""

import asyncio
from collections.abc import Collection
from uuid import UUID

from models import Customer, Meter
from schema.context import Info
from schema.selections import selects


class Referred:
    """The customers and meters of a page; read when an update is made that nobody has made yet.

    Args:
        info: of the subscription, which may select neither.
        customers: the ids of the customers.
        meters: the ids of the meters.
    """

    def __init__(self, info: Info, customers: Collection[UUID], meters: Collection[UUID]) -> None:
        self._info = info
        self._ids = (customers, meters)
        self._reading: asyncio.Future[tuple[dict[UUID, Customer], dict[UUID, Meter]]] | None = None

    async def read(self) -> tuple[dict[UUID, Customer], dict[UUID, Meter]]:
        """The customers and the meters by id, as far as the subscription selects any."""
        if self._reading is None:
            self._reading = asyncio.ensure_future(self._read())
        return await asyncio.shield(self._reading)

    async def _read(self) -> tuple[dict[UUID, Customer], dict[UUID, Meter]]:
        customers, meters = self._ids
        loaders = self._info.context.loaders
        found = await loaders.customer.load_many(customers) if self._selects("customer") else []
        used = await loaders.meter.load_many(meters) if self._selects("meter") else []
        return (
            {row.id: row for row in found if row is not None},
            {row.id: row for row in used if row is not None},
        )

    def _selects(self, name: str) -> bool:
        return selects(self._info, name)
