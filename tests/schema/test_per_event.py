"""A subscription takes no more memory for having sent many events."""

import gc
from collections.abc import AsyncGenerator
from typing import Any

from graphql import build_schema, parse
from graphql.execution import Executor, map_source_to_response_event
from graphql.execution.collect_fields import FieldDetails

from schema.lifted_events import LiftingExecutor

SCHEMA = build_schema("""
    type Query { nothing: Int }
    type Thing { name: String inner: Thing }
    type Subscription { thing: Thing }
""")


async def events() -> AsyncGenerator[dict[str, Any], None]:
    while True:
        yield {"thing": {"name": "a", "inner": {"name": "b"}}}


async def test_what_was_collected_for_an_event_is_forgotten_with_it() -> None:
    document = parse("subscription { thing { name inner { name } } }")
    executor = LiftingExecutor.build(SCHEMA, document)
    assert isinstance(executor, Executor)
    results: Any = map_source_to_response_event(executor, events())
    counts = []
    for sent in range(1, 201):
        result = await anext(results)
        assert result.data == {"thing": {"name": "a", "inner": {"name": "b"}}}
        if sent in {100, 200}:
            gc.collect()
            counts.append(sum(isinstance(found, FieldDetails) for found in gc.get_objects()))
    await results.aclose()
    assert counts[1] - counts[0] < 20
