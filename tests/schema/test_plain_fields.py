"""Attributes that are read the short way look as graphql-core shows them, errors included."""

import gc
import weakref
from dataclasses import field
from decimal import Decimal
from enum import Enum
from itertools import product
from typing import Any

import pytest
import strawberry
from graphql import parse
from graphql.execution import ExecutionResult, Executor
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.plain_fields import PlainFieldsExecutor
from schema.plans import Plans
from schema.scalars import SCALARS


@strawberry.enum
class Colour(Enum):
    RED = "red"


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Part(Named):
    price: Decimal | None = None
    colour: Colour | None = None

    @strawberry.field
    async def later(self) -> str:
        return f"later {self.name}"


@strawberry.type
class Impostor(Named):
    """Has what a part has, but is none."""

    price: Decimal | None = None


@strawberry.type
class Thing(Named):
    part: Part | None = None
    parts: list[Part] = field(default_factory=list)
    maybe: list[Part | None] | None = None
    tags: list[list[str]] = field(default_factory=list)
    named: Named | None = None

    @strawberry.field
    def made(self) -> str:
        return f"made {self.name}"

    @strawberry.field
    async def later(self) -> str:
        return f"later {self.name}"

    @strawberry.field
    async def broken(self) -> str | None:
        raise ValueError("broken")


THING = Thing(
    name="t",
    part=Part(name="p", price=Decimal("1.50"), colour=Colour.RED),
    parts=[Part(name="a"), Part(name="b", price=Decimal(2))],
    maybe=[None, Part(name="m")],
    tags=[["x"], []],
    named=Part(name="n"),
)
WRONG: Any = object()


@strawberry.type
class Query:
    @strawberry.field
    async def things(self, info: strawberry.Info[Any, None]) -> list[Thing] | None:
        return info.context["things"]  # type: ignore[no-any-return]  # of whatever the test puts there


SCHEMA = strawberry.Schema(  # noqa: SLF001  # Strawberry offers no other way
    Query,
    types=[Part, Impostor],
    config=StrawberryConfig(scalar_map=SCALARS),
)._schema

SELECTIONS = {
    "leaves": "name __typename",
    "objects": "part { name price colour __typename } parts { price name }",
    "nulls": "maybe { name }",
    "lists of lists": "tags",
    "aliases and merging": "b: name part { name } a: name part { price }",
    "fragments": "...F name } } fragment F on Thing { parts { ...G } } "
    "fragment G on Part { name ... on Named { again: name __typename",
    "directives": "name @skip(if: $yes) part @include(if: $yes) { name @include(if: $no) price }",
    "interfaces": "named { name __typename }",
    "resolvers among attributes": "name made part { name } later tags broken",
    "resolvers beneath lists": "name parts { name later price } tags",
}
THINGS = {
    "good": [THING, Thing(name="u")],
    "none": None,
    "a null": [Thing(name=None)],  # type: ignore[arg-type]  # as a bug would have it
    "a null deep down": [THING, Thing(name="x", parts=[Part(name="a"), Part(name=WRONG)])],
    "a null for a list": [Thing(name="x", parts=None)],  # type: ignore[arg-type]  # as above
    "no list": [Thing(name="x", tags=7)],  # type: ignore[arg-type]  # as above
    "a tuple": [Thing(name="x", parts=(Part(name="a"),))],  # type: ignore[arg-type]  # as above
    "a wrong leaf": [Thing(name="x", part=Part(name="p", colour=WRONG, price=WRONG))],
    "another type": [Thing(name="x", part=Impostor(name="i"))],  # type: ignore[arg-type]  # as above
    "an error": [Thing(name=ValueError("x"))],  # type: ignore[arg-type]  # as above
}


async def shown(by: type[Executor[Any]], selection: str, things: Any) -> ExecutionResult:
    document = parse(
        "query Q($yes: Boolean = true, $no: Boolean = false) { things { " + selection + " } }"
    )
    executor = by.build(SCHEMA, document, context_value={"things": things})
    assert isinstance(executor, Executor)
    result: Any = executor.execute_operation()
    return await result  # type: ignore[no-any-return]  # an ExecutionResult


@pytest.mark.parametrize("things", THINGS.values(), ids=THINGS)
@pytest.mark.parametrize("selection", SELECTIONS.values(), ids=SELECTIONS)
async def test_it_answers_as_graphql_core_does(selection: str, things: Any) -> None:
    expected = await shown(StrawberryGraphQLCoreExecutionContext, selection, things)
    found = await shown(PlainFieldsExecutor, selection, things)
    assert repr(found.data) == repr(expected.data)  # in the same order, too
    assert [error.formatted for error in found.errors or ()] == [
        error.formatted for error in expected.errors or ()
    ]


async def test_attributes_cost_nothing_of_the_machinery(monkeypatch: pytest.MonkeyPatch) -> None:
    described = []
    original = PlainFieldsExecutor.build_resolve_info

    def counting(self: Any, *args: Any) -> Any:
        described.append(args)
        return original(self, *args)

    monkeypatch.setattr(PlainFieldsExecutor, "build_resolve_info", counting)
    result = await shown(PlainFieldsExecutor, SELECTIONS["objects"], [THING] * 100)
    assert result.errors is None
    assert len(described) == 1


async def test_what_was_read_is_gone_with_the_answer() -> None:
    thing = Thing(name="t", parts=[Part(name="a")])
    read = weakref.ref(thing)
    gc.disable()
    try:
        result = await shown(PlainFieldsExecutor, SELECTIONS["resolvers beneath lists"], [thing])
        assert result.errors is None
        del thing
        assert read() is None
    finally:
        gc.enable()


async def test_each_run_selects_what_its_variables_say() -> None:
    text = """query ($a: Boolean!, $b: Boolean = false) { things {
      name @skip(if: $a) ...F @include(if: $b) part { name ... @skip(if: $b) { price later } }
    } } fragment F on Thing { tags parts @skip(if: $a) { name } }"""
    plans, document = Plans(), parse(text)
    plans.remember(document)
    plan = plans.find(SCHEMA, document, None)
    assert plan is not None
    seen = set()
    for a, b in [*product([True, False], [True, False])] * 2:
        sent = {"a": a, "b": b}
        found = PlainFieldsExecutor.of_plan(plan, sent, {"things": [THING]}, None)
        assert found is not None
        result = await found.answer()
        plain: Any = StrawberryGraphQLCoreExecutionContext.build(
            SCHEMA, document, None, {"things": [THING]}, sent
        )
        expected = await plain.execute_operation()
        assert repr(result.data) == repr(expected.data)
        assert result.errors is expected.errors is None
        seen.add(repr(result.data))
    assert len(seen) == 4
