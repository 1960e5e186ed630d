"""Customer: its usage is metered and billed."""

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from models import Customer as CustomerRow
from models import Invoice as InvoiceRow
from schema.connections import Listed, connection
from schema.context import Info, Scope
from schema.ids import Node, decode_id, encode_id
from schema.inputs.event_filter import EventFilter, event_query
from schema.loaders.alerts import triggers_of_customer
from schema.loaders.billing_lists import invoices_of_customer, subscriptions_of_customer
from schema.loaders.events import events_source
from schema.loaders.meters import customer_meters_of_customer, meters_of_customer
from schema.loaders.usage import Range
from schema.permissions import requires
from schema.ranges import EachInterval, End, NullableTimeZone, Start
from schema.scalars import BigInt, CurrencyCode
from schema.types import (  # which refer back to this module
    alert,
    customer_meter,
    customer_usage,
    event,
    invoice,
    meter,
    subscription,
)
from schema.types.customer_balance import CustomerBalance
from schema.types.customer_erasure import CustomerErasure
from schema.types.quantities import check_points, meter_quantities

if TYPE_CHECKING:
    from schema.types.alert import AlertTrigger
    from schema.types.customer_meter import CustomerMeter
    from schema.types.customer_usage import CustomerSeries
    from schema.types.event import Event
    from schema.types.invoice import Invoice
    from schema.types.subscription import CustomerSubscription


