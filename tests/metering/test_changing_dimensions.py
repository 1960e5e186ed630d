"""Usage by dimension stays exact while dimensions change, workers die and meters are archived."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.audit.recompute import recompute_customer_meter
from metering.audit.rounds import audit_step
from metering.counting.catch_up import Chunk, catch_up
from metering.counting.log import advance
from metering.counting.progress import progress
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import Filter
from metering.meters import (
    MeterChanges,
    archive_meter,
    create_meter,
    unarchive_meter,
    update_meter,
)
from metering.usage.grouping import Grouping
from metering.usage.groups import grouped_usage
from metering.usage.windows import Window
from models import (
    ALL_CUSTOMERS,
    CustomerMeter,
    DimensionBucket,
    DimensionCombination,
    DimensionValue,
    Meter,
    Organization,
    UsageAudit,
    UsageDrift,
)
from tests.ingesting import NOON, catch_up_all, definition_of, drain, send
from tests.metering.poison import POISON, accept_poison, let_retry, refuse_poison

SUM = Aggregation(AggregationFunction.SUM, "tokens")
MODELS = ["a", "b", "c"]


async def meter_by(
    organization: Organization, *dimensions: str, aggregation: Aggregation = SUM
) -> Meter:
    meter = await create_meter(organization.id, "M", None, Filter(), aggregation, dimensions)
    await catch_up_all(organization.id)
    return meter


async def use(organization: Organization, count: int = 6) -> None:
    """Events of three models in two regions, a few minutes apart."""
    await send(
        organization.id,
        *(
            {
                "metadata": {"tokens": number, "model": MODELS[number % 3], "eu": number % 2 == 0},
                "timestamp": NOON + timedelta(minutes=23 * number),
            }
            for number in range(count)
        ),
    )


async def totals(database: BaseDBAsyncClient, meter: Meter, *by: str) -> Any:
    """The total of each group by its values, and that of all events."""
    day = Window(NOON - timedelta(minutes=1), NOON + timedelta(days=1))
    found = await grouped_usage(database, await definition_of(meter), [day], Grouping(by))
    groups = {
        tuple(value.value for value in group.values): group.usage.total.quantity
        for group in found.groups
    }
    return groups, found.usage.total.quantity


async def change(organization: Organization, meter: Meter, *dimensions: str) -> None:
    await update_meter(organization.id, meter.id, MeterChanges(dimensions=dimensions))


async def pending(organization: Organization, meter: Meter) -> tuple[int, int]:
    [found] = await progress(organization.id, [meter])
    return found.pending_events, found.dimensions_pending_events


async def drifts(organization: Organization) -> int:
    """Audits everything that is kept of the organization, and tells what differed."""
    await UsageAudit.update_or_create(
        {"customer_id": ALL_CUSTOMERS, "next_from": None, "started_at": NOON, "finished_at": None},
        organization_id=organization.id,
    )
    found = 0
    step = None
    while step is None or not step.is_last:
        step = await audit_step(organization.id)
        found += step.drifts
    return found


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


@pytest.mark.parametrize("function", AggregationFunction)
async def test_wrong_usage_by_dimension_is_found_and_repaired(
    database: BaseDBAsyncClient, organization: Organization, function: AggregationFunction
) -> None:
    aggregation = Aggregation(function, None if function == "COUNT" else "tokens")
    meter = await meter_by(organization, "model", aggregation=aggregation)
    await use(organization)
    await drain(organization.id)
    before = await totals(database, meter, "model")
    first: Sequence[DimensionBucket] = (
        await DimensionBucket.filter(meter_id=meter.id).order_by("bucket", "combination").limit(2)
    )
    where = {"meter_id": meter.id, "bucket": first[0].bucket}
    await DimensionBucket.filter(**where).update(count=9, sum=9, minimum=9, latest_value=9)
    await DimensionBucket.filter(meter_id=meter.id, bucket__gt=first[0].bucket).delete()
    await DimensionValue.filter(**where).delete()
    row = await CustomerMeter.get(meter_id=meter.id)

    recomputed = await recompute_customer_meter(organization.id, row.id)

    assert recomputed is not None
    assert recomputed.drift == 0
    assert await totals(database, meter, "model") == before
    found = await UsageDrift.filter(meter_id=meter.id)
    assert all(drift.combination is not None for drift in found)
    assert {drift.customer_id for drift in found} == {ALL_CUSTOMERS, row.customer_id}
    assert await drifts(organization) == 0
