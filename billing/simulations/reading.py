"""Reads what simulations need, for a batch of customers: who they are, and their usage.

Usage is that of the events up to the simulation's position. Buckets have counted later events, and
none that were voided since, so usage of customers with such events in the range is read from the
events alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from billing.periods.billed_meters import (
    AskedPeriod,
    CountedMeter,
    RateValues,
    usage_by_meter,
)
from billing.periods.metered_periods import PeriodUsage
from billing.simulations.rating import cuts_of_cycles
from billing.simulations.simulation import Simulation
from metering.batches import Batches, events_of_batches
from metering.usage.customer_periods import CustomerPeriod

Usages = Mapping[UUID, Sequence[PeriodUsage]]
"""A customer's usage in each cycle, by meter."""

# A lateral for each meter reads only as many rows of the index as the batch has.
_USERS = """
    SELECT DISTINCT used.customer_id
    FROM unnest($2::uuid[]) AS of (meter_id)
    CROSS JOIN LATERAL (
        SELECT customer_id FROM customer_meter
        WHERE organization_id = $1 AND meter_id = of.meter_id AND customer_id > $3
        ORDER BY customer_id LIMIT $4
    ) AS used
    ORDER BY 1 LIMIT $4
"""

_SUBSCRIBERS = """
    SELECT DISTINCT customer_id FROM customer_subscription
    WHERE organization_id = $1 AND customer_id > $2
      AND started_at < $3 AND (ended_at IS NULL OR ended_at > $4)
    ORDER BY customer_id LIMIT $5
"""

_SUBSCRIBERS_OF = """
    SELECT DISTINCT customer_id FROM customer_subscription
    WHERE organization_id = $1 AND customer_id = ANY($2::uuid[]) AND product_id = $3
      AND started_at < $4 AND (ended_at IS NULL OR ended_at > $5)
"""

_LATER = """
    SELECT id, first_at, last_at FROM event_batch
    WHERE organization_id = $1 AND position > $2 AND event_count > 0
      AND first_at < $3 AND last_at >= $4
"""

_VOIDED = """
    SELECT DISTINCT e.customer_id
    FROM event_void voided
    JOIN event e ON e.organization_id = $1 AND e.id = voided.event_id
    WHERE voided.organization_id = $1 AND voided.position > $2
      AND e.customer_id = ANY($3::uuid[]) AND e.timestamp < $4 AND e.timestamp >= $5
"""

_NOBODY = UUID(int=0)
_EVER = datetime(1, 1, 1, tzinfo=UTC)
_MANY = 2**31 - 1


async def candidates(
    connection: BaseDBAsyncClient,
    simulation: Simulation,
    after: UUID | None = None,
    limit: int = _MANY,
) -> list[UUID]:
    """Returns the next customers who may be simulated, in the order of their ids."""
    if simulation.product_id is None:
        statement = _USERS
        values = [simulation.meter_ids, after or _NOBODY, limit]
    else:
        statement = _SUBSCRIBERS
        values = [after or _NOBODY, simulation.end, simulation.start, limit]
    rows = await connection.execute_query_dict(statement, [simulation.organization_id, *values])
    return [row["customer_id"] for row in rows]


async def subscribers(
    connection: BaseDBAsyncClient, simulation: Simulation, customer_ids: Sequence[UUID]
) -> set[UUID]:
    """Returns which of these customers have a subscription to the product in the range."""
    rows = await connection.execute_query_dict(
        _SUBSCRIBERS_OF,
        [
            simulation.organization_id,
            list(customer_ids),
            simulation.product_id,
            simulation.end,
            simulation.start,
        ],
    )
    return {row["customer_id"] for row in rows}


async def usages_of(
    connection: BaseDBAsyncClient,
    simulation: Simulation,
    meters: Mapping[UUID, CountedMeter],
    customer_ids: Sequence[UUID],
) -> list[Usages]:
    """Returns the usage of customers, in their order. The transaction reads one snapshot."""
    changed = await _changed_since(connection, simulation, meters, customer_ids)
    # The positions that the meters have counted since do not matter to the buckets.
    at_position = {
        meter_id: replace(
            meter, position=simulation.position, dimensions_position=simulation.position
        )
        for meter_id, meter in meters.items()
    }
    cuts = {
        meter_id: cuts_of_cycles(simulation, meter_id)
        if meter.adds_up
        else [()] * len(simulation.cycles)
        for meter_id, meter in meters.items()
    }
    asked = [
        AskedPeriod(
            meter_id,
            CustomerPeriod(customer_id, cycle.start, cycle.end, customer_id in changed),
            _rates(simulation, meter_id),
            cuts[meter_id][number],
        )
        for customer_id in customer_ids
        for meter_id in simulation.meter_ids
        for number, cycle in enumerate(simulation.cycles)
    ]
    found = iter(await usage_by_meter(connection, at_position, asked))
    return [
        {meter_id: [next(found) for _ in simulation.cycles] for meter_id in simulation.meter_ids}
        for _ in customer_ids
    ]


def _rates(simulation: Simulation, meter_id: UUID) -> RateValues:
    price = simulation.prices.get(meter_id)
    return () if price is None else price.rate_values


async def _changed_since(
    connection: BaseDBAsyncClient,
    simulation: Simulation,
    meters: Mapping[UUID, CountedMeter],
    customer_ids: Sequence[UUID],
) -> set[UUID]:
    """Returns which customers have events that came, or were voided, after the position."""
    # A value that lasts may come from before the range.
    lasts = any(meter.definition.aggregation.lasts() for meter in meters.values())
    start = _EVER if lasts else simulation.start
    bounds = [list(customer_ids), simulation.end, start]
    batches = Batches.of(
        await connection.execute_query_dict(
            _LATER, [simulation.organization_id, simulation.position, simulation.end, start]
        )
    )
    rows = await connection.execute_query_dict(
        _VOIDED, [simulation.organization_id, simulation.position, *bounds]
    )
    if batches.ids:
        rows += await connection.execute_query_dict(
            f"""
            SELECT DISTINCT e.customer_id FROM {events_of_batches("$2", "$3")} AS e
            WHERE e.customer_id = ANY($4::uuid[]) AND e.timestamp < $5 AND e.timestamp >= $6
            """,
            [simulation.organization_id, batches.ids, batches.months, *bounds],
        )
    return {row["customer_id"] for row in rows}
