"""What could not be counted is counted once it can be, and until then nobody says that it was."""

from contextlib import nullcontext as anywhere
from datetime import timedelta
from decimal import Decimal

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.audit.recompute import recompute_customer_meter
from metering.counting.log import advance
from metering.counting.recount import Recounted, recount, uncounted_meters
from metering.language.aggregations import AggregationFunction
from metering.language.filters import Filter, to_json
from metering.meters import archive_meter
from metering.usage.ranges import usage
from metering.usage.windows import Window
from models import CustomerMeter, EventBatch, Meter, Organization, UncountedEvent
from schema.loaders.events import EventQuery, events_by_id, events_source, meters_of_events
from schema.loaders.keyset import PageRequest, bounds_of
from schema.loaders.sources import count_rows, read_pages
from tests.ingesting import NOON, catch_up_all, drain, send, usages
from tests.metering.test_isolation import (
    POISON,
    consumed,
    definition_of,
    meter_of,
    progress_of,
    refuse_poison,
    uncounted,
)

EVERYTHING = [Window(NOON - timedelta(days=1), NOON + timedelta(days=30))]


async def accept_poison(database: BaseDBAsyncClient) -> None:
    """The cause is gone."""
    await database.execute_script("DROP TRIGGER refuse ON usage_bucket")


async def settle(organization: Organization) -> None:
    await drain(organization.id)
    await catch_up_all(organization.id)


async def assert_exact(database: BaseDBAsyncClient, meter: Meter) -> None:
    """What is cached is what the raw events say."""
    for row in await CustomerMeter.filter(meter_id=meter.id):
        found = await recompute_customer_meter(meter.organization_id, row.id)
        assert found is not None
        assert found.drifts == ()


@pytest.mark.parametrize("function", AggregationFunction)
async def test_it_is_counted_once_the_cause_is_gone(
    fresh_database: BaseDBAsyncClient, organization: Organization, function: AggregationFunction
) -> None:
    await refuse_poison(fresh_database)
    total = await meter_of(organization, AggregationFunction.SUM)
    other = await meter_of(organization, function)
    values = [1, POISON, 2, POISON + 1, POISON, 3]
    events = usages(values, timedelta(minutes=1))
    for number, event in enumerate(events):
        event["externalCustomerId"] = f"c{number % 2}"
    await send(organization.id, *events)
    await settle(organization)
    assert len(await uncounted(total)) == 3
    assert await consumed(total) == 6

    await accept_poison(fresh_database)
    meters = await uncounted_meters()
    assert (organization.id, total.id) in meters
    for organization_id, meter_id in meters:
        done = await recount(organization_id, meter_id)
        assert done is not None
        assert (done.counted, done.failed) == (3, 0)
        assert done.revision is not None

    assert await uncounted_meters() == []
    assert await consumed(total) == sum(values)
    found = await progress_of(total)
    assert (found.counted_events, found.failed_events, found.problems) == (6, 0, ())
    for meter in (total, other):
        definition = await definition_of(fresh_database, meter)
        used = await usage(fresh_database, definition, EVERYTHING)
        assert used.total.counted == 6
        await assert_exact(fresh_database, meter)
    assert await recount(organization.id, total.id) is not None
    assert await consumed(total) == sum(values)


