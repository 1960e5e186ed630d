"""MeterQuantities: a meter's usage over time."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import strawberry

from metering.counting.progress import Progress
from metering.usage.windows import RangeError
from models import Meter as MeterRow
from schema.context import Info
from schema.errors import BadUserInput
from schema.loaders.usage import Range
from schema.selections import selects


@strawberry.type(description="A meter's usage over one interval.")
class MeterQuantity:
    start: datetime = strawberry.field(description="The start of the interval.")
    end: datetime = strawberry.field(description="The end of the period, exclusive.")
    quantity: Decimal | None = strawberry.field(
        description="The usage in the meter's units. Without events, it is 0 for COUNT, SUM and "
        "UNIQUE, and null for the other functions."
    )


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
    progress: strawberry.Private[Progress | None]

    @strawberry.field(description="Every event that was stored before this instant is included.")
    def complete_through(self) -> datetime:
        if self.progress is None:
            raise LookupError("the progress is read where it is selected")
        return self.progress.complete_through


async def meter_quantities(
    info: Info, row: MeterRow, asked: Range, customer_id: UUID | None
) -> MeterQuantities:
    """The usage of everybody, or of one customer. Raises BadUserInput for an impossible range."""
    loaders = info.context.loaders
    # Asked first: what is complete by then is in the numbers that are read after.
    progress = await loaders.progress.load(row) if selects(info, "completeThrough") else None
    try:
        series = await loaders.series.load((row, asked, customer_id))
    except RangeError as error:
        raise BadUserInput(str(error), path=[error.argument]) from None
    return MeterQuantities(
        points=[
            MeterQuantity(start=window.start, end=window.end, quantity=point.quantity)
            for window, point in zip(series.windows, series.usage.points, strict=True)
        ],
        total=series.usage.total.quantity,
        progress=progress,
    )
