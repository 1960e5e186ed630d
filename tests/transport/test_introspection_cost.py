"""Introspection costs what it takes, for every selection.

What it takes is counted in calls of functions, which are the same on every machine.
"""

import sys
from typing import Any

import pytest
from graphql import get_introspection_query
from hypothesis import given
from hypothesis import strategies as st

from resolvers.schema import MetergraphSchema
from tests.effort import examples
from tests.schema_execution import GRAPHQL_SCHEMA, codes, execute, weight
from transport.cost import cost_of_introspection
from transport.limits import Limits

SCHEMA = MetergraphSchema(Limits(cost=10**9, anonymous_tokens=5_000))
CALLS = 150  # a unit of cost takes 50 to 120
CALLS_OF_AN_OPERATION = 20_000

LEAVES = ["name", "kind", "description", "__typename"]
FIELD_LEAVES = ["name", "description", "isDeprecated", "deprecationReason"]
VALUE_LEAVES = ["name", "description", "defaultValue", "isDeprecated"]


def aliased(times: int, selected: str, fragment: str = "") -> str:
    return "{" + " ".join(f"a{i}:{selected}" for i in range(times)) + "}" + fragment


def _under(name: str, inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A field of some selections, once or several times."""
    chosen = st.lists(inner, min_size=1, max_size=3).map(" ".join)
    return st.tuples(chosen, st.integers(1, 4)).map(
        lambda found: " ".join(f"{name}{i}:{name}{{{found[0]}}}" for i in range(found[1]))
    )


def _values(types: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(VALUE_LEAVES) | _under("type", types)


def _of_types(types: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    fields = st.sampled_from(FIELD_LEAVES) | _under("type", types) | _under("args", _values(types))
    return st.one_of(
        _under("fields", fields),
        _under("inputFields", _values(types)),
        _under("enumValues", st.sampled_from(FIELD_LEAVES)),
        *(_under(name, types) for name in ("ofType", "possibleTypes", "interfaces")),
    )


types = st.recursive(st.sampled_from(LEAVES), _of_types, max_leaves=4)
documents = st.one_of(
    _under("__schema", _under("types", types) | _under("queryType", types)),
    st.sampled_from(["Query", "Mutation", "Node", "ErrorCode", "EventFilter", "Int"]).flatmap(
        lambda name: _under("__type", types).map(
            lambda text: text.replace("__type{", f'__type(name: "{name}"){{')
        )
    ),
).map(lambda text: f"{{{text}}}")


async def calls(text: str) -> int:
    """How many calls of functions an operation takes, once its document is known."""
    counted = 0

    def count(_frame: Any, _event: str, _argument: Any) -> None:
        nonlocal counted
        counted += 1

    await execute(text, schema=SCHEMA)
    sys.setprofile(count)
    try:
        await execute(text, schema=SCHEMA)
    finally:
        sys.setprofile(None)
    return counted


@examples(15)
@given(text=documents)
async def test_introspection_takes_no_more_than_it_costs(text: str) -> None:
    cost = weight(text).once
    if cost <= 5_000:
        assert await calls(text) <= CALLS_OF_AN_OPERATION + CALLS * cost


@pytest.mark.parametrize(
    ("selected", "fragment"),
    [
        ("__schema{types{name}}", ""),
        ('__type(name:"Query"){fields{name}}', ""),
        ('__type(name:"Query"){...F}', "fragment F on __Type{fields{name args{name}}}"),
        ('__type(name:"Node"){...F}', "fragment F on __Type{possibleTypes{name fields{name}}}"),
        ('__type(name:"ErrorCode"){...F}', "fragment F on __Type{enumValues{name}}"),
        ("__schema{...F}", "fragment F on __Schema{types{inputFields{defaultValue}}}"),
        ("__schema{...F}", "fragment F on __Schema{types{fields{type{ofType{ofType{name}}}}}}"),
    ],
)
async def test_the_longest_lists_cost_what_they_take(selected: str, fragment: str) -> None:
    text = aliased(5, selected, fragment)
    assert await calls(text) <= CALLS_OF_AN_OPERATION + CALLS * weight(text).once


@pytest.mark.parametrize("full", [False, True])
async def test_anyone_may_ask_for_the_schema_once(*, full: bool) -> None:
    text = get_introspection_query(
        specified_by_url=full,
        directive_is_repeatable=full,
        schema_description=full,
        input_value_deprecation=full,
        one_of=full,
    )
    once = await execute(text, anonymous=True)
    assert once.errors is None
    assert len(once.data["__schema"]["types"]) > 100
    twice = text.replace("__schema {", "a: __schema { types { ...FullType } } b: __schema {")
    assert codes(await execute(twice)) == ["TOO_COMPLEX"]


async def test_strangers_may_not_ask_for_the_schema_over_and_over() -> None:
    text = aliased(
        150, "__schema{...F}", "fragment F on __Schema{types{name kind description fields{name}}}"
    )
    cost = weight(text).once
    assert cost > 100_000 > cost_of_introspection(GRAPHQL_SCHEMA)
    assert codes(await execute(text, anonymous=True, schema=SCHEMA)) == ["UNAUTHENTICATED"]
    once = aliased(1, "__schema{...F}", "fragment F on __Schema{types{name fields{name}}}")
    assert (await execute(once, anonymous=True, schema=SCHEMA)).errors is None
