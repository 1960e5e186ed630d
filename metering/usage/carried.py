"""Reads quantities of meters that carry over: a window begins with the latest value from before.

Of each customer (or of all events together), one state for each window with events is read, and the
state before the range as window 0. Between two windows with events, the latest value lasts.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.definition import MeterDefinition
from metering.language.parameters import Parameters, select_list
from metering.usage.bucket_ranges import edges_of, whole_buckets
from metering.usage.edges import edge_events
from metering.usage.lasting_points import points_of
from metering.usage.windows import Window, bucket_of

# `state` has {keys}, the window's `ordinal`, and the state of the events. Customers whose values
# last through the same windows are one row before it is repeated for each window.
_QUANTITIES = """
walked AS (
    SELECT {keys}, ordinal, latest_value, {own} AS value,
           lead(ordinal, 1, {windows} + 1) OVER walk AS following
    FROM (
        SELECT *, lag(latest_value) OVER (PARTITION BY {streams} ORDER BY ordinal) AS carried
        FROM state WHERE latest_at IS NOT NULL AND {condition}
    ) AS state
    WINDOW walk AS (PARTITION BY {streams} ORDER BY ordinal)
), point AS (
    SELECT {keys}, ordinal, {of_customers}(value) AS value FROM walked WHERE ordinal > 0
    GROUP BY {keys}, ordinal
    UNION ALL
    SELECT {lasting_keys}, later.ordinal, {lasting}
    FROM (
        SELECT {keys}, ordinal, following, {of_customers}(latest_value) AS value FROM walked
        GROUP BY {keys}, ordinal, following
    ) AS lasting
    CROSS JOIN LATERAL generate_series(lasting.ordinal + 1, lasting.following - 1)
        AS later (ordinal)
), quantities AS (
    SELECT {keys}, ordinal, {quantity} AS quantity
    FROM (
        SELECT {keys}, coalesce(ordinal, {total}) AS ordinal, {of_windows} AS value
        FROM (
            SELECT {keys}, ordinal, {of_customers}(value) AS value FROM point
            GROUP BY {keys}, ordinal
        ) AS point
        GROUP BY GROUPING SETS (({keys}, ordinal), ({keys}))
    ) AS whole
)
"""

_BEFORE = """
    SELECT {key}, 0 AS ordinal, {columns}
    FROM who CROSS JOIN LATERAL (
        SELECT * FROM usage_bucket kept
        WHERE kept.organization_id = $1 AND kept.meter_id = who.meter_id
          AND kept.customer_id = who.customer_id
          AND kept.bucket < {bucket} AND kept.latest_at IS NOT NULL
        ORDER BY kept.bucket DESC LIMIT 1
    ) AS kept
"""

_ONE = "SELECT meter_id, $2::uuid AS customer_id FROM unnest({meters}) AS asked (meter_id)"

# What all events together count is read along, for the numbers of events.
_EACH = """
    SELECT known.meter_id, known.customer_id FROM customer_meter known
    WHERE known.organization_id = $1 AND known.meter_id = ANY({meters})
    UNION ALL
