"""Many stored events, made by the database itself: history for what reads or counts beside it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

from tortoise.connection import get_connection

from benchmarks.run import Run
from benchmarks.system import System, Tenant, running_system
from metering.counting.log import advance
from metering.months import make_months

DAYS = 30
CUSTOMERS = 200
BATCH = 10_000


def end_of_history() -> datetime:
    """A midnight before which all of the history lies."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@asynccontextmanager
async def system_with_history(
    run: Run, count: int, meters: int = 3, customers: int = CUSTOMERS
) -> AsyncIterator[tuple[System, Tenant]]:
    """A running system without a worker, and a tenant with so many events in it."""
    async with running_system(run.folder) as system:
        system.stop("worker")
        tenant = await system.new_tenant(meters=meters)
        await store_history(tenant.organization.id, count, customers)
        yield system, tenant


async def store_history(
    organization_id: UUID, count: int, customers: int = CUSTOMERS, days: int = DAYS
) -> None:
    """Stores `count` calls of a language model over the last days, and has the log count them.

    No worker may run meanwhile.
    """
    connection = get_connection("default")
    await connection.execute_query(
        """
        INSERT INTO customer (organization_id, id, external_id, created_at)
        SELECT $1, gen_random_uuid(), 'history-' || number, now()
        FROM generate_series(1, $2::int) AS number
        ON CONFLICT DO NOTHING
        """,
        [organization_id, customers],
    )
    await make_months(end_of_history() - timedelta(days=ago) for ago in range(days + 1))
    for first in range(0, count, BATCH):
        await store_batch(organization_id, min(BATCH, count - first), timedelta(days=days))
        while await advance(organization_id):
            pass
    await connection.execute_query("ANALYZE")


async def store_batch(
    organization_id: UUID,
    count: int,
    over: timedelta,
    through: datetime | None = None,
    first_external_id: int | None = None,
) -> None:
    """Stores a batch of calls over the time before `through`, or before the last midnight.

    They are not counted yet. All customers of the organization take turns, from any one of them on.
    `first_external_id` is the number of the first external id; without it, the events have none.
    """
    await get_connection("default").execute_query(
        """
        WITH batch AS (
            INSERT INTO event_batch (organization_id, event_count, names, received_at)
            VALUES ($1, $2, '{ai_usage}', now()) RETURNING id
        ), turns AS MATERIALIZED (
            SELECT count(*) AS customers, floor(random() * count(*))::int AS first
            FROM customer WHERE organization_id = $1
        ), numbered AS MATERIALIZED (
            SELECT id, row_number() OVER () AS place FROM customer WHERE organization_id = $1
        ), stored AS (
            INSERT INTO event (
                organization_id, id, batch_id, customer_id, name, external_id, timestamp, metadata
            )
            SELECT $1, uuidv7(), batch.id, numbered.id, 'ai_usage',
                   'history-' || ($5::int + number - 1), $3::timestamptz - random() * $4::interval,
                   jsonb_build_object('model', 'gpt-4.1', 'total_tokens', number,
                                      'completion_tokens', number % 800,
                                      'kind', 'kind-' || floor(random() * 10),
                                      'region', 'region-' || floor(random() * 10))
            FROM batch CROSS JOIN turns CROSS JOIN generate_series(1, $2::int) AS number
            JOIN numbered ON numbered.place = 1 + (turns.first + number) % turns.customers
            RETURNING organization_id, external_id, id, timestamp
        )
        INSERT INTO event_key (organization_id, key, event_id, timestamp)
        SELECT organization_id, external_id_key(external_id), id, timestamp FROM stored
        WHERE external_id IS NOT NULL
        """,
        [organization_id, count, through or end_of_history(), over, first_external_id],
    )
