"""completeThrough claims no event that is not counted, and waits for no other transaction."""

from datetime import UTC, datetime, timedelta

from config.settings import Settings
from metering.counting.log import advance
from metering.counting.progress import Progress, progress
from metering.language.aggregations import AggregationFunction
from models import Meter, Organization
from tests.ingesting import meter_of, send
from tests.postgres import connection_to

SOON = timedelta(seconds=5)


async def progress_of(meter: Meter) -> Progress:
    (found,) = await progress(meter.organization_id, [meter])
    return found


async def test_complete_through_excludes_events_that_are_being_stored(
    organization: Organization, settings: Settings
) -> None:
    meter = await meter_of(organization.id, AggregationFunction.COUNT)
    async with connection_to(settings) as storing:
        await storing.execute("BEGIN")
        began = await storing.fetchval(
            """
            INSERT INTO event_batch (organization_id, event_count, names, received_at)
            VALUES ($1, 1, '{}', clock_timestamp()) RETURNING received_at
            """,
            organization.id,
        )
        assert (await progress_of(meter)).complete_through <= began
        await storing.execute("ROLLBACK")
    assert (await progress_of(meter)).complete_through > began


async def test_a_transaction_that_stores_nothing_does_not_delay_complete_through(
    organization: Organization, settings: Settings
) -> None:
    meter = await meter_of(organization.id, AggregationFunction.COUNT)
    async with connection_to(settings) as dump:
        await dump.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        began = await dump.fetchval(
            "SELECT now() FROM event_batch RIGHT JOIN (SELECT) one ON true LIMIT 1"
        )
        await dump.execute("SELECT pg_sleep(0.02)")
        assert (await progress_of(meter)).complete_through > began


async def test_pending_events_delay_complete_through_until_they_are_counted(
    organization: Organization,
) -> None:
    meter = await meter_of(organization.id, AggregationFunction.COUNT)
    before = datetime.now(UTC)
    await send(organization.id, {}, {})
    waiting = await progress_of(meter)
    assert waiting.pending_events == 2
    assert before - SOON < waiting.complete_through < datetime.now(UTC)
    assert (await progress_of(meter)).complete_through == waiting.complete_through
    await advance(organization.id)
    await meter.refresh_from_db()
    done = await progress_of(meter)
    assert (done.counted_events, done.pending_events) == (2, 0)
    assert done.complete_through > waiting.complete_through
