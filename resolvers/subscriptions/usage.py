"""Subscription usageUpdated: the current usage, and then every change."""

import asyncio
from collections.abc import AsyncGenerator, Collection
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import strawberry

from metering.live.change_feed import BEGINNING, Entry
from metering.live.changes import UsageSelection
from models import Customer, Meter
from models import CustomerMeter as CustomerMeterRow
from resolvers.subscriptions.cursors import cursor_asked_for, encode_cursor, pages_of
from schema.context import Context, Info, Scope
from schema.customers import customer_asked_for
from schema.errors import NotFound
from schema.ids import decode_id
from schema.permissions import requires
from schema.selections import selects
from schema.types.customer_meter import CustomerMeter
from schema.updates import Update


@strawberry.type(
    description="The current usage of one customer on one meter. After a lost connection, send "
    "the last `cursor` as `after` to miss nothing."
)
class UsageUpdate:
    customer_meter: CustomerMeter = strawberry.field(description="The current usage and balance.")
    cursor: str = strawberry.field(description="The cursor of this update, for `after`.")


class _Referred:
    """A page's customers and meters, loaded when the first update of the page is made.

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
        """Loads the customers and the meters, by id, if the subscription selects them."""
        if self._reading is None:
            self._reading = asyncio.ensure_future(self._read())
        return await asyncio.shield(self._reading)

    async def _read(self) -> tuple[dict[UUID, Customer], dict[UUID, Meter]]:
        customers, meters = self._ids
        loaders = self._info.context.loaders
        found = (
            await loaders.by_id(Customer).load_many(customers)
            if selects(self._info, "customer")
            else []
        )
        used = await loaders.by_id(Meter).load_many(meters) if selects(self._info, "meter") else []
        return (
            {row.id: row for row in found if row is not None},
            {row.id: row for row in used if row is not None},
        )


@strawberry.type
class UsageSubscriptions:
    @strawberry.subscription(
        description="Usage as it changes. Sends the current state first, or with `after` "
        "everything that has changed since, and then every change. Changes in quick "
        "succession may arrive as one.",
        extensions=[requires(Scope.USAGE_READ, session=True)],
    )
    async def usage_updated(
        self,
        info: Info,
        customer_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(
                description="Limits the stream to the customer with this id in Metergraph."
            ),
        ] = None,
        external_customer_id: Annotated[
            str | None,
            strawberry.argument(
                description="Limits the stream to the customer with this id of yours."
            ),
        ] = None,
        meter_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Limits the stream to this meter."),
        ] = None,
        after: Annotated[
            str | None,
            strawberry.argument(
                description="The cursor of the last update that you have received."
            ),
        ] = None,
    ) -> AsyncGenerator[UsageUpdate, None]:
        context = info.context
        cursor = (
            BEGINNING
            if after is None
            else await cursor_asked_for(context, after, "usageUpdated", "revision")
        )
        selection = UsageSelection(
            await customer_asked_for(context, customer_id, external_customer_id),
            await _meter_asked_for(context, meter_id),
        )
        changes = context.services.feeds.usage(context.organization_id, cursor, selection)
        async with pages_of(changes) as pages:
            async for page in pages:
                rows = [change.row for change in page]
                referred = _Referred(
                    info, {row.customer_id for row in rows}, {row.meter_id for row in rows}
                )
                for change in page:
                    await context.turn()
                    update: Any = Update(change.cursor, partial(_update, info, change, referred))
                    yield update  # the executor makes a UsageUpdate of it


async def _update(info: Info, change: Entry[CustomerMeterRow], referred: _Referred) -> UsageUpdate:
    info.context.forget_loaded()
    customers, meters = await referred.read()
    row = change.row
    return UsageUpdate(
        customer_meter=CustomerMeter.of(
            row, customers.get(row.customer_id), meters.get(row.meter_id)
        ),
        cursor=await encode_cursor(info.context, change.cursor),
    )


async def _meter_asked_for(context: Context, meter_id: str | None) -> UUID | None:
    """Returns the meter that the argument names; None without an argument. Raises NotFound."""
    if meter_id is None:
        return None
    key = decode_id(meter_id, "Meter")
    row = await context.loaders.by_id(Meter).load(key) if key else None
    if row is None:
        raise NotFound("There is no meter with this meterId")
    return row.id
