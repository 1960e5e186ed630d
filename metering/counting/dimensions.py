"""Adds events to a meter's usage by dimension: SQL for the statement that counts them.

An hour of a combination of values is one row. A combination gets a number when it is first counted
for a customer in a month, as long as there are numbers left; the rest is counted as OTHER.
"""

from metering.language.definition import MeterDefinition
from metering.language.parameters import Parameters, select_list
from metering.language.properties import dimension_sql, property_of
from models.dimension import OTHER

MAXIMUM_COMBINATIONS = 1_000
"""A customer's numbered combinations on a meter in a month."""


def hour_sql(instant: str) -> str:
    """SQL: the beginning of the hour of an instant, in UTC."""
    return f"date_bin('1 hour', {instant}, TIMESTAMPTZ '1970-01-01 00:00Z')"


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
# meter, $4 ALL_CUSTOMERS. Most rows of `seen` have a number, which the primary key finds. The full
# joins work as inner ones, because each row has its partner. Unlike those, they cannot become
# nested loops over all customers of the events.
_COUNT = """
combined AS MATERIALIZED (
    SELECT coalesce(customer_id, $4) AS customer_id, hour, {month} AS month, texts, {partials}
    FROM arrived
    GROUP BY GROUPING SETS ((customer_id, hour, texts), (hour, texts))
),
seen AS MATERIALIZED (
    SELECT found.*, (
        SELECT known.combination FROM dimension_combination known
        WHERE known.organization_id = $1 AND known.meter_id = $2
          AND known.customer_id = found.customer_id AND known.month = found.month
          AND known.key = found.key
    ) AS combination
    FROM (
        SELECT customer_id, month, texts, {key} AS key, sum(count + skipped) AS events
        FROM combined GROUP BY customer_id, month, texts
    ) AS found
),
numbered AS MATERIALIZED (
    SELECT customer_id, month, texts, key,
           taken.numbers
               + row_number() OVER (PARTITION BY customer_id, month ORDER BY events DESC, key)
               AS combination
    FROM (SELECT * FROM seen WHERE combination IS NULL) AS new FULL JOIN (
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
    SELECT $1, $2, customer_id, month, key, combination, texts FROM numbered
    WHERE combination <= {maximum}
),
placed AS MATERIALIZED (
    SELECT customer_id, month, texts, combination FROM seen WHERE combination IS NOT NULL
    UNION ALL
    SELECT customer_id, month, texts, CASE WHEN combination <= {maximum} THEN combination
                                           ELSE {other} END
    FROM numbered
),
hours AS (
    INSERT INTO dimension_bucket AS kept (
        organization_id, meter_id, customer_id, bucket, combination, {columns}
    )
    SELECT $1, $2, customer_id, hour, combination, {merged_partials}
    FROM combined FULL JOIN placed USING (customer_id, month, texts)
    GROUP BY customer_id, hour, combination
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
        FULL JOIN placed USING (customer_id, month, texts)
        OFFSET 0
    ) AS found
    WHERE value IS NOT NULL
    ON CONFLICT DO NOTHING
)
"""


def arrived_columns(meter: MeterDefinition, parameters: Parameters) -> str:
    """Columns of events `e` that `count_sql` needs, besides those of every meter."""
    texts = texts_sql(meter, parameters)
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
        merged_partials=select_list(aggregation.of_partials("combined")),
        merged=", ".join(f"{column} = {sql}" for column, sql in merged.items()),
        values=_VALUES.format(month=month) if meter.keeps_values else "",
    )
