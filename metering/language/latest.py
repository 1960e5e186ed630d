"""LATEST: the value of the latest event."""

from metering.language.calculation import Calculation, StateColumn


def _latest(name: str, sql_type: str, of_event: str) -> StateColumn:
    newest = (
        "(array_agg({of} ORDER BY {timestamp} DESC, {event_id} DESC)"
        " FILTER (WHERE {value} IS NOT NULL))[1]"
    )
    of_partials = newest.format(
        of=f"{{row}}.{name}",
        value="{row}.latest_value",
        timestamp="{row}.latest_at",
        event_id="{row}.latest_event_id",
    )
    merged = (
        "CASE WHEN {kept}.latest_at IS NULL"
        " OR ({added}.latest_at, {added}.latest_event_id)"
        " > ({kept}.latest_at, {kept}.latest_event_id)"
        f" THEN {{added}}.{name} ELSE {{kept}}.{name} END"
    )
    return StateColumn(name, sql_type, newest.replace("{of}", of_event), of_partials, merged)


class Latest(Calculation):
    """The value of the latest event; of two at the same instant, the one with the greater id."""

    quantity = "trim_scale({row}.latest_value)"
    columns = (
        _latest("latest_value", "numeric", "{value}"),
        _latest("latest_at", "timestamptz", "{timestamp}"),
        _latest("latest_event_id", "uuid", "{event_id}"),
    )
    # Uses the index on the time, without sorting all matching events.
    preview = """
        SELECT count(value) AS count, count(*) - count(value) AS skipped, (
            SELECT {value} FROM event e WHERE {where} AND {value} IS NOT NULL
            ORDER BY e.timestamp DESC, e.id DESC LIMIT 1
        ) AS latest_value
        FROM {matched}
    """
