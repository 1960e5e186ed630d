"""Plans coerce variables as graphql-core does, and weigh as often as they must."""

from itertools import product
from typing import Any

from graphql import parse
from graphql.execution.values import VariableValues, get_variable_values
from hypothesis import example, given
from hypothesis import strategies as st

from schema.plans import MOST_SHAPES, Plan, Plans
from tests.effort import examples
from tests.schema_execution import GRAPHQL_SCHEMA
from transport.cost import weigh, weighing_of
from transport.prepared import Prepared

VARIABLES = """query ($n: Int = 9, $m: Int!, $ids: [ID!], $f: EventFilter = {names: ["a"]},
$order: ListOrder = NEWEST, $s: String, $at: DateTime, $w: [String] = "x") { __typename }"""
NAMES = ["n", "m", "ids", "f", "order", "s", "at", "w", "unknown"]
SIZES = """query ($n: Int = 3, $ids: [ID!]!, $f: EventFilter, $start: DateTime!) {
  customers(first: $n) { nodes { events(last: $n, filter: $f) { nodes { id } } } }
  nodes(ids: $ids) { id ...M }
} fragment M on Meter {
  quantities(start: $start, end: "2026-03-01T00:00:00Z", interval: DAY) { points { start } }
}"""

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["NEWEST", "x", "2026-01-01T00:00:00Z", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["names", "where", "start", "clauses"]), inner)
    ),
    max_leaves=5,
)
variables = st.dictionaries(st.sampled_from(NAMES), values)


def plan_of(text: str) -> Plan:
    plans, document = Plans(), parse(text)
    plans.remember(document)
    plan = plans.find(GRAPHQL_SCHEMA, document, None)
    assert plan is not None
    return plan


COERCING = plan_of(VARIABLES)


@examples(300)
@given(variables)
@example({"m": 1})
@example({})
@example({"m": 1, "ids": "a", "f": {"where": None}, "at": "2026-01-01T00:00:00+14:00"})
def test_variables_are_coerced_as_graphql_core_does(sent: dict[str, Any]) -> None:
    definitions = COERCING.operation.variable_definitions or ()
    expected = get_variable_values(GRAPHQL_SCHEMA, definitions, sent)
    found = COERCING.variables(sent)
    if isinstance(expected, VariableValues):
        assert found is not None
        assert repr(found.coerced) == repr(expected.coerced)
        assert _sent(found) == _sent(expected)
    else:
        assert found is None


def _sent(values: VariableValues) -> str:
    return repr({name: source.value for name, source in values.sources.items()})


sizes = st.integers(-3, 120)


@examples(200)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "n": st.none() | sizes | st.text(max_size=3),
            "ids": st.lists(st.just("x"), max_size=5) | st.just("x"),
            "f": st.none() | st.just({}) | st.just({"where": {}}) | st.just({"where": None}),
            "start": st.integers(1, 28).map(lambda day: f"2026-02-{day:02}T00:00:00Z")
            | st.just("noon"),
        },
    )
)
def test_an_operation_weighs_the_same_when_it_was_weighed_before(sent: dict[str, Any]) -> None:
    plan = WEIGHED.plan
    weighing = weighing_of(GRAPHQL_SCHEMA, plan.document, plan.operation, sent)
    expected = weigh(weighing, plan.operation)
    assert WEIGHED.weight(sent) == WEIGHED.weight(sent) == expected


WEIGHED = Prepared(GRAPHQL_SCHEMA, plan_of(SIZES))


def test_plans_are_forgotten_with_their_documents() -> None:
    plans, document = Plans(), parse("query A { __typename } query B { __typename }")
    assert plans.find(GRAPHQL_SCHEMA, document, "A") is None
    plans.remember(document)
    found = plans.find(GRAPHQL_SCHEMA, document, "A")
    assert found is not None
    assert plans.find(GRAPHQL_SCHEMA, document, "A") is found
    assert plans.find(GRAPHQL_SCHEMA, document, "B") is not found
    assert plans.find(GRAPHQL_SCHEMA, document, None) is None
    assert plans.find(GRAPHQL_SCHEMA, parse("query A { __typename }"), "A") is None
    plans.forget(document)
    assert plans.find(GRAPHQL_SCHEMA, document, "A") is None


def test_a_document_with_many_conditions_takes_no_more_memory_than_many_documents() -> None:
    names = [f"v{number}" for number in range(10)]
    declared = " ".join(f"${name}: Boolean!" for name in names)
    fields = " ".join(f"{name}: __typename @skip(if: ${name})" for name in names)
    plan = plan_of(f"query ({declared}) {{ {fields} }}")
    first, *others = (
        dict(zip(names, values, strict=True)) for values in product([True, False], repeat=10)
    )
    shape = plan.shape(first)
    assert plan.shape(first) is shape
    for other in others[:MOST_SHAPES]:
        plan.shape(other)
    assert plan.shape(others[MOST_SHAPES - 1]) is plan.shape(others[MOST_SHAPES - 1])
    assert plan.shape(first) is not shape
