"""usageUpdated: the state of usage, and then every change of it."""

import contextlib
from collections.abc import AsyncGenerator
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import strawberry

from metering.live.change_feed import BEGINNING, Entry
from metering.live.changes import UsageSelection
from models import CustomerMeter as CustomerMeterRow
from resolvers.subscriptions.cursors import decode_cursor, encode_cursor
from resolvers.subscriptions.prefetch import Referred
from schema.context import Context, Info, Scope
from schema.customers import customer_asked_for
from schema.errors import NotFound
from schema.ids import decode_id
from schema.permissions import requires
from schema.types.customer_meter import CustomerMeter
from schema.updates import Update


@strawberry.type(
    description="Usage of one customer on one meter, as it stands. Send `cursor` back as `after`"
    " to resume without a gap."
)
class UsageUpdate:
    customer_meter: CustomerMeter = strawberry.field(description="The usage as it stands.")
    cursor: str = strawberry.field(
        description="The place of this update in the order of changes, to be sent as `after`."
    )


@strawberry.type
class UsageSubscriptions:
    @strawberry.subscription(
        description="First the current state (of everything asked for, or of what changed since"
        " `after`), then every change. Changes that follow each other closely may come as one.",
        extensions=[requires(Scope.USAGE_READ, session=True)],
    )
    async def usage_updated(
        self,
        info: Info,
        customer_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only of this customer.")
        ] = None,
        external_customer_id: Annotated[
            str | None,
            strawberry.argument(description="Only of the customer with this id of the caller's."),
        ] = None,
        meter_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only on this meter.")
        ] = None,
        after: Annotated[
            str | None,
            strawberry.argument(description="The cursor of the last update that was seen."),
        ] = None,
    ) -> AsyncGenerator[UsageUpdate, None]:
        context = info.context
        cursor = BEGINNING if after is None else decode_cursor(after)
        selection = UsageSelection(
            await customer_asked_for(context, customer_id, external_customer_id),
            await _meter_asked_for(context, meter_id),
        )
        changes = context.services.feeds.usage(context.organization_id, cursor, selection)
        async with contextlib.aclosing(changes):
            async for page in changes:
                rows = [change.row for change in page]
                referred = Referred(
                    info, {row.customer_id for row in rows}, {row.meter_id for row in rows}
                )
                for change in page:
                    await context.turn()
                    update: Any = Update(change.cursor, partial(_update, info, change, referred))
                    yield update  # of which the executor makes a UsageUpdate


async def _update(info: Info, change: Entry[CustomerMeterRow], referred: Referred) -> UsageUpdate:
    info.context.forget_loaded()
    customers, meters = await referred.read()
    row = change.row
    return UsageUpdate(
        customer_meter=CustomerMeter.of(
            row, customers.get(row.customer_id), meters.get(row.meter_id)
        ),
        cursor=encode_cursor(change.cursor),
    )


async def _meter_asked_for(context: Context, meter_id: str | None) -> UUID | None:
    """The meter that the argument names; None where it names none. Raises NotFound."""
    if meter_id is None:
        return None
    key = decode_id(meter_id, "Meter")
    row = await context.loaders.meter.load(key) if key else None
    if row is None:
        raise NotFound("There is no meter with this meterId")
    return row.id
