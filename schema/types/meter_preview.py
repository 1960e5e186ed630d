"""MeterPreview: what a meter would count, before it is created."""

from datetime import datetime
from decimal import Decimal

import strawberry

from metering.counting.progress import oldest_in_flight
from metering.language.aggregations import Aggregation
from metering.language.filters import Filter
from metering.usage.preview import PreviewSelection, PreviewTimeoutError
from metering.usage.preview_series import PREVIEW_POINTS, Previewed, preview_series
from metering.usage.windows import RangeError, zone_of
from schema.connections import Listed, connection
from schema.context import Info
from schema.errors import TooComplex, bad_range
from schema.loaders.events import EventQuery, events_source
from schema.ranges import EachInterval, NullableTimeZone
from schema.scalars import BigInt
from schema.selections import selects
from schema.types.event import Event
from schema.types.quantities import MeterQuantities, quantities_of


@strawberry.type(description="What a meter would count if it were created.")
class MeterPreview:
    filter: strawberry.Private[Filter]
    aggregation: strawberry.Private[Aggregation]
    selection: strawberry.Private[PreviewSelection]
    matched_events: BigInt = strawberry.field(
        description="The number of events that match the filter."
    )
    skipped_events: BigInt = strawberry.field(
        description="The number of matching events that have nothing to aggregate."
    )
    quantity: Decimal | None = strawberry.field(
        description="The aggregate of the matching events. If there is nothing to aggregate, it is "
        "0 for COUNT, SUM and UNIQUE, and null for the other functions. What carries over from "
        "events before the start is included."
    )
    events_from: datetime | None = strawberry.field(
        description="Events from before this instant are archived, so the meter would not count "
        "them. Null if the preview has read all of its events."
    )
    through: strawberry.Private[datetime | None] = None

    @strawberry.field(description="Every event that was stored before this instant is included.")
    def complete_through(self) -> datetime:
        if self.through is None:
            raise LookupError("the instant is read where it is selected")
        return self.through

    @strawberry.field(
        description="What the meter would count over time, from the start to the end of the "
        "preview. Without a start, the series begins at the first matching event; without an end, "
        f"it ends after the last. At most {PREVIEW_POINTS:,} points. Events are read again, so "
        "the series includes those that have arrived meanwhile."
    )
    async def quantities(
        self, info: Info, interval: EachInterval, timezone: NullableTimeZone = None
    ) -> MeterQuantities:
        through = await oldest_in_flight() if selects(info, "completeThrough") else None
        try:
            zone = zone_of(timezone or "UTC")
            async with info.context.scan_place():
                points, used = await preview_series(
                    info.context.organization_id,
                    Previewed(self.filter, self.aggregation, self.selection),
                    interval,
                    zone,
                )
        except RangeError as error:
            raise bad_range(error) from None
        except PreviewTimeoutError as error:
            raise TooComplex(str(error)) from None
        return quantities_of(points, used, through)

    @connection(Event, description="The latest matching events.")
    def events(self, info: Info) -> Listed:
        query = EventQuery(
            customer_id=self.selection.customer_id,
            start=self.selection.start,
            end=self.selection.end,
            where=self.filter,
        )
        # Without matches, looking for the latest ones would read all events once more.
        found = query if self.matched_events else None
        return Listed(events_source(info.context.organization_id, found), Event.of)