@strawberry.type(description="A customer whose usage is metered and billed.")
class Customer(Node):
    key: strawberry.Private[UUID]
    external_id: str | None = strawberry.field(
        description="Your own id for the customer, unique in the organization."
    )
    name: str | None = strawberry.field(description="The customer's name.")
    email: str | None = strawberry.field(description="The customer's email address.")
    created_at: datetime = strawberry.field(
        description="When the customer was created, or first named by an event."
    )
    erased_at: datetime | None = strawberry.field(
        description="When the customer was erased. Null if it was not."
    )

    @strawberry.field(
        description="How far erasing the customer is. Null if it was not erased.",
        extensions=[requires(Scope.USAGE_READ, Scope.BILLING_READ)],
    )
    async def erasure(self, info: Info) -> CustomerErasure | None:
        if self.erased_at is None:
            return None
        row = await info.context.loaders.erasure.load(self.key)
        return None if row is None else CustomerErasure.of(row)

    @connection(
        Annotated["CustomerMeter", strawberry.lazy("schema.types.customer_meter")],
        description="Current usage and balance on each meter for which the customer has usage, "
        "credit or a metered price.",
        extensions=[requires(Scope.USAGE_READ, session=True)],
    )
    def meters(self, info: Info) -> Listed:
        return Listed(
            customer_meters_of_customer(info.context.organization_id, self.key),
            customer_meter.CustomerMeter.of,
        )

    @strawberry.field(
        description="Current usage and balance on one meter. Null if there is none.",
        extensions=[requires(Scope.USAGE_READ, session=True)],
    )
    async def meter(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The meter's id.")],
    ) -> Annotated["CustomerMeter", strawberry.lazy("schema.types.customer_meter")] | None:
        meter_id = decode_id(id, "Meter")
        if meter_id is None:
            return None
        row = await info.context.loaders.customer_meter_of.load((self.key, meter_id))
        return customer_meter.CustomerMeter.of(row) if row else None

    @strawberry.field(
        description="Usage over time on each meter for which the customer has usage, credit or a"
        " metered price, oldest meter first. At most 10,000 points in total.",
        extensions=[requires(Scope.USAGE_READ, session=True)],
    )
    async def quantities(
        self,
        info: Info,
        start: Start,
        end: End,
        interval: EachInterval,
        timezone: NullableTimeZone = None,
        meter_ids: Annotated[
            list[strawberry.ID] | None,
            strawberry.argument(description="Return only the series of these meters."),
        ] = None,
    ) -> list[Annotated["CustomerSeries", strawberry.lazy("schema.types.customer_usage")]]:
        keys = None if meter_ids is None else {decode_id(id_, "Meter") for id_ in meter_ids}
        meters = await meters_of_customer(info.context.organization_id, self.key, keys)
        asked = Range(start, end, interval, timezone or "UTC")
        check_points(asked, len(meters))
        found = await asyncio.gather(
            *(meter_quantities(info, row, asked, self.key) for row in meters)
        )
        return [
            customer_usage.CustomerSeries(meter=meter.Meter.of(row), quantities=quantities)
            for row, quantities in zip(meters, found, strict=True)
        ]

    @connection(
        Annotated["CustomerSubscription", strawberry.lazy("schema.types.subscription")],
        description="The customer's subscriptions, oldest first.",
        extensions=[requires(Scope.BILLING_READ, session=True)],
    )
    def subscriptions(
        self,
        info: Info,
        include_ended: Annotated[
            bool, strawberry.argument(description="Whether to include ended subscriptions.")
        ] = True,
    ) -> Listed:
        return Listed(
            subscriptions_of_customer(
                info.context.organization_id, self.key, include_ended=include_ended
            ),
            subscription.CustomerSubscription.of,
        )

    @connection(
        Annotated["Invoice", strawberry.lazy("schema.types.invoice")],
        description="The customer's invoices, oldest first.",
        extensions=[requires(Scope.BILLING_READ, session=True)],
    )
    def invoices(self, info: Info) -> Listed:
        return Listed(
            invoices_of_customer(info.context.organization_id, self.key), invoice.Invoice.of
        )

    @strawberry.field(
        description="What the customer is owed, by credit notes and by invoices with a negative "
        "total: the next invoices use it up. One for each currency; none is zero.",
        extensions=[requires(Scope.BILLING_READ, session=True)],
    )
    async def balances(self, info: Info) -> list[CustomerBalance]:
        found = await info.context.loaders.billing.balances_of_customer.load(self.key)
        return [
            CustomerBalance(currency=CurrencyCode(currency), amount=BigInt(amount))
            for currency, amount in found
        ]

    @strawberry.field(
        description="One of the customer's invoices by its id. Null if there is none.",
        extensions=[requires(Scope.BILLING_READ, session=True)],
    )
    async def invoice(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The invoice's id.")],
    ) -> Annotated["Invoice", strawberry.lazy("schema.types.invoice")] | None:
        key = decode_id(id, "Invoice")
        row = await info.context.loaders.by_id(InvoiceRow).load(key) if key else None
        return invoice.Invoice.of(row) if row and row.customer_id == self.key else None

    @connection(
        Annotated["AlertTrigger", strawberry.lazy("schema.types.alert")],
        description="Usage alerts that have triggered for the customer, latest first.",
        extensions=[requires(Scope.ALERTS_READ)],
    )
    def alert_triggers(self, info: Info) -> Listed:
        return Listed(
            triggers_of_customer(info.context.organization_id, self.key), alert.AlertTrigger.of
        )

    @connection(
        Annotated["Event", strawberry.lazy("schema.types.event")],
        description="The customer's events, latest first.",
        extensions=[requires(Scope.USAGE_READ, session=True)],
    )
    async def events(
        self,
        info: Info,
        filter: Annotated[
            EventFilter | None,
            strawberry.argument(description="Return only events that match this filter."),
        ] = None,
    ) -> Listed:
        query = await event_query(info.context, filter, customer_id=self.key)
        return Listed(events_source(info.context.organization_id, query), event.Event.of)

    @classmethod
    def of(cls, row: CustomerRow) -> "Customer":
        return cls(
            id=encode_id("Customer", row.id),
            key=row.id,
            external_id=row.external_id,
            name=row.name,
            email=row.email,
            created_at=row.created_at,
            erased_at=row.erased_at,
        )
