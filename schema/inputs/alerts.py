"""Inputs of the mutations about usage alerts."""

from decimal import Decimal

import strawberry

from schema.alert_enums import UsageAlertKind
from schema.inputs.idempotency import idempotency_key
from schema.scalars import CurrencyCode


@strawberry.input(
    description="A new alert: of one customer, if customerId or externalCustomerId is given, "
    "otherwise of each customer. It triggers at once where the threshold is reached already."
)
class UsageAlertCreateInput:
    name: str = strawberry.field(description="The name: 1 to 256 characters.")
    kind: UsageAlertKind = strawberry.field(description="The number that the alert watches.")
    threshold: Decimal = strawberry.field(
        description="The number at which the alert triggers. It must be above zero, except for "
        "CREDIT_BALANCE. Units have at most 12 decimals, a percentage at most 6, and an amount, "
        "which is in minor units, none."
    )
    currency: CurrencyCode | None = strawberry.field(
        default=None,
        description="Watches only amounts in this currency. Without it, ESTIMATED_AMOUNT compares "
        "each currency by itself with the same number of minor units. The other kinds have none.",
    )
    meter_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The id of the meter, which must not be archived. Only "
        "ESTIMATED_AMOUNT has none.",
    )
    customer_id: strawberry.ID | None = strawberry.field(
        default=None, description="Watches only the customer with this id in Metergraph."
    )
    external_customer_id: str | None = strawberry.field(
        default=None, description="Watches only the customer with this id of yours."
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(
    description="Changes to an alert. A field that is left out keeps its value. With its new "
    "values, the alert triggers at once where the threshold is reached already, but not "
    "again for a customer and period for which it has triggered."
)
class UsageAlertUpdateInput:
    id: strawberry.ID = strawberry.field(description="The alert's id.")
    name: str | None = strawberry.field(default=None, description="The name: 1 to 256 characters.")
    threshold: Decimal | None = strawberry.field(
        default=None, description="The number at which the alert triggers."
    )
    enabled: bool | None = strawberry.field(
        default=None, description="Whether the alert triggers at all."
    )


@strawberry.input(description="The alert to delete, with its triggers.")
class UsageAlertDeleteInput:
    id: strawberry.ID = strawberry.field(description="The alert's id.")
