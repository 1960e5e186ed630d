"""Adds what was counted to the cached usage of customers' current periods: SQL, for one meter.

Counting a step under the log's lock does this in the statement that counts, so that the numbers
never leave the database. Numbers that were counted without the lock come back as parameters.
"""

from metering.alerts.deciding import decision_sql
from metering.counting.noted_changes import noting_sql
from metering.language.aggregations import Aggregation
from metering.language.definition import MeterDefinition
from metering.language.parameters import select_list

# INSERT sets these columns too, which have no defaults in the database.
_BEGINNING = {"count": "0", "unique_count": "0", "sum": "0::numeric"}

# Reads all of `customer_meter` that can matter: `kept` has the state that is merged, and the period
# and the numbers that are compared. A list of customers keeps the planner from reading the rows of
# all customers of the meter.
_KEPT = """
kept AS MATERIALIZED (
    SELECT id, customer_id, period_start, period_end, consumed, credited, {columns}
    FROM customer_meter
    WHERE organization_id = $1 AND meter_id = $2
      AND customer_id = ANY(ARRAY(SELECT DISTINCT customer_id FROM {customers}))
)
"""

# The full join works as a left one, because of its condition, and cannot become a nested loop.
# The planner cannot see that, because the condition is not false for null.
_MERGED = """
added AS MATERIALIZED (
    SELECT coalesce(kept.id, increment.id) AS id, customer_id, kept.period_start,
           kept.consumed AS consumed_before, kept.credited AS credited_before, {merged}
    FROM increment FULL JOIN kept USING (customer_id)
    WHERE coalesce(increment.count, 0) > 0
), merged AS MATERIALIZED (
    SELECT added.*, coalesce({quantity}, 0) AS consumed, {revision} AS revision FROM added
), stored AS (
    INSERT INTO customer_meter (
        organization_id, meter_id, id, customer_id, {stored}, consumed, credited, revision,
        updated_at
    )
    SELECT $1, $2, id, customer_id, {values}, consumed, 0, revision, now() FROM merged
    ON CONFLICT (organization_id, meter_id, customer_id) DO UPDATE SET
        {replaced}, consumed = excluded.consumed, revision = excluded.revision,
        updated_at = excluded.updated_at
), {noted}
"""

_COMPARED = """
compared AS MATERIALIZED (
    SELECT $2 AS meter_id, customer_id, period_start, consumed, consumed_before,
           coalesce(credited_before, 0) AS credited, credited_before
    FROM merged
), {decision}
"""


def columns_of(aggregation: Aggregation) -> tuple[str, ...]:
    """The columns of `customer_meter` that hold the state of an aggregation."""
    values = ("unique_count",) if aggregation.calculation().keeps_values else ()
    return (*aggregation.state(), *values)


def kept_sql(meter: MeterDefinition, customers: str) -> str:
    """A CTE `kept`: the rows of the meter's customers that are in a table `customers`.

    $1 is the organization and $2 the meter.
    """
    return _KEPT.format(columns=", ".join(columns_of(meter.aggregation)), customers=customers)


def merging_sql(meter: MeterDefinition, revision: str, *, is_watched: bool) -> str:
    """CTEs that merge `increment` into `kept`, stamp the rows with a revision, and note that.

    `increment` has a customer_id, an id for a new row, and the columns of the meter's state. If the
    meter is watched, `triggered` has the ids of the alerts' triggers.
    """
    columns = columns_of(meter.aggregation)
    merged = meter.aggregation.merged("kept", "increment") | {
        "unique_count": "kept.unique_count + increment.unique_count"
    }
    stored = _BEGINNING | {column: column for column in columns}
    statement = _MERGED.format(
        merged=select_list(
            {column: f"coalesce({merged[column]}, increment.{column})" for column in columns}
        ),
        quantity=meter.aggregation.quantity_sql("added"),
        revision=revision,
        stored=", ".join(stored),
        values=", ".join(stored.values()),
        replaced=", ".join(f"{column} = excluded.{column}" for column in columns),
        noted=noting_sql("merged"),
    )
    if not is_watched:
        return statement
    return f"{statement}, {_COMPARED.format(decision=decision_sql(revision))}"
