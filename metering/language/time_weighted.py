"""TIME_WEIGHTED: the integral of a value over time.

The state of some events is the integral from the first to the latest one. States that do not
overlap in time are merged: between them, the latest value of the earlier one lasts. Others cannot
be merged, and have to be made of the events again; until then, the state is OVERLAPPING.
"""

from metering.language.calculation import StateColumn

OVERLAPPING = "'NaN'::numeric"

# An aggregate inside of a subquery is the outer query's, because all its columns are.
_OF_EVENTS = """(
    SELECT coalesce(sum(value * extract(epoch FROM following - at)), 0)
    FROM (
        SELECT value, at, lead(at) OVER (ORDER BY at, id) AS following
        FROM unnest({of_value}, {of_timestamp}, {of_event_id}) AS event (value, at, id)
    ) AS lasting
    HAVING count(*) > 0
)"""

_OF_PARTIALS = """(
    SELECT sum(inner_seconds + coalesce(value_before * extract(epoch FROM first_at - at_before), 0))
    FROM (
        SELECT inner_seconds, first_at,
               lag(value) OVER earlier AS value_before, lag(latest_at) OVER earlier AS at_before
        FROM unnest({of_seconds}, {of_first_at}, {of_latest_at}, {of_value}, {of_event_id})
            AS state (inner_seconds, first_at, latest_at, value, event_id)
        WINDOW earlier AS (ORDER BY first_at, latest_at, event_id)
    ) AS state
)"""

_MERGED = f"""CASE
    WHEN {{kept}}.latest_at IS NULL THEN {{added}}.value_seconds
    WHEN {{added}}.latest_at IS NULL THEN {{kept}}.value_seconds
    WHEN {{kept}}.latest_at < {{added}}.first_at
    THEN {{kept}}.value_seconds + {{added}}.value_seconds
        + {{kept}}.latest_value * extract(epoch FROM {{added}}.first_at - {{kept}}.latest_at)
    WHEN {{added}}.latest_at < {{kept}}.first_at
    THEN {{kept}}.value_seconds + {{added}}.value_seconds
        + {{added}}.latest_value * extract(epoch FROM {{kept}}.first_at - {{added}}.latest_at)
    ELSE {OVERLAPPING}
END"""


def _gathered(of: str, condition: str) -> str:
    return f"array_agg({of}) FILTER (WHERE {condition})"


def _of_rows(column: str) -> str:
    return _gathered(f"{{row}}.{column}", "{row}.latest_at IS NOT NULL")


def _of_events(of: str) -> str:
    return _gathered(of, "{value} IS NOT NULL")


FIRST_AT = StateColumn(
    "first_at",
    "timestamptz",
    of_events="min({timestamp}) FILTER (WHERE {value} IS NOT NULL)",
    of_partials="min({row}.first_at)",
    merged="least({kept}.first_at, {added}.first_at)",
)
VALUE_SECONDS = StateColumn(
    "value_seconds",
    "numeric",
    of_events=_OF_EVENTS.format(
        of_value=_of_events("{value}"),
        of_timestamp=_of_events("{timestamp}"),
        of_event_id=_of_events("{event_id}"),
    ),
    of_partials=_OF_PARTIALS.format(
        of_seconds=_of_rows("value_seconds"),
        of_first_at=_of_rows("first_at"),
        of_latest_at=_of_rows("latest_at"),
        of_value=_of_rows("latest_value"),
        of_event_id=_of_rows("latest_event_id"),
    ),
    merged=_MERGED,
)


def hours_sql(seconds: str) -> str:
    """SQL: hours of seconds (numeric), rounded half away from zero to 12 more decimals.

    `div` is exact, unlike numeric's own `/`, and rounding the result of that could round twice.
    """
    scale = f"(min_scale({seconds}) + 12)"
    return f"""trim_scale(
        sign({seconds})
        * div(2 * abs({seconds}) * ('1e' || {scale})::numeric + 3600, 7200)
        * ('1e-' || {scale})::numeric
    )"""
