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


@strawberry.type(description="A meter's quantity over one interval.")
class MeterQuantity:
    start: datetime = strawberry.field(description="The interval begins here.")
    end: datetime = strawberry.field(description="It ends before this instant.")
    quantity: Decimal | None = strawberry.field(
        description="In the meter's units. Null where there is nothing to aggregate; COUNT, SUM "
        "and UNIQUE say 0."
    )


@strawberry.type(description="A meter's usage over a range, interval by interval and in all.")
class MeterQuantities:
    points: list[MeterQuantity] = strawberry.field(
        description="One for each interval that touches [start, end), gaps included; the first and "
        "the last are cut off at the range's ends."
    )
    total: Decimal | None = strawberry.field(
        description="The aggregate over all of [start, end): for AVERAGE, MAXIMUM … not the sum "
        "of the points."
    )
    progress: strawberry.Private[Progress | None]

    @strawberry.field(description="Every event stored before this instant is in these numbers.")
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
