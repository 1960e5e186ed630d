"""Inputs of the mutations about subscriptions and credits."""

from datetime import datetime
from decimal import Decimal

import strawberry

from schema.billing_enums import CancelWhen
from schema.inputs.idempotency import idempotency_key


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
        description="When the subscription begins. By default, now. To import a running "
        "subscription, give an instant in the past; past periods are not invoiced.",
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="The subscription to cancel, and when.")
class CustomerSubscriptionCancelInput:
    id: strawberry.ID = strawberry.field(description="The subscription's id.")
    when: CancelWhen = strawberry.field(
        default=CancelWhen.PERIOD_END, description="When the cancellation takes effect."
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
    idempotency_key: str | None = idempotency_key()
