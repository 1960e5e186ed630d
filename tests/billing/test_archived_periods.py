"""Periods that go on after archived months are billed exactly, also for late events."""

from pathlib import Path
from typing import Any

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from billing.catalog.price_meters import needs_of_rates
from billing.catalog.prices import MeteredDraft
from billing.periods.intervals import RecurringInterval
from metering.archive.errors import ArchiveError
from metering.audit.recompute import recompute_customer_meter
from metering.erasing.customers import erase_names
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.meters import MeterChanges, update_meter
from metering.problems import RefusedError
from models import Customer, CustomerMeter, CustomerSubscription, Event, KeptEvent, Meter
from tests.billing.rated import by_model
from tests.billing.world import World, instant
from tests.ingesting import catch_up_all
from tests.metering.archives import MARCH, archive, restore
from tests.metering.erasing import erase_all

START = "2026-01-10T10:20:30"
# The period from February to March has whole buckets and an edge on both sides of the boundary.
BEFORE = (
    ("2026-01-10T10:20:00", 100),
    ("2026-01-10T10:25:00", 5),
    ("2026-02-10T10:20:00", 3),
    ("2026-02-10T10:20:30", 7),
    ("2026-02-10T10:40:00", 2),
    ("2026-02-20T00:00:00", 1),
)


def prices(meter: Meter) -> dict[str, MeteredDraft]:
    return {
        "plain": MeteredDraft("USD", meter.id, parameters={"unit_amount": 2}),
        "carried": MeteredDraft("USD", meter.id, parameters={"unit_amount": 3}),
        "rates": by_model(meter),
    }


async def sold(world: World, kind: str, function: AggregationFunction) -> tuple[Customer, Meter]:
    customer = await world.customer()
    meter = await world.meter(
        function,
        dimensions=("model", "kind") if kind == "rates" else (),
        carries_over=kind == "carried",
    )
    await catch_up_all(world.id)
    product = await world.product(prices(meter)[kind])
    await world.subscribe(customer, product, START)
    return customer, meter


async def lines(world: World) -> list[Any]:
    return [
        (line.kind, line.period_start, line.consumed, line.billable, line.amount)
        for invoice in await world.invoices()
        for line in invoice.lines
    ]


async def billed(
    world: World, kind: str, function: AggregationFunction, folder: Path | None
) -> list[Any]:
    """The lines of a history in which January and February are archived, if there is a folder."""
    customer, _meter = await sold(world, kind, function)
    await world.use(customer, *BEFORE, model="large", kind="output")
    await world.cycle("2026-02-10T10:20:30")
    await world.use(customer, ("2026-03-11", 20), model="large")
    await world.cycle("2026-03-10T10:20:30")
    if folder is not None:
        await archive(folder, MARCH)
        assert await KeptEvent.filter(organization_id=world.id).count() == 5
    await world.use(customer, ("2026-03-05", 4), ("2026-03-05T00:01", 9), model=None)
    await world.cycle("2026-03-12")
    if folder is not None:
        for row in await CustomerMeter.filter(organization_id=world.id):
            found = await recompute_customer_meter(world.id, row.id)
            assert found is not None
            assert found.drifts == ()
    await world.cycle("2026-04-10T10:20:30")
    return await lines(world)


@pytest.mark.parametrize(
    ("kind", "function"),
    [
        ("plain", AggregationFunction.SUM),
        ("plain", AggregationFunction.UNIQUE),
        ("plain", AggregationFunction.LATEST),
        ("rates", AggregationFunction.SUM),
        ("carried", AggregationFunction.LATEST),
        ("carried", AggregationFunction.MAXIMUM),
    ],
)
async def test_late_events_are_billed_as_if_nothing_was_archived(
    fresh_database: BaseDBAsyncClient,
    world: World,
    other_organization: Any,
    tmp_path: Path,
    kind: str,
    function: AggregationFunction,
) -> None:
    whole = await billed(World(other_organization, fresh_database), kind, function, None)
    assert "CORRECTION" in {line[0] for line in whole}
    assert await billed(world, kind, function, tmp_path) == whole
    await restore(tmp_path)
    assert await KeptEvent.all().count() == 0


async def test_a_long_period_goes_on_over_archived_months(
    fresh_database: BaseDBAsyncClient, world: World, tmp_path: Path
) -> None:
    """It keeps the events of its start through several archives, and through a restore of one."""
    customer, meter = await world.customer(), await world.meter()
    await catch_up_all(world.id)
    year = await world.product(world.per_unit(meter), interval=RecurringInterval.YEAR)
    subscription = await world.subscribe(customer, year, START)
    await world.use(customer, *BEFORE)
    await archive(tmp_path, instant("2026-02-01"))
    assert await archive(tmp_path, MARCH) == ["2026-02"]
    assert await restore(tmp_path, "2026-02") == ["2026-02"]
    await world.use(customer, ("2026-06-01", 1_000))
    assert await ended_with(world, subscription) == 1_018


