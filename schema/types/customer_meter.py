"""CustomerMeter: a customer's usage and balance on a meter in the current period."""

from datetime import datetime
from decimal import Context as Arithmetic
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from models import Customer as CustomerRow
from models import CustomerMeter as CustomerMeterRow
from models import Meter as MeterRow
from schema.connections import Listed, connection
from schema.context import Info, Scope
from schema.errors import UserError, user_errors
from schema.ids import Node, encode_id
from schema.loaders.billing_lists import credit_entries_source, grants_source
from schema.permissions import requires
from schema.types import credit, credit_grant, customer, meter  # which refer back to this module

if TYPE_CHECKING:
    from schema.types.credit import CreditEntry
    from schema.types.credit_grant import CreditGrant
    from schema.types.customer import Customer
    from schema.types.meter import Meter

_EXACT = Arithmetic(prec=1000)  # Python's own rounds to 28 digits


@strawberry.type(
    description="A customer's usage and balance on a meter, for the period from periodStart to "
    "periodEnd. It is the usage period of the subscription that prices or credits the meter. "
    "After that subscription has ended, the period begins at its end and has no periodEnd. "
    "Before the first such subscription, it covers all time and has neither."
)
class CustomerMeter(Node):
    key: strawberry.Private[UUID]
    customer_key: strawberry.Private[UUID]
    meter_key: strawberry.Private[UUID]
    counted_position: strawberry.Private[int | None]
    customer_row: strawberry.Private[CustomerRow | None] = None
    meter_row: strawberry.Private[MeterRow | None] = None
    period_start: datetime | None = strawberry.field(
        description="When the period began. Null before the first subscription: all usage counts."
    )
    period_end: datetime | None = strawberry.field(
        description="The period ends before this instant. Null if no subscription is active."
    )
    consumed_units: Decimal = strawberry.field(
        description="The customer's usage in the period, in the meter's units. Without a "
        "periodStart, it is never billed and uses no credit. TIME_WEIGHTED is counted until the "
        "customer's latest event; the invoice counts until the end of the period."
    )
    credited_units: Decimal = strawberry.field(
        description="Credit in the period, in the meter's units: carried over, granted and "
        "credited manually. If a grant begins or ends within the period, it is what was used "
        "before, and what can be used since."
    )
    updated_at: datetime = strawberry.field(description="When one of these numbers last changed.")

    @strawberry.field(
        description="creditedUnits - consumedUnits. A negative balance is usage that no credit "
        "covers. The subscription's price charges for it; without a periodEnd, nothing "
        "does."
    )
    def balance(self) -> Decimal:
        return _EXACT.subtract(self.credited_units, self.consumed_units)

    @strawberry.field(
        description="Every event that was stored before this instant is included in consumedUnits."
    )
    async def complete_through(self, info: Info) -> datetime:
        if self.counted_position is None:
            raise LookupError("the position was not read along with the row")
        return await info.context.loaders.complete_through.load(self.counted_position)

    @strawberry.field(description="The customer.")
    async def customer(
        self, info: Info
    ) -> Annotated["Customer", strawberry.lazy("schema.types.customer")]:
        row = self.customer_row
        if row is None:
            row = await info.context.loaders.existing(CustomerRow, self.customer_key)
        return customer.Customer.of(row)

    @strawberry.field(description="The meter.")
    async def meter(self, info: Info) -> Annotated["Meter", strawberry.lazy("schema.types.meter")]:
        row = self.meter_row
        if row is None:
            row = await info.context.loaders.existing(MeterRow, self.meter_key)
        return meter.Meter.of(row)

    @connection(
        Annotated["CreditEntry", strawberry.lazy("schema.types.credit")],
        description="The credit ledger for this meter, oldest entry first. The entries add up "
        "to creditedUnits.",
        extensions=[requires(Scope.BILLING_READ, session=True)],
    )
    def credit_entries(self, info: Info) -> Listed:
        return Listed(
            credit_entries_source(info.context.organization_id, self.customer_key, self.meter_key),
            credit.CreditEntry.of,
        )

    @connection(
        Annotated["CreditGrant", strawberry.lazy("schema.types.credit_grant")],
        description="The credit that the customer was granted on this meter, oldest first. With "
        "activeAt, only what usage at that instant can use.",
        extensions=[requires(Scope.BILLING_READ, session=True)],
    )
    def grants(
        self,
        info: Info,
        active_at: Annotated[
            datetime | None,
            strawberry.argument(description="Return only grants that are active at this instant."),
        ] = None,
    ) -> Listed:
        return Listed(
            grants_source(
                info.context.organization_id, self.customer_key, self.meter_key, active_at
            ),
            credit_grant.CreditGrant.of,
        )

    @classmethod
    def of(
        cls,
        row: CustomerMeterRow,
        customer_row: CustomerRow | None = None,
        meter_row: MeterRow | None = None,
    ) -> "CustomerMeter":
        return cls(
            id=encode_id("CustomerMeter", row.id),
            key=row.id,
            customer_key=row.customer_id,
            meter_key=row.meter_id,
            counted_position=row.counted_position,
            customer_row=customer_row,
            meter_row=meter_row,
            period_start=row.period_start,
            period_end=row.period_end,
            consumed_units=row.consumed,
            credited_units=row.credited,
            updated_at=row.updated_at,
        )


@strawberry.type(
    description="Usage and balance after the credit, or the reason why nothing was credited."
)
class CustomerMeterCreditPayload:
    customer_meter: CustomerMeter | None = strawberry.field(
        default=None, description="Usage and balance on the meter."
    )
    user_errors: list[UserError] = user_errors()
