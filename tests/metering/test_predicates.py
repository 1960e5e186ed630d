"""The compiled predicate agrees with the reference evaluator."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.language.filters import event_names, to_json
from metering.language.parameters import Parameters
from metering.language.parsing import parse_filter
from metering.language.predicates import predicate_sql
from metering.months import make_months
from models import exact_json
from tests.effort import examples
from tests.ingesting import NOON
from tests.reference.filters import matches
from tests.reference.sql import matched_in_sql, parsed
from tests.reference.strategies import (
    CONTAINMENTS,
    EQUALITIES,
    NUMBERS,
    ORDERINGS,
    START,
    STRINGS,
    event,
    event_lists,
    filters,
)
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


OPERATORS = [*EQUALITIES, *CONTAINMENTS, *ORDERINGS]


def clause_on(name: str, operator: str, value: Any) -> dict[str, Any]:
    clause = {"property": name, "operator": operator, "value": value}
    return {"conjunction": "AND", "clauses": [{"clause": clause}]}


@pytest.mark.parametrize("operator", OPERATORS)
async def test_every_kind_of_value_against_every_other(
    database: BaseDBAsyncClient, operator: str
) -> None:
    scalars: list[Any] = [*STRINGS, *NUMBERS, True, False]
    held = [None, {}, [], *scalars, *([scalar] for scalar in scalars), [["1"]], {"1": "1"}]
    events = [
        event(id_=UUID(int=1), name="x", timestamp=START, metadata={"n": value}) for value in held
    ]
    values = NUMBERS + STRINGS if operator in ORDERINGS else scalars
    tried = [
        clause_on("n", operator, value)
        for value in values
        if not isinstance(value, str) or len(value) <= 1_000
    ]
    for start in range(0, len(tried), 50):
        part = tried[start : start + 50]
        expected = [[matches(filter_, found) for found in events] for filter_ in part]
        assert await matched_in_sql(database, part, events) == expected


@pytest.mark.parametrize(
    ("name", "metadata", "found"),
    [
        ("a.b", {"a.b": None, "a": {"b": "x"}}, True),
        ("a.b", {"a.b": "y", "a": {"b": "x"}}, False),
        ("a.b", {"a.b": False, "a": {"b": "x"}}, False),
        ("a.b", {"a": [{"b": "x"}]}, False),
        ("a.0", {"a": ["x"]}, False),
        ("a.-1", {"a": ["x"]}, False),
        ("a.0", {"a": {"0": "x"}}, True),
        ("a.b.c", {"a": {"b": {"c": "x"}}}, True),
        ("a.b.c", {"a.b": {"c": "x"}}, False),
        ("a.b.c", {"a": {"b.c": "x"}}, False),
        ("a.", {"a.": "x"}, True),
        ("a.", {"a": {"": "x"}}, True),
        (".", {"": {"": "x"}}, True),
        ("metadata.a", {"a": "x"}, True),
        ("metadata.metadata.a", {"metadata": {"a": "x"}}, True),
        ("metadata.metadata.a", {"a": "x"}, False),
        ("metadata", {"metadata": "x"}, True),
        ("metadata.timestamp", {"timestamp": "x"}, True),
        ("Name", {"Name": "x"}, True),
        ("{a,b}", {"a": {"b": "x"}}, False),
        ("$.a", {"a": "x"}, False),
        ("é", {"e\u0301": "x"}, False),
    ],
)
async def test_paths(
    database: BaseDBAsyncClient, name: str, metadata: dict[str, Any], found: bool
) -> None:
    one = event(id_=UUID(int=1), name="n", timestamp=START, metadata=metadata)
    tried = [clause_on(name, operator, "x") for operator in ("EQUALS", "CONTAINS", "NOT_EQUALS")]
    expected = [[found], [found], [not found]]
    assert [[matches(filter_, one)] for filter_ in tried] == expected
    assert await matched_in_sql(database, tried, [one]) == expected


@examples(400)
@given(st.lists(filters, min_size=1, max_size=6), event_lists)
async def test_sql_agrees_with_the_reference(
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


async def test_names_and_instants_are_found_by_an_index(
    fresh_database: BaseDBAsyncClient,
) -> None:
    organization_id = UUID(int=1)
    await make_months([NOON])
    await fresh_database.execute_query(
        """
        INSERT INTO event (organization_id, id, batch_id, customer_id, name, timestamp, metadata)
        SELECT $1, gen_random_uuid(), 1, $1, 'n' || number % 100,
               TIMESTAMPTZ '2026-03-01 00:00Z' + number * interval '1 second', '{}'
        FROM generate_series(1, 10000) AS number
        """,
        [organization_id],
    )
    await fresh_database.execute_script("ANALYZE event")
    bound = "2026-03-01T00:10:00Z"
    filter_ = {
        "clauses": [
            {"clause": {"property": "name", "operator": "EQUALS", "value": "n7"}},
            {"clause": {"property": "timestamp", "operator": "LESS_THAN", "value": bound}},
            {"clause": {"property": "n", "operator": "NOT_EQUALS", "value": 1}},
        ]
    }
    parameters = Parameters(organization_id)
    predicate = predicate_sql(parsed(filter_), parameters)
    rows = await fresh_database.execute_query_dict(
        f"EXPLAIN SELECT FROM event e WHERE e.organization_id = $1 AND {predicate}",
        parameters.values,
    )
    (condition,) = [row["QUERY PLAN"] for row in rows if "Index Cond" in row["QUERY PLAN"]]
    assert "name" in condition
    assert "timestamp" in condition
