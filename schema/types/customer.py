"""Customer: somebody whose usage is metered and billed."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from models import Customer as CustomerRow
from schema.connections import After, Before, Connection, First, Last, connect, page_request
from schema.context import Info, Scope
from schema.ids import decode_id, encode_id
from schema.inputs.event_filter import EventFilter, event_query
from schema.loaders.billing import invoices_of_customer, subscriptions_of_customer
from schema.loaders.customer_meters import customer_meters_of_customer
from schema.loaders.events import events_source
from schema.permissions import requires
from schema.types import customer_meter, event, invoice, subscription  # which refer back to this
from schema.types.node import Node

if TYPE_CHECKING:
    from schema.types.customer_meter import CustomerMeter
    from schema.types.event import Event
    from schema.types.invoice import Invoice
    from schema.types.subscription import CustomerSubscription


@strawberry.type(description="Somebody whose usage is metered, and who is billed for it.")
class Customer(Node):
    key: strawberry.Private[UUID]
    external_id: str | None = strawberry.field(
        description="The caller's own id of this customer, unique in the organization."
    )
    name: str | None = strawberry.field(description="What people call the customer.")
    email: str | None = strawberry.field(description="Where the customer gets mail.")
    created_at: datetime = strawberry.field(
        description="When it was created, or first named by an event."
    )

    @strawberry.field(
        description="Current usage and balance, one for each meter on which this customer has "
        "usage, credit or a metered price.",
        extensions=[requires(Scope.USAGE_READ, session=True)],
    )
    async def meters(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Annotated["CustomerMeter", strawberry.lazy("schema.types.customer_meter")]]:
        source = customer_meters_of_customer(info.context.organization_id, self.key)
        request = page_request(info, first, after, last, before)
        return await connect(info.context.loaders, source, request, customer_meter.CustomerMeter.of)

    @strawberry.field(
        description="Current usage and balance on one meter; null where there is none.",
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
        description="What this customer has subscribed to, oldest first.",
        extensions=[requires(Scope.BILLING_READ, session=True)],
    )
    async def subscriptions(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[
        Annotated["CustomerSubscription", strawberry.lazy("schema.types.subscription")]
    ]:
        source = subscriptions_of_customer(info.context.organization_id, self.key)
        request = page_request(info, first, after, last, before)
        return await connect(
            info.context.loaders, source, request, subscription.CustomerSubscription.of
        )

    @strawberry.field(
        description="This customer's invoices, oldest first.",
        extensions=[requires(Scope.BILLING_READ, session=True)],
    )
    async def invoices(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Annotated["Invoice", strawberry.lazy("schema.types.invoice")]]:
        source = invoices_of_customer(info.context.organization_id, self.key)
        request = page_request(info, first, after, last, before)
        return await connect(info.context.loaders, source, request, invoice.Invoice.of)

    @strawberry.field(
        description="This customer's events, latest first.",
        extensions=[requires(Scope.USAGE_READ, session=True)],
    )
    async def events(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Annotated[
            EventFilter | None, strawberry.argument(description="Only events that pass this.")
        ] = None,
    ) -> Connection[Annotated["Event", strawberry.lazy("schema.types.event")]]:
        request = page_request(info, first, after, last, before)
        query = await event_query(info.context, filter, customer_id=self.key)
        source = events_source(info.context.organization_id, query)
        return await connect(info.context.loaders, source, request, event.Event.of)

    @classmethod
    def of(cls, row: CustomerRow) -> "Customer":
        return cls(
            id=strawberry.ID(encode_id("Customer", row.id)),
            key=row.id,
            external_id=row.external_id,
            name=row.name,
            email=row.email,
            created_at=row.created_at,
        )
