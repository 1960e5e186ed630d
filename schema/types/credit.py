"""CreditEntry: a line of a customer's credit ledger."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from models import Benefit as BenefitRow
from models import CreditEntry as CreditEntryRow
from models import Customer as CustomerRow
from models import Meter as MeterRow
from schema.billing_enums import EntryKind
from schema.context import Info
from schema.ids import Node, encode_id
from schema.types import customer, meter, product  # which refer back to this module

if TYPE_CHECKING:
    from schema.types.customer import Customer
    from schema.types.meter import Meter
    from schema.types.product import MeterCreditBenefit


@strawberry.type(
    description="An entry of a customer's credit ledger for one meter. Entries never change. "
    "They add up to the credit of the current period."
)
class CreditEntry(Node):
    customer_key: strawberry.Private[UUID]
    meter_key: strawberry.Private[UUID]
    benefit_key: strawberry.Private[UUID | None]
    kind: EntryKind = strawberry.field(description="Why the units were credited or debited.")
    units: Decimal = strawberry.field(
        description="The number of the meter's units. Negative for a debit."
    )
    reason: str | None = strawberry.field(
        description="The reason that was given with a MANUAL entry."
    )
    created_at: datetime = strawberry.field(description="When the entry was made.")

    @strawberry.field(description="The customer whose credit it is.")
    async def customer(
        self, info: Info
    ) -> Annotated["Customer", strawberry.lazy("schema.types.customer")]:
        row = await info.context.loaders.existing(CustomerRow, self.customer_key)
        return customer.Customer.of(row)

    @strawberry.field(description="The meter whose units they are.")
    async def meter(self, info: Info) -> Annotated["Meter", strawberry.lazy("schema.types.meter")]:
        return meter.Meter.of(await info.context.loaders.existing(MeterRow, self.meter_key))

    @strawberry.field(
        description="The benefit that granted the units. Null unless the entry is a GRANT."
    )
    async def benefit(
        self, info: Info
    ) -> Annotated["MeterCreditBenefit", strawberry.lazy("schema.types.product")] | None:
        if self.benefit_key is None:
            return None
        row = await info.context.loaders.existing(BenefitRow, self.benefit_key)
        return product.MeterCreditBenefit.of(row)

    @classmethod
    def of(cls, row: CreditEntryRow) -> "CreditEntry":
        return cls(
            id=encode_id("CreditEntry", row.id),
            customer_key=row.customer_id,
            meter_key=row.meter_id,
            benefit_key=row.benefit_id,
            kind=EntryKind(row.kind),
            units=row.units,
            reason=row.reason,
            created_at=row.created_at,
        )
