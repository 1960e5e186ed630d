"""Documents that nobody would write: parsed, weighed and validated without a fault of ours.

Pieces of documents are cut, doubled and put together again. Nobody is logged in, so that nothing is
read: what is tried is what stands before that.
"""

import re
import time
from typing import Any

from graphql import get_introspection_query
from hypothesis import example, given
from hypothesis import strategies as st
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from tests.effort import examples
from tests.schema_execution import SCHEMA, context
from transport.operations import METHODS

SECONDS = 5.0  # of this thread, whatever else the machine does

WRITTEN = [
    "{ meters { nodes { id name customers(first: 5) { edges { cursor node { balance } } } } } }",
    """query Q($n: Int = 9, $f: MeterFilterInput!) { customers(first: $n) { ...C totalCount } }
    fragment C on CustomerConnection { nodes { ... on Node { id } ...D } }
    fragment D on Customer { meters(last: 2) { nodes { meter { events { nodes { id } } } } } }""",
    """mutation M { meterCreate(input: {name: "m", filter: {conjunction: OR, clauses: [{clause:
    {property: "a.b", operator: EQUALS, value: 1.5e3}}, {filter: {clauses: []}}]},
    aggregation: {function: SUM, property: "x"}}) { meter { id } userErrors { path } } }""",
    """mutation ($e: [EventInput!]!) { eventsIngest(input: {events: $e, onInvalid: SKIP_INVALID}) {
    inserted receipts { status error { code } } } }""",
    'subscription S { a: usageUpdated(after: "x") { customerMeter { customer { name } } cursor } }',
    """{ meter(id: "m") { quantities(start: "2026-01-01T00:00:00Z", end: "2027-01-01T00:00:00Z",
    interval: HOUR, timezone: "Asia/Kolkata") { total points { start quantity } } } }""",
    "{ node(id: 1) { __typename ... on Meter @include(if: true) { name @skip(if: $s) } } }",
    "{ __schema { types { fields { args { type { ofType { name } } } } } __typename } }",
    get_introspection_query(),
]
TOKEN = re.compile(r'"""[^"]*"""|"[^"]*"|\.\.\.|[_A-Za-z0-9.+-]+|\S')
TOKENS = [TOKEN.findall(text) for text in WRITTEN]
ODD = ["\0", "\ufeff", "é", "1e999", "-0", "#", '"', '"""', "\\u0000", "$", "@", "&", "|", "{" * 40]

pieces = st.sampled_from(TOKENS).flatmap(
    lambda tokens: st.tuples(
        st.integers(0, len(tokens)), st.integers(1, len(tokens)), st.integers(1, 3)
    ).map(lambda cut: tokens[cut[0] : cut[0] + cut[1]] * cut[2])
)
documents = st.one_of(
    st.lists(st.one_of(pieces, st.sampled_from(ODD).map(lambda odd: [odd])), max_size=6).map(
        lambda found: " ".join(token for piece in found for token in piece)
    ),
    # Nearly right: one token is another, or is missing.
    st.tuples(
        st.sampled_from(TOKENS),
        st.integers(0, 500),
        st.sampled_from([[], *([token] for token in ODD), *TOKENS]),
    ).map(lambda found: " ".join(_replaced(found[0], found[1] % len(found[0]), found[2][:1]))),
).filter(bool)
variables = st.none() | st.dictionaries(
    st.sampled_from(["n", "f", "e", "s"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["clauses", "clause", "filter", "events", "name", "value"]), inner
            )
        ),
        max_leaves=8,
    ),
    max_size=4,
)


def _replaced(tokens: list[str], place: int, by: list[str]) -> list[str]:
    return [*tokens[:place], *by, *tokens[place + 1 :]]


@examples(400)
@given(documents, variables, st.sampled_from([None, "Q", "M", "S", "X"]))
@example("fragment F on Query { ...F } { ...F }", None, None)
@example(
    "{ customers { ...F } } fragment F on CustomerConnection { nodes { meters { nodes { customer"
    " { meters { nodes { customer { ...G } } } } } } } } fragment G on Customer { ...G id }",
    None,
    None,
)
async def test_no_document_causes_an_internal_error(
    text: str, sent: dict[str, Any] | None, operation_name: str | None
) -> None:
    begun = time.thread_time()
    try:
        result: Any = await SCHEMA.execute(
            text,
            sent,
            context_value=context(anonymous=True),
            operation_name=operation_name,
            allowed_operation_types=METHODS["POST"],
        )
    except (CannotGetOperationTypeError, InvalidOperationTypeError):
        return  # which every way in takes for the caller's mistake
    assert time.thread_time() - begun < SECONDS
    codes = {error.extensions["code"] for error in result.errors or ()}
    assert "INTERNAL" not in codes, result.errors
