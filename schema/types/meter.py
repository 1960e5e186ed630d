"""Meter: a filter over events, and an aggregation of those that pass."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Union

import strawberry

from metering.language.filters import Clause, Filter
from metering.language.parsing import stored_filter
from models import Meter as MeterRow
from schema.connections import Listed, connection
from schema.context import Info, Scope
from schema.customers import CustomerId, ExternalCustomerId, customer_asked_for
from schema.enums import AggregationFunction, ClauseOperator, Conjunction, Interval
from schema.ids import Node, encode_id
from schema.loaders.events import EventQuery, events_source
from schema.loaders.meters import customer_meters_of_meter
from schema.loaders.usage import Range
from schema.permissions import requires
from schema.scalars import BigInt, ClauseValue
from schema.types import customer_meter, event  # which refer back to this module
from schema.types.quantities import MeterQuantities, meter_quantities

if TYPE_CHECKING:
    from schema.types.customer_meter import CustomerMeter
    from schema.types.event import Event


@strawberry.type(description="One comparison of an event's property with a value.")
class MeterClause:
    property: str = strawberry.field(
        description="`name`, `timestamp`, or a path into the metadata."
    )
    operator: ClauseOperator = strawberry.field(description="How they are compared.")
    value: ClauseValue = strawberry.field(description="What the property is compared with.")

    @classmethod
    def of(cls, clause: Clause) -> "MeterClause":
        return cls(
            property=clause.property,
            operator=clause.operator,
            value=ClauseValue(clause.value),
        )


MeterFilterNode = Annotated[
    Union["MeterClause", "MeterFilter"],
    strawberry.union("MeterFilterNode", description="A comparison, or a filter inside a filter."),
]


@strawberry.type(description="Which events pass. No clauses: every event.")
class MeterFilter:
    conjunction: Conjunction = strawberry.field(description="How the clauses are joined.")
    clauses: list[MeterFilterNode] = strawberry.field(description="Comparisons and nested filters.")

    @classmethod
    def of(cls, found: Filter) -> "MeterFilter":
        return cls(
            conjunction=found.conjunction,
            clauses=[
                MeterFilter.of(node) if isinstance(node, Filter) else MeterClause.of(node)
                for node in found.clauses
            ],
        )


@strawberry.type(description="What a meter makes of the events that pass its filter.")
class MeterAggregation:
    function: AggregationFunction = strawberry.field(description="What is made of them.")
    property: str | None = strawberry.field(
        description="Whose value is aggregated; null for COUNT, which takes none."
    )


@strawberry.type(description="How far a meter has counted, all of it at one instant.")
class MeterProgress:
    counted_events: BigInt = strawberry.field(description="Events that this meter has counted.")
    skipped_events: BigInt = strawberry.field(
        description="Events that passed its filter but had no number to aggregate."
    )
    pending_events: BigInt = strawberry.field(
        description="Stored events that it has not looked at yet."
    )
    complete_through: datetime = strawberry.field(
        description="Every event stored before this instant has been counted."
    )
    failed_events: BigInt = strawberry.field(
        description="Those of pendingEvents that wait because counting fails: all of them while "
        "there are problems, otherwise none. They are counted once the cause is gone."
    )
    problems: list[str] = strawberry.field(description="Why counting fails; empty if it does not.")


@strawberry.type(
    description="What is counted: a filter over events and an aggregation of those that pass. It "
    "counts past events too."
)
class Meter(Node):
    row: strawberry.Private[MeterRow]
    name: str = strawberry.field(description="What people call it.")
    unit: str | None = strawberry.field(description="What one unit is called, e.g. token.")
    created_at: datetime = strawberry.field(description="When it was created.")
    archived_at: datetime | None = strawberry.field(
        description="Since when it counts no more; null while it counts."
    )
    is_locked: bool = strawberry.field(
        description="True once it has counted an event: filter and aggregation are then fixed."
    )

    @strawberry.field(description="Which events it counts.")
    def filter(self) -> MeterFilter:
        return MeterFilter.of(stored_filter(self.row.event_filter))

    @strawberry.field(description="What it makes of them.")
    def aggregation(self) -> MeterAggregation:
        return MeterAggregation(
            function=AggregationFunction(self.row.aggregation_function),
            property=self.row.aggregation_property,
        )

    @strawberry.field(
        description="How far it has counted.", extensions=[requires(Scope.USAGE_READ)]
    )
    async def progress(self, info: Info) -> MeterProgress:
        found = await info.context.loaders.progress.load(self.row)
        return MeterProgress(
            counted_events=BigInt(found.counted_events),
            skipped_events=BigInt(found.skipped_events),
            pending_events=BigInt(found.pending_events),
            complete_through=found.complete_through,
            failed_events=BigInt(0 if found.problem is None else found.pending_events),
            problems=[] if found.problem is None else [found.problem],
        )

    @strawberry.field(
        description="Usage over time, of everybody or of one customer; intervals begin at "
        "midnight, Monday … in `timezone`. At most 10,000 points.",
        extensions=[requires(Scope.USAGE_READ, session=True)],
    )
    async def quantities(
        self,
        info: Info,
        start: Annotated[
            datetime, strawberry.argument(description="Events that happened at or after.")
        ],
        end: Annotated[datetime, strawberry.argument(description="Events that happened before.")],
        interval: Annotated[Interval, strawberry.argument(description="How long each point is.")],
        timezone: Annotated[
            str,
            strawberry.argument(
                description="The IANA time zone whose calendar intervals follow, such as "
                "Europe/Berlin."
            ),
        ] = "UTC",
        customer_id: CustomerId = None,
        external_customer_id: ExternalCustomerId = None,
    ) -> MeterQuantities:
        asked = Range(start, end, interval, timezone)
        customer = await customer_asked_for(info.context, customer_id, external_customer_id)
        return await meter_quantities(info, self.row, asked, customer)

    @connection(
        Annotated["CustomerMeter", strawberry.lazy("schema.types.customer_meter")],
        description="Everybody's current usage and balance on this meter, customer by customer.",
        extensions=[requires(Scope.USAGE_READ)],
    )
    def customers(self, info: Info) -> Listed:
        return Listed(
            customer_meters_of_meter(info.context.organization_id, self.row.id),
            customer_meter.CustomerMeter.of,
        )

    @connection(
        Annotated["Event", strawberry.lazy("schema.types.event")],
        description="The events that it counts, latest first.",
        extensions=[requires(Scope.USAGE_READ)],
    )
    def events(self, info: Info) -> Listed:
        return Listed(
            events_source(info.context.organization_id, EventQuery(meter=self.row)), event.Event.of
        )

    @classmethod
    def of(cls, row: MeterRow) -> "Meter":
        return cls(
            id=encode_id("Meter", row.id),
            row=row,
            name=row.name,
            unit=row.unit,
            created_at=row.created_at,
            archived_at=row.archived_at,
            is_locked=row.counted_events > 0,
        )
