"""Voiding events of closed periods: corrections, credit, and processes that are killed."""

import asyncio
import signal
import sys
import textwrap
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.language.voided import counted_as_of
from metering.voiding.voids import void_events
from models import EventVoid
from tests.billing.world import World, instant

_VOIDING = textwrap.dedent(
    """
    import asyncio, os, signal, sys
    from uuid import UUID
    from config.settings import Settings
    from metergraph.database.opening import opened_database
    from metering.voiding import voids

    async def die(*_arguments):
        os.kill(os.getpid(), signal.SIGKILL)

    async def main(url, organization_id, *event_ids):
        voids.note_late = die  # the last that voiding does
        async with opened_database(Settings(database_url=url), role="test"):
            ids = [UUID(one) for one in event_ids]
            await voids.void_events(UUID(organization_id), ids, [], "sent twice")

    asyncio.run(main(*sys.argv[1:]))
    """
)


async def ids_of(world: World) -> list[UUID]:
    """The ids of the events, by their time."""
    events = await world.events()
    return [event["id"] for event in sorted(events, key=lambda event: event["timestamp"])]


async def void(world: World, *event_ids: UUID) -> None:
    found = await void_events(world.id, event_ids, [], "sent twice")
    assert set(found.ids) == set(event_ids)
    assert (found.already_voided, found.missing_ids) == (0, frozenset())


async def last_lines(world: World) -> list[tuple[Any, ...]]:
    invoice = (await world.invoices())[-1]
    return [(line.kind, line.consumed, int(line.amount)) for line in invoice.lines]


async def test_what_was_invoiced_is_corrected_by_the_next_invoice(
    world: World, database: BaseDBAsyncClient
) -> None:
    customer, meter, _subscription = await world.subscribed(fixed=100, amount=2)
    await world.use(customer, ("2026-01-10", 5), ("2026-01-11", 7))
    await world.cycle("2026-02-01")
    first = (await world.invoices())[-1]
    assert first.amounts == [24, 100]
    await world.use(customer, ("2026-02-02", 1), ("2026-02-03", 30))
    january, _, _, february = await ids_of(world)

    await void(world, january, february)

    assert await world.balance(customer, meter) == (1, 0)
    await world.cycle("2026-03-01")
    lines = await last_lines(world)
    assert lines == [("METERED", 1, 2), ("CORRECTION", -5, -10), ("FIXED", None, 100)]
    correction = (await world.invoices())[-1].lines[1]
    [voided] = await EventVoid.filter(event_id=january)
    assert correction.period_start == instant("2026-01-01")
    assert first.lines[0].position < voided.position <= correction.position
    await world.cycle("2026-04-01")
    assert await last_lines(world) == [("METERED", 0, 0), ("FIXED", None, 100)]

    async def counted(position: int) -> set[UUID]:
        rows = await database.execute_query_dict(
            f"SELECT e.id FROM event e WHERE e.organization_id = $1 AND {counted_as_of('$2')}",
            [world.id, position],
        )
        return {row["id"] for row in rows}

    # The first invoice's line still shows the event that it counted.
    assert january in await counted(first.lines[0].position)
    assert len(await counted(first.lines[0].position)) == 2
    assert {january, february}.isdisjoint(await counted(correction.position))
    assert len(await counted(voided.position - 1)) == 4


async def test_credit_that_voided_events_used_is_there_again(world: World) -> None:
    customer, meter, _subscription = await world.subscribed(units=100, rollover=True)
    await world.use(customer, ("2026-01-10", 40), ("2026-01-11", 30))
    await world.cycle("2026-02-01")
    assert await world.balance(customer, meter) == (0, 130)
    await void(world, (await ids_of(world))[0])
    await world.cycle("2026-02-02")
    assert await world.balance(customer, meter) == (0, 170)


async def die_voiding(database_url: str, world: World, event_ids: Sequence[UUID]) -> None:
    """A process voids events, and is killed before it commits."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _VOIDING, database_url, str(world.id), *map(str, event_ids))
    )
    assert await process.wait() == -signal.SIGKILL


@pytest.mark.servers
async def test_a_process_that_is_killed_has_voided_nothing(world: World, database_url: str) -> None:
    customer, meter, _subscription = await world.subscribed(amount=2)
    await world.use(customer, ("2026-01-10", 5), ("2026-01-11", 7))
    await world.cycle("2026-02-01")
    ids = await ids_of(world)
    await die_voiding(database_url, world, ids[:1])
    assert await EventVoid.filter(organization_id=world.id).count() == 0
    await world.use(customer, ("2026-02-10", 4))
    # The first of these repeats the call; the others arrive at the same time.
    found = await asyncio.gather(
        *(void_events(world.id, ids[:1], [], "sent twice") for _ in range(3))
    )
    assert sorted(len(one.ids) for one in found) == [0, 0, 1]
    assert await world.balance(customer, meter) == (4, 0)
    await world.cycle("2026-03-01")
    assert await last_lines(world) == [("METERED", 4, 8), ("CORRECTION", -5, -10)]
