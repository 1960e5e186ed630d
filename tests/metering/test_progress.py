"""completeThrough says no more than is true, and no less because of strangers."""

from datetime import UTC, datetime, timedelta

import asyncpg

from config.settings import Settings
from metergraph.database.database_url import credentials
from metering.counting.log import advance
from metering.counting.progress import Progress, progress
from metering.language.aggregations import AggregationFunction
from models import Meter, Organization
from tests.metering.test_counting import meter_of, send

SOON = timedelta(seconds=5)


async def progress_of(meter: Meter) -> Progress:
    (found,) = await progress(meter.organization_id, [meter])
    return found


async def test_what_is_being_stored_is_not_claimed(
    organization: Organization, settings: Settings
) -> None:
    meter = await meter_of(organization, AggregationFunction.COUNT)
    storing = await asyncpg.connect(**credentials(str(settings.database_url)))
    transaction = storing.transaction()
    await transaction.start()
    began = await storing.fetchval(
        """
        INSERT INTO event_batch (organization_id, event_count, names, received_at)
        VALUES ($1, 1, '{}', clock_timestamp()) RETURNING received_at
        """,
        organization.id,
    )
    assert (await progress_of(meter)).complete_through <= began
    await transaction.rollback()
    await storing.close()
    assert (await progress_of(meter)).complete_through > began


async def test_a_transaction_that_stores_nothing_holds_nothing_back(
    organization: Organization, settings: Settings
) -> None:
    meter = await meter_of(organization, AggregationFunction.COUNT)
    dump = await asyncpg.connect(**credentials(str(settings.database_url)))
    transaction = dump.transaction(isolation="repeatable_read", readonly=True)
    await transaction.start()
    began = await dump.fetchval(
        "SELECT now() FROM event_batch RIGHT JOIN (SELECT) one ON true LIMIT 1"
    )
    await dump.execute("SELECT pg_sleep(0.02)")
    assert (await progress_of(meter)).complete_through > began
    await transaction.rollback()
    await dump.close()


async def test_pending_events_hold_it_back_until_they_are_counted(
    organization: Organization,
) -> None:
    meter = await meter_of(organization, AggregationFunction.COUNT)
    before = datetime.now(UTC)
    await send(organization, {}, {})
    waiting = await progress_of(meter)
    assert waiting.pending_events == 2
    assert before - SOON < waiting.complete_through < datetime.now(UTC)
    assert (await progress_of(meter)).complete_through == waiting.complete_through
    await advance(organization.id)
    await meter.refresh_from_db()
    done = await progress_of(meter)
    assert (done.counted_events, done.pending_events) == (2, 0)
    assert done.complete_through > waiting.complete_through
