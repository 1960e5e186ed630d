"""Adds events to a meter's usage by dimension: SQL for the statement that counts them.

An hour of a combination of values is one row. A combination gets a number when it is first counted
for a customer in a month, as long as there are numbers left; the rest is counted as OTHER. All
customers together also have rows of six hours.
"""

from metering.language.definition import MeterDefinition
from metering.language.parameters import Parameters, select_list
from metering.language.properties import dimension_sql, property_of
from models.dimension import OTHER, QUARTER_DAYS

MAXIMUM_COMBINATIONS = 1_000
"""A customer's numbered combinations on a meter in a month."""


def hour_sql(instant: str) -> str:
    """SQL: the beginning of the hour of an instant, in UTC."""
    return f"date_bin('1 hour', {instant}, TIMESTAMPTZ '1970-01-01 00:00Z')"


def quarter_day_sql(instant: str) -> str:
    """SQL: the beginning of the six hours of an instant, in UTC."""
    return f"date_bin('6 hours', {instant}, TIMESTAMPTZ '1970-01-01 00:00Z')"


def month_sql(instant: str) -> str:
    """SQL: the first day of the month of an instant, in UTC."""
    return f"date_trunc('month', {instant} AT TIME ZONE 'UTC')::date"


def texts_sql(meter: MeterDefinition, parameters: Parameters) -> str:
    """SQL: the values of the meter's dimensions of an event `e`, as an array of texts."""
    texts = [dimension_sql(property_of(name), parameters) for name in meter.dimensions]
    return f"ARRAY[{', '.join(texts)}]::text[]"


def key_of_texts_sql(texts: str) -> str:
    """SQL: a key (bytea) that equal arrays of texts and only they share."""
    return f"sha256(convert_to({texts}::text, 'UTF8'))"


# Reads the events `arrived`: customer_id, hour, texts and value. $1 is the organization, $2 the
# meter, $4 ALL_CUSTOMERS. Most combinations have a number, which the primary key finds: in its
# order, so that one lookup finds the pages of the next in the cache. Only what has no number is
# grouped and joined again. The full joins work as inner ones, because each row has its partner.
# Unlike those, they cannot become nested loops over all customers of the events.
_COUNT = """
seen AS MATERIALIZED (
    SELECT combined.*, (
        SELECT known.combination FROM dimension_combination known
        WHERE known.organization_id = $1 AND known.meter_id = $2
          AND known.customer_id = combined.customer_id AND known.month = combined.month
          AND known.key = combined.key
    ) AS combination
    FROM (
        SELECT coalesce(customer_id, $4) AS customer_id, hour, {month} AS month, texts,
               {key} AS key, {partials}
        FROM arrived
        GROUP BY GROUPING SETS ((customer_id, hour, texts), (hour, texts))
        ORDER BY 1, 3, 5
    ) AS combined
),
numbered AS MATERIALIZED (
    SELECT customer_id, month, texts, key,
           taken.numbers
               + row_number() OVER (PARTITION BY customer_id, month ORDER BY events DESC, key)
               AS combination
    FROM (
        SELECT customer_id, month, texts, key, sum(count + skipped) AS events
        FROM seen WHERE combination IS NULL
        GROUP BY customer_id, month, texts, key
    ) AS new FULL JOIN (
        SELECT customer_id, month, (
            SELECT count(*) FROM dimension_combination known
            WHERE known.organization_id = $1 AND known.meter_id = $2
              AND known.customer_id = asked.customer_id AND known.month = asked.month
        ) AS numbers
        FROM (SELECT DISTINCT customer_id, month FROM seen WHERE combination IS NULL) AS asked
    ) AS taken USING (customer_id, month)
),
new_combinations AS (
    INSERT INTO dimension_combination (
        organization_id, meter_id, customer_id, month, key, combination, texts
    )
    SELECT $1, $2, customer_id, month, key, combination, texts::text[] FROM numbered
    WHERE combination <= {maximum}
),
placed AS MATERIALIZED (
    SELECT customer_id, month, texts, CASE WHEN combination <= {maximum} THEN combination
                                           ELSE {other} END AS combination
    FROM numbered
),
hours AS MATERIALIZED (
    SELECT customer_id, hour, combination, {columns} FROM seen WHERE combination IS NOT NULL
    UNION ALL
    SELECT customer_id, hour, placed.combination, {merged_partials}
    FROM (SELECT * FROM seen WHERE combination IS NULL) AS new
    FULL JOIN placed USING (customer_id, month, texts)
    GROUP BY customer_id, hour, placed.combination
),
stored_buckets AS (
    INSERT INTO dimension_bucket AS kept (
        organization_id, meter_id, customer_id, bucket, combination, {columns}
    )
    SELECT $1, $2, * FROM (
        SELECT customer_id, hour, combination, {columns} FROM hours
        UNION ALL
        SELECT '{quarter_days}'::uuid, {quarter_day}, combination, {merged_hours}
        FROM hours WHERE customer_id = $4
        GROUP BY 2, combination
    ) AS found
    -- Rows are stored in the order in which they are read.
    ORDER BY 3, 4, 5
    ON CONFLICT (organization_id, meter_id, customer_id, bucket, combination) DO UPDATE SET
        {merged}
)
{values}
"""

_VALUES = """,
hour_values AS (
    INSERT INTO dimension_value (
        organization_id, meter_id, customer_id, bucket, combination, value
    )
    SELECT DISTINCT $1, $2, customer_id, hour, combination, value
    FROM (
        SELECT customer_id, hour, combination, value
        FROM (
            SELECT coalesce(customer_id, $4) AS customer_id, hour, {month} AS month, texts, value
            FROM arrived
            GROUP BY GROUPING SETS ((customer_id, hour, texts, value), (hour, texts, value))
        ) AS distinct_values
        FULL JOIN (
            SELECT DISTINCT customer_id, month, texts, combination
            FROM seen WHERE combination IS NOT NULL
            UNION ALL
            SELECT * FROM placed
        ) AS combinations USING (customer_id, month, texts)
        OFFSET 0
    ) AS found
    WHERE value IS NOT NULL
    ON CONFLICT DO NOTHING
)
"""


def arrived_columns(meter: MeterDefinition, parameters: Parameters) -> str:
    """Columns of events `e` that `count_sql` needs, besides those of every meter."""
    # Text is grouped faster than an array, and an array follows from it.
    texts = f"({texts_sql(meter, parameters)})::text"
    return f", {hour_sql('e.timestamp')} AS hour, {texts} AS texts"


def count_sql(meter: MeterDefinition) -> str:
    """CTEs that add the events `arrived` to the meter's usage by dimension."""
    aggregation = meter.aggregation
    partials = aggregation.of_events()
    merged = aggregation.merged("kept", "excluded")
    month = month_sql("hour")
    return _COUNT.format(
        month=month,
        partials=select_list(partials),
        key=key_of_texts_sql("texts"),
        maximum=MAXIMUM_COMBINATIONS,
        other=OTHER,
        columns=", ".join(partials),
        merged_partials=select_list(aggregation.of_partials("new")),
        quarter_days=QUARTER_DAYS,
        quarter_day=quarter_day_sql("hour"),
        merged_hours=select_list(aggregation.of_partials("hours")),
        merged=", ".join(f"{column} = {sql}" for column, sql in merged.items()),
        values=_VALUES.format(month=month) if meter.keeps_values else "",
    )
