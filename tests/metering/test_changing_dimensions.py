"""Usage by dimension stays exact while dimensions change, workers die and meters are archived."""

import asyncio
from decimal import Decimal

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.counting.catch_up import Chunk, catch_up
from metering.counting.log import advance
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.meters import archive_meter, unarchive_meter
from models import DimensionBucket, DimensionCombination, DimensionValue, Organization
from tests.ingesting import catch_up_all, drain, send
from tests.metering.dimensions import change, drifts, meter_by, pending, totals, use
from tests.metering.poison import POISON, accept_poison, let_retry, refuse_poison


async def test_history_is_counted_for_new_dimensions_while_totals_stay_right(
    database: BaseDBAsyncClient, organization: Organization
) -> None:
    meter = await meter_by(organization, "model")
    await use(organization)
    await drain(organization.id)
    assert await totals(database, meter, "model") == ({("a",): 3, ("b",): 5, ("c",): 7}, 15)

    await change(organization, meter, "eu")
    assert await totals(database, meter, "eu") == ({}, 15)
    assert await pending(organization, meter) == (0, 6)
    await use(organization, 2)
    await drain(organization.id)
    assert await totals(database, meter, "eu") == ({}, 16)
    assert await pending(organization, meter) == (0, 8)
    await catch_up_all(organization.id)

    assert await totals(database, meter, "eu") == ({("true",): 6, ("false",): 10}, 16)
    assert await pending(organization, meter) == (0, 0)
    await use(organization, 2)
    await drain(organization.id)
    assert await totals(database, meter, "eu") == ({("true",): 6, ("false",): 11}, 17)
    assert await drifts(organization) == 0


async def test_a_meter_without_dimensions_keeps_nothing_by_them(
    organization: Organization,
) -> None:
    meter = await meter_by(
        organization, "model", aggregation=Aggregation(AggregationFunction.COUNT)
    )
    distinct = Aggregation(AggregationFunction.UNIQUE, "tokens")
    unique = await meter_by(organization, "model", aggregation=distinct)
    await use(organization)
    await drain(organization.id)
    assert await DimensionValue.filter(meter_id=unique.id).exists()
    for each in (meter, unique):
        await change(organization, each)
    await catch_up_all(organization.id)
    for table in (DimensionBucket, DimensionCombination, DimensionValue):
        assert not await table.filter(organization_id=organization.id).exists()
    await meter.refresh_from_db()
    assert (meter.dimensions, meter.dimensions_position, meter.position) == ([], None, None)


async def test_old_usage_is_deleted_in_chunks(
    database: BaseDBAsyncClient, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metering.counting.clearing._ROWS", 2)
    meter = await meter_by(organization, "model")
    await use(organization)
    await drain(organization.id)
    await change(organization, meter, "eu")
    assert await catch_up(organization.id, meter.id) is Chunk.COUNTED
    # What is left of the old dimensions is no group of the new ones.
    assert await totals(database, meter, "eu") == ({}, 15)
    await catch_up_all(organization.id)
    assert await totals(database, meter, "eu") == ({("true",): 6, ("false",): 9}, 15)


async def test_dimensions_change_while_two_workers_count(
    database: BaseDBAsyncClient, organization: Organization
) -> None:
    meter = await meter_by(organization, "model")
    sent = asyncio.Event()

    async def send_all() -> None:
        for _ in range(12):
            await use(organization)
        sent.set()

    async def work() -> None:
        while not sent.is_set():
            await advance(organization.id)
            await catch_up(organization.id, meter.id)

    async def edit() -> None:
        for dimensions in (["eu"], ["eu", "model"], [], ["model", "eu"]):
            await change(organization, meter, *dimensions)
            await advance(organization.id)

    await asyncio.gather(send_all(), work(), work(), edit())
    await drain(organization.id)
    await catch_up_all(organization.id)

    groups, total = await totals(database, meter, "model")
    assert (groups, total) == ({("a",): 36, ("b",): 60, ("c",): 84}, 180)
    assert await drifts(organization) == 0


async def test_a_worker_that_dies_in_a_step_leaves_nothing_behind(
    database: BaseDBAsyncClient, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = await meter_by(organization, "model")
    await use(organization)

    async def die(*_: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr("metering.counting.log.note_late_events", die)
        with pytest.raises(asyncio.CancelledError):
            await advance(organization.id)
    assert not await DimensionCombination.filter(meter_id=meter.id).exists()
    await drain(organization.id)
    assert await totals(database, meter, "model") == ({("a",): 3, ("b",): 5, ("c",): 7}, 15)

    await change(organization, meter, "eu")
    assert await catch_up(organization.id, meter.id) is Chunk.COUNTED
    with monkeypatch.context() as patch:
        patch.setattr("metering.counting.catch_up._move", die)
        with pytest.raises(asyncio.CancelledError):
            await catch_up_all(organization.id)
    await catch_up_all(organization.id)
    assert await totals(database, meter, "eu") == ({("true",): 6, ("false",): 9}, 15)
    assert await drifts(organization) == 0


async def test_an_archived_meter_counts_what_it_missed_by_dimension_too(
    database: BaseDBAsyncClient, organization: Organization
) -> None:
    meter = await meter_by(organization, "model")
    await use(organization)
    await drain(organization.id)
    await archive_meter(organization.id, meter.id, _not_in_use)
    await use(organization)
    await drain(organization.id)
    assert await totals(database, meter, "model") == ({("a",): 3, ("b",): 5, ("c",): 7}, 15)

    await unarchive_meter(organization.id, meter.id)
    await catch_up_all(organization.id)
    assert await totals(database, meter, "model") == ({("a",): 6, ("b",): 10, ("c",): 14}, 30)
    assert await pending(organization, meter) == (0, 0)


async def _not_in_use(*_: object) -> str | None:
    return None


async def test_a_meter_that_failed_catches_up_by_dimension_too(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    meter = await meter_by(organization, "model")
    await use(organization)
    await drain(organization.id)
    await refuse_poison(fresh_database)
    await send(organization.id, {"metadata": {"tokens": POISON, "model": "a"}})
    await use(organization)
    await drain(organization.id)
    counted = {("a",): Decimal(3), ("b",): Decimal(5), ("c",): Decimal(7)}
    assert await totals(fresh_database, meter, "model") == (counted, 15)
    await accept_poison(fresh_database)
    await let_retry(meter)
    await catch_up_all(organization.id)
    counted = {("a",): Decimal(6 + POISON), ("b",): Decimal(10), ("c",): Decimal(14)}
    assert await totals(fresh_database, meter, "model") == (counted, 30 + POISON)
    assert await pending(organization, meter) == (0, 0)
