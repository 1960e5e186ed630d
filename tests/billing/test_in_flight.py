"""Invoices wait for events that are being stored when the cycle runs."""

from datetime import UTC, datetime, timedelta

import asyncpg

from billing.periods.intervals import RecurringInterval
from config.settings import Settings
from metergraph.database.database_url import credentials
from metering.months import make_months
from models import Customer
from models.identifiers import new_id
from tests.billing.world import World


def text(instant: datetime) -> str:
    """As `World` takes instants."""
    return instant.replace(tzinfo=None).isoformat()


class Storing:
    """A client whose events are in the tables, and whose commit is to come."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._transaction = connection.transaction()

    @classmethod
    async def begun(
        cls, settings: Settings, world: World, customer: Customer, at: datetime
    ) -> "Storing":
        """With one event of 7 tokens that happened at an instant."""
        await make_months([at])
        storing = cls(await asyncpg.connect(**credentials(str(settings.database_url))))
        await storing._transaction.start()
        await storing._connection.execute(
            """
            WITH batch AS (
                INSERT INTO event_batch (organization_id, event_count, names, received_at)
                VALUES ($1, 1, '{ai_usage}', clock_timestamp()) RETURNING id
            )
            INSERT INTO event (
                organization_id, id, batch_id, customer_id, name, timestamp, metadata
            )
            SELECT $1, $2, id, $3, 'ai_usage', $4, '{"tokens": 7}' FROM batch
            """,
            world.id,
            new_id(),
            customer.id,
            at,
        )
        return storing

    async def commit(self) -> None:
        await self._transaction.commit()
        await self._connection.close()


async def test_a_batch_received_before_the_periods_end_and_committed_after_it(
    world: World, settings: Settings
) -> None:
    # The end of the period lies ahead of what is received now, as it does of what comes in time.
    now = datetime.now(UTC)
    start, end = now - timedelta(days=1), now + timedelta(days=6)
    customer, meter = await world.customer(), await world.meter()
    product = await world.product(
        world.fixed(), world.per_unit(meter), interval=RecurringInterval.WEEK
    )
    await world.subscribe(customer, product, text(start))
    await world.use(customer, (text(now), 3))
    storing = await Storing.begun(settings, world, customer, now)

    await world.cycle(text(end))
    assert [invoice.amounts for invoice in await world.invoices()] == [[2000]]

    await storing.commit()
    await world.cycle(text(end))
    assert [invoice.amounts for invoice in await world.invoices()] == [[2000]]
    await world.count()
    await world.cycle(text(end))

    _first, second = await world.invoices()
    assert (second.kinds, second.amounts) == (["METERED", "FIXED"], [10, 2000])
    assert second.invoice.issued_at == end


async def test_what_is_received_after_the_periods_end_holds_no_invoice_back(
    world: World, settings: Settings
) -> None:
    customer, _meter, _subscription = await world.subscribed()
    await world.use(customer, ("2026-01-10", 3))
    storing = await Storing.begun(settings, world, customer, datetime(2026, 1, 20, tzinfo=UTC))
    await world.cycle("2026-02-01")
    (january,) = await world.invoices()
    assert january.amounts == [3]
    await storing.commit()