"""

_STATES = """
who AS MATERIALIZED (
    {who}
), part AS (
    {parts}
), state AS MATERIALIZED (
    SELECT meter_id, customer_id, ordinal, {merged} FROM part
    GROUP BY meter_id, customer_id, ordinal
)
"""

_USAGE = """(
WITH {states}, {quantities}, counts AS (
    SELECT meter_id, coalesce(ordinal, {total}) AS ordinal,
           sum(count)::bigint AS count, sum(skipped)::bigint AS skipped
    FROM state WHERE customer_id = $2 AND ordinal > 0
    GROUP BY GROUPING SETS ((meter_id, ordinal), (meter_id))
)
SELECT meter_id, array_agg(ordinal), array_agg({known}), array_agg(coalesce(count, 0)),
       array_agg(coalesce(skipped, 0))
FROM quantities FULL JOIN counts USING (meter_id, ordinal)
GROUP BY meter_id
)"""

_TOP = """
WITH {states}, {quantities}
SELECT customer_id, quantity FROM quantities WHERE ordinal = {total} AND quantity IS NOT NULL
ORDER BY quantity DESC, customer_id
LIMIT {limit:d}
"""

TOTAL = 0
"""The ordinal of the quantity over all windows; windows are numbered from 1."""


def carried_usage_sql(
    meters: Sequence[MeterDefinition],
    windows: Sequence[Window],
    customer_id: UUID | None,
    parameters: Parameters,
) -> str:
    """Writes the statement of `metering.usage.ranges` for meters with the same aggregation.

    $1 is the organization, $2 the customer or ALL_CUSTOMERS. The maximum of all customers is the
    greatest of theirs. The latest value of all is that of the latest event.
    """
    aggregation = meters[0].aggregation
    is_of_each = customer_id is None and aggregation.function is not AggregationFunction.LATEST
    of_customer = "" if customer_id is None else "AND e.customer_id = $2"
    return _USAGE.format(
        states=_states_sql(
            meters, windows, parameters, is_of_each=is_of_each, condition=of_customer
        ),
        quantities=quantities_sql(
            aggregation,
            windows,
            parameters,
            keys=("meter_id",),
            streams=("meter_id", "customer_id"),
            condition=f"customer_id {'<>' if is_of_each else '='} $2",
        ),
        known=known_sql(aggregation),
        total=TOTAL,
    )


def known_sql(aggregation: Aggregation) -> str:
    """SQL: the `quantity` of a window, also if it has only skipped events."""
    of_nothing = aggregation.calculation().of_nothing
    return "quantity" if of_nothing is None else f"coalesce(quantity, {of_nothing})"


def top_carried_sql(
    meter: MeterDefinition, window: Window, limit: int, parameters: Parameters
) -> str:
    """Writes a statement that finds the customers with the greatest quantities in a window.

    $1 is the organization, $2 ALL_CUSTOMERS.
    """
    keys = ("customer_id",)
    return _TOP.format(
        states=_states_sql([meter], [window], parameters, is_of_each=True, condition=""),
        quantities=quantities_sql(
            meter.aggregation,
            [window],
            parameters,
            keys=keys,
            streams=keys,
            condition="customer_id <> $2",
        ),
        total=TOTAL,
        limit=limit,
    )


def quantities_sql(
    aggregation: Aggregation,
    windows: Sequence[Window],
    parameters: Parameters,
    *,
    keys: Sequence[str],
    streams: Sequence[str],
    condition: str = "true",
) -> str:
    """Writes CTEs that make `quantities` of `state`: {keys}, ordinal and quantity.

    Args:
        aggregation: of the meters; its values last.
        windows: those with the ordinals from 1 on.
        parameters: of the statement.
        keys: the columns by which there are quantities.
        streams: the columns by which values last: a value lasts until the next one of its stream.
        condition: on rows of `state`.
    """
    points = points_of(aggregation, windows, parameters)
    return _QUANTITIES.format(
        keys=", ".join(keys),
        lasting_keys=", ".join(f"lasting.{key}" for key in keys),
        streams=", ".join(streams),
        own=points.own,
        lasting=points.lasting,
        of_customers=points.of_customers,
        of_windows=points.of_windows,
        quantity=points.quantity,
        windows=len(windows),
        condition=condition,
        total=TOTAL,
    )


def before(start: datetime) -> tuple[Window, ...]:
    """Returns what is before an instant in its bucket, if anything."""
    bucket = bucket_of(start)
    return (Window(bucket, start),) if bucket < start else ()


def _states_sql(
    meters: Sequence[MeterDefinition],
    windows: Sequence[Window],
    parameters: Parameters,
    *,
    is_of_each: bool,
    condition: str,
) -> str:
    """Writes the CTE `state`: by meter, customer ($2 for all events together) and window."""
    aggregation = meters[0].aggregation
    ids = parameters.add(tuple(meter.id for meter in meters), "uuid[]")
    columns = aggregation.of_partials("kept")
    buckets = whole_buckets(windows, parameters)(
        meters=ids, table="usage_bucket", columns=select_list(columns), customers="who"
    )
    start = windows[0].start
    first = _BEFORE.format(
        key="who.meter_id, who.customer_id",
        columns=", ".join(f"kept.{column}" for column in columns),
        bucket=parameters.add(bucket_of(start), "timestamptz"),
    )
    parts = [buckets, first]
    edges = edges_of(windows, parameters, before=before(start))
    if edges:
        of_events = aggregation.of_events("counted.value", "e.timestamp", "e.id")
        customer = "coalesce(e.customer_id, $2::uuid)" if is_of_each else "$2::uuid"
        selected = select_list({"customer_id": customer, **of_events})
        grouping = "GROUP BY GROUPING SETS ((e.customer_id), ())" if is_of_each else ""
        parts += (
            f"SELECT meter_id, customer_id, ordinal, {', '.join(of_events)} FROM ({events}) AS edge"
            for events in (
                edge_events(
                    meter, edges, selected, parameters, condition=condition, grouping=grouping
                )
                for meter in meters
            )
        )
    one = _ONE.format(meters=ids)
    return _STATES.format(
        who=_EACH.format(meters=ids) + one if is_of_each else one,
        parts=" UNION ALL ".join(parts),
        merged=select_list(aggregation.of_partials("part")),
    )
