"""How the quantities of windows follow from values that last, in SQL."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from config.clock import now
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.parameters import Parameters
from metering.language.time_weighted import hours_sql
from metering.usage.windows import Window


@dataclass(frozen=True, slots=True)
class Points:
    """How the value of a window follows from a customer's, in SQL.

    `own`: from the events in it and the `carried` value. `lasting`: from a value that lasts all
    through it. `of_customers`: the aggregate function that makes the values of customers one;
    `of_windows`: the aggregate of windows. `quantity`: from that `value`.
    """

    own: str
    of_windows: str
    lasting: str = "lasting.value"
    of_customers: str = "max"
    quantity: str = "trim_scale(value)"


_LATEST = Points("latest_value", "(array_agg(value ORDER BY ordinal DESC))[1]")
_MAXIMUM = Points("greatest(maximum, carried)", "max(value)")
# The windows' bounds are arrays. A window that is not over ends now, or at the latest event.
_TIME_WEIGHTED = Points(
    own="""coalesce(carried, 0) * extract(epoch FROM first_at - ({starts})[ordinal])
        + value_seconds
        + latest_value * extract(epoch FROM greatest(({ends})[ordinal], latest_at) - latest_at)""",
    lasting="""lasting.value * extract(
        epoch FROM ({ends})[later.ordinal] - ({starts})[later.ordinal]
    )""",
    of_customers="sum",
    of_windows="sum(value)",
    quantity=hours_sql("value"),
)


def points_of(
    aggregation: Aggregation, windows: Sequence[Window], parameters: Parameters
) -> Points:
    """Returns how an aggregation whose values last makes quantities of the windows."""
    match aggregation.function:
        case AggregationFunction.MAXIMUM:
            return _MAXIMUM
        case AggregationFunction.LATEST:
            return _LATEST
        case _:
            bounds = _bounds(windows, parameters)
            return replace(
                _TIME_WEIGHTED,
                own=_TIME_WEIGHTED.own.format(**bounds),
                lasting=_TIME_WEIGHTED.lasting.format(**bounds),
            )


def _bounds(windows: Sequence[Window], parameters: Parameters) -> dict[str, str]:
    """Writes arrays of the windows' starts, and of the ends of what is over of them by now."""
    present = now()
    ends = tuple(max(window.start, min(window.end, present)) for window in windows)
    return {
        "starts": parameters.add(tuple(window.start for window in windows), "timestamptz[]"),
        "ends": parameters.add(ends, "timestamptz[]"),
    }
