"""Invoice, its lines, and the upcoming invoice."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from billing.invoicing.estimates import Estimate
from billing.rating.lines import Line
from models import Customer as CustomerRow
from models import CustomerSubscription as CustomerSubscriptionRow
from models import Invoice as InvoiceRow
from models import InvoiceLine as InvoiceLineRow
from models import ProductPrice as ProductPriceRow
from schema.billing_enums import LineKind
from schema.context import Info
from schema.ids import Node, encode_id
from schema.scalars import BigInt, CurrencyCode
from schema.types import customer, product, subscription  # which refer back to this module

if TYPE_CHECKING:
    from schema.types.customer import Customer
    from schema.types.product import ProductPrice
    from schema.types.subscription import CustomerSubscription


@strawberry.type(description="A line of an invoice.")
class InvoiceLine:
    price_key: strawberry.Private[UUID]
    kind: LineKind = strawberry.field(description="The kind of charge.")
    description: str = strawberry.field(description="What the line charges for, in words.")
    period_start: datetime = strawberry.field(description="The start of the period.")
    period_end: datetime = strawberry.field(description="The end of the period, exclusive.")
    consumed_units: Decimal | None = strawberry.field(
        description="Usage in the meter's units. For a CORRECTION, the difference from the "
        "usage that was billed. Only for METERED and CORRECTION."
    )
    credited_units: Decimal | None = strawberry.field(
        description="Credit that was applied to the usage, in units. For a CORRECTION, the "
        "difference."
    )
    billable_units: Decimal | None = strawberry.field(
        description="The units that are charged. For a CORRECTION, the difference."
    )
    amount: BigInt = strawberry.field(
        description="The amount in minor units. Negative if a CORRECTION gives money back."
    )

    @strawberry.field(description="The price that the line charges.")
    async def price(
        self, info: Info
    ) -> Annotated["ProductPrice", strawberry.lazy("schema.types.product")]:
        return product.ProductPrice.of(
            await info.context.loaders.existing(ProductPriceRow, self.price_key)
        )

    @classmethod
    def of_row(cls, row: InvoiceLineRow) -> "InvoiceLine":
        return cls(
            price_key=row.product_price_id,
            kind=LineKind(row.kind),
            description=row.description,
            period_start=row.period_start,
            period_end=row.period_end,
            consumed_units=row.consumed,
            credited_units=row.credited,
            billable_units=row.billable,
            amount=BigInt(int(row.amount)),
        )

    @classmethod
    def of_estimate(cls, line: Line) -> "InvoiceLine":
        """Makes a line of an upcoming invoice."""
        rating = line.rating
        return cls(
            price_key=line.price_id,
            kind=line.kind,
            description=line.description,
            period_start=line.period.start,
            period_end=line.period.end,
            consumed_units=None if rating is None else rating.consumed,
            credited_units=None if rating is None else rating.credited,
            billable_units=None if rating is None else rating.billable,
            amount=BigInt(line.amount),
        )


@strawberry.type(description="An invoice. It never changes.")
class Invoice(Node):
    key: strawberry.Private[UUID]
    customer_key: strawberry.Private[UUID]
    subscription_key: strawberry.Private[UUID]
    number: str = strawberry.field(
        description="The invoice's number. An organization's invoices are numbered without gaps."
    )
    currency: CurrencyCode = strawberry.field(description="The currency of all amounts.")
    total: BigInt = strawberry.field(description="The sum of the lines, in minor units.")
    issued_at: datetime = strawberry.field(description="When the invoice was issued.")

    @strawberry.field(description="The invoice's lines.")
    async def lines(self, info: Info) -> list[InvoiceLine]:
        rows = await info.context.loaders.billing.lines_of_invoice.load(self.key)
        return [InvoiceLine.of_row(row) for row in rows]

    @strawberry.field(description="The customer.")
    async def customer(
        self, info: Info
    ) -> Annotated["Customer", strawberry.lazy("schema.types.customer")]:
        return customer.Customer.of(
            await info.context.loaders.existing(CustomerRow, self.customer_key)
        )

    @strawberry.field(description="The subscription that the invoice bills.")
    async def subscription(
        self, info: Info
    ) -> Annotated["CustomerSubscription", strawberry.lazy("schema.types.subscription")]:
        row = await info.context.loaders.existing(CustomerSubscriptionRow, self.subscription_key)
        return subscription.CustomerSubscription.of(row)

    @classmethod
    def of(cls, row: InvoiceRow) -> "Invoice":
        return cls(
            id=encode_id("Invoice", row.id),
            key=row.id,
            customer_key=row.customer_id,
            subscription_key=row.subscription_id,
            number=f"{row.sequence:06}",
            currency=CurrencyCode(row.currency),
            total=BigInt(int(row.total)),
            issued_at=row.issued_at,
        )


@strawberry.type(description="The next invoice of a subscription, as if the period ended now.")
class UpcomingInvoice:
    currency: CurrencyCode = strawberry.field(description="The currency of all amounts.")
    lines: list[InvoiceLine] = strawberry.field(description="The invoice's lines.")
    total: BigInt = strawberry.field(description="The sum of the lines, in minor units.")
    complete_through: datetime = strawberry.field(
        description="Every event that was stored before this instant is included."
    )

    @classmethod
    def of(cls, estimate: Estimate) -> "UpcomingInvoice":
        return cls(
            currency=CurrencyCode(estimate.currency),
            complete_through=estimate.complete_through,
            lines=[InvoiceLine.of_estimate(line) for line in estimate.lines],
            total=BigInt(estimate.total),
        )
