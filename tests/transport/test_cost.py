"""What operations cost."""

from math import ceil
from typing import Any

import pytest

from tests.schema_execution import GRAPHQL_SCHEMA, codes, execute, weight


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
        ("{ meters { nodes { customers { nodes { id } } } } }", 2 + 50 * (2 + 10)),
        (
            "{ meters(first: 1) { edges { node { customers { nodes { id } } } } } }",
            3 + 1 * (2 + 10) + 0,
        ),
        (
            "{customers{nodes{...C}} viewer{...C}} fragment C on Customer {meters{nodes{id}}}",
            2 + 50 * (1 + 2 + 10) + 1 + 1 + 2 + 50,
        ),
        (
            "{ customers { nodes { meters { nodes { creditEntries { nodes { id } } } } } } }",
            2 + 50 * (2 + 10 * (2 + 5)),
        ),
        ("{ nodes(ids: [1, 2, 3]) { id } }", 1 + 3),
        ("{ nodes(ids: [1, 2]) { ... on Meter { events { nodes { id } } } } }", 1 + 2 * (2 + 10)),
        ("{ eventNames { name } }", 1 + 10),
        ("{ priceExamples(units: [1, 2, 3]) { units amount } }", 1 + 10 * 3 * 2),
        ("{ __schema { types { name } } }", 1 + ceil(0.7 * (1 + 2 * len(GRAPHQL_SCHEMA.type_map)))),
        ("{ a: viewer { id } b: viewer { id } }", 4),
        ("{ ...F ...F } fragment F on Query { viewer { id } }", 6),
        ("{ meters(first: 7) { ...F } } fragment F on MeterConnection { nodes { id } }", 3 + 7),
        ("{ meters(first: 1000000000000) { nodes { id } } }", 2 + 100),
        ("{ nothing { of { this { exists } } } }", 4),
    ],
)
def test_fields_count_as_often_as_their_page_has_objects(text: str, cost: int) -> None:
    assert weight(text).once == cost


DAYS = 'start: "2026-01-01T00:00:00Z", end: "2026-01-08T00:00:00Z", interval: DAY'


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        (f"{{ viewer {{ quantities({DAYS}) {{ meter {{ id }} }} }} }}", 2 + 10 * 2),
        (
            f"{{ viewer {{ quantities({DAYS}) {{ quantities {{ points {{ start }} }} }} }} }}",
            2 + 10 * (2 + 7),
        ),
        (
            (
                f"{{ viewer {{ quantities({DAYS}, meterIds: [1, 2]) {{ ...F }} }} }}"
                " fragment F on CustomerSeries { quantities { total points { start end } } }"
            ),
            2 + 2 * (1 + 1 + 1 + 1 + 7 * 2),
        ),
    ],
)
def test_a_customer_s_series_count_for_each_meter(text: str, cost: int) -> None:
    assert weight(text).once == cost


WHERE = "{clauses: []}"


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("{ events(first: 2) { nodes { id } } }", 2 + 2),
        ("{ events(first: 2) { totalCount nodes { id } } }", 3 + 2 + 500),
        (f"{{ events(first: 2, filter: {{where: {WHERE}}}) {{ nodes {{ id }} }} }}", 4 + 500),
        (f"{{ events(first: 2, filter: {{where: {WHERE}}}) {{ totalCount }} }}", 2 + 1_000),
        ("{ events(first: 2, filter: {names: [], where: null}) { nodes { id } } }", 4),
        ("{ events(first: 2, filter: {names: []}) { nodes { id } } }", 4),
        ("{ customers(first: 7) { nodes { events { totalCount } } } }", 2 + 7 * 502),
        ("{ meterPreview(filter: {}, aggregation: {function: COUNT}) { matchedEvents } }", 502),
        ("{ meterPreview { events(first: 1) { nodes { id } } } }", 4 + 1_000),
        ("{ events { ...F } } fragment F on EventConnection { totalCount }", 3 + 500),
        ("{ meter { topCustomers { quantity } } }", 2 + 500 + 10),
        ("{ meter { topCustomers(first: 7) { quantity } } }", 2 + 500 + 7),
        ("{ meterPreview { quantities { total } } }", 3 + 1_000),
        ("{ meterPreview { quantities { points { start } } } }", 3 + 1_000 + 1_000),
    ],
)
def test_a_scan_costs_hundreds(text: str, cost: int) -> None:
    assert weight(text).once == cost


def test_a_filter_in_a_variable_costs_as_much_as_a_literal() -> None:
    text = "query ($f: EventFilter) { events(first: 2, filter: $f) { nodes { id } } }"
    assert weight(text).once == 4
    assert weight(text, {"f": None}).once == 4
    assert weight(text, {"f": {"names": []}}).once == 4
    assert weight(text, {"f": {"where": {}}}).once == 504
    assert weight(text.replace("EventFilter", f"EventFilter = {{where: {WHERE}}}")).once == 504
    text = "query ($w: MeterFilterInput) { events(first: 2, filter: {where: $w}) { nodes { id } } }"
    assert weight(text).once == weight(text, {"w": None}).once == 4
    assert weight(text, {"w": {}}).once == 504
    assert weight(text.replace("Input", f"Input = {WHERE}")).once == 504