async def test_what_still_fails_is_said_with_its_present_reason(
    fresh_database: BaseDBAsyncClient, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metering.counting.recount._EVENTS", 2)
    await refuse_poison(fresh_database)
    total = await meter_of(organization, AggregationFunction.SUM)
    receipts = await send(
        organization.id, *usages([POISON, 10**12, POISON, 10**12, 10**12], timedelta(hours=1))
    )
    await settle(organization)
    assert len(await uncounted(total)) == 5

    await fresh_database.execute_script(
        """
        CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.sum > 1e13 THEN
                RAISE EXCEPTION 'more than ever' USING ERRCODE = '22003';
            END IF;
            RETURN NEW;
        END $$;
        """
    )
    done = await recount(organization.id, total.id)

    assert done is not None
    assert (done.counted, done.failed) == (3, 2)
    assert await consumed(total) == 3 * Decimal(10**12)
    found = await progress_of(total)
    assert found.failed_events == 2
    assert all("more than ever" in problem for problem in found.problems)
    assert {receipts[0].event_id, receipts[2].event_id} == {
        row.event_id
        for row in await UncountedEvent.filter(meter_id=total.id, counted_from__isnull=True)
    }


async def refuse_in_customer_meters(database: BaseDBAsyncClient) -> None:
    """Another cause: buckets take any sum now, customers' usage none like POISON."""
    await accept_poison(database)
    await database.execute_script(
        """
        CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON customer_meter FOR EACH ROW
        WHEN (NEW.sum > 1e14) EXECUTE FUNCTION refuse();
        """
    )


async def test_a_merge_that_fails_is_told_with_what_was_done_before_it(
    fresh_database: BaseDBAsyncClient, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metering.counting.recount._EVENTS", 1)
    await refuse_poison(fresh_database)
    total = await meter_of(organization, AggregationFunction.SUM)
    large, poison = await send(organization.id, *usages([10**12, POISON]))
    await settle(organization)
    assert await uncounted(total) == {large.event_id, poison.event_id}
    await refuse_in_customer_meters(fresh_database)

    done = await recount(organization.id, total.id)

    assert done is not None
    assert (done.counted, done.failed) == (1, 0)
    assert done.revision is not None
    assert done.problem is not None
    assert "too much for a bucket" in done.problem
    assert await consumed(total) == 10**12
    (left,) = await UncountedEvent.filter(meter_id=total.id, counted_from__isnull=True)
    assert left.event_id == poison.event_id
    assert await recount(organization.id, total.id) == Recounted(problem=done.problem)


async def test_it_takes_a_position_of_the_log(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    await refuse_poison(fresh_database)
    total = await meter_of(organization, AggregationFunction.SUM)
    (receipt,) = await send(organization.id, *usages([POISON]))
    await settle(organization)
    await accept_poison(fresh_database)

    await recount(organization.id, total.id)

    note = await UncountedEvent.get(meter_id=total.id)
    assert (note.event_id, note.counted_from) == (receipt.event_id, 2)
    batches = await EventBatch.filter(organization_id=organization.id).order_by("position")
    assert [(batch.position, batch.event_count) for batch in batches] == [(1, 1), (2, 0)]
    assert [batch.events_through for batch in batches] == [1, 1]
    found = await progress_of(total)
    assert (found.counted_events, found.pending_events) == (1, 0)
    await send(organization.id, *usages([5]))
    step = await advance(organization.id)
    assert step is not None
    assert (step.state.head, step.state.events) == (3, 2)


async def test_a_meter_that_is_not_live_is_left_alone(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    async def unused(*_arguments: object) -> None:
        """Nothing needs the meter."""

    await refuse_poison(fresh_database)
    total = await meter_of(organization, AggregationFunction.SUM)
    await send(organization.id, *usages([POISON]))
    await settle(organization)
    await archive_meter(organization.id, total.id, unused)
    await accept_poison(fresh_database)
    assert await recount(organization.id, total.id) is None
    assert len(await uncounted(total)) == 1


async def test_an_uncounted_event_is_not_processed_and_not_of_the_meter(
    fresh_database: BaseDBAsyncClient, organization: Organization
) -> None:
    await refuse_poison(fresh_database)
    total = await meter_of(organization, AggregationFunction.SUM)
    number = await meter_of(organization, AggregationFunction.COUNT)
    assert to_json(Filter()) == total.event_filter
    good, bad = [receipt.event_id for receipt in await send(organization.id, *usages([1, POISON]))]
    assert good is not None
    assert bad is not None
    await settle(organization)

    async def said() -> tuple[list[list[str]], list[bool], list[int]]:
        """The meters of both events, whether they are processed, how many events meters list."""
        meters = [await Meter.get(id=meter.id) for meter in (total, number)]
        of_events = await meters_of_events(organization.id, [good, bad])
        events = await events_by_id(organization.id, [good, bad])
        sources = [events_source(organization.id, EventQuery(meter=meter)) for meter in meters]
        counts = await count_rows(anywhere, list(sources))
        for source, count in zip(sources, counts, strict=True):
            bounds = bounds_of(source.keyset, PageRequest(10))
            ((*rows,),) = await read_pages(anywhere, [(source, bounds, 10)])
            assert len(rows) == count
        return (
            [[meter.name for meter in found] for found in of_events],
            [event is not None and event["processed_at"] is not None for event in events],
            counts,
        )

    assert await said() == ([["SUM", "COUNT"], ["COUNT"]], [True, False], [1, 2])

    await accept_poison(fresh_database)
    await recount(organization.id, total.id)
    assert await said() == ([["SUM", "COUNT"], ["SUM", "COUNT"]], [True, True], [2, 2])
