"""Catching up holds the log's lock for a few events only, however large the batches are."""

from datetime import timedelta
from typing import Any

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.batches import Batches
from metering.counting import catch_up as catching_up
from metering.counting.log import LogState, lock_log
from metering.counting.rollup import UsageIncrement, count_batches
from metering.language.definition import MeterDefinition
from models import CustomerMeter, EventBatch, Meter, Organization
from tests.ingesting import catch_up_all, drain, meter_of, send, usages

AT_ONCE = 3


@pytest.fixture
def counted_under_lock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many events each count had that was made while the log was held."""
    counted: list[int] = []
    holding = set[Any]()

    async def lock(connection: BaseDBAsyncClient, organization_id: Any) -> LogState:
        holding.add(connection)
        return await lock_log(connection, organization_id)

    async def count(
        connection: BaseDBAsyncClient, meter: MeterDefinition, batches: Batches, **how: Any
    ) -> list[UsageIncrement]:
        if connection in holding:
            found = await EventBatch.filter(
                organization_id=meter.organization_id, id__in=batches.ids
            ).using_db(connection)
            counted.append(sum(batch.event_count for batch in found))
        return await count_batches(connection, meter, batches, **how)

    monkeypatch.setattr(catching_up, "lock_log", lock)
    monkeypatch.setattr(catching_up, "count_batches", count)
    monkeypatch.setattr(catching_up, "LAST_STRETCH_EVENTS", AT_ONCE)
    monkeypatch.setattr(catching_up, "CHUNK_EVENTS", 1)
    return counted


@pytest.mark.parametrize(
    ("sizes", "under_lock"),
    [
        ([5, 50], []),
        ([5, 4], []),
        ([5, 3], [3]),
        ([5, 1, 1, 1], [3]),
        ([5, 1, 1, 2], [3]),
        ([50], []),
    ],
)
async def test_a_large_batch_is_a_chunk_like_the_others(
    organization: Organization,
    counted_under_lock: list[int],
    sizes: list[int],
    under_lock: list[int],
) -> None:
    for size in sizes:
        await send(organization.id, *usages([1] * size, timedelta(seconds=1)))
    await drain(organization.id)
    meter = await meter_of(organization.id)

    await catch_up_all(organization.id)

    assert [events for events in counted_under_lock if events] == under_lock
    assert (await Meter.get(id=meter.id)).position is None
    assert (await CustomerMeter.get(meter_id=meter.id)).consumed == sum(sizes)
