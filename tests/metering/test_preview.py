"""A preview says what a meter would count."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import Clause, ClauseOperator, Filter
from metering.usage.preview import Preview, PreviewSelection, PreviewTimeoutError, preview
from metering.usage.ranges import usage
from metering.usage.windows import Window
from models import Organization
from tests.effort import examples
from tests.ingesting import drain, named
from tests.metering.stored import CUSTOMERS, WITH_DIMENSIONS, event_of, meter_on, store
from tests.reference.aggregations import aggregate
from tests.reference.filters import matches
from tests.reference.sql import parsed
from tests.reference.strategies import START, event_lists, filters

VIDEO = named("video")


async def stored_videos(
    database: BaseDBAsyncClient,
    organization: Organization,
    values: Sequence[Any] = (20, "10", True, None, 10),
    first: int = 1,
) -> None:
    """One event a value, a second apart, of the customers in turn; their ids begin at `first`."""
    await store(
        database,
        organization.id,
        [
            event_of(
                CUSTOMERS[number % 2],
                id_=UUID(int=first + number),
                name="video",
                timestamp=START + timedelta(seconds=number),
                metadata={"n": value},
            )
            for number, value in enumerate(values)
        ],
    )


async def test_a_preview_and_a_meter_agree_on_distinct_values(
    database: BaseDBAsyncClient, organization: Organization
) -> None:
    once: list[Any] = [1, "1", "1.0", True, "true", {"a": [1]}, {"a": ["1"]}, {"b": [1]}, [], {}]
    again: list[Any] = [Decimal("1.0"), Decimal("1.00"), {"a": [Decimal("1.0")]}, None]
    await stored_videos(database, organization, [*once, *again])
    await drain(organization.id)
    unique = Aggregation(AggregationFunction.UNIQUE, "n")
    found = await preview(organization.id, VIDEO, unique, PreviewSelection())
    assert found == Preview(len(once) + len(again), 1, Decimal(len(once)))

    meter = await meter_on(organization.id, VIDEO, unique)
    used = await usage(database, meter, [Window(START, START + timedelta(hours=1))])
    assert used.total == (found.quantity, found.matched - found.skipped, found.skipped)


async def test_a_range_and_a_customer(
    database: BaseDBAsyncClient, organization: Organization, other_organization: Organization
) -> None:
    await stored_videos(database, organization)
    number = Aggregation(AggregationFunction.COUNT)
    for scope, matched in (
        (PreviewSelection(start=START + timedelta(seconds=1)), 4),
        (PreviewSelection(end=START + timedelta(seconds=1)), 1),
        (PreviewSelection(customer_id=CUSTOMERS[0]), 3),
        (PreviewSelection(START, START + timedelta(seconds=4), CUSTOMERS[0]), 2),
        (PreviewSelection(START, START), 0),
    ):
        assert (await preview(organization.id, VIDEO, number, scope)).matched == matched
        assert (await preview(other_organization.id, VIDEO, number, scope)).matched == 0


async def test_over_nothing(organization: Organization) -> None:
    for function, quantity in (("SUM", Decimal(0)), ("UNIQUE", Decimal(0)), ("AVERAGE", None)):
        aggregation = Aggregation(AggregationFunction(function), "n")
        found = await preview(organization.id, VIDEO, aggregation, PreviewSelection())
        assert found == Preview(0, 0, quantity)


async def test_a_preview_that_runs_away_is_cut_off(
    database: BaseDBAsyncClient, organization: Organization
) -> None:
    await stored_videos(database, organization)
    # CONTAINS of a number in many arrays of strings is the most work an event can make.
    await stored_videos(database, organization, [["1e5"] * 1_000] * 200, first=100)
    slow = Filter(
        clauses=tuple(
            Clause("n", ClauseOperator.NOT_CONTAINS, Decimal(number)) for number in range(50)
        )
    )
    number = Aggregation(AggregationFunction.COUNT)
    with pytest.raises(PreviewTimeoutError, match=r"longer than 0\.05 seconds: filter by"):
        await preview(organization.id, slow, number, PreviewSelection(), seconds=0.05)
    # The connection is as it was: nothing else is cut off.
    (row,) = await database.execute_query_dict("SHOW statement_timeout")
    assert row["statement_timeout"] == "0"
    assert (await preview(organization.id, VIDEO, number, PreviewSelection())).matched == 205


@examples(60)
@given(filters, event_lists, st.sampled_from(WITH_DIMENSIONS), st.sampled_from(["n", "a.b"]))
async def test_a_preview_agrees_with_the_reference(
    database: BaseDBAsyncClient,
    filter_: dict[str, Any],
    events: list[dict[str, Any]],
    function: AggregationFunction,
    property_: str,
) -> None:
    organization = await Organization.create(name="Test", slug=str(uuid4()))
    await store(
        database, organization.id, [{**found, "customer_id": CUSTOMERS[0]} for found in events]
    )
    aggregation = Aggregation(
        function, None if function is AggregationFunction.COUNT else property_
    )
    matching = [found for found in events if matches(filter_, found)]
    expected = aggregate(function, aggregation.property, matching)
    found = await preview(organization.id, parsed(filter_), aggregation, PreviewSelection())
    assert found == Preview(expected.matched, expected.skipped, expected.quantity)
