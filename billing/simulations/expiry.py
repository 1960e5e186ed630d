"""Deletes simulations that have expired, and their results first."""

from uuid import UUID

from tortoise.connection import get_connection

_EXPIRED = "SELECT organization_id, id FROM price_simulation WHERE expires_at <= now()"

_RESULTS = """
WITH expired AS MATERIALIZED (
    SELECT customer_id FROM simulated_customer
    WHERE organization_id = $1 AND simulation_id = $2 LIMIT $3 FOR UPDATE SKIP LOCKED
)
DELETE FROM simulated_customer
WHERE organization_id = $1 AND simulation_id = $2 AND customer_id IN (SELECT * FROM expired)
RETURNING 1
"""

_ITSELF = """
DELETE FROM price_simulation
WHERE organization_id = $1 AND id = $2 AND NOT EXISTS (
    SELECT FROM simulated_customer WHERE organization_id = $1 AND simulation_id = $2
)
RETURNING 1
"""


async def expired_simulations() -> list[tuple[UUID, UUID]]:
    """Returns the simulations that have expired, with their organizations."""
    rows = await get_connection("default").execute_query_dict(_EXPIRED)
    return [(row["organization_id"], row["id"]) for row in rows]


async def delete_results(organization_id: UUID, simulation_id: UUID, limit: int) -> int:
    """Deletes at most so many results. After the last ones, deletes the simulation.

    Returns how many results were deleted.
    """
    connection = get_connection("default")
    values = [organization_id, simulation_id]
    deleted, _rows = await connection.execute_query(_RESULTS, [*values, limit])
    if deleted < limit:
        await connection.execute_query(_ITSELF, values)
    return deleted
