"""Whenever events are voided, every number is as if they had never been sent."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.counting.event_names import event_names
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.months import make_months
from metering.usage.preview import PreviewSelection, preview
from metering.usage.windows import Window
from metering.voiding.voids import void_events
from models import EventVoid, Meter, Organization, UsageDrift
from tests.effort import examples
from tests.ingesting import catch_up_all, drain
from tests.metering.erasing import begin_erasing, erase_all, on_their_way
from tests.metering.test_audit import audit
from tests.metering.test_erasing_numbers import Shop, histories
from tests.metering.test_usage import KINDS
from tests.reference.sql import parsed


@st.composite
def voided_histories(draw: st.DrawFn) -> dict[str, Any]:
    """A history, with the events that are voided at each of some moments."""
    history = draw(histories())
    ids = [found["id"] for found in history["events"]]
    some = st.lists(st.sampled_from(ids), unique=True, max_size=len(ids))
    history["voids"] = draw(st.lists(some, min_size=5, max_size=5))
    history["erases"] = draw(st.booleans())
    return history


@examples(25)
@given(history=voided_histories())
async def test_every_number_is_as_if_voided_events_had_not_been_sent(
    database: BaseDBAsyncClient, history: dict[str, Any]
) -> None:
    first, second, third = history["parts"]
    events, filters = history["events"], history["filters"]
    aggregations = [
        Aggregation(
            function, None if function is AggregationFunction.COUNT else property_, carries_over
        )
        for (function, carries_over), property_ in zip(KINDS, history["properties"], strict=True)
    ]

    async def live(
        shop: Shop, sent: Callable[[slice], list[Any]], step: Callable[[int], Awaitable[None]]
    ) -> None:
        for filter_, aggregation in zip(filters, aggregations, strict=True):
            await shop.add_meter(filter_, aggregation)
        await catch_up_all(shop.id)
        await shop.store(sent(slice(first)))
        await drain(shop.id)
        await step(0)
        # One that is behind, and events that are on their way or not counted yet.
        await shop.add_meter(filters[1], aggregations[1])
        await shop.store(sent(slice(first, second)))
        async with on_their_way(partial(shop.store, sent(slice(third, None)))):
            await step(1)
            await shop.store(sent(slice(second, third)))
            await drain(shop.id)
            await step(2)
        await shop.add_meter(filters[5], aggregations[5])
        await catch_up_all(shop.id)
        await step(3)
        await drain(shop.id)
        await step(4)

    await make_months(found["timestamp"] for found in events)
    fewer, voiding = await Shop.open(database), await Shop.open(database)
    voided: set[UUID] = set()

    async def void(number: int) -> None:
        asked = history["voids"][number]
        there = await _stored(database, voiding.id, asked)
        found = await void_events(voiding.id, asked, [], "sent twice")
        assert set(found.ids) == there - voided
        assert found.already_voided == len(there & voided)
        assert found.missing_ids == set(asked) - there
        voided.update(there)
        if number == 2 and history["erases"]:
            await begin_erasing(voiding.id, voiding.customers[0].id)

    await live(voiding, lambda part: events[part], void)

    async def nothing(_number: int) -> None:
        pass

    await live(
        fewer, lambda part: [one for one in events[part] if one["id"] not in voided], nothing
    )
    await _check_equal(voiding, fewer, history["windows"])
    if history["erases"]:
        await erase_all(voiding.id, voiding.customers[0].id)
        await _check_equal(voiding, fewer, history["windows"])
    assert await _sums(voiding.id) == await _sums(fewer.id)
    for filter_, aggregation in zip(filters, aggregations, strict=True):
        if not history["erases"]:
            previews = [
                await preview(shop.id, parsed(filter_), aggregation, PreviewSelection())
                for shop in (voiding, fewer)
            ]
            assert previews[0] == previews[1]
    assert await EventVoid.filter(organization_id=voiding.id).count() == len(voided)
    await audit(await Organization.get(id=voiding.id))
    assert await UsageDrift.filter(organization_id=voiding.id).count() == 0


async def _stored(
    database: BaseDBAsyncClient, organization_id: UUID, ids: Sequence[UUID]
) -> set[UUID]:
    rows = await database.execute_query_dict(
        "SELECT id FROM event WHERE organization_id = $1 AND id = ANY($2::uuid[])",
        [organization_id, list(ids)],
    )
    return {row["id"] for row in rows}


async def _check_equal(first: Shop, second: Shop, windows: list[Window]) -> None:
    for found, expected in zip(
        await first.numbers(windows), await second.numbers(windows), strict=True
    ):
        # A customer whose events are all voided keeps its row, with nothing in it.
        *numbers, rows = found
        *expected_numbers, expected_rows = expected
        assert numbers == expected_numbers
        assert [row for row in rows if row[1]] == [row for row in expected_rows if row[1]]
        assert all(not row[2] for row in rows if not row[1])


async def _sums(organization_id: UUID) -> Any:
    """What is kept of all customers: numbers of events by meter, and by name."""
    meters = await Meter.filter(organization_id=organization_id).order_by("id")
    names = [
        (use.name, use.occurrences, use.first_seen_at, use.last_seen_at)
        for use in await event_names(organization_id)
    ]
    return [(meter.counted_events, meter.skipped_events) for meter in meters], names
