"""Numbers of any form and size, wherever a value may stand: they cost what their text costs.

Nobody is logged in: what a number meets is what stands before that. An exponent of nine digits is
a number of a gigabyte once somebody writes it out, so the memory that a request takes says whether
anybody did.
"""

import json
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.applications import Starlette

from models import exact_json
from tests.effort import examples
from tests.graphql_client import Api
from tests.tenancy.places import Place, arguments, field_of, operation, values
from tests.websocket_client import connected

MEGABYTES = 24  # many times what the longest of these requests takes, and a fourth of one number
SECONDS = 5.0  # of this thread
LONGEST = 60_000  # a stranger's request has 64 KiB

HUGE = [
    "1e100000000",
    "-1.5E+999999999",
    "1e-100000000",
    "0e999999999",
    "-0.0e-999999999",
    "1e99999999999999999999",
    "1e-99999999999999999999",
    "9" * 4_300,
    "9" * 4_301,
    "9" * LONGEST,
    "0." + "9" * LONGEST,
    "0." + "0" * LONGEST + "1",
    "1e" + "9" * LONGEST,
    "1" + "0" * 1_000 + ".5e-999",
]
# What takes a value of each type: of a query, and of a mutation.
TAKEN = {
    "Int": "meters(first: $v)",
    "ID!": "node(id: $v)",
    "[ID!]!": "nodes(ids: $v)",
    "String": "meters(after: $v)",
    "DateTime": "events(filter: {start: $v})",
    "ClauseValue": "events(filter: {where: {clauses: [{clause: "
    '{property: "a", operator: EQUALS, value: $v}}]}})',
    "ClauseOperator!": "events(filter: {where: {clauses: [{clause: "
    '{property: "a", operator: $v, value: 1}}]}})',
    "MeterFilterInput": "events(filter: {where: $v})",
    "EventFilter": "events(filter: $v)",
}
CHANGED = {
    "Decimal!": 'customerMeterCredit(input: {meterId: 1, reason: "r", units: $v})',
    "JSONObject": 'eventsIngest(input: {events: [{name: "n", metadata: $v}]})',
    "[EventInput!]!": "eventsIngest(input: {events: $v})",
    "EventsIngestInput!": "eventsIngest(input: $v)",
    "ProductCreateInput!": "productCreate(input: $v)",
    "MeterCreateInput!": "meterCreate(input: $v)",
}

digits = st.text("0123456789", min_size=1, max_size=12)
numbers = st.one_of(
    st.sampled_from(HUGE),
    st.tuples(
        st.sampled_from(["", "-"]),
        st.one_of(st.just("0"), digits.map(lambda text: "1" + text)),
        st.one_of(st.just(""), digits.map(lambda text: "." + text)),
        st.sampled_from(["", "e", "E", "e+", "e-", "E+", "E-"]),
        digits,
    ).map(lambda part: "".join(part if part[3] else part[:3])),
)
wrapped = st.sampled_from(
    ["{}", "[{}]", "[[[{}]]]", '{{"a": {}}}', '{{"a": {{"b": [{}, {}]}}}}', '{{"clauses": [{}]}}']
)


@contextmanager
def bounded() -> Iterator[None]:
    """Fails where its body takes more than it may."""
    tracemalloc.start()
    begun = time.thread_time()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MEGABYTES * 2**20, f"{peak:,} bytes"
    assert time.thread_time() - begun < SECONDS


async def refused(api: Api, body: str) -> None:
    """Sends a request as a stranger; the answer is short, and the number is not our fault."""
    with bounded():
        response = await api.anonymous.post(body)
    assert response.status_code in {200, 400, 401}
    assert len(response.content) < 10_000
    assert "INTERNAL" not in response.text, response.text


def request(query: str, variables: str = "{}", **others: str) -> str:
    """A request's JSON, of JSON."""
    parts = {"query": json.dumps(query), "variables": variables, **others}
    return "{" + ",".join(f'"{name}": {text}' for name, text in parts.items()) + "}"


