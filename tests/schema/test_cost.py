"""What operations cost."""

from typing import Any

import pytest
from graphql import get_operation_ast, parse

from schema.cost import Weight, weigh
from schema.schema import create_schema

SCHEMA = create_schema()._schema


def weight(text: str, variables: dict[str, Any] | None = None) -> Weight:
    document = parse(text)
    operation = get_operation_ast(document)
    assert operation is not None
    return weigh(SCHEMA, document, operation, variables)


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("{ __typename }", 1),
        ("{ viewer { id name } }", 3),
        ("{ meters(first: 7) { nodes { id name } } }", 1 + 1 + 7 * 2),
        ("{ meters { nodes { id } } }", 1 + 1 + 50),
        ("{ meters(first: 7) { totalCount pageInfo { hasNextPage } } }", 4),
        ("{ meters(last: 3) { edges { cursor node { id } } } }", 1 + 1 + 3 * 3),
        ("{ meters(first: 7) { nodes { customers(first: 5) { nodes { id } } } } }", 2 + 7 * 7),
        ("{ nodes(ids: [1, 2, 3]) { id } }", 1 + 3),
        ("{ eventNames { name } }", 1 + 10),
        ("{ __schema { types { fields { name } } } }", 4),
        ("{ a: viewer { id } b: viewer { id } }", 4),
        ("{ ...F ...F } fragment F on Query { viewer { id } }", 6),
        ("{ meters(first: 7) { ...F } } fragment F on MeterConnection { nodes { id } }", 3 + 7),
        ("{ meters(first: 1000000000000) { nodes { id } } }", 2 + 100),
        ("{ nothing { of { this { exists } } } }", 4),
    ],
)
def test_fields_count_as_often_as_their_page_has_objects(text: str, cost: int) -> None:
    assert weight(text).once == cost


def test_a_page_size_may_be_a_variable_or_its_default() -> None:
    text = "query ($first: Int = 9) { meters(first: $first) { nodes { id } } }"
    assert weight(text).once == 2 + 9
    assert weight(text, {"first": 4}).once == 2 + 4


@pytest.mark.parametrize(
    ("end", "interval", "points"),
    [
        ("2026-01-31T00:00:00Z", "HOUR", 720),
        ("2026-01-31T00:00:00Z", "DAY", 30),
        ("2026-01-01T00:00:01Z", "YEAR", 1),
    ],
)
def test_a_series_counts_as_often_as_it_has_points(end: str, interval: str, points: int) -> None:
    text = (
        "query ($id: ID!, $end: DateTime!) { meter(id: $id) { quantities("
        f'start: "2026-01-01T00:00:00Z", end: $end, interval: {interval}'
        ") { total points { start quantity } } } }"
    )
    assert weight(text, {"end": end}).once == 1 + 1 + 2 + points * 2


def test_fragments_without_an_end_cost_what_they_spread() -> None:
    spread = " ".join(f"fragment F{i} on Query {{ ...F{i + 1} ...F{i + 1} }}" for i in range(40))
    text = f"{{ ...F0 }} {spread} fragment F40 on Query {{ ...F0 }}"
    assert weight(text).once > 10**9


def test_depth_is_that_of_fields() -> None:
    assert weight("{ viewer { meters { nodes { id } } } }").depth == 4
    text = "{ viewer { ...F } } fragment F on Customer { ... { meters { totalCount } } }"
    assert weight(text).depth == 3
