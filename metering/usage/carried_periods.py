"""SQL: the latest value from before a period, of a meter that carries over."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from metering.archive.kept_edges import is_readable_sql
from metering.language.aggregations import Aggregation
from metering.language.parameters import Parameters, select_list

_NO_EVENT = UUID(int=0)

# A period of a meter that carries over begins with the latest value from before, as if an event at
# its start had it; any real event there comes after it. `part` ends where the period begins.
_CARRIED = """
    UNION ALL
    SELECT part.ordinal, carried.*
    FROM unnest({begun}) AS part (ordinal, customer_id, starts_at, ends_at)
    CROSS JOIN LATERAL (
        SELECT {of_carried}
        FROM (
            SELECT latest.value, part.ends_at AS timestamp, '{no_event}'::uuid AS id
            FROM (
                (
                    SELECT latest_value AS value, latest_at AS at, latest_event_id AS event_id
                    FROM usage_bucket kept
                    WHERE kept.organization_id = $1 AND kept.meter_id = $2
                      AND kept.customer_id = part.customer_id
                      AND kept.bucket < part.starts_at AND kept.latest_at IS NOT NULL
                    ORDER BY kept.bucket DESC LIMIT 1
                )
                UNION ALL
                (
                    SELECT counted.value, e.timestamp, e.id {events}
                      AND counted.value IS NOT NULL
                    ORDER BY e.timestamp DESC, e.id DESC LIMIT 1
                )
            ) AS latest
            ORDER BY latest.at DESC, latest.event_id DESC LIMIT 1
        ) AS latest
    ) AS carried
    WHERE {is_readable}
"""

# A value lasts until a period ends, as if an event there took it back.
_ENDED = """
    UNION ALL
    SELECT part.ordinal, ended.*
    FROM unnest({ended}) AS part (ordinal, ends_at)
    CROSS JOIN LATERAL (
        SELECT {of_carried}
        FROM (SELECT 0::numeric AS value, part.ends_at AS timestamp, '{no_event}'::uuid AS id)
            AS ending
    ) AS ended
"""


def ended_sql(
    aggregation: Aggregation, ended: Sequence[tuple[int, datetime]], parameters: Parameters
) -> str:
    """Writes a part of a union of states: by period, its end.

    Args:
        aggregation: that of the meter; it grows with time.
        ended: the ordinals of periods and their ends.
        parameters: of the statement.
    """
    columns = zip(*ended, strict=True) if ended else ((), ())
    return _ENDED.format(
        ended=", ".join(map(parameters.add, columns, ("int[]", "timestamptz[]"))),
        of_carried=select_list(aggregation.of_carried()),
        no_event=_NO_EVENT,
    )


def carried_sql(
    aggregation: Aggregation,
    begun: Sequence[tuple[int, UUID, datetime, datetime]],
    events: str,
    parameters: Parameters,
) -> str:
    """Writes a part of a union of states: by period, the value with which it begins.

    $1 is the organization and $2 the meter.

    Args:
        aggregation: that of the meter.
        begun: what is before periods, as `metering.usage.customer_periods.begun` returns it.
        events: FROM and WHERE of events `e` with a `counted.value` in a range `part` of a customer.
        parameters: of the statement.
    """
    types = ("int[]", "uuid[]", "timestamptz[]", "timestamptz[]")
    columns = zip(*begun, strict=True) if begun else ((), (), (), ())
    return _CARRIED.format(
        begun=", ".join(map(parameters.add, columns, types)),
        of_carried=select_list(aggregation.of_carried()),
        no_event=_NO_EVENT,
        is_readable=is_readable_sql("part"),
        events=events,
    )
