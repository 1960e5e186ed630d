"""Merges what was counted without the log's lock into customers' current periods."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.alerts.deciding import TRIGGERED, tell, watched_meters
from metering.counting.merged_usage import columns_of, kept_sql, merging_sql
from metering.counting.rollup import UsageIncrement
from metering.language.aggregations import CUSTOMER_COLUMNS, STATE
from metering.language.definition import MeterDefinition
from metering.language.parameters import arrays
from models.identifiers import new_id

_MERGE = """
WITH increment AS MATERIALIZED (
    SELECT * FROM unnest({arrays}) AS increment (id, customer_id, {columns})
), {kept}, {merging}
SELECT {triggered} AS triggered
"""


class PeriodChangedError(RuntimeError):
    """A customer's period changed between counting and merging; count again."""


async def merge_increments(
    connection: BaseDBAsyncClient,
    meter: MeterDefinition,
    increments: Sequence[UsageIncrement],
    revision: int,
) -> None:
    """Adds a meter's increments to the cached usage of customers' current periods.

    Changed rows are stamped with `revision`, and the alerts trigger that are reached. The caller
    holds the log's lock, and has called `check_periods`.
    """
    increments = [each for each in increments if each.in_period and each.count]
    if not increments:
        return
    organization_id = meter.organization_id
    new_values = await _keep_new_values(connection, organization_id, increments)
    is_watched = bool(await watched_meters(connection, organization_id, [meter.id]))
    columns = columns_of(meter.aggregation)
    types = ["uuid", "uuid", *(CUSTOMER_COLUMNS[column] for column in columns)]
    statement = _MERGE.format(
        arrays=arrays(types, 4),
        columns=", ".join(columns),
        kept=kept_sql(meter, "increment"),
        merging=merging_sql(meter, "$3::bigint", is_watched=is_watched),
        triggered=TRIGGERED if is_watched else "NULL::uuid[]",
    )
    state = {
        "count": [increment.count for increment in increments],
        "unique_count": [new_values[increment.customer_id] for increment in increments],
    } | {
        column.name: [increment.state[place] for increment in increments]
        for place, column in enumerate(STATE)
    }
    [row] = await connection.execute_query_dict(
        statement,
        [
            organization_id,
            meter.id,
            revision,
            [new_id() for _ in increments],
            [increment.customer_id for increment in increments],
            *(state[column] for column in columns),
        ],
    )
    await tell(connection, organization_id, row["triggered"] or ())


async def _keep_new_values(
    connection: BaseDBAsyncClient, organization_id: UUID, increments: Sequence[UsageIncrement]
) -> Counter[UUID]:
    """Stores the distinct values of a UNIQUE meter; returns how many are new, by customer.

    This happens under the log's lock, not while a chunk of history is counted: a renewal rewrites
    the values of its customers, and the two would deadlock.
    """
    seen = [
        (increment.meter_id, increment.customer_id, value)
        for increment in increments
        for value in increment.distinct_values or ()
    ]
    if not seen:
        return Counter()
    rows = await connection.execute_query_dict(
        """
        INSERT INTO customer_meter_value (organization_id, meter_id, customer_id, value)
        SELECT $1, seen.* FROM unnest($2::uuid[], $3::uuid[], $4::bytea[]) AS seen
        ON CONFLICT DO NOTHING
        RETURNING customer_id
        """,
        [organization_id, *(list(column) for column in zip(*seen, strict=True))],
    )
    return Counter(row["customer_id"] for row in rows)


async def check_periods(
    connection: BaseDBAsyncClient, organization_id: UUID, increments: Sequence[UsageIncrement]
) -> None:
    """Raises PeriodChangedError if an increment was counted for a period that is over by now.

    For increments that were counted without the log's lock; the caller holds it now, and rolls
    back.
    """
    rows = await connection.execute_query_dict(
        """
        SELECT increment.meter_id, increment.customer_id
        FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[])
            AS increment (meter_id, customer_id, period_start)
        WHERE increment.period_start IS DISTINCT FROM (
            SELECT kept.period_start FROM customer_meter kept
            WHERE kept.organization_id = $1 AND kept.meter_id = increment.meter_id
              AND kept.customer_id = increment.customer_id
        )
        LIMIT 1
        """,
        [
            organization_id,
            [increment.meter_id for increment in increments],
            [increment.customer_id for increment in increments],
            [increment.period_start for increment in increments],
        ],
    )
    for row in rows:
        raise PeriodChangedError(f"meter {row['meter_id']}, customer {row['customer_id']}")
