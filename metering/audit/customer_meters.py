"""Compares the cached usage of current periods with buckets and raw edges, and rebuilds it.

`metering.audit.buckets` has compared those buckets with the raw events before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.audit.drift import Drift, differences
from metering.counting.noted_changes import noted
from metering.language.aggregations import CUSTOMER_COLUMNS
from metering.language.definition import MeterDefinition
from metering.usage.customer_periods import CustomerPeriod
from metering.usage.periods import begin_periods, usage_of_periods
from models.identifiers import new_id

_COLUMNS = (*CUSTOMER_COLUMNS, "consumed")


@dataclass(frozen=True, slots=True)
class DriftedPeriod:
    """A customer's current period on a meter, and how its cached usage differs."""

    period: CustomerPeriod
    drift: Drift


async def drifted_periods(
    connection: BaseDBAsyncClient,
    meter: MeterDefinition,
    position: int,
    customer_ids: Sequence[UUID],
) -> list[DriftedPeriod]:
    """Returns the customers whose cached usage differs from the events, including missing rows.

    The caller's transaction has one snapshot or holds the log's lock. `position` is the meter's.
    """
    rows = await connection.execute_query_dict(
        f"""
        SELECT asked.customer_id, cached.period_start, cached.period_end,
               {", ".join(f"cached.{column}" for column in _COLUMNS)}
        FROM unnest($3::uuid[]) AS asked (customer_id)
        LEFT JOIN customer_meter cached
            ON cached.organization_id = $1 AND cached.meter_id = $2
           AND cached.customer_id = asked.customer_id
        WHERE cached.id IS NOT NULL OR EXISTS (
            SELECT FROM usage_bucket kept
            WHERE kept.organization_id = $1 AND kept.meter_id = $2
              AND kept.customer_id = asked.customer_id AND kept.count > 0
        )
        """,
        [meter.organization_id, meter.id, list(customer_ids)],
    )
    periods = [
        CustomerPeriod(row["customer_id"], row["period_start"], row["period_end"]) for row in rows
    ]
    usages = await usage_of_periods(connection, meter, position, periods)
    values = await _kept_values(connection, meter, customer_ids)
    drifted = []
    for row, period, usage in zip(rows, periods, usages, strict=True):
        kept, strange = values.get(period.customer_id, (0, 0))
        compared: dict[str, Any] = {
            "cached_kept_values": kept,
            "true_kept_values": usage.columns["unique_count"],
            "cached_strange_values": strange,
            "true_strange_values": 0,
        }
        true = {**usage.columns, "consumed": usage.consumed}
        for column in _COLUMNS:
            compared[f"cached_{column}"] = row[column]
            compared[f"true_{column}"] = true[column]
        if found := differences(compared, (*_COLUMNS, "kept_values", "strange_values")):
            drift = Drift(
                meter.id, period.customer_id, None, row["consumed"], usage.consumed, found
            )
            drifted.append(DriftedPeriod(period, drift))
    return drifted


async def rewrite_periods(
    connection: BaseDBAsyncClient,
    meter: MeterDefinition,
    position: int,
    periods: Sequence[CustomerPeriod],
    revision: int,
) -> None:
    """Rebuilds the cached usage of these periods. The caller holds the log's lock."""
    await connection.execute_query_dict(
        noted("""
        INSERT INTO customer_meter (
            organization_id, id, meter_id, customer_id, count, unique_count, sum, consumed,
            credited, revision, updated_at
        )
        SELECT $1, missing.id, $2, missing.customer_id, 0, 0, 0, 0, 0, $3, now()
        FROM unnest($4::uuid[], $5::uuid[]) AS missing (id, customer_id)
        ON CONFLICT (organization_id, meter_id, customer_id) DO NOTHING
        RETURNING id, revision
        """),
        [
            meter.organization_id,
            meter.id,
            revision,
            [new_id() for _ in periods],
            [period.customer_id for period in periods],
        ],
    )
    await begin_periods(connection, meter, position, periods, revision)


async def _kept_values(
    connection: BaseDBAsyncClient, meter: MeterDefinition, customer_ids: Sequence[UUID]
) -> dict[UUID, tuple[int, int]]:
    """Counts the distinct values that each customer's period keeps, and those without a bucket."""
    if not meter.keeps_values:
        return {}
    rows = await connection.execute_query_dict(
        """
        SELECT customer_id, sum(kept) AS kept, sum(kept) FILTER (WHERE seen = 0) AS strange
        FROM (
            SELECT customer_id, value, max(kept) AS kept, max(seen) AS seen
            FROM (
                SELECT customer_id, value, 1 AS kept, 0 AS seen FROM customer_meter_value
                WHERE organization_id = $1 AND meter_id = $2 AND customer_id = ANY($3::uuid[])
                UNION ALL
                SELECT customer_id, value, 0, 1 FROM usage_value
                WHERE organization_id = $1 AND meter_id = $2 AND customer_id = ANY($3::uuid[])
            ) AS either
            GROUP BY customer_id, value
        ) AS value
        GROUP BY customer_id
        """,
        [meter.organization_id, meter.id, list(customer_ids)],
    )
    return {row["customer_id"]: (row["kept"], row["strange"] or 0) for row in rows}
