"""usageUpdated: the state of usage, and then every change of it."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Annotated
from uuid import UUID

import strawberry

from metering.feed import BEGINNING
from metering.feeds import UsageScope
from resolvers.subscriptions.cursors import decode_cursor, encode_cursor
from resolvers.subscriptions.prefetch import asked_customers, asked_meters
from schema.context import Context, Info, Scope
from schema.customers import customer_asked_for
from schema.errors import NotFound
from schema.ids import decode_id
from schema.permissions import requires
from schema.types.customer_meter import CustomerMeter


@strawberry.type(
    description="Usage of one customer on one meter, as it stands. Send `cursor` back as `after`"
    " to resume without a gap."
)
class UsageUpdate:
    """A customer meter as it was after a change."""

    customer_meter: CustomerMeter = strawberry.field(description="The usage as it stands.")
    cursor: str = strawberry.field(
        description="The place of this update in the order of changes, to be sent as `after`."
    )


@strawberry.type
class UsageSubscriptions:
    """The subscriptions about usage."""

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
        """Follows the customer meters in the scope of the arguments."""
        context = info.context
        cursor = BEGINNING if after is None else decode_cursor(after)
        scope = UsageScope(
            await customer_asked_for(context, customer_id, external_customer_id),
            await _meter_asked_for(context, meter_id),
        )
        changes = context.services.feeds.usage(context.organization_id, cursor, scope)
        async with contextlib.aclosing(changes):
            async for page in changes:
                context.forget_loaded()
                rows = [change.row for change in page]
                customers = await asked_customers(info, {row.customer_id for row in rows})
                meters = await asked_meters(info, {row.meter_id for row in rows})
                for change in page:
                    await asyncio.sleep(0)  # a page must not hold up the other followers
                    context.forget_loaded()
                    yield UsageUpdate(
                        customer_meter=CustomerMeter.of(
                            change.row,
                            customers.get(change.row.customer_id),
                            meters.get(change.row.meter_id),
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
