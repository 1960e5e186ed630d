"""SQL that aggregates the raw events at the edges of ranges, up to a meter's position."""

from metering.archive.boundary import EVENTS_FROM
from metering.language.definition import MeterDefinition
from metering.language.erased import counted_sql, counted_value_sql
from metering.language.parameters import Parameters

# A lateral reads each edge and a subquery finds each batch, both by index: the planner does not
# know how short edges are.
_EDGE_EVENTS = """
    SELECT {meter} AS meter_id, edge.ordinal, raw.*
    FROM unnest({edges}) AS edge (ordinal, starts_at, ends_at)
    CROSS JOIN LATERAL (
        SELECT {columns}
        FROM event e
        CROSS JOIN LATERAL (SELECT {value} AS value) AS counted
        WHERE e.organization_id = $1
          AND e.timestamp >= edge.starts_at AND e.timestamp < edge.ends_at
          AND {predicate} {condition}
          AND (
              SELECT batch.position FROM event_batch batch
              WHERE batch.organization_id = $1 AND batch.id = e.batch_id
          ) <= (
              SELECT coalesce({position}, {no_end}) FROM meter
              WHERE organization_id = $1 AND id = {meter}
          )
        {grouping}
    ) AS raw
    WHERE is_stored(edge.starts_at, {events_from})
"""

_NO_END = 2**63 - 1


def edge_events(
    meter: MeterDefinition,
    edges: str,
    columns: str,
    parameters: Parameters,
    *,
    condition: str = "",
    grouping: str = "",
    position: str = "position",
) -> str:
    """A SELECT of meter_id, ordinal and `columns` over the events of each edge.

    It reads the organization $1. The batches up to the meter's position count, as in its buckets.
    An edge whose events are archived is an error: see `metering.archive.boundary.reading_edges`.

    Args:
        meter: the meter.
        edges: arrays of ordinals, starts and ends, as `bucket_ranges.edges_of` writes them.
        columns: of events `e` with a `counted.value`.
        parameters: of the statement.
        condition: more of a WHERE on events `e`, if any.
        grouping: a GROUP BY, if there is one.
        position: up to which position of the meter events count; null for all of the log.
    """
    return _EDGE_EVENTS.format(
        meter=parameters.add(meter.id, "uuid"),
        edges=edges,
        columns=columns,
        value=counted_value_sql(meter, parameters),
        predicate=counted_sql(meter, parameters),
        condition=condition,
        grouping=grouping,
        position=position,
        no_end=_NO_END,
        events_from=EVENTS_FROM,
    )
