"""What SQL aggregates is what the reference aggregates."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.language.aggregations import Aggregation, AggregationFunction, consumed_sql
from metering.language.parameters import select_list
from metering.language.parsing import parse_aggregation
from metering.problems import Problem
from tests.effort import examples
from tests.reference.aggregations import Aggregated, aggregate
from tests.reference.sql import EVENTS, event_parameters
from tests.reference.strategies import KEYS, PROPERTIES, START, event, event_lists, values
from tests.reference.values import frozen, parse_json

VECTORS = parse_json((Path(__file__).parents[1] / "vectors" / "aggregations.json").read_text())
FUNCTIONS = [function for function in AggregationFunction if function != "COUNT"]


async def aggregated_in_sql(
    database: BaseDBAsyncClient, function: str, name: str | None, events: list[dict[str, Any]]
) -> Aggregated:
    """Partial aggregates of three parts of the events, merged."""
    aggregation = Aggregation(AggregationFunction(function), name)
    parameters = event_parameters(events)
    unique = "(SELECT count(DISTINCT value) FROM matched)" if function == "UNIQUE" else "0"
    # States of TIME_WEIGHTED follow each other in time.
    in_time = "ntile(3) OVER (ORDER BY timestamp, id)"
    parts = in_time if function == "TIME_WEIGHTED" else "ordinality % 3"
    (row,) = await database.execute_query_dict(
        f"""{EVENTS},
        matched AS (
            SELECT id, timestamp, ordinality, {aggregation.value_sql(parameters)} AS value FROM e
        ),
        part AS (
            SELECT {select_list(aggregation.of_events())}
            FROM (SELECT *, {parts} AS part FROM matched) AS matched GROUP BY part
        ),
        whole AS (
            SELECT {select_list(aggregation.of_partials("part"))},
                   {unique} AS unique_count
            FROM part
        )
        SELECT count, skipped, {aggregation.quantity_sql("whole")} AS quantity,
               {consumed_sql(f"'{function}'", "whole")} AS consumed
        FROM whole""",
        parameters.values,
    )
    assert row["consumed"] == (row["quantity"] or 0)
    return Aggregated(row["quantity"], row["count"] + row["skipped"], row["skipped"])


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: json.dumps(vector, default=str))
async def test_vectors(database: BaseDBAsyncClient, vector: dict[str, Any]) -> None:
    events = [
        event(
            id_=UUID(int=second),
            name="x",
            timestamp=START + timedelta(seconds=second),
            metadata=item,
        )
        for second, item in enumerate(vector["metadata"])
    ]
    quantity = None if vector["quantity"] is None else Decimal(vector["quantity"])
    expected = Aggregated(quantity, int(vector["matched"]), int(vector["skipped"]))
    assert aggregate(vector["function"], vector["property"], events) == expected
    found = await aggregated_in_sql(database, vector["function"], vector["property"], events)
    assert found == expected
    assert str(found.quantity) == str(vector["quantity"])


@examples(300)
@given(st.sampled_from(FUNCTIONS), st.just("n") | st.sampled_from(PROPERTIES), event_lists)
async def test_sql_aggregates_as_the_reference(
    database: BaseDBAsyncClient, function: str, name: str, events: list[dict[str, Any]]
) -> None:
    if name == "timestamp":
        name = "metadata.timestamp"
    expected = aggregate(function, name, events)
    found = await aggregated_in_sql(database, function, name, events)
    assert found == expected


@examples(300)
@given(st.lists(values, min_size=2, max_size=8))
async def test_keys_are_equal_exactly_for_equal_values(
    database: BaseDBAsyncClient, found: list[Any]
) -> None:
    events = [event(id_=UUID(int=1), name="x", timestamp=START, metadata={"v": v}) for v in found]
    parameters = event_parameters(events)
    key = Aggregation(AggregationFunction.UNIQUE, "v").value_sql(parameters)
    rows = await database.execute_query_dict(
        f"{EVENTS} SELECT {key} AS key FROM e ORDER BY ordinality", parameters.values
    )
    keys = [row["key"] for row in rows]
    assert [key is None for key in keys] == [value is None for value in found]
    assert all(key is None or len(key) == 32 for key in keys)
    assert [[left == right for left in keys] for right in keys] == [
        [frozen(left) == frozen(right) for left in found] for right in found
    ]


async def test_the_latest_of_one_instant_is_the_one_with_the_greater_id(
    database: BaseDBAsyncClient,
) -> None:
    for order in ([1, 2, 3], [3, 2, 1], [2, 3, 1], [1, 4, 2, 3, 5, 6]):
        events = [
            event(id_=UUID(int=number), name="x", timestamp=START, metadata={"v": number})
            for number in order
        ]
        found = await aggregated_in_sql(database, "LATEST", "v", events)
        assert found.quantity == max(order)


async def test_keys_of_nested_numbers_ignore_zeros_that_say_nothing(
    database: BaseDBAsyncClient,
) -> None:
    pairs = [
        ('[1.50, {"a": 10.0}]', '[1.5, {"a": 10}]', True),
        ('["1.50"]', '["1.5"]', False),
        ('["\\"1.50"]', '["\\"1.5"]', False),
        ("[100, 0.0, -0.10]", "[100, 0, -0.1]", True),
        ("[100]", "[10]", False),
        ('{"1.0": 1}', '{"1": 1}', False),
        ("[1.0, 5]", "[1.05]", False),
    ]
    for left, right, equal in pairs:
        events = [
            event(id_=UUID(int=1), name="x", timestamp=START, metadata={"v": parse_json(text)})
            for text in (left, right)
        ]
        found = await aggregated_in_sql(database, "UNIQUE", "v", events)
        assert found.quantity == (1 if equal else 2), (left, right)


async def test_an_average_of_very_large_and_very_small_numbers_is_rounded_once(
    database: BaseDBAsyncClient,
) -> None:
    for numbers in (
        ["1e30", "1", "1"],
        ["1e-30", "0", "0"],
        ["-1", "-1", "0"],
        ["0.000000000001", "0"],
    ):
        events = [
            event(id_=UUID(int=1), name="x", timestamp=START, metadata={"v": number})
            for number in numbers
        ]
        assert await aggregated_in_sql(database, "AVERAGE", "v", events) == aggregate(
            "AVERAGE", "v", events
        )


@pytest.mark.parametrize(
    ("data", "path", "message"),
    [
        (None, (), "An aggregation must be an object with function and property."),
        (
            {"function": "MEDIAN", "property": "n"},
            ("function",),
            "function must be one of COUNT, SUM",
        ),
        ({"function": "COUNT", "property": "n"}, ("property",), "COUNT takes no property."),
        ({"function": "SUM"}, ("property",), "SUM needs a property."),
        ({"function": "SUM", "property": ""}, ("property",), "property is empty"),
        ({"function": "SUM", "property": "x" * 257}, ("property",), "property has 257 characters"),
        ({"function": "SUM", "property": "a\0"}, ("property",), "property contains a NUL"),
        ({"function": "SUM", "property": 1}, ("property",), "property is not a string."),
        ({"function": "SUM", "property": "metadata."}, ("property",), "property names no key"),
        (
            {"function": "UNIQUE", "property": "timestamp"},
            ("property",),
            "timestamp cannot be aggregated.",
        ),
    ],
)
def test_what_is_wrong_with_an_aggregation(data: Any, path: tuple[str, ...], message: str) -> None:
    (problem,) = parse_aggregation(data)  # type: ignore[misc]  # an Aggregation would fail here
    assert isinstance(problem, Problem)
    assert problem.path == path
    assert problem.message.startswith(message)


def test_an_aggregation_is_read() -> None:
    assert parse_aggregation({"function": "COUNT"}) == Aggregation(AggregationFunction.COUNT)
    assert parse_aggregation({"function": "SUM", "property": KEYS[0]}) == Aggregation(
        AggregationFunction.SUM, KEYS[0]
    )
