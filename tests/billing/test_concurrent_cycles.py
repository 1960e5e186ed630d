"""Exactly once: workers killed anywhere inside a cycle, two at once, and busy customers."""

import asyncio
import sys
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from tortoise.transactions import in_transaction

from billing.subscriptions import cycle, renewal
from billing.subscriptions.cycle import run_cycle
from billing.subscriptions.live_subscriptions import LiveSubscription
from billing.transaction import BillingTransaction
from models import Customer, Meter, Organization
from tests.billing.world import World, instant

CUSTOMERS = 12


async def subscribed(world: World) -> tuple[Meter, list[Customer]]:
    """Customers with a subscription and usage in January and February."""
    meter = await world.meter()
    benefit = await world.benefit(meter, 10, rollover=True)
    product = await world.product(world.fixed(), world.per_unit(meter), benefits=[benefit])
    customers = [await world.customer(f"customer {number}") for number in range(CUSTOMERS)]
    for number, customer in enumerate(customers):
        await world.subscribe(customer, product, "2026-01-01")
        await world.send(customer, ("2026-01-10", number), ("2026-02-10", number * 2))
    await world.count()
    return meter, customers


async def check_everything_once(world: World, meter: Meter, customers: list[Customer]) -> None:
    """Two turns of every subscription: as many periods, grants and invoices as there must be."""
    invoices = await world.invoices()
    assert [found.invoice.sequence for found in invoices] == list(range(1, 3 * CUSTOMERS + 1))
    for number, customer in enumerate(customers):
        own = [found for found in invoices if found.invoice.customer_id == customer.id]
        assert [found.kinds for found in own] == [["FIXED"], *[["METERED", "FIXED"]] * 2]
        january, february = (found.lines[0] for found in own[1:])
        left = max(0, 10 - number)
        assert (january.consumed, january.billable) == (number, max(0, number - 10))
        assert february.billable == max(0, number * 2 - 10 - left)
        kinds = [kind for kind, _units in await world.ledger(customer, meter)]
        assert kinds.count("GRANT") == 3
        assert kinds.count("EXPIRY") == 2
        _consumed, credited = await world.balance(customer, meter)
        assert credited == 10 + max(0, min(10 + left - number * 2, 10 + left))
    closed = await world.query(
        "SELECT count(*) AS periods FROM subscription_period WHERE organization_id = $1"
    )
    assert closed[0]["periods"] == 2 * CUSTOMERS


class KilledError(Exception):
    """Stands for a worker that is no more: its transaction is gone with its connection."""


@pytest.mark.parametrize("statement", range(0, 60, 3))
async def test_a_worker_that_dies_at_any_statement(
    world: World, monkeypatch: pytest.MonkeyPatch, statement: int
) -> None:
    meter, customers = await subscribed(world)
    monkeypatch.setattr(cycle, "CHUNK", 5)
    real = in_transaction
    left = statement

    @asynccontextmanager
    async def dying() -> AsyncIterator[Any]:
        async with real() as connection:
            yield Dying(connection)

    class Dying:
        def __init__(self, connection: Any) -> None:
            self._connection = connection

        def __getattr__(self, name: str) -> Any:
            nonlocal left
            if name in ("execute_query", "execute_query_dict"):
                left -= 1
                if left < 0:
                    raise KilledError
            return getattr(self._connection, name)

    monkeypatch.setattr(cycle, "in_transaction", dying)
    with pytest.RaisesGroup(KilledError):
        await run_cycle(instant("2026-03-01"), world.id)
    monkeypatch.setattr(cycle, "in_transaction", real)
    await run_cycle(instant("2026-03-01"), world.id)
    await check_everything_once(world, meter, customers)


