"""Erasing a customer changes no number of any meter, whenever it happens."""

import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.erasing.events import erase_span
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.meters import create_meter
from metering.months import make_months
from metering.usage.windows import Window
from models import Customer, DimensionCombination, Meter, Organization, UsageDrift
from tests.effort import examples
from tests.ingesting import catch_up_all, definition_of, drain
from tests.metering.erasing import (
    begin_erasing,
    erase_all,
    metadata_left,
    numbers_of,
    on_their_way,
)
from tests.metering.stored import event_of, insert
from tests.metering.test_audit import audit
from tests.metering.test_usage import KINDS, some_filters
from tests.reference.sql import parsed
from tests.reference.strategies import counted_metadata, event_ids, names

# Around the end of a month.
ERA = datetime(2026, 3, 31, 23, tzinfo=UTC)
OFFSETS = st.builds(
    lambda quarters, microseconds: timedelta(minutes=15 * quarters, microseconds=microseconds),
    st.integers(-20, 20),
    st.sampled_from([-1, 0, 1]) | st.integers(0, 900_000_000),
)
PROPERTIES = st.sampled_from(["n", "n", "a", "name"])
CUSTOMERS = 3


def _where(*clauses: tuple[str, str, Any]) -> dict[str, Any]:
    return {
        "conjunction": "AND",
        "clauses": [
            {"clause": {"property": property_, "operator": operator, "value": value}}
            for property_, operator, value in clauses
        ],
    }


# Most match some of the events, by metadata that is missing once it is erased.
FILTERS = (
    st.sampled_from(
        [
            _where(("d", "EQUALS", "x")),
            _where(("d", "NOT_EQUALS", "x")),
            _where(("n", "GREATER_THAN", 1), ("name", "NOT_EQUALS", "true")),
            _where(("a", "CONTAINS", "n")),
            {**_where(("a", "EQUALS", "1"), ("d", "EQUALS", "y")), "conjunction": "OR"},
        ]
    )
    | some_filters
)


@pytest.fixture(autouse=True)
def _short_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metering.erasing.events.SPAN_EVENTS", 2)
    monkeypatch.setattr("metering.erasing.events._SPAN_EVENTS_OF_ALL", 3)


class Shop:
    """An organization with customers and meters, at least one for each function."""

    def __init__(self, database: BaseDBAsyncClient, organization: Organization) -> None:
        self.database = database
        self.id = organization.id
        self.customers: list[Customer] = []
        self.meters: list[Meter] = []

    @classmethod
    async def open(cls, database: BaseDBAsyncClient) -> "Shop":
        made = await Organization.create(name="Shop", slug=f"shop-{secrets.token_hex(8)}")
        shop = cls(database, made)
        for number in range(CUSTOMERS):
            shop.customers.append(
                await Customer.create(organization_id=made.id, external_id=f"c{number}")
            )
        return shop

    async def add_meter(self, filter_: Any, aggregation: Aggregation) -> None:
        dimensions = [] if aggregation.lasts() else ["d", "name"]
        self.meters.append(
            await create_meter(self.id, "Meter", None, parsed(filter_), aggregation, dimensions)
        )

    async def store(
        self, events: list[dict[str, Any]], connection: BaseDBAsyncClient | None = None
    ) -> None:
        if events:
            named = [{**one, "customer_id": self.customers[one["place"]].id} for one in events]
            await insert(connection or self.database, self.id, named)

    async def numbers(self, windows: list[Window]) -> list[Any]:
        ids = [customer.id for customer in self.customers]
        return [
            await numbers_of(
                self.database, await definition_of(meter), windows, ids, groups_of=[1, 2]
            )
            for meter in self.meters
        ]


@st.composite
def histories(draw: st.DrawFn) -> dict[str, Any]:
    stored = st.builds(
        lambda place, numbers, other, **event: {
            **event_of(place, metadata={**other, **numbers}, **event),
            "place": place,
        },
        place=st.integers(0, CUSTOMERS - 1),
        id_=event_ids,
        name=names,
        timestamp=OFFSETS.map(ERA.__add__),
        numbers=counted_metadata,
        other=st.fixed_dictionaries(
            {"d": st.sampled_from(["x", "y", None])}, optional={"a": st.sampled_from(["n", "1"])}
        ),
    )
    events = draw(st.lists(stored, min_size=10, max_size=30, unique_by=lambda found: found["id"]))
    happened = st.sampled_from([found["timestamp"] - ERA for found in events])
    bounds = sorted(draw(st.lists(OFFSETS | happened, min_size=3, max_size=5, unique=True)))
    return {
        "events": events,
        "parts": sorted(draw(st.lists(st.integers(0, 30), min_size=3, max_size=3))),
        "filters": [draw(FILTERS) for _ in KINDS],
        "properties": [draw(PROPERTIES) for _ in KINDS],
        "windows": [Window(ERA + start, ERA + end) for start, end in pairwise(bounds)],
        "steps": draw(st.lists(st.integers(0, 2), min_size=4, max_size=4)),
    }


@examples(25)
@given(history=histories())
async def test_every_number_is_what_it_was(
    database: BaseDBAsyncClient, history: dict[str, Any]
) -> None:
    """A shop that erases a customer at some instant says the same as one that does not."""
    first, second, third = history["parts"]
    events = history["events"]

    async def live(shop: Shop, erase: Callable[[], Awaitable[None]], step: Any) -> None:
        aggregations = [
            Aggregation(
                function,
                None if function is AggregationFunction.COUNT else property_,
                carries_over,
            )
            for (function, carries_over), property_ in zip(
                KINDS, history["properties"], strict=True
            )
        ]
        filters = history["filters"]
        for filter_, aggregation in zip(filters, aggregations, strict=True):
            await shop.add_meter(filter_, aggregation)
        await catch_up_all(shop.id)
        await shop.store(events[:first])
        await drain(shop.id)
        # One that is behind while the customer is erased, and events that are on their way.
        await shop.add_meter(filters[1], aggregations[1])
        await shop.store(events[first:second])
        async with on_their_way(partial(shop.store, events[third:])):
            async with on_their_way(partial(shop.store, events[second:third])):
                await erase()
                await step(0)
                await drain(shop.id)
                await step(1)
            await drain(shop.id)
            await step(2)
            # A meter with a definition that was there counts erased events, too.
            await shop.add_meter(filters[5], aggregations[5])
            await catch_up_all(shop.id)
            await step(3)
        await drain(shop.id)

    async def nothing(_number: int = 0) -> None:
        pass

    await make_months(found["timestamp"] for found in events)
    whole, erased = await Shop.open(database), await Shop.open(database)
    lost = erased.customers[0].id
    await live(whole, nothing, nothing)

    async def erase() -> None:
        await begin_erasing(erased.id, lost)

    async def step(number: int) -> None:
        for _ in range(history["steps"][number]):
            await erase_span(erased.id, lost)

    await live(erased, erase, step)
    expected = await whole.numbers(history["windows"])
    assert await erased.numbers(history["windows"]) == expected

    await erase_all(erased.id, lost)

    assert await metadata_left(database, erased.id, lost) == 0
    assert await erased.numbers(history["windows"]) == expected
    await audit(await Organization.get(id=erased.id))
    assert await UsageDrift.filter(organization_id=erased.id).count() == 0
    kept = await DimensionCombination.filter(organization_id=erased.id, customer_id=lost)
    assert {texts[0] for row in kept if (texts := row.texts)} <= {None}
