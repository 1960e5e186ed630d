"""Meters that are behind take turns: none waits for another's long history."""

from uuid import UUID

import pytest
from arq.connections import ArqRedis

from metering.aggregations import Aggregation, AggregationFunction
from metering.catch_up import catch_up
from metering.filters import Clause, ClauseOperator, Filter
from metering.meters import create_meter
from models import Meter, Organization
from tests.ingesting import drain, send
from workers.process_events import Counting

COUNT = Aggregation(AggregationFunction.COUNT)
RARE = Filter(clauses=(Clause("name", ClauseOperator.EQUALS, "rare"),))


async def test_a_meter_that_comes_later_does_not_wait_for_a_long_history(
    organization: Organization, redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metering.catch_up.CHUNK_EVENTS", 2)
    monkeypatch.setattr("metering.catch_up.LAST_STRETCH_EVENTS", 2)
    for _ in range(8):
        await send(organization.id, {}, {})
    await drain(organization.id)
    long = await create_meter(organization.id, "Long", None, Filter(), COUNT)
    made: list[Meter] = []
    chunks: list[tuple[str, bool]] = []

    async def counted(organization_id: UUID, meter_id: UUID) -> tuple[bool, int | None]:
        found = await catch_up(organization_id, meter_id)
        chunks.append(("long" if meter_id == long.id else "rare", found[0]))
        if not made:
            made.append(await create_meter(organization.id, "Rare", None, RARE, COUNT))
        return found

    monkeypatch.setattr("workers.process_events.catch_up", counted)
    await Counting(redis).catch_up_meters(organization.id)

    assert chunks[:3] == [("long", True), ("long", True), ("rare", False)]
    assert chunks[-1] == ("long", False)
    assert [row.position for row in await Meter.filter(organization_id=organization.id)] == [
        None,
        None,
    ]
    await long.refresh_from_db()
    assert long.counted_events == 16
