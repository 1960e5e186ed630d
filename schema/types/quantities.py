"""MeterQuantities: a meter's usage over time."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import strawberry
from tortoise.connection import get_connection

from metering.language.definition import definition_of
from metering.usage.grouping import Grouping
from metering.usage.groups import Group, grouped_usage
from metering.usage.ranges import Quantities
from metering.usage.windows import MAXIMUM_POINTS, RangeError, Window, windows, zone_of
from models import Meter as MeterRow
from schema.context import Info
from schema.errors import BadUserInput, bad_range
from schema.loaders.usage import Range
from schema.selections import selects

_UNGROUPED = Grouping()


@strawberry.type(description="A meter's usage over one interval.")
class MeterQuantity:
    start: datetime = strawberry.field(description="The start of the interval.")
    end: datetime = strawberry.field(description="The end of the interval, exclusive.")
    quantity: Decimal | None = strawberry.field(
        description="The usage in the meter's units. Without events, it is 0 for COUNT, SUM and "
        "UNIQUE, and null for the other functions. A meter that carries over has the latest value "
        "from before. TIME_WEIGHTED counts until the end of the interval, or until now."
    )


@strawberry.type(name="DimensionValue", description="The value of a dimension of some events.")
class DimensionValueType:
    property: str = strawberry.field(description="The dimension.")
    value: str | None = strawberry.field(
        description="The value as text: 1, 1.0 and the string 1 are the same. Null if an event has "
        "no string, number or boolean there."
    )


@strawberry.type(description="The usage of the events with the same values of some dimensions.")
class QuantityGroup:
    values: list[DimensionValueType] = strawberry.field(
        description="The values, in the order of `groupBy`. Empty for the other group."
    )
    is_other: bool = strawberry.field(
        description="Whether these are all events that are in no group of their own, because there "
        "are too many combinations of values."
    )
    points: list[MeterQuantity] = strawberry.field(
        description="One point for each interval, as in MeterQuantities."
    )
    total: Decimal | None = strawberry.field(description="The aggregate over all of [start, end).")


@strawberry.type(description="A meter's usage over a range of time, by interval and in total.")
class MeterQuantities:
    points: list[MeterQuantity] = strawberry.field(
        description="One point for each interval that overlaps [start, end), including empty "
        "ones. The first and the last are cut off at the ends of the range."
    )
    total: Decimal | None = strawberry.field(
        description="The aggregate over all of [start, end). For AVERAGE, MINIMUM, MAXIMUM, "
        "UNIQUE and LATEST it is not the sum of the points."
    )
    groups: list[QuantityGroup] = strawberry.field(
        default_factory=list,
        description="The usage by the dimensions in `groupBy`, the greatest total first and the "
        "other group last. Groups without events are left out. Empty without `groupBy`.",
    )
    counted_through: strawberry.Private[datetime | None] = None

    @strawberry.field(description="Every event that was stored before this instant is included.")
    def complete_through(self) -> datetime:
        if self.counted_through is None:
            raise LookupError("the progress is read where it is selected")
        return self.counted_through


def check_points(asked: Range, series: int) -> None:
    """Raises BadUserInput for an impossible range, or if the series have too many points in all."""
    try:
        points = len(windows(asked.start, asked.end, asked.interval, zone_of(asked.timezone)))
    except RangeError as error:
        raise bad_range(error) from None
    if points * series > MAXIMUM_POINTS:
        raise BadUserInput(
            f"{series} meters of {points:,} points each are more than {MAXIMUM_POINTS:,} points: "
            "list fewer meters in `meterIds`, or take a longer `interval`",
            path=["interval"],
        )


async def meter_quantities(
    info: Info,
    row: MeterRow,
    asked: Range,
    customer_id: UUID | None,
    grouping: Grouping = _UNGROUPED,
) -> MeterQuantities:
    """Reads the usage of all customers or of one.

    Raises BadUserInput for an impossible range or grouping, and EventsArchived if the range needs
    archived events.
    """
    loaders = info.context.loaders
    # Read this first: the numbers that are read afterwards include everything up to then.
    progress = await loaders.progress.load(row) if selects(info, "completeThrough") else None
    groups: tuple[Group, ...] = ()
    try:
        if grouping == _UNGROUPED:
            series = await loaders.series.load((row, asked, customer_id))
            points, used = series.windows, series.usage
        else:
            zone = zone_of(asked.timezone)
            points = windows(asked.start, asked.end, asked.interval, zone)
            async with info.context.scan_place():
                found = await grouped_usage(
                    get_connection("default"), definition_of(row), points, grouping, customer_id
                )
            groups, used = found.groups, found.usage
    except RangeError as error:
        raise bad_range(error) from None
    through = None if progress is None else progress.complete_through
    return quantities_of(points, used, through, groups)


def quantities_of(
    points: Sequence[Window],
    used: Quantities,
    through: datetime | None,
    groups: Sequence[Group] = (),
) -> MeterQuantities:
    """Makes MeterQuantities of windows; `through` is None if it is not selected."""
    return MeterQuantities(
        points=_points(points, used),
        total=used.total.quantity,
        groups=[
            QuantityGroup(
                values=[
                    DimensionValueType(property=value.property, value=value.value)
                    for value in group.values
                ],
                is_other=group.is_other,
                points=_points(points, group.usage),
                total=group.usage.total.quantity,
            )
            for group in groups
        ],
        counted_through=through,
    )


def _points(points: Sequence[Window], used: Quantities) -> list[MeterQuantity]:
    return [
        MeterQuantity(start=window.start, end=window.end, quantity=point.quantity)
        for window, point in zip(points, used.points, strict=True)
    ]