async def test_grants_cut_archived_time_where_they_begin_and_end(
    fresh_database: BaseDBAsyncClient, world: World, tmp_path: Path
) -> None:
    customer, meter = await world.customer(), await world.meter()
    await catch_up_all(world.id)
    year = await world.product(world.per_unit(meter), interval=RecurringInterval.YEAR)
    subscription = await world.subscribe(customer, year, START)
    begins, ends = "2026-01-20T07:03:09", "2026-02-05T11:11:11"
    await world.credit(*(customer, meter, 100, "2026-01-11"), begins=begins, ends=ends)
    await world.use(
        customer,
        *(("2026-01-20T07:03:08", 3), (begins, 5), ("2026-02-05T11:11:10", 7), (ends, 11)),
    )
    await archive(tmp_path, MARCH)
    assert await world.remaining(customer, meter, "2026-06-01") == [0]
    with pytest.raises(RefusedError, match="archived"):
        await world.credit(*(customer, meter, 1, "2026-06-01"), begins="2026-02-10T00:00:01")
    assert await ended_with(world, subscription) == 26
    [invoice] = await world.invoices(subscription)
    assert (invoice.lines[0].credited, invoice.amounts) == (12, [14])


async def ended_with(world: World, subscription: CustomerSubscription) -> Any:
    await world.cancel(subscription, "2026-07-01")
    await world.cycle("2026-07-02")
    [invoice] = await world.invoices(subscription)
    return invoice.lines[0].consumed


async def test_nothing_may_need_archived_events_afterwards(
    fresh_database: BaseDBAsyncClient, world: World, tmp_path: Path
) -> None:
    customer, meter = await sold(world, "rates", AggregationFunction.SUM)
    await world.use(customer, *BEFORE, model="large")
    await world.cycle("2026-02-10T10:20:30")
    uncounted = await world.meter(name="never")
    await catch_up_all(world.id)
    other = await world.customer("other")
    product = await world.product(world.per_unit(uncounted))
    await world.subscribe(other, product, "2026-02-15T00:00:01")
    await archive(tmp_path, MARCH)
    changes = MeterChanges(dimensions=("model", "kind", "region"))
    with pytest.raises(RefusedError, match="2026-03-01T00:00:00Z"):
        await update_meter(world.id, meter.id, changes, needs_of_rates)
    counts = MeterChanges(aggregation=Aggregation(AggregationFunction.COUNT))
    with pytest.raises(RefusedError, match="Create another meter"):
        await update_meter(world.id, uncounted.id, counts)
    third = await world.customer("third")
    early = await world.product(world.per_unit(await world.meter(name="early")))
    with pytest.raises(RefusedError, match="2026-03-01"):
        await world.subscribe(third, early, "2026-03-02", "2026-02-28")


async def test_a_month_waits_for_what_is_to_be_billed(
    fresh_database: BaseDBAsyncClient, world: World, tmp_path: Path
) -> None:
    customer, _meter = await sold(world, "plain", AggregationFunction.SUM)
    await world.use(customer, *BEFORE)
    with pytest.raises(ArchiveError, match=f"{world.organization.slug}: 1 periods are over"):
        await archive(tmp_path, MARCH)
    await world.cycle("2026-02-10T10:20:30")
    await world.use(customer, ("2026-02-05", 1))
    with pytest.raises(ArchiveError, match="Late events of 1 customers"):
        await archive(tmp_path, MARCH)
    await world.cycle("2026-02-11")
    assert await archive(tmp_path, MARCH) == ["2026-02"]


async def test_erased_customers_stay_erased(
    fresh_database: BaseDBAsyncClient, world: World, tmp_path: Path
) -> None:
    """Also in the events that periods keep, and in those that come back."""
    customer, _meter = await sold(world, "plain", AggregationFunction.SUM)
    await world.use(customer, *BEFORE)
    await world.cycle("2026-02-10T10:20:30")
    assert await archive(tmp_path, instant("2026-02-01")) == ["2026-01"]
    async with in_transaction() as connection:
        await erase_names(connection, world.id, customer.id)
    with pytest.raises(ArchiveError, match="1 customers are still being erased"):
        await archive(tmp_path, MARCH)
    await erase_all(world.id, customer.id)
    await archive(tmp_path, MARCH)
    kept = await KeptEvent.filter(organization_id=world.id)
    assert [type(event.metadata) for event in kept] == [list] * 5
    await restore(tmp_path)
    await erase_all(world.id, customer.id)
    events = await Event.filter(organization_id=world.id)
    assert [type(event.metadata) for event in events] == [list] * len(BEFORE)
    for row in await CustomerMeter.filter(organization_id=world.id):
        found = await recompute_customer_meter(world.id, row.id)
        assert found is not None
        assert found.drifts == ()
