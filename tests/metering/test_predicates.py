"""One meaning: what the compiled predicate says is what the reference evaluator says."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.filter_parsing import parse_filter
from metering.filters import event_names, to_json
from metering.parameters import Parameters
from metering.predicates import predicate_sql
from models import exact_json
from tests.reference.filters import matches
from tests.reference.sql import matched_in_sql, parsed
from tests.reference.strategies import START, event, event_lists, filters
from tests.reference.values import parse_json

VECTORS = parse_json((Path(__file__).parents[1] / "vectors" / "filters.json").read_text())


def vector_event(vector: dict[str, Any]) -> dict[str, Any]:
    given_event = vector["event"]
    return event(
        id_=UUID(int=1),
        name=given_event["name"],
        timestamp=datetime.fromisoformat(given_event["timestamp"]),
        metadata=given_event["metadata"],
    )


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: json.dumps(vector, default=str))
async def test_vectors(database: BaseDBAsyncClient, vector: dict[str, Any]) -> None:
    found = vector_event(vector)
    assert matches(vector["filter"], found) is vector["matches"]
    assert await matched_in_sql(database, [vector["filter"]], [found]) == [[vector["matches"]]]


@settings(max_examples=400)
@given(st.lists(filters, min_size=1, max_size=6), event_lists)
async def test_sql_says_what_the_reference_says(
    database: BaseDBAsyncClient, tried: list[dict[str, Any]], events: list[dict[str, Any]]
) -> None:
    expected = [[matches(filter_, found) for found in events] for filter_ in tried]
    assert await matched_in_sql(database, tried, events) == expected


@given(filters, event_lists)
def test_a_matching_event_has_one_of_the_event_names(
    filter_: dict[str, Any], events: list[dict[str, Any]]
) -> None:
    names = event_names(parsed(filter_))
    if names is not None:
        assert {found["name"] for found in events if matches(filter_, found)} <= names


@given(filters)
def test_the_stored_form_is_read_back_as_the_same_filter(filter_: dict[str, Any]) -> None:
    stored = exact_json.dumps(to_json(parsed(filter_)))
    assert parse_filter(exact_json.loads(stored)) == parsed(filter_)


@given(filters)
def test_nothing_of_the_filter_is_pasted_into_the_sql(filter_: dict[str, Any]) -> None:
    # The same tree with other keys and values of the same types is the same text.
    assert "DROP" not in predicate_sql(parsed(filter_), Parameters())


async def test_complements_are_exact(database: BaseDBAsyncClient) -> None:
    values: list[Any] = [None, True, 1, "1", "x", [1], {"a": 1}]
    events = [
        event(id_=UUID(int=1), name="x", timestamp=START, metadata={"n": value} if value else {})
        for value in values
    ]
    for operator in ("EQUALS", "CONTAINS"):
        for value in (1, True, "x"):
            pair = [
                {
                    "conjunction": "AND",
                    "clauses": [{"clause": {"property": "n", "operator": name, "value": value}}],
                }
                for name in (operator, f"NOT_{operator}")
            ]
            plain, negated = await matched_in_sql(database, pair, events)
            assert [not result for result in plain] == negated


async def test_strings_are_ordered_by_code_point(database: BaseDBAsyncClient) -> None:
    words = sorted(["Z", "a", "_", "ä", "z", "\uffff", "\U00010000", "😀", "", "a\u0301"])
    events = [
        event(id_=UUID(int=1), name="x", timestamp=START, metadata={"v": word}) for word in words
    ]
    tried = [
        {
            "conjunction": "AND",
            "clauses": [{"clause": {"property": "v", "operator": "LESS_THAN", "value": word}}],
        }
        for word in words
    ]
    expected = [[index < place for index in range(len(words))] for place in range(len(words))]
    assert await matched_in_sql(database, tried, events) == expected
