"""EventFilter: which events a list shows."""

from datetime import datetime
from uuid import UUID

import strawberry

from models import Meter as MeterRow
from schema.context import Context
from schema.ids import decode_id
from schema.inputs.meter_filter import MeterFilterInput, read_filter, required
from schema.loaders.customers import customer_by_external_id
from schema.loaders.events import EventQuery


@strawberry.input(description="Which events to return: those that match every condition.")
class EventFilter:
    names: list[str] | None = strawberry.field(
        default=None, description="Return events with one of these names."
    )
    customer_id: strawberry.ID | None = strawberry.field(
        default=None, description="Return events of the customer with this id in Metergraph."
    )
    external_customer_id: str | None = strawberry.field(
        default=None, description="Return events of the customer with this id of yours."
    )
    meter_id: strawberry.ID | None = strawberry.field(
        default=None, description="Return events that this meter counts."
    )
    start: datetime | None = strawberry.field(
        default=None, description="Return events that happened at or after this instant."
    )
    end: datetime | None = strawberry.field(
        default=None, description="Return events that happened before this instant."
    )
    voided: bool | None = strawberry.field(
        default=None, description="Return only events that are voided, or only events that are not."
    )
    where: MeterFilterInput | None = strawberry.field(
        default=None,
        description="Return events that match this filter. It works like a meter's filter.",
    )


async def event_query(
    context: Context, sent: EventFilter | None, customer_id: UUID | None = None
) -> EventQuery | None:
    """Returns the query for events; None if nothing can match, for example because of a foreign id.

    `customer_id` limits the list to a customer in addition to the filter. Raises BadUserInput.
    """
    sent = sent or EventFilter()
    customers: set[UUID | None] = {customer_id} if customer_id else set()
    if sent.customer_id is not None:
        customers.add(decode_id(sent.customer_id, "Customer"))
    if sent.external_customer_id is not None:
        row = await customer_by_external_id(context.organization_id, sent.external_customer_id)
        customers.add(row.id if row else None)
    meter = None
    if sent.meter_id is not None:
        meter_id = decode_id(sent.meter_id, "Meter")
        meter = await context.loaders.by_id(MeterRow).load(meter_id) if meter_id else None
        if meter is None:
            return None
    if len(customers) > 1 or None in customers:
        return None
    return EventQuery(
        names=None if sent.names is None else tuple(sent.names),
        customer_id=next(iter(customers), None),
        meter=meter,
        start=sent.start,
        end=sent.end,
        voided=sent.voided,
        where=None if sent.where is None else required(read_filter(sent.where, "filter", "where")),
    )
