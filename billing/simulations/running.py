"""Carries out simulations, a batch of customers at a time.

A batch is one transaction: it reads one snapshot, and stores the results together with how far it
came. If a worker is killed, another one repeats its batch, with the same result. The row of the
simulation is locked meanwhile, so no two workers do the same batch.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from uuid import UUID

import asyncpg
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection
from tortoise.transactions import in_transaction

from billing.numbers import LARGEST_AMOUNT
from billing.periods.billed_meters import CountedMeter, counted_meters
from billing.rating.lines import Line, amount_problem, total
from billing.simulations.billed import NOT_BILLED, billed_amounts
from billing.simulations.rating import simulated_lines
from billing.simulations.reading import Usages, candidates, subscribers, usages_of
from billing.simulations.simulation import Simulation, SimulationStatus, simulation_of
from billing.simulations.stored_lines import stored_lines
from billing.transaction import columns
from config.clock import now
from metering.archive.boundary import is_of_archived
from models import PriceSimulation
from waiting.outages import postgres_error

LARGEST_BATCH = 4_000
"""Periods of customers in a batch: it takes about a second."""

# Customers that are rated before other work of the process goes on.
_AT_ONCE = 50
_LONGEST = timedelta(days=1)


class Step(Enum):
    """The outcome of a step of a simulation."""

    MORE = "simulated a batch, or another worker did, and there is more"
    NOTHING = "nothing to do now: another worker is at it, or its meters have to count first"
    LAST = "finished"


class SimulationError(Exception):
    """The simulation has failed; the message says why."""


@dataclass(frozen=True, slots=True)
class _Result:
    customer_id: UUID
    lines: list[Line]
    amount: int
    current_amount: int


async def running() -> list[tuple[UUID, UUID]]:
    """Returns the simulations that are running, with their organizations, oldest first."""
    rows = await get_connection("default").execute_query_dict(
        """
        SELECT organization_id, id FROM price_simulation WHERE status = 'RUNNING' ORDER BY id
        """
    )
    return [(row["organization_id"], row["id"]) for row in rows]


async def simulate_batch(
    organization_id: UUID, simulation_id: UUID, periods: int = LARGEST_BATCH
) -> Step:
    """Simulates the next customers: as many as have about so many periods together.

    Raises:
        SimulationError: it cannot go on.
    """
    async with in_transaction() as connection:
        await connection.execute_query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        try:
            row = await claim(connection, organization_id, simulation_id)
        except asyncpg.SerializationError:
            # Another worker finished a batch after this snapshot was taken.
            return Step.MORE
        if row is None:
            return Step.NOTHING
        simulation = simulation_of(row)
        meters = await _meters(connection, simulation)
        if meters is None:
            if now() - simulation.created_at > _LONGEST:
                raise SimulationError("Its meters have not counted all events within a day.")
            return Step.NOTHING
        if row.candidates is None:
            row.candidates = len(await candidates(connection, simulation))
        size = max(1, periods // (len(simulation.cycles) * max(1, len(meters))))
        batch = await candidates(connection, simulation, row.last_customer_id, size)
        try:
            results = await _results(connection, simulation, meters, batch)
        except Exception as error:
            if is_of_archived(error):
                raise SimulationError(_archived(error)) from error
            raise
        await _store(connection, simulation, row, results)
        is_last = len(batch) < size
        await _move(connection, row, batch, is_last=is_last)
        return Step.LAST if is_last else Step.MORE


async def fail(organization_id: UUID, simulation_id: UUID, failure: str) -> None:
    """Ends a simulation that cannot go on."""
    await PriceSimulation.filter(
        organization_id=organization_id,
        id=simulation_id,
        status=SimulationStatus.RUNNING.value,
    ).update(status=SimulationStatus.FAILED.value, failure=failure, finished_at=now())


async def claim(
    connection: BaseDBAsyncClient, organization_id: UUID, simulation_id: UUID
) -> PriceSimulation | None:
    """Locks a simulation's row, and returns it; None if another worker has it or it has ended."""
    return (
        await PriceSimulation.filter(
            organization_id=organization_id,
            id=simulation_id,
            status=SimulationStatus.RUNNING.value,
        )
        .using_db(connection)
        .select_for_update(skip_locked=True)
        .first()
    )


