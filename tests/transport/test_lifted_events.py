"""Plain events skip coercion, and come out as coercion would have them."""

from typing import Any

import pytest
from graphql import parse
from hypothesis import example, given
from hypothesis import strategies as st
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from models import exact_json
from tests.effort import examples
from tests.graphql_client import Api
from tests.schema_execution import GRAPHQL_SCHEMA
from transport.lifted_events import LiftingExecutor, plain_events

SCHEMA = GRAPHQL_SCHEMA

WHOLE = parse("mutation ($input: EventsIngestInput!) { eventsIngest(input: $input) { inserted } }")
LIST = parse(
    "mutation ($input: [EventInput!]!) { eventsIngest(input: {events: $input}) { inserted } }"
)

texts = st.text(max_size=8)
scalars = st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False) | texts
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
timestamps = st.datetimes().map(lambda instant: instant.isoformat() + "Z") | st.sampled_from(
    ["2026-01-01T00:00:00", "2026-01-01T00:00:00+05:30", "0001-01-01T00:00:00+05:00", "noon", ""]
)
plain = st.fixed_dictionaries(
    {"name": texts},
    optional={
        "customerId": st.none() | texts,
        "externalCustomerId": st.none() | texts,
        "externalId": st.none() | texts,
        "timestamp": st.none() | timestamps,
        "metadata": st.none() | st.dictionaries(texts, json_values, max_size=3),
    },
)
odd = st.one_of(
    json_values,
    st.fixed_dictionaries(
        {},
        optional={
            "name": scalars,
            "customerId": scalars,
            "externalId": scalars,
            "timestamp": scalars,
            "metadata": json_values,
            "unknown": scalars,
        },
    ),
)


def built(executor: Any, document: Any, value: Any) -> Any:
    """The coerced variable, or the messages of the errors."""
    found = executor.build(SCHEMA, document, raw_variable_values={"input": value})
    if isinstance(found, list):
        return [error.message for error in found]
    return found.variable_values.coerced["input"]


def both(document: Any, value: Any) -> tuple[Any, Any]:
    return (
        built(LiftingExecutor, document, value),
        built(StrawberryGraphQLCoreExecutionContext, document, value),
    )


@examples(300)
@given(st.lists(plain, max_size=4))
@example([{"name": "a", "timestamp": "2026-01-01T00:00:00Z", "metadata": {"a": {"b": [1]}}}])
def test_both_ways_end_in_the_same_events(events: list[Any]) -> None:
    lifted, coerced = both(WHOLE, {"events": events, "onInvalid": "SKIP_INVALID"})
    assert lifted == coerced
    lifted, coerced = both(LIST, events)
    assert lifted == coerced


@examples(300)
@given(st.lists(plain | odd, max_size=4) | odd | plain)
def test_both_ways_end_in_the_same_errors(events: Any) -> None:
    for document, value in ((WHOLE, {"events": events}), (LIST, events)):
        lifted, coerced = both(document, value)
        assert lifted == coerced


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        [],
        {"events": [{"name": "a"}], "onInvalid": "NEVER"},
        {"events": [{"name": "a"}], "unknown": 1},
        {"events": {"name": "a"}},
    ],
)
def test_an_odd_call_is_told_the_same(value: Any) -> None:
    lifted, coerced = both(WHOLE, value)
    assert lifted == coerced


def test_plain_events_are_the_caller_s_own() -> None:
    metadata = exact_json.loads('{"a": 1.10}')
    event = {"name": "a", "metadata": metadata}
    assert plain_events([event]) == [event]
    lifted, _ = both(WHOLE, {"events": [event]})
    assert lifted["events"][0]["metadata"] is metadata


@pytest.mark.parametrize("odd", [{}, None, 1, {"name": "a", "metadata": {"a": 1}}])
async def test_too_many_events_are_counted_and_not_looked_at(api: Api, odd: Any) -> None:
    events = [odd] * 10_001
    # The very list: coercion, which would walk it, has not seen it.
    assert built(LiftingExecutor, LIST, events) is events
    assert built(LiftingExecutor, WHOLE, {"events": events})["events"] is events
    query = """mutation ($events: [EventInput!]!) {
      eventsIngest(input: {events: $events}) { inserted userErrors { code message path } }
    }"""
    error = {
        "code": "LIMIT_EXCEEDED",
        "message": "10,001 events in one call; at most 10,000 are allowed.",
        "path": ["events"],
    }
    answer = await api.get(query, events=events)
    assert answer["eventsIngest"] == {"inserted": 0, "userErrors": [error]}
