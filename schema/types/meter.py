"""Meter: a filter over events, and an aggregation of the matching ones."""

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Union

import strawberry
from tortoise.connection import get_connection

from metering.language.definition import definition_of
from metering.language.filters import Clause, Filter
from metering.language.parsing import stored_filter
from metering.usage.top_customers import top_customers
from metering.usage.windows import RangeError, check_range
from models import Customer as CustomerRow
from models import Meter as MeterRow
from schema.connections import Listed, connection
from schema.context import Info, Scope
from schema.customers import CustomerId, ExternalCustomerId, customer_asked_for
from schema.enums import AggregationFunction, ClauseOperator, Conjunction
from schema.errors import bad_range
from schema.ids import Node, encode_id
from schema.inputs.dimensions import GroupBy, Only, read_grouping
from schema.loaders.events import EventQuery, events_source
from schema.loaders.meters import customer_meters_of_meter
from schema.loaders.usage import Range
from schema.permissions import requires
from schema.ranges import EachInterval, End, Start, TimeZone, size_of_list
from schema.scalars import BigInt, ClauseValue
from schema.types import (  # which refer back to this module
    customer,
    customer_meter,
    customer_usage,
    event,
)
from schema.types.quantities import MeterQuantities, meter_quantities

if TYPE_CHECKING:
    from schema.types.customer_meter import CustomerMeter
    from schema.types.customer_usage import CustomerQuantity
    from schema.types.event import Event


_TOP = 10  # customers, unless `first` says how many


@strawberry.type(description="A comparison of an event's property with a value.")
class MeterClause:
    property: str = strawberry.field(
        description="`name`, `timestamp`, or a path into the metadata."
    )
    operator: ClauseOperator = strawberry.field(description="How the property is compared.")
    value: ClauseValue = strawberry.field(
        description="The value that the property is compared with."
    )

    @classmethod
    def of(cls, clause: Clause) -> "MeterClause":
        return cls(
            property=clause.property,
            operator=clause.operator,
            value=ClauseValue(clause.value),
        )


MeterFilterNode = Annotated[
    Union["MeterClause", "MeterFilter"],
    strawberry.union("MeterFilterNode", description="A comparison or a nested filter."),
]


@strawberry.type(description="Which events match. Without clauses, all events do.")
class MeterFilter:
    conjunction: Conjunction = strawberry.field(description="How the clauses are combined.")
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


@strawberry.type(description="How a meter aggregates the events that match its filter.")
class MeterAggregation:
    function: AggregationFunction = strawberry.field(description="The function.")
    property: str | None = strawberry.field(
        description="The property whose values are aggregated. Null for COUNT."
    )
    carries_over: bool = strawberry.field(
        description="Whether a range begins with the latest value from before it, as if an event "
        "at its start had it."
    )


@strawberry.type(description="How far a meter has counted. All numbers are of the same instant.")
class MeterProgress:
    counted_events: BigInt = strawberry.field(
        description="The number of events that the meter has counted."
    )
    skipped_events: BigInt = strawberry.field(
        description="The number of events that match the filter but have no number to aggregate."
    )
    pending_events: BigInt = strawberry.field(
        description="The number of stored events that the meter has not looked at yet."
    )
    complete_through: datetime = strawberry.field(
        description="Every event stored before this instant has been counted."
    )
    failed_events: BigInt = strawberry.field(
        description="The number of pendingEvents that wait because counting fails: all of them "
        "while there are problems, otherwise none. They are counted once the cause is gone."
    )
    problems: list[str] = strawberry.field(description="Why counting fails. Empty if it does not.")
    dimensions_pending_events: BigInt = strawberry.field(
        description="The number of stored events that usage by dimension does not include yet. It "
        "is more than pendingEvents while history is counted for dimensions that have changed, and "
        "the same without dimensions."
    )
    erased_events: BigInt = strawberry.field(
        description="The number of events, of any name, that the meter leaves out, because their "
        "customer was erased before the meter was created. Zero if it reads no metadata."
    )