async def _meters(
    connection: BaseDBAsyncClient, simulation: Simulation
) -> dict[UUID, CountedMeter] | None:
    """Returns the meters; None if one has not counted up to the simulation's position yet."""
    [log] = await connection.execute_query_dict(
        "SELECT head FROM event_log WHERE organization_id = $1", [simulation.organization_id]
    )
    meters = await counted_meters(
        connection, simulation.organization_id, log["head"], simulation.meter_ids
    )
    for meter_id, meter in meters.items():
        price = simulation.prices.get(meter_id)
        by_dimension = price is not None and bool(price.rate_values)
        position = meter.dimensions_position if by_dimension else meter.position
        if min(position, meter.position) >= simulation.position and not meter.precedes_definition:
            continue
        if meter.waits_from is None:
            raise SimulationError(f"The meter “{meter.name}” was archived before it had counted.")
        return None
    return meters


async def _results(
    connection: BaseDBAsyncClient,
    simulation: Simulation,
    meters: Mapping[UUID, CountedMeter],
    batch: Sequence[UUID],
) -> list[_Result]:
    billed = await billed_amounts(connection, simulation, batch)
    customer_ids = list(batch)
    if simulation.product_id is not None:
        known = await subscribers(connection, simulation, batch)
        customer_ids = [one for one in batch if one in known or one in billed]
    names = {meter_id: meter.name for meter_id, meter in meters.items()}
    usages = await usages_of(connection, simulation, meters, customer_ids)
    results: list[_Result] = []
    for place, (customer_id, of_customer) in enumerate(zip(customer_ids, usages, strict=True)):
        if place % _AT_ONCE == 0:
            await asyncio.sleep(0)
        if simulation.product_id is None and not _is_used(of_customer):
            continue
        lines = simulated_lines(simulation, customer_id, of_customer, names)
        problem = amount_problem(lines)
        if problem is not None:
            raise SimulationError(problem)
        current = billed.get(customer_id, NOT_BILLED)
        results.append(_Result(customer_id, lines, total(lines), current.amount))
    return results


def _is_used(usages: Usages) -> bool:
    return any(usage.consumed for of_meter in usages.values() for usage in of_meter)


async def _store(
    connection: BaseDBAsyncClient,
    simulation: Simulation,
    row: PriceSimulation,
    results: Sequence[_Result],
) -> None:
    """Stores the results of a batch, and adds them to the totals of the row."""
    row.total += sum(one.amount for one in results)
    row.current_total += sum(one.current_amount for one in results)
    for amount in (row.total, row.current_total):
        if abs(amount) > LARGEST_AMOUNT:
            raise SimulationError(f"The total is beyond ±{LARGEST_AMOUNT:,} minor units.")
    await connection.execute_query(
        """
        INSERT INTO simulated_customer (
            organization_id, simulation_id, customer_id, amount, current_amount, difference, lines
        )
        SELECT $1, $2, found.customer_id, found.amount, found.current_amount,
               found.amount - found.current_amount, found.lines::jsonb
        FROM unnest($3::uuid[], $4::bigint[], $5::bigint[], $6::text[])
            AS found (customer_id, amount, current_amount, lines)
        """,
        [
            simulation.organization_id,
            simulation.id,
            *columns(
                results,
                lambda one: one.customer_id,
                lambda one: one.amount,
                lambda one: one.current_amount,
                lambda one: stored_lines(simulation, one.lines),
            ),
        ],
    )


async def _move(
    connection: BaseDBAsyncClient, row: PriceSimulation, batch: Sequence[UUID], *, is_last: bool
) -> None:
    """Stores how far the simulation is."""
    row.simulated += len(batch)
    if batch:
        row.last_customer_id = batch[-1]
    if is_last:
        row.status, row.finished_at = SimulationStatus.DONE.value, now()
    await connection.execute_query(
        """
        UPDATE price_simulation
        SET status = $3, finished_at = $4, candidates = $5, simulated = $6, last_customer_id = $7,
            total = $8, current_total = $9
        WHERE organization_id = $1 AND id = $2
        """,
        [
            row.organization_id,
            row.id,
            row.status,
            row.finished_at,
            row.candidates,
            row.simulated,
            row.last_customer_id,
            row.total,
            row.current_total,
        ],
    )


def _archived(error: BaseException) -> str:
    found = postgres_error(error)
    return f"{found} Choose a range that begins later." if found else str(error)
