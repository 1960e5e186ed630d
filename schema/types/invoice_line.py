"""InvoiceLine: what an invoice charges for."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from billing.catalog.prices import stored_tariff
from billing.rating.lines import Line
from models import InvoiceLine as InvoiceLineRow
from models import ProductPrice as ProductPriceRow
from schema.billing_enums import LineKind
from schema.context import Info
from schema.scalars import BigInt
from schema.types import price  # which refers back to the types of invoices

if TYPE_CHECKING:
    from schema.types.price import DimensionRate, ProductPrice


@strawberry.type(description="A line of an invoice.")
class InvoiceLine:
    price_key: strawberry.Private[UUID]
    rate_number: strawberry.Private[int | None]
    kind: LineKind = strawberry.field(description="The kind of charge.")
    description: str = strawberry.field(description="What the line charges for, in words.")
    period_start: datetime = strawberry.field(description="The start of the period.")
    period_end: datetime = strawberry.field(description="The end of the period, exclusive.")
    consumed_units: Decimal | None = strawberry.field(
        description="Usage in the meter's units. For a CORRECTION, the difference from the "
        "usage that was billed. Only for METERED and CORRECTION of usage."
    )
    credited_units: Decimal | None = strawberry.field(
        description="Credit that was applied to the usage, in units. For a CORRECTION, the "
        "difference."
    )
    billable_units: Decimal | None = strawberry.field(
        description="The units that are charged. For a CORRECTION, the difference."
    )
    converted_units: Decimal | None = strawberry.field(
        description="The charged units as the price's `conversion` makes them, which are priced. "
        "For a CORRECTION, the difference. Null if the price has none."
    )
    amount: BigInt = strawberry.field(
        description="The amount in minor units. Negative if a CORRECTION gives money back, a "
        "DISCOUNT is taken off, or a BALANCE is used."
    )

    @strawberry.field(
        description="The rate of the price by which it charges units. Null for units that match "
        "none, and if the price has none."
    )
    async def rate(
        self, info: Info
    ) -> Annotated["DimensionRate", strawberry.lazy("schema.types.price")] | None:
        if self.rate_number is None:
            return None
        row = await info.context.loaders.existing(ProductPriceRow, self.price_key)
        return price.DimensionRate.of(stored_tariff(row).scheme.rates[self.rate_number])

    @strawberry.field(
        description="The price that the line charges. A BALANCE and a DISCOUNT are about the whole "
        "invoice; they have the price of the first line. A MINIMUM has the first metered price."
    )
    async def price(
        self, info: Info
    ) -> Annotated["ProductPrice", strawberry.lazy("schema.types.price")]:
        return price.ProductPrice.of(
            await info.context.loaders.existing(ProductPriceRow, self.price_key)
        )

    @classmethod
    def of_row(cls, row: InvoiceLineRow) -> "InvoiceLine":
        return cls(
            price_key=row.product_price_id,
            rate_number=row.rate,
            kind=LineKind(row.kind),
            description=row.description,
            period_start=row.period_start,
            period_end=row.period_end,
            consumed_units=row.consumed,
            credited_units=row.credited,
            billable_units=row.billable,
            converted_units=row.converted,
            amount=BigInt(int(row.amount)),
        )

    @classmethod
    def of_estimate(cls, line: Line) -> "InvoiceLine":
        """Makes a line of an upcoming invoice."""
        rating = line.rating
        return cls(
            price_key=line.price_id,
            rate_number=line.rate,
            kind=line.kind,
            description=line.description,
            period_start=line.period.start,
            period_end=line.period.end,
            consumed_units=None if rating is None else rating.consumed,
            credited_units=None if rating is None else rating.credited,
            billable_units=None if rating is None else rating.billable,
            converted_units=line.converted,
            amount=BigInt(line.amount),
        )
