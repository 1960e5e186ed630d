"""Merging what was counted into the cached usage of customers' current periods."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.counting.rollup import Share
from metering.language.aggregations import consumed_sql
from models.identifiers import new_id


class PeriodChangedError(RuntimeError):
    """A customer's period changed between counting and merging: count again."""


_MERGE = f"""
INSERT INTO customer_meter AS kept (
    organization_id, id, meter_id, customer_id, count, unique_count, sum, minimum, maximum,
    latest_value, latest_at, latest_event_id, consumed, credited, revision, updated_at
)
SELECT $1, gain.id, gain.meter_id, gain.customer_id, gain.count, gain.unique_count, gain.sum,
       gain.minimum, gain.maximum, gain.latest_value, gain.latest_at, gain.latest_event_id,
       {consumed_sql("meter.aggregation_function", "gain")}, 0, $2, now()
FROM unnest(
    $3::uuid[], $4::uuid[], $5::uuid[], $6::bigint[], $7::bigint[], $8::numeric[], $9::numeric[],
    $10::numeric[], $11::numeric[], $12::timestamptz[], $13::uuid[]
) AS gain (
    id, meter_id, customer_id, count, unique_count, sum, minimum, maximum,
    latest_value, latest_at, latest_event_id
)
JOIN meter ON meter.id = gain.meter_id
ON CONFLICT (organization_id, meter_id, customer_id) DO UPDATE SET
    (count, unique_count, sum, minimum, maximum, latest_value, latest_at, latest_event_id, consumed)
    = (
        SELECT merged.count, merged.unique_count, merged.sum, merged.minimum, merged.maximum,
               merged.latest_value, merged.latest_at, merged.latest_event_id,
               {consumed_sql("meter.aggregation_function", "merged")}
        FROM (
            SELECT kept.count + excluded.count AS count,
                   kept.unique_count + excluded.unique_count AS unique_count,
                   kept.sum + excluded.sum AS sum,
                   least(kept.minimum, excluded.minimum) AS minimum,
                   greatest(kept.maximum, excluded.maximum) AS maximum,
                   newer.*
            FROM (VALUES
                (kept.latest_value, kept.latest_at, kept.latest_event_id),
                (excluded.latest_value, excluded.latest_at, excluded.latest_event_id)
            ) AS newer (latest_value, latest_at, latest_event_id)
            ORDER BY newer.latest_at DESC NULLS LAST, newer.latest_event_id DESC LIMIT 1
        ) AS merged
        JOIN meter ON meter.id = kept.meter_id
    ),
    revision = excluded.revision,
    updated_at = excluded.updated_at
RETURNING meter_id, customer_id, period_start
"""


async def merge_shares(
    connection: BaseDBAsyncClient, organization_id: UUID, shares: Sequence[Share], revision: int
) -> None:
    """Adds shares to the cached usage of the customers' current periods, stamped with `revision`.

    To be called under the log's lock. Raises PeriodChangedError where a share was counted for
    another period than the current one; nothing of the transaction may then be kept.
    """
    gains = [share for share in shares if share.in_period and share.count]
    if not gains:
        return
    new_values = await _keep_new_values(connection, organization_id, gains)
    rows = await connection.execute_query_dict(
        _MERGE,
        [
            organization_id,
            revision,
            [new_id() for _ in gains],
            [gain.meter_id for gain in gains],
            [gain.customer_id for gain in gains],
            [gain.count for gain in gains],
            [new_values[gain.meter_id, gain.customer_id] for gain in gains],
            [gain.sum for gain in gains],
            [gain.minimum for gain in gains],
            [gain.maximum for gain in gains],
            [gain.latest_value for gain in gains],
            [gain.latest_at for gain in gains],
            [gain.latest_event_id for gain in gains],
        ],
    )
    current = {(row["meter_id"], row["customer_id"]): row["period_start"] for row in rows}
    for gain in gains:
        if current[gain.meter_id, gain.customer_id] != gain.period_start:
            raise PeriodChangedError(f"meter {gain.meter_id}, customer {gain.customer_id}")


async def _keep_new_values(
    connection: BaseDBAsyncClient, organization_id: UUID, gains: Sequence[Share]
) -> Counter[tuple[UUID, UUID]]:
    """Keeps the distinct values of UNIQUE meters, and gives how many are new in each period.

    Under the log's lock, and not with the counting of a chunk of history: a period that turns
    meanwhile makes the values of its customers anew, and the two would wait for each other.
    """
    seen = [
        (gain.meter_id, gain.customer_id, value)
        for gain in gains
        for value in gain.distinct_values or ()
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
    connection: BaseDBAsyncClient, organization_id: UUID, shares: Sequence[Share]
) -> None:
    """Raises PeriodChangedError where a share was counted as outside of a period that is over.

    It may be inside of the current one, and `merge_shares`, which leaves it out, would not notice.
    For shares that were counted without the log's lock; to be called under it.
    """
    outside = [share for share in shares if not share.in_period]
    if not outside:
        return
    rows = await connection.execute_query_dict(
        """
        SELECT share.meter_id, share.customer_id
        FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[])
            AS share (meter_id, customer_id, period_start)
        WHERE share.period_start IS DISTINCT FROM (
            SELECT kept.period_start FROM customer_meter kept
            WHERE kept.organization_id = $1 AND kept.meter_id = share.meter_id
              AND kept.customer_id = share.customer_id
        )
        LIMIT 1
        """,
        [
            organization_id,
            [share.meter_id for share in outside],
            [share.customer_id for share in outside],
            [share.period_start for share in outside],
        ],
    )
    for row in rows:
        raise PeriodChangedError(f"meter {row['meter_id']}, customer {row['customer_id']}")
