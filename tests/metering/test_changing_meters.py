"""Meters that are made or changed while events stream in count as if they had always existed."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.counting.catch_up import Chunk, catch_up, meters_behind
from metering.counting.log import LogState, advance, lock_log
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import Filter
from metering.meters import (
    MeterChanges,
    archive_meter,
    create_meter,
    unarchive_meter,
    update_meter,
)
from metering.problems import RefusedError
from models import CustomerMeter, Event, EventBatch, Meter, Organization
from tests.faults.clients import event
from tests.faults.exactness import assert_exact, create_meters
from tests.ingesting import catch_up_all, drain, named, send

AI_USAGE, NOTHING = named("ai_usage"), named("nothing")
EVERYTHING = Filter()
TOKENS = Aggregation(AggregationFunction.SUM, "tokens")
MOST_WAITING = 4
"""Batches that are not counted yet."""


@asynccontextmanager
async def streaming(organization: Organization) -> AsyncIterator[None]:
    """Events that come in, are counted, and are caught up with, all at the same time.

    They come in no faster than they are counted. Otherwise there would be many thousands of them
    by the time a meter is made, which waits for the log like everything here.
    """
    stopping = asyncio.Event()
    waiting = EventBatch.filter(organization_id=organization.id, position=None)

    async def repeat(work: Any) -> None:
        number = 0
        while not stopping.is_set():
            await work(number)
            number += 1
            await asyncio.sleep(0.001)

    async def ingest(number: int) -> None:
        if await waiting.count() >= MOST_WAITING:
            return
        chance = random.Random(number)
        events = [event(chance, f"{number}-{place}") for place in range(chance.randint(1, 30))]
        await send(organization.id, *events)

    async def count(_number: int) -> None:
        await advance(organization.id)

    async def count_history(_number: int) -> None:
        for meter_id in await meters_behind(organization.id):
            await catch_up(organization.id, meter_id)

    async with asyncio.TaskGroup() as tasks:
        for work in (ingest, count, count_history, count_history):
            tasks.create_task(repeat(work))
        yield
        stopping.set()


async def stored(organization: Organization, more: int) -> None:
    """Waits until so many more events are stored."""
    count = Event.filter(organization_id=organization.id).count
    enough = await count() + more
    while await count() < enough:  # noqa: ASYNC110  # nothing tells of an event
        await asyncio.sleep(0.01)


async def settle(organization: Organization) -> None:
    await drain(organization.id)
    await catch_up_all(organization.id)


async def numbers(meter: Meter) -> dict[str, Any]:
    """Everything that a meter says."""
    await meter.refresh_from_db()
    cached = await CustomerMeter.filter(meter_id=meter.id).values_list("customer_id", "consumed")
    return {
        "counted": meter.counted_events,
        "skipped": meter.skipped_events,
        "consumed": dict(cached),
    }


async def test_meters_made_while_events_stream_in(organization: Organization) -> None:
    first = await create_meters(organization.id)
    async with streaming(organization):
        await stored(organization, 100)
        later = await create_meters(organization.id)
        await stored(organization, 100)
    await settle(organization)

    await assert_exact(organization.id)
    for old, new in zip(first, later, strict=True):
        assert await numbers(new) == await numbers(old)


async def test_a_meter_edited_while_events_stream_in(organization: Organization) -> None:
    wanted = await create_meter(organization.id, "Wanted", None, AI_USAGE, TOKENS)
    missing = Aggregation(AggregationFunction.SUM, "missing")
    async with streaming(organization):
        # These match but count nothing, so that they can be changed, and have much to forget.
        edited = [
            await create_meter(organization.id, "Edited", None, EVERYTHING, missing)
            for _ in range(3)
        ]
        await stored(organization, 300)
        for filter_ in (NOTHING, EVERYTHING, AI_USAGE):
            await stored(organization, 60)
            for meter in edited:
                changes = MeterChanges(filter=filter_)
                assert isinstance(await update_meter(organization.id, meter.id, changes), Meter)
        for meter in edited:
            changes = MeterChanges(aggregation=TOKENS)
            assert isinstance(await update_meter(organization.id, meter.id, changes), Meter)
        await stored(organization, 100)
    await settle(organization)

    await assert_exact(organization.id)
    for meter in edited:
        assert await numbers(meter) == await numbers(wanted)


async def test_two_people_edit_a_meter_at_once(organization: Organization) -> None:
    wanted = await create_meter(organization.id, "Wanted", None, AI_USAGE, TOKENS)
    async with streaming(organization):
        await stored(organization, 100)
        edited = await create_meter(organization.id, "Edited", None, NOTHING, TOKENS)
        edits = [
            update_meter(organization.id, edited.id, MeterChanges(filter=filter_))
            for filter_ in (EVERYTHING, AI_USAGE)
        ]
        answers = await asyncio.gather(*edits, return_exceptions=True)
        await stored(organization, 100)
    await settle(organization)

    await edited.refresh_from_db()
    refused = [answer for answer in answers if not isinstance(answer, Meter)]
    assert all(isinstance(refusal, RefusedError) for refusal in refused)
    codes = [refusal.problems[0].code for refusal in refused if isinstance(refusal, RefusedError)]
    assert codes in ([], ["METER_LOCKED"])
    await assert_exact(organization.id)
    if edited.event_names is not None:
        assert await numbers(edited) == await numbers(wanted)


@pytest.mark.parametrize("function", [AggregationFunction.UNIQUE, AggregationFunction.LATEST])
async def test_a_meter_archived_and_taken_back_while_events_stream_in(
    organization: Organization, function: AggregationFunction
) -> None:
    aggregation = Aggregation(function, "tokens")
    wanted = await create_meter(organization.id, "Wanted", None, AI_USAGE, aggregation)
    archived = await create_meter(organization.id, "Archived", None, AI_USAGE, aggregation)
    async with streaming(organization):
        for _ in range(4):
            await stored(organization, 50)
            assert isinstance(await archive_meter(organization.id, archived.id, _not_in_use), Meter)
            await stored(organization, 50)
            assert isinstance(await unarchive_meter(organization.id, archived.id), Meter)
    await settle(organization)

    await assert_exact(organization.id)
    assert await numbers(archived) == await numbers(wanted)


async def test_an_edit_waits_for_the_chunk_that_is_being_counted(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = Aggregation(AggregationFunction.SUM, "missing")
    meter = await create_meter(organization.id, "Edited", None, EVERYTHING, missing)
    await send(organization.id, {})
    await drain(organization.id)
    await archive_meter(organization.id, meter.id, _not_in_use)
    await send(organization.id, {})
    await drain(organization.id)
    await unarchive_meter(organization.id, meter.id)
    counted, gate = asyncio.Event(), asyncio.Event()

    async def lock_log_later(connection: BaseDBAsyncClient, organization_id: UUID) -> LogState:
        counted.set()
        await gate.wait()
        return await lock_log(connection, organization_id)

    monkeypatch.setattr("metering.counting.catch_up.lock_log", lock_log_later)
    chunk = asyncio.create_task(catch_up(organization.id, meter.id))
    await counted.wait()
    changes = MeterChanges(filter=AI_USAGE)
    edit = asyncio.create_task(update_meter(organization.id, meter.id, changes))
    await asyncio.sleep(0.2)  # until the edit waits, which nothing tells
    assert not edit.done()
    gate.set()

    assert await chunk is Chunk.LAST
    assert isinstance(await edit, Meter)
    await catch_up_all(organization.id)
    await assert_exact(organization.id)


async def _not_in_use(
    _connection: BaseDBAsyncClient, _organization_id: UUID, _meter_id: UUID
) -> None:
    """Nothing needs the meter."""


async def test_an_archived_meter_that_is_edited_before_the_first_event_counts_each_once(
    organization: Organization,
) -> None:
    meter = await create_meter(organization.id, "Meter", None, NOTHING, TOKENS)
    await archive_meter(organization.id, meter.id, _not_in_use)
    await update_meter(organization.id, meter.id, MeterChanges(filter=AI_USAGE))
    await send(organization.id, {"metadata": {"tokens": 5}})
    await drain(organization.id)
    assert (await numbers(meter))["counted"] == 0

    await unarchive_meter(organization.id, meter.id)
    await settle(organization)

    assert (await numbers(meter))["counted"] == 1
