"""Merges what was counted into the cached usage of customers' current periods."""

from collections import Counter
from collections.abc import Collection, Sequence
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.alerts.deciding import merged_and_decided_sql, tell
from metering.counting.rollup import UsageIncrement
from metering.language.aggregations import CUSTOMER_COLUMNS, consumed_sql, merged_sql
from metering.language.parameters import arrays, select_list
from models.identifiers import new_id


class PeriodChangedError(RuntimeError):
    """A customer's period changed between counting and merging; count again."""


_COLUMNS = ", ".join(CUSTOMER_COLUMNS)

_MERGE = f"""
INSERT INTO customer_meter AS kept (
    organization_id, id, meter_id, customer_id, {_COLUMNS}, consumed, credited, revision, updated_at
)
SELECT $1, increment.*, {consumed_sql("meter.aggregation_function", "increment")}, 0, $2, now()
FROM unnest(
    $3::uuid[], $4::uuid[], $5::uuid[], {arrays(CUSTOMER_COLUMNS.values(), 6)}
) AS increment (id, meter_id, customer_id, {_COLUMNS})
JOIN meter ON meter.id = increment.meter_id
ON CONFLICT (organization_id, meter_id, customer_id) DO UPDATE SET
    ({_COLUMNS}, consumed) = (
        SELECT merged.*, {consumed_sql("meter.aggregation_function", "merged")}
        FROM (SELECT {select_list(merged_sql("kept", "excluded"))}) AS merged
        JOIN meter ON meter.id = kept.meter_id
    ),
    revision = excluded.revision,
    updated_at = excluded.updated_at
RETURNING meter_id, customer_id, period_start
"""

_MERGE_AND_DECIDE = merged_and_decided_sql(
    f"{_MERGE}, consumed, credited", "unnest($4::uuid[], $5::uuid[])"
)


async def merge_increments(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    increments: Sequence[UsageIncrement],
    revision: int,
    watched: Collection[UUID],
) -> None:
    """Adds increments to the cached usage of customers' current periods, stamped with `revision`.

    Triggers the alerts that are reached on the `watched` meters, which have some. The caller holds
    the log's lock. Raises PeriodChangedError if an increment was counted for
    a period that is no longer the current one; the caller then rolls back.
    """
    increments = [each for each in increments if each.in_period and each.count]
    if not increments:
        return
    new_values = await _keep_new_values(connection, organization_id, increments)
    is_watched = any(increment.meter_id in watched for increment in increments)
    rows = await connection.execute_query_dict(
        _MERGE_AND_DECIDE if is_watched else _MERGE,
        [
            organization_id,
            revision,
            [new_id() for _ in increments],
            [increment.meter_id for increment in increments],
            [increment.customer_id for increment in increments],
            [increment.count for increment in increments],
            [new_values[increment.meter_id, increment.customer_id] for increment in increments],
            *map(list, zip(*(increment.state for increment in increments), strict=True)),
        ],
    )
    if is_watched:
        triggered = [row["trigger_id"] for row in rows if row["trigger_id"]]
        await tell(connection, organization_id, triggered)
    current = {(row["meter_id"], row["customer_id"]): row["period_start"] for row in rows}
    for increment in increments:
        if current[increment.meter_id, increment.customer_id] != increment.period_start:
            raise PeriodChangedError(
                f"meter {increment.meter_id}, customer {increment.customer_id}"
            )


async def _keep_new_values(
    connection: BaseDBAsyncClient, organization_id: UUID, increments: Sequence[UsageIncrement]
) -> Counter[tuple[UUID, UUID]]:
    """Stores the distinct values of UNIQUE meters and returns how many are new in each period.

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
        RETURNING meter_id, customer_id
        """,
        [organization_id, *(list(column) for column in zip(*seen, strict=True))],
    )
    return Counter((row["meter_id"], row["customer_id"]) for row in rows)


async def check_periods(
    connection: BaseDBAsyncClient, organization_id: UUID, increments: Sequence[UsageIncrement]
) -> None:
    """Raises PeriodChangedError if an increment lies outside a period that is over by now.

    It may lie inside the current one, and `merge_increments`, which leaves it out, would not
    notice. For increments that were counted without the log's lock; the caller holds it now.
    """
    outside = [each for each in increments if not each.in_period]
    if not outside:
        return
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
            [increment.meter_id for increment in outside],
            [increment.customer_id for increment in outside],
            [increment.period_start for increment in outside],
        ],
    )
    for row in rows:
        raise PeriodChangedError(f"meter {row['meter_id']}, customer {row['customer_id']}")
