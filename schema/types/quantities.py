"""MeterQuantities: a meter's usage over time."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import strawberry
from tortoise.connection import get_connection

from metering.aggregations import Aggregation, AggregationFunction
from metering.definition import MeterDefinition
from metering.filter_parsing import stored_filter
from metering.usage import usage
from metering.windows import Interval, RangeError, windows, zone_of
from models import Meter as MeterRow
from schema.context import Context
from schema.errors import BadUserInput


@strawberry.type(description="A meter's quantity over one interval.")
class MeterQuantity:
    """A meter's quantity over one interval."""

    start: datetime = strawberry.field(description="The interval begins here.")
    end: datetime = strawberry.field(description="It ends before this instant.")
    quantity: Decimal | None = strawberry.field(
        description="In the meter's units. Null where there is nothing to aggregate; COUNT, SUM "
        "and UNIQUE say 0."
    )


@strawberry.type(description="A meter's usage over a range, interval by interval and in all.")
class MeterQuantities:
    """A meter's usage over a range."""

    points: list[MeterQuantity] = strawberry.field(
        description="One for each interval that touches [start, end), gaps included; the first and "
        "the last are cut off at the range's ends."
    )
    total: Decimal | None = strawberry.field(
        description="The aggregate over all of [start, end): for AVERAGE, MAXIMUM … not the sum "
        "of the points."
    )
    complete_through: datetime = strawberry.field(
        description="Every event stored before this instant is in these numbers."
    )


@dataclass(frozen=True)
class Range:
    """What a series is asked for: [start, end) by intervals of a time zone."""

    start: datetime
    end: datetime
    interval: Interval
    timezone: str


async def meter_quantities(
    context: Context, row: MeterRow, asked: Range, customer_id: UUID | None
) -> MeterQuantities:
    """The usage of everybody, or of one customer. Raises BadUserInput for an impossible range."""
    try:
        zone = zone_of(asked.timezone)
        found = windows(asked.start, asked.end, asked.interval, zone)
    except RangeError as error:
        raise BadUserInput(f"`{error.argument}`: {error}") from None
    # Asked first: what is complete by then is in the numbers that are read after.
    progress = await context.loaders.progress.load(row)
    used = await usage(get_connection("default"), definition_of(row), found, customer_id)
    return MeterQuantities(
        points=[
            MeterQuantity(start=window.start, end=window.end, quantity=point.quantity)
            for window, point in zip(found, used.points, strict=True)
        ],
        total=used.total.quantity,
        complete_through=progress.complete_through,
    )


def definition_of(row: MeterRow) -> MeterDefinition:
    """What counting needs of a meter's row."""
    return MeterDefinition(
        id=row.id,
        organization_id=row.organization_id,
        filter=stored_filter(row.event_filter),
        aggregation=Aggregation(
            AggregationFunction(row.aggregation_function), row.aggregation_property
        ),
        event_names=None if row.event_names is None else tuple(row.event_names),
        position=row.position,
    )