@examples(25)
@given(number=numbers, shape=wrapped)
@example("1e100000000", "{}")
@example("1e100000000", '{{"a": {{"b": [{}, {}]}}}}')
async def test_a_number_in_a_variable_costs_its_text(api: Api, number: str, shape: str) -> None:
    sent = f'{{"v": {shape.format(number, number)}}}'
    for kind, fields in (("query", TAKEN), ("mutation", CHANGED)):
        for type_, field in fields.items():
            document = f"{kind} ($v: {type_}) {{ {field} {{ __typename }} }}"
            await refused(api, request(document, sent))


@examples(12)
@given(number=numbers)
@example("1e100000000")
async def test_a_number_in_the_document_costs_its_text(api: Api, number: str) -> None:
    for document in (
        *(
            f"{kind} ($v: {type_.rstrip('!')} = {number}) {{ {field} {{ __typename }} }}"
            for kind, fields in (("query", TAKEN), ("mutation", CHANGED))
            for type_, field in fields.items()
        ),
        f"{{ __typename @skip(if: {number}) }}",
        f"{{ meters(first: {number}) {{ totalCount }} }}",
        f"{{ node(id: {number}) {{ id }} }}",
        (
            f"{{ events(filter: {{start: {number}, where: {{clauses: [{{clause: {{property: a, "
            f"operator: EQUALS, value: {number}}}}}]}}}}) {{ totalCount }} }}"
        ),
        (
            f"mutation {{ eventsIngest(input: {{events: [{{name: {number}, timestamp: {number}, "
            f"metadata: {{a: {number}, b: [{number}]}}}}]}}) {{ inserted }} }}"
        ),
        (
            f"mutation {{ eventsIngest(input: {{events: {{metadata: [{number}, {number}]}}}}) "
            "{ inserted } }"
        ),
    ):
        await refused(api, request(document))


@examples(25)
@given(number=numbers, shape=wrapped)
@example("1e100000000", "{}")
async def test_a_number_around_the_operation_costs_its_text(
    api: Api, number: str, shape: str
) -> None:
    sent = shape.format(number, number)
    query = "{ __typename }"
    await refused(api, sent)
    await refused(api, f"[{request(query)}, {sent}]")
    await refused(api, request(query, sent))
    await refused(api, request(query, operationName=sent))
    await refused(api, request(query, extensions=sent))
    named = '{"persistedQuery": {"version": %s, "sha256Hash": %s}}'
    await refused(api, request(query, extensions=named % (number, number)))
    for name in ("variables", "extensions"):
        if len(sent) < LONGEST // 2:
            with bounded():
                answer = await api.http.get("/graphql", params={"query": query, name: sent})
            assert answer.status_code in {200, 400}


def places() -> dict[str, list[Place]]:
    """The places of values, by the root that they hang from."""
    found: dict[str, list[Place]] = {}
    for place in values():
        if place.parent in {"Query", "Mutation"}:
            found.setdefault(f"{place.parent}.{place.field}", []).append(place)
    return found


@pytest.mark.parametrize("root", places())
async def test_a_number_anywhere_in_the_schema_costs_its_text(api: Api, root: str) -> None:
    for place in places()[root]:
        given = arguments(field_of(place), place, "NUMBER", lambda _path: "id")
        document = operation(place, given, 1)
        for number in ("1e100000000", '[1e100000000, {"a": -1e-100000000}]', "9" * 4_301):
            sent = exact_json.dumps({f"v_{name}": item for name, item in given.items()})
            await refused(api, request(document, sent.replace('"NUMBER"', number)))


@examples(15)
@given(number=numbers, shape=wrapped)
@example("1e100000000", "{}")
async def test_a_number_over_a_websocket_costs_its_text(
    application: Starlette, number: str, shape: str
) -> None:
    sent = shape.format(number, number)
    for message in (
        sent,
        f'{{"type": {sent}}}',
        f'{{"type": "connection_init", "payload": {sent}}}',
        f'{{"type": "connection_init", "payload": {{"authorization": {sent}, "token": {sent}}}}}',
        f'{{"type": "subscribe", "id": {sent}, "payload": {{"variables": {sent}}}}}',
    ):
        async with connected(application) as socket:
            with bounded():
                await socket.send(message)
                closed = await socket.event()
            assert closed["type"] == "websocket.close"
            assert closed["code"] in {1009, 4400, 4401, 4403}, closed
