"""CreditGrant: units that a customer may use on a meter, and what remains of them."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from billing.periods.grant_usage import GrantUsage
from models import Benefit as BenefitRow
from models import CreditGrant as CreditGrantRow
from models import Customer as CustomerRow
from models import Invoice as InvoiceRow
from models import Meter as MeterRow
from schema.context import Info
from schema.errors import UserError, user_errors
from schema.ids import Node, encode_id
from schema.ranges import size_of_list
from schema.types import customer, invoice, meter, product  # which refer back to this module

if TYPE_CHECKING:
    from schema.types.customer import Customer
    from schema.types.invoice import Invoice
    from schema.types.meter import Meter
    from schema.types.product import MeterCreditBenefit


_PERIODS = 12  # of a grant, unless `first` says how many


@strawberry.type(description="What usage of a period has used of a grant.")
class CreditGrantUsage:
    invoice_key: strawberry.Private[UUID | None]
    period_start: datetime = strawberry.field(description="The start of the usage period.")
    period_end: datetime | None = strawberry.field(
        description="The usage period ends before this instant. Null after a subscription has "
        "ended, until the next one begins."
    )
    units: Decimal = strawberry.field(
        description="The units that were used. Late usage changes them as if it had come in time."
    )

    @strawberry.field(
        description="The invoice of the period. Null until it is made, and if there is none."
    )
    async def invoice(
        self, info: Info
    ) -> Annotated["Invoice", strawberry.lazy("schema.types.invoice")] | None:
        if self.invoice_key is None:
            return None
        return invoice.Invoice.of(await info.context.loaders.existing(InvoiceRow, self.invoice_key))

    @classmethod
    def of(cls, used: GrantUsage) -> "CreditGrantUsage":
        return cls(
            invoice_key=used.invoice_id,
            period_start=used.start,
            period_end=used.end,
            units=used.units,
        )


@strawberry.type(
    description="Units that a customer may use on a meter for a time. Usage is paid from grants "
    "that are active when it happens: by priority, then the sooner expiresAt, then the older one."
)
class CreditGrant(Node):
    row: strawberry.Private[CreditGrantRow]
    units: Decimal = strawberry.field(description="The number of the meter's units.")
    priority: int = strawberry.field(description="Lower ones are used first.")
    effective_at: datetime = strawberry.field(
        description="Usage from this instant on can use the grant."
    )
    rolls_over: bool = strawberry.field(
        description="Whether it outlasts the usage period. If not, it ends with it."
    )
    reason: str | None = strawberry.field(
        description="The reason of a credit by hand. Null for the grant of a benefit."
    )
    created_at: datetime = strawberry.field(description="When it was granted.")
    voided_at: datetime | None = strawberry.field(
        description="When what remained was voided. Null if it was not."
    )
    void_reason: str | None = strawberry.field(description="The reason of voiding it.")

    @strawberry.field(
        description="The units that can still be used, now or from effectiveAt on. Late usage "
        "lowers it as if it had come in time."
    )
    async def remaining(self, info: Info) -> Decimal:
        key = (self.row.customer_id, self.row.meter_id)
        credit = await info.context.loaders.billing.credit.load(key)
        return Decimal(0) if credit is None else credit.remaining.get(self.row.id, Decimal(0))

    @strawberry.field(
        description="The usage periods whose usage was paid from the grant, the latest first. The "
        "units of all of them and remaining are the units granted, as far as none expired, were "
        "debited, or taken back."
    )
    async def usage(
        self,
        info: Info,
        first: Annotated[
            int | None,
            strawberry.argument(description="How many periods to return: 1 to 100, by default 12."),
        ] = None,
    ) -> list[CreditGrantUsage]:
        key = (self.row.customer_id, self.row.meter_id)
        asked = (self.row.id, key, size_of_list(first, _PERIODS))
        used = await info.context.loaders.billing.usage_of_grant.load(asked)
        return [CreditGrantUsage.of(one) for one in used]

    @strawberry.field(
        description="Usage before this instant can use the grant. Null if it never expires, or "
        "ends with a time that has no end yet."
    )
    async def expires_at(self, info: Info) -> datetime | None:
        if self.row.expires_at is not None or self.row.is_rolling:
            return self.row.expires_at
        return await info.context.loaders.billing.end_of_grant.load(self.row.id)

    @strawberry.field(description="The benefit that granted it. Null for a credit by hand.")
    async def benefit(
        self, info: Info
    ) -> Annotated["MeterCreditBenefit", strawberry.lazy("schema.types.product")] | None:
        if self.row.benefit_id is None:
            return None
        row = await info.context.loaders.existing(BenefitRow, self.row.benefit_id)
        return product.MeterCreditBenefit.of(row)

    @strawberry.field(description="The customer whose credit it is.")
    async def customer(
        self, info: Info
    ) -> Annotated["Customer", strawberry.lazy("schema.types.customer")]:
        row = await info.context.loaders.existing(CustomerRow, self.row.customer_id)
        return customer.Customer.of(row)

    @strawberry.field(description="The meter whose units they are.")
    async def meter(self, info: Info) -> Annotated["Meter", strawberry.lazy("schema.types.meter")]:
        return meter.Meter.of(await info.context.loaders.existing(MeterRow, self.row.meter_id))

    @classmethod
    def of(cls, row: CreditGrantRow) -> "CreditGrant":
        return cls(
            id=encode_id("CreditGrant", row.id),
            row=row,
            units=row.units,
            priority=row.priority,
            effective_at=row.effective_at or row.created_at,
            rolls_over=row.is_rolling,
            reason=row.reason,
            created_at=row.created_at,
            voided_at=row.voided_at,
            void_reason=row.void_reason,
        )


@strawberry.type(description="The voided grant, or the reason why it was not voided.")
class CreditGrantVoidPayload:
    grant: CreditGrant | None = strawberry.field(default=None, description="The grant.")
    user_errors: list[UserError] = user_errors()
