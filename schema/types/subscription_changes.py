"""What the mutations and the preview about changes of subscriptions answer."""

from datetime import datetime
from decimal import Decimal

import strawberry

from billing.subscriptions.change_preview import ChangePreview
from models import Meter as MeterRow
from schema.context import Info
from schema.errors import AmountTooLarge, UserError, user_errors
from schema.loaders.lines import LineOrigin
from schema.scalars import BigInt, CurrencyCode
from schema.types.invoice import Invoice
from schema.types.invoice_line import InvoiceLine
from schema.types.meter import Meter
from schema.types.subscription import CustomerSubscription


@strawberry.type(description="The changed subscription, or the reason why it was not changed.")
class CustomerSubscriptionChangePayload:
    subscription: CustomerSubscription | None = strawberry.field(
        default=None, description="The subscription."
    )
    invoice: Invoice | None = strawberry.field(
        default=None,
        description="The invoice of an immediate change. Null if there is nothing to invoice.",
    )
    user_errors: list[UserError] = user_errors()


@strawberry.type(
    description="The subscription without a pending change, or the reason why it was not dropped."
)
class CustomerSubscriptionChangeCancelPayload:
    subscription: CustomerSubscription | None = strawberry.field(
        default=None, description="The subscription."
    )
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The resumed subscription, or the reason why it was not resumed.")
class CustomerSubscriptionResumePayload:
    subscription: CustomerSubscription | None = strawberry.field(
        default=None, description="The subscription."
    )
    user_errors: list[UserError] = user_errors()


@strawberry.type(
    description="The subscription with its discount, or the reason why that was not set."
)
class SubscriptionDiscountSetPayload:
    subscription: CustomerSubscription | None = strawberry.field(
        default=None, description="The subscription."
    )
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="Credit on a meter that a change grants or takes back.")
class CreditChange:
    meter: Meter = strawberry.field(description="The meter.")
    units: Decimal = strawberry.field(
        description="The units that are granted, less those that are taken back."
    )


@strawberry.type(
    description="What a change would make at this instant. A change at the period's end is shown "
    "as if there was no usage after this instant."
)
class SubscriptionChangePreview:
    lines: list[InvoiceLine] = strawberry.field(
        description="The lines of the invoice that the change would make."
    )
    total: BigInt = strawberry.field(
        description="The sum of the lines, in minor units. It can be negative."
    )
    currency: CurrencyCode = strawberry.field(description="The currency of all amounts.")
    next_period_end: datetime = strawberry.field(
        description="When the period that the change begins would end."
    )
    credit_changes: list[CreditChange] = strawberry.field(
        description="The credit that the change would grant or take back."
    )

    @classmethod
    async def of(cls, info: Info, preview: ChangePreview) -> "SubscriptionChangePreview":
        if preview.problem is not None:
            raise AmountTooLarge(preview.problem)
        origin = LineOrigin(preview.customer_id, preview.subscription_id)
        lines = [InvoiceLine.of_row(line, origin) for line in preview.lines]
        loaders = info.context.loaders
        return cls(
            lines=lines,
            total=BigInt(sum(line.amount for line in lines)),
            currency=CurrencyCode(preview.currency),
            next_period_end=preview.next_period_end,
            credit_changes=[
                CreditChange(meter=Meter.of(await loaders.existing(MeterRow, key)), units=units)
                for key, units in preview.credit_changes.items()
            ],
        )
