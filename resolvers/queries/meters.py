"""Query fields about meters."""

from datetime import datetime
from typing import Annotated

import strawberry

from metering.counting.progress import oldest_in_flight
from metering.usage.preview import PreviewSelection, PreviewTimeoutError, preview
from metering.usage.windows import RangeError
from resolvers.queries.nodes import one
from schema.connections import Listed, connection
from schema.context import Info, Scope
from schema.customers import CustomerId, ExternalCustomerId, customer_asked_for
from schema.errors import TooComplex, bad_range
from schema.ids import Id
from schema.inputs.meter_filter import (
    MeterAggregationInput,
    MeterFilterInput,
    read_aggregation,
    read_filter,
    required,
)
from schema.loaders.meters import meters_source
from schema.permissions import requires
from schema.scalars import BigInt
from schema.selections import selects
from schema.types.meter import Meter
from schema.types.meter_preview import MeterPreview


@strawberry.type
class MeterQuery:
    @strawberry.field(
        description="A meter by its id. Null if there is none.",
        extensions=[requires(Scope.USAGE_READ, Scope.BILLING_READ)],
    )
    async def meter(self, info: Info, id: Id) -> Meter | None:
        return await one(info.context, id, Meter)

    @connection(
        Meter,
        description="All meters, oldest first.",
        extensions=[requires(Scope.USAGE_READ, Scope.BILLING_READ)],
    )
    def meters(
        self,
        info: Info,
        include_archived: Annotated[
            bool, strawberry.argument(description="Whether to include archived meters.")
        ] = False,
        query: Annotated[
            str | None,
            strawberry.argument(
                description="Return meters with this text in their name. Case is ignored."
            ),
        ] = None,
    ) -> Listed:
        source = meters_source(
            info.context.organization_id, query, include_archived=include_archived
        )
        return Listed(source, Meter.of)

    @strawberry.field(
        description="What a meter would count if it were created: of all events, or of those "
        "that happened in [start, end). A start in archived time is refused; without a start, "
        "archived events are left out, as a new meter would.",
        extensions=[requires(Scope.USAGE_READ)],
    )
    async def meter_preview(
        self,
        info: Info,
        filter: Annotated[
            MeterFilterInput,
            strawberry.argument(description="Which events the meter would count."),
        ],
        aggregation: Annotated[
            MeterAggregationInput,
            strawberry.argument(description="How the meter would aggregate them."),
        ],
        start: Annotated[
            datetime | None,
            strawberry.argument(
                description="Include events that happened at or after this instant."
            ),
        ] = None,
        end: Annotated[
            datetime | None,
            strawberry.argument(description="Include events that happened before this instant."),
        ] = None,
        customer_id: CustomerId = None,
        external_customer_id: ExternalCustomerId = None,
    ) -> MeterPreview:
        found = required(read_filter(filter, "filter"))
        selection = PreviewSelection(
            start,
            end,
            await customer_asked_for(info.context, customer_id, external_customer_id),
        )
        made_of = required(read_aggregation(aggregation, "aggregation"))
        through = await oldest_in_flight() if selects(info, "completeThrough") else None
        try:
            async with info.context.scan_place():
                counted = await preview(info.context.organization_id, found, made_of, selection)
        except RangeError as error:
            raise bad_range(error) from None
        except PreviewTimeoutError as error:
            raise TooComplex(str(error)) from None
        return MeterPreview(
            filter=found,
            aggregation=made_of,
            selection=selection,
            through=through,
            matched_events=BigInt(counted.matched),
            skipped_events=BigInt(counted.skipped),
            quantity=counted.quantity,
            events_from=counted.events_from,
        )
