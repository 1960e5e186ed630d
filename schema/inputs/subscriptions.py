"""Inputs of the mutations about subscriptions and credits."""

from datetime import datetime
from decimal import Decimal

import strawberry

from schema.billing_enums import CancelWhen
from schema.inputs.idempotency import idempotency_key


@strawberry.input(
    description="A new subscription. Exactly one of customerId and externalCustomerId."
)
class CustomerSubscriptionCreateInput:
    customer_id: strawberry.ID | None = strawberry.field(
        default=None, description="The customer's id, as we know it."
    )
    external_customer_id: str | None = strawberry.field(
        default=None, description="The customer's id, as you know it."
    )
    product_id: strawberry.ID = strawberry.field(description="What to subscribe to.")
    started_at: datetime | None = strawberry.field(
        default=None,
        description="Now, where left out. It may lie in the past, to import a running "
        "subscription; its past periods are not invoiced.",
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="Which subscription to end, and when.")
class CustomerSubscriptionCancelInput:
    id: strawberry.ID = strawberry.field(description="Which subscription.")
    when: CancelWhen = strawberry.field(default=CancelWhen.PERIOD_END, description="When it ends.")
    idempotency_key: str | None = idempotency_key()


@strawberry.input(
    description="Units to credit by hand. Exactly one of customerId and externalCustomerId."
)
class CustomerMeterCreditInput:
    customer_id: strawberry.ID | None = strawberry.field(
        default=None, description="The customer's id, as we know it."
    )
    external_customer_id: str | None = strawberry.field(
        default=None, description="The customer's id, as you know it."
    )
    meter_id: strawberry.ID = strawberry.field(description="What the units are of.")
    units: Decimal = strawberry.field(
        description="How many units; below zero to debit them, at most as many as usage has left "
        "of the credit. Up to 12 decimals, not zero."
    )
    reason: str = strawberry.field(description="Why: 1 to 1,000 characters.")
    idempotency_key: str | None = idempotency_key()
