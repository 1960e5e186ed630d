"""Revenue: what was invoiced over time, and what the next invoices would come to."""

from datetime import datetime

import strawberry

from schema.context import Info
from schema.scalars import BigInt, CurrencyCode


@strawberry.type(description="What was invoiced in one interval.")
class RevenuePoint:
    start: datetime = strawberry.field(description="The start of the interval.")
    end: datetime = strawberry.field(description="The end of the interval, exclusive.")
    amount: BigInt = strawberry.field(
        description="The sum of the invoices that were issued in it, before balances were used, "
        "less credit notes that were issued and invoices that were voided in it. In minor units."
    )


@strawberry.type(description="What an organization invoices in one currency.")
class Revenue:
    points: list[RevenuePoint] = strawberry.field(
        description="One point for each interval that overlaps [start, end). The first and the "
        "last are cut off at the ends of the range."
    )
    total: BigInt = strawberry.field(description="The sum of the points, in minor units.")
    currency: CurrencyCode = strawberry.field(description="The currency of all amounts.")

    @strawberry.field(
        description="The total of the next invoices of all active subscriptions if their periods"
        " ended now, before balances are used, in minor units. Drafts are neither in here nor in "
        "`points`. Estimated at most once a minute."
    )
    async def upcoming(self, info: Info) -> BigInt:
        context = info.context
        found = await context.services.upcoming.of(context.organization_id, context.scan_place())
        return BigInt(found.totals.get(self.currency, 0))

    @strawberry.field(
        description="Every event that was stored before this instant is included in `upcoming`."
    )
    async def upcoming_complete_through(self, info: Info) -> datetime:
        context = info.context
        found = await context.services.upcoming.of(context.organization_id, context.scan_place())
        return found.through