@strawberry.type(
    description="A filter of events, and an aggregation of the events that match. A new meter "
    "also counts the events that are already stored."
)
class Meter(Node):
    row: strawberry.Private[MeterRow]
    name: str = strawberry.field(description="The name.")
    unit: str | None = strawberry.field(description="The name of one unit, such as token.")
    created_at: datetime = strawberry.field(description="When it was created.")
    dimensions: list[str] = strawberry.field(
        description="The properties by whose values usage is kept, besides in total."
    )
    complete_from: datetime | None = strawberry.field(
        description="Events from before this instant were archived before the meter could count "
        "them, so its usage from before is not complete. Null if it has counted all events."
    )
    dimensions_complete_from: datetime | None = strawberry.field(
        description="The same for usage by dimension."
    )
    archived_at: datetime | None = strawberry.field(
        description="When the meter was archived and stopped counting. Null if it is not archived."
    )
    is_locked: bool = strawberry.field(
        description="Whether the meter has counted an event. If so, its filter and aggregation "
        "cannot change."
    )

    @strawberry.field(description="The events that the meter counts.")
    def filter(self) -> MeterFilter:
        return MeterFilter.of(stored_filter(self.row.event_filter))

    @strawberry.field(description="How the meter aggregates them.")
    def aggregation(self) -> MeterAggregation:
        return MeterAggregation(
            function=AggregationFunction(self.row.aggregation_function),
            property=self.row.aggregation_property,
            carries_over=self.row.carries_over,
        )

    @strawberry.field(
        description="How far the meter has counted.", extensions=[requires(Scope.USAGE_READ)]
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
            dimensions_pending_events=BigInt(found.dimensions_pending_events),
            erased_events=BigInt(found.erased_events),
        )

    @strawberry.field(
        description="Usage over time, of all customers or of one. Intervals follow the calendar "
        "of `timezone`: days begin at midnight, weeks on Monday. At most 10,000 points, and 50,000 "
        "in all groups: of more groups, those with the fewest events are in the other group.",
        extensions=[requires(Scope.USAGE_READ, session=True)],
    )
    async def quantities(  # noqa: PLR0913, PLR0917  # the arguments of the API
        self,
        info: Info,
        start: Start,
        end: End,
        interval: EachInterval,
        timezone: TimeZone = "UTC",
        customer_id: CustomerId = None,
        external_customer_id: ExternalCustomerId = None,
        group_by: GroupBy = None,
        only: Only = None,
    ) -> MeterQuantities:
        asked = Range(start, end, interval, timezone)
        customer = await customer_asked_for(info.context, customer_id, external_customer_id)
        grouping = read_grouping(group_by, only)
        return await meter_quantities(info, self.row, asked, customer, grouping)

    @strawberry.field(
        description="The customers with the most usage in [start, end), in descending order of "
        "quantity, then by id. Customers without usage in the range are left out; a value that "
        "carries over into it is usage.",
        extensions=[requires(Scope.USAGE_READ)],
    )
    async def top_customers(
        self,
        info: Info,
        start: Start,
        end: End,
        first: Annotated[
            int | None,
            strawberry.argument(
                description="How many customers to return: 1 to 100, by default 10."
            ),
        ] = None,
    ) -> list[Annotated["CustomerQuantity", strawberry.lazy("schema.types.customer_usage")]]:
        context, size = info.context, size_of_list(first, _TOP)
        try:
            window = check_range(start, end)
            async with context.scan_place():
                top = await top_customers(
                    get_connection("default"), definition_of(self.row), window, size
                )
        except RangeError as error:
            raise bad_range(error) from None
        rows = await asyncio.gather(
            *(context.loaders.existing(CustomerRow, one.customer_id) for one in top)
        )
        return [
            customer_usage.CustomerQuantity(
                customer=customer.Customer.of(row), quantity=one.quantity
            )
            for row, one in zip(rows, top, strict=True)
        ]

    @connection(
        Annotated["CustomerMeter", strawberry.lazy("schema.types.customer_meter")],
        description="Current usage and balance of each customer on this meter.",
        extensions=[requires(Scope.USAGE_READ)],
    )
    def customers(self, info: Info) -> Listed:
        return Listed(
            customer_meters_of_meter(info.context.organization_id, self.row.id),
            customer_meter.CustomerMeter.of,
        )

    @connection(
        Annotated["Event", strawberry.lazy("schema.types.event")],
        description="The events that the meter counts, latest first.",
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
            dimensions=list(row.dimensions),
            complete_from=row.complete_from,
            dimensions_complete_from=row.dimensions_complete_from,
            archived_at=row.archived_at,
            is_locked=row.counted_events > 0,
        )
