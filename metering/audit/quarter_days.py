"""Compares rows of six hours of usage by dimension with the rows of their hours, and rebuilds them.

The hours are compared with the events, so what is merged from them needs no events: it follows for
archived time, too.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.audit.drift import Drift, differences
from metering.counting.dimensions import quarter_day_sql
from metering.language.definition import MeterDefinition
from metering.language.parameters import select_list
from metering.usage.windows import QUARTER_DAY_MINUTES, bucket_of
from models import ALL_CUSTOMERS
from models.dimension import QUARTER_DAYS
from models.meter import CLEARING

_RANGE = f"""
    bucket >= {quarter_day_sql("coalesce($4::timestamptz, '-infinity')")}
    AND bucket < coalesce(
        {quarter_day_sql("$5::timestamptz - interval '1 microsecond'")} + interval '6 hours',
        'infinity'
    )
"""

_COMPARE = f"""
WITH cached AS (
    SELECT * FROM dimension_bucket
    WHERE organization_id = $1 AND meter_id = $2 AND customer_id = $6 AND {_RANGE}
), truth AS (
    SELECT {quarter_day_sql("bucket")} AS bucket, combination, {{merged}}
    FROM dimension_bucket hours
    WHERE organization_id = $1 AND meter_id = $2 AND customer_id = $3 AND {_RANGE}
    GROUP BY 1, combination
)
SELECT bucket, combination, {{both}},
       {{cached_quantity}} AS cached, {{true_quantity}} AS recomputed
FROM truth FULL JOIN cached USING (bucket, combination)
WHERE ({{true_columns}}) IS DISTINCT FROM ({{cached_columns}})
ORDER BY bucket, combination
"""


async def drifted_quarter_days(
    connection: BaseDBAsyncClient,
    meter: MeterDefinition,
    start: datetime | None,
    end: datetime | None,
    drifts: Collection[Drift],
) -> list[Drift]:
    """Returns the rows of six hours in [start, end) that are not what their hours add up to.

    Those of hours that are among `drifts` are left out: they cannot be compared.
    """
    if not meter.dimensions or meter.dimensions_position == CLEARING:
        return []
    aggregation = meter.aggregation
    columns = list(aggregation.state())
    statement = _COMPARE.format(
        merged=select_list(aggregation.of_partials("hours")),
        both=", ".join(
            f"truth.{column} AS true_{column}, cached.{column} AS cached_{column}"
            for column in columns
        ),
        true_columns=", ".join(f"truth.{column}" for column in columns),
        cached_columns=", ".join(f"cached.{column}" for column in columns),
        # The distinct values are kept by the hour only.
        cached_quantity="NULL::numeric"
        if meter.keeps_values
        else aggregation.quantity_sql("cached"),
        true_quantity="NULL::numeric" if meter.keeps_values else aggregation.quantity_sql("truth"),
    )
    wrong = _quarter_days(
        drift.bucket for drift in drifts if drift.bucket and drift.combination is not None
    )
    values = [meter.organization_id, meter.id, ALL_CUSTOMERS, start, end, QUARTER_DAYS]
    return [
        Drift(
            meter_id=meter.id,
            customer_id=QUARTER_DAYS,
            bucket=row["bucket"],
            combination=row["combination"],
            cached=row["cached"],
            recomputed=row["recomputed"],
            differences=differences(row, columns),
        )
        for row in await connection.execute_query_dict(statement, values)
        if row["bucket"] not in wrong
    ]


async def rewrite_quarter_days(
    connection: BaseDBAsyncClient, meter: MeterDefinition, hours: Iterable[datetime]
) -> None:
    """Rebuilds the rows of six hours that these hours are in from the rows of their hours.

    The caller has stopped catch-up and locked the log.
    """
    begun = sorted(_quarter_days(hours))
    owner: list[UUID | list[datetime]] = [meter.organization_id, meter.id, QUARTER_DAYS, begun]
    await connection.execute_query(
        """
        DELETE FROM dimension_bucket
        WHERE organization_id = $1 AND meter_id = $2 AND customer_id = $3 AND bucket = ANY($4)
        """,
        owner,
    )
    states = meter.aggregation.of_partials("hours")
    await connection.execute_query(
        f"""
        INSERT INTO dimension_bucket (
            organization_id, meter_id, customer_id, bucket, combination, {", ".join(states)}
        )
        SELECT $1, $2, $3, begun.at, combination, {select_list(states)}
        FROM unnest($4::timestamptz[]) AS begun (at)
        JOIN dimension_bucket hours
            ON hours.organization_id = $1 AND hours.meter_id = $2 AND hours.customer_id = $5
           AND hours.bucket >= begun.at AND hours.bucket < begun.at + interval '6 hours'
        GROUP BY begun.at, combination
        """,
        [*owner, ALL_CUSTOMERS],
    )


def _quarter_days(hours: Iterable[datetime]) -> set[datetime]:
    return {bucket_of(hour, QUARTER_DAY_MINUTES) for hour in hours}
