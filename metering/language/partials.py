"""SQL on partial aggregates: making them of events, and merging them.

Columns that a function does not need stay at their defaults: 0 for sum, null for the others.
"""

from collections.abc import Mapping

from metering.language.aggregations import Aggregation, AggregationFunction

_DEFAULTS = {
    "sum": "0::numeric",
    "minimum": "NULL::numeric",
    "maximum": "NULL::numeric",
    "latest_value": "NULL::numeric",
    "latest_at": "NULL::timestamptz",
    "latest_event_id": "NULL::uuid",
}


def partial_sql(
    aggregation: Aggregation, value: str, timestamp: str, event_id: str
) -> dict[str, str]:
    """Aggregate expressions that make a partial aggregate of events, by column.

    Args:
        aggregation: what is needed of the events.
        value: a column that holds `Aggregation.value_sql`.
        timestamp: a column with the events' instants.
        event_id: a column with their ids.
    """
    columns = {"count": f"count({value})", "skipped": f"count(*) - count({value})", **_DEFAULTS}
    match aggregation.function:
        case AggregationFunction.SUM | AggregationFunction.AVERAGE:
            columns["sum"] = f"COALESCE(sum({value}), 0)"
        case AggregationFunction.MINIMUM:
            columns["minimum"] = f"min({value})"
        case AggregationFunction.MAXIMUM:
            columns["maximum"] = f"max({value})"
        case AggregationFunction.LATEST:
            order = f"ORDER BY {timestamp} DESC, {event_id} DESC"
            present = f"FILTER (WHERE {value} IS NOT NULL)"
            columns["latest_value"] = f"(array_agg({value} {order}) {present})[1]"
            columns["latest_at"] = f"max({timestamp}) {present}"
            columns["latest_event_id"] = f"(array_agg({event_id} {order}) {present})[1]"
        case AggregationFunction.COUNT | AggregationFunction.UNIQUE:
            pass
    return columns


def merged_partials_sql(aggregation: Aggregation, row: str) -> dict[str, str]:
    """Aggregate expressions that merge all partial aggregates of a group, by column.

    `row` is the alias of the rows that hold them.
    """
    columns = {
        "count": f"COALESCE(sum({row}.count), 0)::bigint",
        "skipped": f"COALESCE(sum({row}.skipped), 0)::bigint",
        **_DEFAULTS,
    }
    match aggregation.function:
        case AggregationFunction.SUM | AggregationFunction.AVERAGE:
            columns["sum"] = f"COALESCE(sum({row}.sum), 0)"
        case AggregationFunction.MINIMUM:
            columns["minimum"] = f"min({row}.minimum)"
        case AggregationFunction.MAXIMUM:
            columns["maximum"] = f"max({row}.maximum)"
        case AggregationFunction.LATEST:
            order = f"ORDER BY {row}.latest_at DESC, {row}.latest_event_id DESC"
            present = f"FILTER (WHERE {row}.latest_at IS NOT NULL)"
            columns["latest_value"] = f"(array_agg({row}.latest_value {order}) {present})[1]"
            columns["latest_at"] = f"max({row}.latest_at)"
            columns["latest_event_id"] = f"(array_agg({row}.latest_event_id {order}) {present})[1]"
        case AggregationFunction.COUNT | AggregationFunction.UNIQUE:
            pass
    return columns


def select_list(expressions: Mapping[str, str]) -> str:
    """The expressions as a SELECT lists them, each under its column's name."""
    return ", ".join(f"{sql} AS {column}" for column, sql in expressions.items())