async def test_forty_counts_of_all_events_are_too_much_for_one_operation() -> None:
    told = await refusal(f"{{ {' '.join(f'e{n}: events {{ totalCount }}' for n in range(40))} }}")
    assert (told["code"], told["cost"]) == ("TOO_COMPLEX", 40 * 502)


def test_a_page_size_may_be_a_variable_or_its_default() -> None:
    text = "query ($first: Int = 9) { meters(first: $first) { nodes { id } } }"
    assert weight(text).once == 2 + 9
    assert weight(text, {"first": 4}).once == 2 + 4
    assert weight(text, {"first": None}).once == 2 + 50


def test_the_default_of_a_variable_counts() -> None:
    text = "query ($ids: [ID!]! = [1, 2, 3]) { nodes(ids: $ids) { id } }"
    assert weight(text).once == 1 + 3
    assert weight(text, {"ids": ["1"]}).once == 1 + 1
    text = """query ($start: DateTime! = "2026-01-01T00:00:00Z", $by: Interval! = HOUR)
    { meter(id: 1) { quantities(start: $start, end: "2026-01-31T00:00:00Z", interval: $by)
    { points { quantity } } } }"""
    assert weight(text).once == weight(text, {"by": "HOUR"}).once == 3 + 720
    assert weight(text, {"by": "DAY"}).once == 3 + 30


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


def test_nested_fragments_cost_what_they_spread() -> None:
    spread = " ".join(f"fragment F{i} on Query {{ ...F{i + 1} ...F{i + 1} }}" for i in range(40))
    text = f"{{ ...F0 }} {spread} fragment F40 on Query {{ ...F0 }}"
    assert weight(text).once > 10**9


def test_depth_is_that_of_fields() -> None:
    assert weight("{ viewer { meters { nodes { id } } } }").depth == 4
    text = "{ viewer { ...F } } fragment F on Customer { ... { meters { totalCount } } }"
    assert weight(text).depth == 3


async def refusal(text: str, **variables: Any) -> dict[str, Any]:
    """The extensions of the only error."""
    (error,) = (await execute(text, variables)).errors
    extensions: dict[str, Any] = error.extensions
    return extensions


async def test_an_error_about_the_cost_suggests_a_page_size_that_fits() -> None:
    text = (
        "{ customers { nodes { id meters { nodes { customer { meters { nodes { customer { meters {"
        " nodes { id } } } } } } } } } } }"
    )
    told = await refusal(text)
    suggested = told["suggestedFirst"]
    assert told == {
        "code": "TOO_COMPLEX",
        "cost": 21_652,
        "maximumCost": 20_000,
        "path": [*("customers", "nodes"), *(("meters", "nodes", "customer") * 2), "meters"],
        "suggestedFirst": suggested,
    }
    # The suggestion fits, and one more does not.
    following = text.replace("customers {", "customers(first: $n) {").replace(
        "meters {", "meters(first: $n) {"
    )
    for first, fits in ((suggested, True), (suggested + 1, False)):
        cost = weight(f"query ($n: Int!) {following}", {"n": first}).once
        assert (cost <= 20_000) is fits


async def test_an_error_about_the_cost_names_the_largest_part() -> None:
    text = (
        "query ($n: Int!) { viewer { id } all: customers(first: $n) { ...C } }"
        " fragment C on CustomerConnection { nodes { ... { mine: meters(first: 100) {"
        " edges { node { meter { id name } } } } } } }"
    )
    told = await refusal(text, n=100)
    assert told["path"] == ["all", "nodes", "mine"]
    assert "suggestedFirst" not in told


@pytest.mark.parametrize(
    "text",
    [
        "{ customers { nodes { meters { nodes { id creditEntries { nodes { units } } } } } } }",
        "{ customers { nodes { subscriptions { nodes { id invoices { nodes { total } } } } } } }",
        "{ meters { nodes { events { nodes { id name timestamp metadata } } } } }",
        "{ meters { nodes { id customers { nodes { balance customer { id name } } } } } }",
        "{ customers { nodes { id name events { nodes { id name timestamp metadata } } } } }",
        "{ customers { nodes { name meters { nodes { meter { id name } balance } } } } }",
        "{ products { nodes { name prices { id } benefits { id } } } }",
        "{ subscriptions { nodes { status customer { name } product { name } } } }",
        "{ invoices { nodes { number total currency customer { name } lines { amount } } } }",
    ],
)
async def test_the_queries_of_a_dashboard_fit_without_page_sizes(text: str) -> None:
    assert set(codes(await execute(text, anonymous=True))) == {"UNAUTHENTICATED"}
