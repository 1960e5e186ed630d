"""CustomerSubscription: a customer's subscription to a product."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from billing.rating.discounts import Discount
from models import Customer as CustomerRow
from models import CustomerSubscription as SubscriptionRow
from models import Product as ProductRow
from schema.billing_enums import SubscriptionStatus
from schema.connections import Listed, connection
from schema.context import Info, Scope
from schema.errors import AmountTooLarge, UserError, user_errors
from schema.ids import Node, encode_id
from schema.loaders.billing_lists import invoices_of_subscription
from schema.permissions import requires
from schema.scalars import BigInt
from schema.types import customer, invoice, product  # which refer back to this module

if TYPE_CHECKING:
    from schema.types.customer import Customer
    from schema.types.invoice import Invoice, UpcomingInvoice
    from schema.types.product import Product


@strawberry.type(
    description="A customer's subscription to a product. Its periods are counted from its start, "
    "or from the end of its trial, in UTC."
)
class CustomerSubscription(Node):
    key: strawberry.Private[UUID]
    customer_key: strawberry.Private[UUID]
    product_key: strawberry.Private[UUID]
    row: strawberry.Private[SubscriptionRow]
    status: SubscriptionStatus = strawberry.field(
        description="Where the subscription is in its life."
    )
    quantity: int = strawberry.field(
        description="How many the customer buys. It multiplies the fixed prices."
    )
    started_at: datetime = strawberry.field(
        description="When the subscription began, or will begin."
    )
    trial_ends_at: datetime | None = strawberry.field(
        description="When the trial ends, or ended. The first paid period begins then. Null if "
        "there is no trial."
    )
    current_period_start: datetime = strawberry.field(
        description="The start of the current period, or of the last one. The fixed prices are "
        "paid for it, and it may consist of several usage periods. A change within a period begins "
        "another one. Before the subscription starts, this is its start."
    )
    current_period_end: datetime = strawberry.field(
        description="The current period, or the last one, ends before this instant. Then the "
        "subscription renews or ends, and a pending change takes effect. Before the subscription "
        "starts, this is its start."
    )
    usage_period_start: datetime = strawberry.field(
        description="The start of the current usage period, or of the last one. Usage is billed "
        "and credit granted by usage periods. If the product has no usageInterval of its own, they "
        "are the periods. Before the subscription starts, this is its start."
    )
    usage_period_end: datetime = strawberry.field(
        description="The current usage period, or the last one, ends before this instant, when its "
        "usage is invoiced. Before the subscription starts, this is its start."
    )
    cancel_at_period_end: bool = strawberry.field(
        description="Whether the subscription ends with its current period."
    )
    ended_at: datetime | None = strawberry.field(
        description="When the subscription ended. Null while it is active."
    )
    invoicing_problem: str | None = strawberry.field(
        description="Why no invoices are issued until the usage is corrected: an amount would "
        "be too large for clients to read exactly. Null if nothing is wrong."
    )

    @strawberry.field(description="What is taken off its invoices. Null if there is no discount.")
    def discount(self) -> "SubscriptionDiscount | None":
        stored = self.row.discount
        if stored is None:
            return None
        return SubscriptionDiscount.of(Discount.from_json(stored), self.row.discount_periods)

    @strawberry.field(description="The customer.")
    async def customer(
        self, info: Info
    ) -> Annotated["Customer", strawberry.lazy("schema.types.customer")]:
        return customer.Customer.of(
            await info.context.loaders.existing(CustomerRow, self.customer_key)
        )

    @strawberry.field(description="The product.")
    async def product(
        self, info: Info
    ) -> Annotated["Product", strawberry.lazy("schema.types.product")]:
        row = await info.context.loaders.existing(ProductRow, self.product_key)
        return product.Product.of(row)

    @strawberry.field(
        description="The change that takes effect when the current period ends. Null if there is "
        "none."
    )
    async def pending_change(self, info: Info) -> "SubscriptionChange | None":
        if self.row.pending_product_id is None or self.row.pending_quantity is None:
            return None
        found = await info.context.loaders.existing(ProductRow, self.row.pending_product_id)
        return SubscriptionChange(
            product=product.Product.of(found),
            quantity=self.row.pending_quantity,
            at=self.row.current_period_end,
        )

    @strawberry.field(
        description="The estimated charges: the next invoice, as if the usage period ended now. "
        "Null if nothing is left to bill. Also null, with the error AMOUNT_TOO_LARGE, if an amount "
        "is too large for clients to read exactly.",
        extensions=[requires(Scope.BILLING_READ, session=True)],
    )
    async def upcoming_invoice(
        self, info: Info
    ) -> Annotated["UpcomingInvoice", strawberry.lazy("schema.types.invoice")] | None:
        estimate = await info.context.loaders.billing.upcoming_invoice.load(self.key)
        if estimate is None:
            return None
        if estimate.problem is not None:
            raise AmountTooLarge(estimate.problem)
        return invoice.UpcomingInvoice.of(estimate)

    @connection(
        Annotated["Invoice", strawberry.lazy("schema.types.invoice")],
        description="The subscription's invoices, oldest first.",
        extensions=[requires(Scope.BILLING_READ, session=True)],
    )
    def invoices(self, info: Info) -> Listed:
        return Listed(
            invoices_of_subscription(info.context.organization_id, self.key), invoice.Invoice.of
        )

    @classmethod
    def of(cls, row: SubscriptionRow) -> "CustomerSubscription":
        return cls(
            id=encode_id("CustomerSubscription", row.id),
            key=row.id,
            customer_key=row.customer_id,
            product_key=row.product_id,
            row=row,
            quantity=row.quantity,
            trial_ends_at=row.trial_ends_at,
            status=SubscriptionStatus(row.status),
            started_at=row.started_at,
            current_period_start=row.current_period_start,
            current_period_end=row.current_period_end,
            usage_period_start=row.usage_period_start,
            usage_period_end=row.usage_period_end,
            cancel_at_period_end=row.cancel_at_period_end,
            ended_at=row.ended_at,
            invoicing_problem=row.invoicing_problem,
        )


@strawberry.type(description="A change of a subscription that is scheduled.")
class SubscriptionChange:
    product: Annotated["Product", strawberry.lazy("schema.types.product")] = strawberry.field(
        description="The product from then on."
    )
    quantity: int = strawberry.field(description="The quantity from then on.")
    at: datetime = strawberry.field(description="When the change takes effect.")


@strawberry.type(description="What is taken off the invoices of a subscription.")
class SubscriptionDiscount:
    percent_off: Decimal | None = strawberry.field(
        description="The percentage. Null for an amount."
    )
    amount_off: BigInt | None = strawberry.field(
        description="The amount that is taken off each invoice, in minor units. Null for a "
        "percentage."
    )
    periods_left: int | None = strawberry.field(
        description="For how many more periods, with the current one. Null if there is no end."
    )

    @classmethod
    def of(cls, discount: Discount, periods: int | None) -> "SubscriptionDiscount":
        amount = discount.amount
        return cls(
            percent_off=discount.percent,
            amount_off=None if amount is None else BigInt(amount),
            periods_left=periods,
        )


@strawberry.type(description="The new subscription, or the reason why it was not created.")
class CustomerSubscriptionCreatePayload:
    subscription: CustomerSubscription | None = strawberry.field(
        default=None, description="The subscription."
    )
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The canceled subscription, or the reason why it was not canceled.")
class CustomerSubscriptionCancelPayload:
    subscription: CustomerSubscription | None = strawberry.field(
        default=None, description="The subscription."
    )
    user_errors: list[UserError] = user_errors()
