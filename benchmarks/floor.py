"""The floor: the same rows into the same tables by one bare statement a batch, and nothing else."""

import asyncio
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID

from benchmarks.events import CUSTOMERS, events
from benchmarks.system import System
from models import Organization, exact_json
from models.identifiers import new_id

# With positions, so that no worker takes them for events to count.
_INSERT = """
WITH batch AS (
    INSERT INTO event_batch (organization_id, position, event_count, names, received_at)
    VALUES ($1, $2, $3, $4::text[], clock_timestamp())
    RETURNING id
)
INSERT INTO event (
    organization_id, id, batch_id, customer_id, name, external_id, timestamp, metadata
)
SELECT $1, new.id, batch.id, new.customer_id, new.name, new.external_id, new.timestamp,
       new.metadata::jsonb
FROM batch, unnest(
    $5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::timestamptz[], $10::text[]
) AS new (id, customer_id, name, external_id, timestamp, metadata)
"""


async def floor(system: System, count_: int, batch: int, connections: int) -> float:
    """Events a second that bare connections store, each its batches one after the other."""
    organization = await Organization.create(name="Floor", slug=f"floor-{new_id()}")
    waiting = _batches(organization.id, count_, batch)
    opened = [await system.bare_connection() for _ in range(connections)]
    try:
        for connection in opened:
            await connection.execute("SELECT 1")
        prepared = list(waiting)
        left = iter(prepared)

        async def insert(connection: Any) -> None:
            for arguments in left:
                await connection.execute(_INSERT, *arguments)

        started = time.perf_counter()
        await asyncio.gather(*(insert(connection) for connection in opened))
        return count_ / (time.perf_counter() - started)
    finally:
        for connection in opened:
            await connection.close()


def _batches(organization_id: UUID, count_: int, batch: int) -> Iterator[list[Any]]:
    customers = [new_id() for _ in CUSTOMERS]
    made = list(events(count_))
    positions = count(1)
    for start in range(0, count_, batch):
        part = made[start : start + batch]
        yield [
            organization_id,
            next(positions),
            len(part),
            ["ai_usage"],
            [new_id() for _ in part],
            [customers[number % len(customers)] for number in range(len(part))],
            [event["name"] for event in part],
            [event["externalId"] for event in part],
            [datetime.fromisoformat(event["timestamp"]) for event in part],
            [exact_json.dumps(event["metadata"]) for event in part],
        ]
