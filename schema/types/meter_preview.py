"""MeterPreview: what a meter would count, before it is created."""

from decimal import Decimal

import strawberry

from metering.language.filters import Filter
from metering.usage.preview import PreviewSelection
from schema.connections import Listed, connection
from schema.context import Info
from schema.loaders.events import EventQuery, events_source
from schema.scalars import BigInt
from schema.types.event import Event


@strawberry.type(description="What a meter would count if it were created.")
class MeterPreview:
    filter: strawberry.Private[Filter]
    selection: strawberry.Private[PreviewSelection]
    matched_events: BigInt = strawberry.field(
        description="The number of events that match the filter."
    )
    skipped_events: BigInt = strawberry.field(
        description="The number of matching events that have no number to aggregate."
    )
    quantity: Decimal | None = strawberry.field(
        description="The aggregate of the other events. Null if there is nothing to aggregate."
    )

    @connection(Event, description="The latest matching events.")
    def events(self, info: Info) -> Listed:
        query = EventQuery(
            customer_id=self.selection.customer_id,
            start=self.selection.start,
            end=self.selection.end,
            where=self.filter,
        )
        # To look for the latest of none would be to read them all once more.
        found = query if self.matched_events else None
        return Listed(events_source(info.context.organization_id, found), Event.of)
