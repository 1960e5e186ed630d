"""Inputs of the mutations about subscriptions and credits."""

from datetime import datetime
from decimal import Decimal

import strawberry

from billing.periods.grants import DEFAULT_PRIORITY
from schema.billing_enums import CancelWhen
from schema.inputs.idempotency import idempotency_key
from schema.scalars import BigInt


@strawberry.input(
    description="A new subscription. Give exactly one of customerId and externalCustomerId."
)
class CustomerSubscriptionCreateInput:
    customer_id: strawberry.ID | None = strawberry.field(
        default=None, description="The customer's id in Metergraph."
    )
    external_customer_id: str | None = strawberry.field(
        default=None, description="Your own id for the customer."
    )
    product_id: strawberry.ID = strawberry.field(
        description="The id of the product to subscribe to."
    )
    started_at: datetime | None = strawberry.field(
        default=None,
        description="When the subscription begins: at most a year ahead. By default, now. To "
        "import a running subscription, give an instant in the past; past periods are not "
        "invoiced.",
    )
    quantity: int | None = strawberry.field(
        default=1,
        description="How many the customer buys, such as seats: 1 to 1,000,000. It multiplies the "
        "fixed prices, and the units of benefits with perQuantity.",
    )
    trial_ends_at: datetime | None = strawberry.field(
        default=None,
        description="When the trial ends: at most 730 days after the start. By default, the "
        "product's trialDays after the start. An instant at or before the start means that there "
        "is no trial.",
    )
    trial_days: int | None = strawberry.field(
        default=None,
        description="How many days the trial lasts, instead of trialEndsAt: 0 to 730. 0 means that "
        "there is no trial.",
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(
    description="Changes of a subscription. A field that is left out keeps its value."
)
class CustomerSubscriptionChangeInput:
    id: strawberry.ID = strawberry.field(description="The subscription's id.")
    product_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the other product. It must be in the same currency."
    )
    quantity: int | None = strawberry.field(
        default=None, description="The other quantity: 1 to 1,000,000."
    )
    when: CancelWhen = strawberry.field(
        default=CancelWhen.NOW, description="When the change takes effect."
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="The subscription whose pending change is dropped.")
class CustomerSubscriptionChangeCancelInput:
    id: strawberry.ID = strawberry.field(description="The subscription's id.")


@strawberry.input(description="The subscription that should continue after its period.")
class CustomerSubscriptionResumeInput:
    id: strawberry.ID = strawberry.field(description="The subscription's id.")


@strawberry.input(
    description="The discount of a subscription: a percentage or an amount. Without both, its "
    "discount is removed."
)
class SubscriptionDiscountSetInput:
    id: strawberry.ID = strawberry.field(description="The subscription's id.")
    percent_off: Decimal | None = strawberry.field(
        default=None,
        description="The percentage that is taken off: above 0, at most 100, up to 12 decimals.",
    )
    amount_off: BigInt | None = strawberry.field(
        default=None,
        description="The amount that is taken off each invoice, in minor units: at least 1. In "
        "proportion to time if the subscription changes within a period.",
    )
    periods: int | None = strawberry.field(
        default=None,
        description="For how many periods: 1 to 1,000. The invoice at the end of the current "
        "period is the first that is discounted. By default, all are.",
    )


@strawberry.input(description="The subscription to cancel, and when.")
class CustomerSubscriptionCancelInput:
    id: strawberry.ID = strawberry.field(description="The subscription's id.")
    when: CancelWhen = strawberry.field(
        default=CancelWhen.PERIOD_END, description="When the cancellation takes effect."
    )
    prorate: bool | None = strawberry.field(
        default=False,
        description="NOW only: whether the fixed prices for the rest of the period are given back.",
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(
    description="Units to credit or debit manually. Give exactly one of customerId and "
    "externalCustomerId."
)
class CustomerMeterCreditInput:
    customer_id: strawberry.ID | None = strawberry.field(
        default=None, description="The customer's id in Metergraph."
    )
    external_customer_id: str | None = strawberry.field(
        default=None, description="Your own id for the customer."
    )
    meter_id: strawberry.ID = strawberry.field(description="The meter that counts the units.")
    units: Decimal = strawberry.field(
        description="The number of units: not zero, up to 12 decimals. A negative number debits "
        "units, at most the unused credit."
    )
    reason: str = strawberry.field(description="The reason: 1 to 1,000 characters.")
    effective_at: datetime | None = strawberry.field(
        default=None,
        description="Usage from this instant on can use the units: not before the current period. "
        "By default, all usage of the current period can.",
    )
    expires_at: datetime | None = strawberry.field(
        default=None,
        description="Usage before this instant can use the units. By default, they never expire. "
        "If the meter does not count or sum, a grant can only begin and end with a period.",
    )
    priority: int | None = strawberry.field(
        default=DEFAULT_PRIORITY,
        description="Units with a lower priority are used first: 0 to 1,000.",
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="The grant to void.")
class CreditGrantVoidInput:
    id: strawberry.ID = strawberry.field(description="The grant's id.")
    reason: str = strawberry.field(description="The reason: 1 to 1,000 characters.")
    idempotency_key: str | None = idempotency_key()
