"""UsageAlert and AlertTrigger: a threshold, and who has reached it."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from models import ALL_CUSTOMERS
from models import AlertTrigger as AlertTriggerRow
from models import Customer as CustomerRow
from models import Meter as MeterRow
from models import UsageAlert as UsageAlertRow
from schema.alert_enums import UsageAlertKind
from schema.connections import Listed, connection
from schema.context import Info, Scope
from schema.errors import UserError, user_errors
from schema.ids import Node, encode_id
from schema.loaders.alerts import triggers_of_alert
from schema.permissions import requires
from schema.scalars import CurrencyCode
from schema.types import customer, meter  # which refer back to this module

if TYPE_CHECKING:
    from schema.types.customer import Customer
    from schema.types.meter import Meter

_READS_CUSTOMERS = (Scope.USAGE_READ, Scope.BILLING_READ)


@strawberry.type(
    description="A threshold for a number of one customer, or of each customer. It triggers at "
    "most once for a customer and period. A new period arms it again."
)
class UsageAlert(Node):
    row: strawberry.Private[UsageAlertRow]
    name: str = strawberry.field(description="The name.")
    kind: UsageAlertKind = strawberry.field(description="The number that the alert watches.")
    threshold: Decimal = strawberry.field(
        description="The number at which the alert triggers: units, percent, or minor units of "
        "`currency`, by the kind."
    )
    currency: CurrencyCode | None = strawberry.field(
        description="The only currency whose amounts ESTIMATED_AMOUNT watches. Null if it compares "
        "each currency by itself, and for the other kinds."
    )
    enabled: bool = strawberry.field(description="Whether the alert triggers at all.")
    created_at: datetime = strawberry.field(description="When it was created.")

    @strawberry.field(
        description="The meter that it watches. Null for ESTIMATED_AMOUNT.",
        extensions=[requires(*_READS_CUSTOMERS)],
    )
    async def meter(
        self, info: Info
    ) -> Annotated["Meter", strawberry.lazy("schema.types.meter")] | None:
        if self.row.meter_id is None:
            return None
        found = await info.context.loaders.existing(MeterRow, self.row.meter_id)
        return meter.Meter.of(found)

    @strawberry.field(
        description="The only customer that it watches. Null if it watches each customer.",
        extensions=[requires(*_READS_CUSTOMERS)],
    )
    async def customer(
        self, info: Info
    ) -> Annotated["Customer", strawberry.lazy("schema.types.customer")] | None:
        if self.row.customer_id == ALL_CUSTOMERS:
            return None
        found = await info.context.loaders.existing(CustomerRow, self.row.customer_id)
        return customer.Customer.of(found)

    @connection(
        Annotated["AlertTrigger", strawberry.lazy("schema.types.alert")],
        description="The customers and periods for which it has triggered, latest first.",
        extensions=[requires(Scope.ALERTS_READ)],
    )
    def triggers(self, info: Info) -> Listed:
        source = triggers_of_alert(info.context.organization_id, self.row.id)
        return Listed(source, AlertTrigger.of)

    @classmethod
    def of(cls, row: UsageAlertRow) -> "UsageAlert":
        return cls(
            id=encode_id("UsageAlert", row.id),
            row=row,
            name=row.name,
            kind=UsageAlertKind(row.kind),
            threshold=row.threshold,
            currency=None if row.currency is None else CurrencyCode(row.currency),
            enabled=row.is_enabled,
            created_at=row.created_at,
        )


@strawberry.type(description="An alert has triggered for a customer in a period.")
class AlertTrigger(Node):
    alert_key: strawberry.Private[UUID]
    customer_key: strawberry.Private[UUID]
    alert_row: strawberry.Private[UsageAlertRow | None] = None
    value: Decimal = strawberry.field(
        description="The number that reached the threshold. Later changes do not change it."
    )
    currency: CurrencyCode | None = strawberry.field(
        description="The currency of the value. Null unless it is an amount."
    )
    period_start: datetime | None = strawberry.field(
        description="When the customer's period began: for ESTIMATED_AMOUNT, the latest of its "
        "subscriptions. Null before the customer's first subscription with the meter."
    )
    triggered_at: datetime = strawberry.field(description="When the alert triggered.")

    @strawberry.field(description="The alert.")
    async def alert(self, info: Info) -> UsageAlert:
        row = self.alert_row
        if row is None:
            row = await info.context.loaders.existing(UsageAlertRow, self.alert_key)
        return UsageAlert.of(row)

    @strawberry.field(description="The customer.", extensions=[requires(*_READS_CUSTOMERS)])
    async def customer(
        self, info: Info
    ) -> Annotated["Customer", strawberry.lazy("schema.types.customer")]:
        row = await info.context.loaders.existing(CustomerRow, self.customer_key)
        return customer.Customer.of(row)

    @classmethod
    def of(cls, row: AlertTriggerRow, alert_row: UsageAlertRow | None = None) -> "AlertTrigger":
        return cls(
            id=encode_id("AlertTrigger", row.id),
            alert_key=row.alert_id,
            customer_key=row.customer_id,
            alert_row=alert_row,
            value=row.value,
            currency=None if row.currency is None else CurrencyCode(row.currency),
            period_start=row.period_start,
            triggered_at=row.triggered_at,
        )


@strawberry.type(description="The new alert, or the reason why it was not created.")
class UsageAlertCreatePayload:
    alert: UsageAlert | None = strawberry.field(default=None, description="The alert.")
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The changed alert, or the reason why it was not changed.")
class UsageAlertUpdatePayload:
    alert: UsageAlert | None = strawberry.field(default=None, description="The alert.")
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The id of the deleted alert, or the reason why it was not deleted.")
class UsageAlertDeletePayload:
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id that the alert had."
    )
    user_errors: list[UserError] = user_errors()