async def test_two_workers_in_the_same_second(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter, customers = await subscribed(world)
    monkeypatch.setattr(cycle, "CHUNK", 3)
    await asyncio.gather(*(run_cycle(instant("2026-03-01"), world.id) for _ in range(4)))
    await check_everything_once(world, meter, customers)


async def test_counting_crediting_and_canceling_while_periods_turn(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter, customers = await subscribed(world)
    monkeypatch.setattr(cycle, "CHUNK", 2)

    async def ingest() -> None:
        for number in range(10):
            await world.use(customers[number], ("2026-01-20", 1000), ("2026-03-01", 7))
            await world.credit(customers[number], meter, 5, "2026-03-01")

    await asyncio.gather(ingest(), *(run_cycle(instant("2026-03-01"), world.id) for _ in range(2)))
    await run_cycle(instant("2026-04-01"), world.id)
    lines = await world.query(
        """
        SELECT customer_id, sum(consumed) AS consumed
        FROM invoice_line line JOIN invoice
            ON invoice.organization_id = $1 AND invoice.id = line.invoice_id
        WHERE line.organization_id = $1 AND line.consumed IS NOT NULL GROUP BY 1
        """
    )
    billed = {row["customer_id"]: row["consumed"] for row in lines}
    for number, customer in enumerate(customers):
        assert billed[customer.id] == number * 3 + (1007 if number < 10 else 0)
        entries = await world.ledger(customer, meter)
        _consumed, credited = await world.balance(customer, meter)
        assert credited == sum(units for _kind, units in entries)


_WORKER = textwrap.dedent(
    """
    import asyncio, sys
    from datetime import datetime
    from billing.subscriptions import cycle
    from metergraph.database.opening import opened_database
    from config.settings import Settings

    async def main(url, organization_id, at):
        cycle.CHUNK = 1
        async with opened_database(Settings(database_url=url), role="test"):
            print("ready", flush=True)
            await cycle.run_cycle(datetime.fromisoformat(at), organization_id)

    from uuid import UUID
    asyncio.run(main(sys.argv[1], UUID(sys.argv[2]), sys.argv[3]))
    """
)


@pytest.mark.servers
@pytest.mark.slow
async def test_workers_killed_inside_a_cycle(world: World, database_url: str) -> None:
    meter, customers = await subscribed(world)
    for milliseconds in (1, 20, 45, 70, 100, 140):
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _WORKER,
            database_url,
            str(world.id),
            instant("2026-03-01").isoformat(),
            stdout=asyncio.subprocess.PIPE,
        )
        assert worker.stdout is not None
        await worker.stdout.readline()
        # It is killed at some point of its work, or has done it all by then.
        with suppress(TimeoutError):
            async with asyncio.timeout(milliseconds / 1000):
                await worker.wait()
        if worker.returncode is None:
            # It may have ended by now, and have been seen to.
            with suppress(ProcessLookupError):
                worker.kill()
        await worker.wait()
    await run_cycle(instant("2026-03-01"), world.id)
    await check_everything_once(world, meter, customers)


async def test_the_trouble_of_one_organization_is_not_that_of_the_others(
    world: World, other_organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = World(other_organization, world.database)
    for one in (world, other):
        product = await one.product(one.fixed())
        await one.subscribe(await one.customer(), product, "2026-01-01")

    async def turn(log: BillingTransaction, due: Sequence[LiveSubscription]) -> None:
        if log.organization_id == world.id:
            raise KilledError
        await renewal.renew_subscriptions(log, due)

    monkeypatch.setattr(cycle, "renew_subscriptions", turn)
    monkeypatch.setattr(cycle, "_organizations_with_work", both(world, other))
    with pytest.RaisesGroup(KilledError):
        await run_cycle(instant("2026-02-01"))
    assert (len(await world.invoices()), len(await other.invoices())) == (1, 2)


def both(*worlds: World) -> Callable[[datetime], Awaitable[list[UUID]]]:
    """The organizations with work, without those of other tests."""

    async def found(_at: datetime) -> list[UUID]:
        return [world.id for world in worlds]

    return found
