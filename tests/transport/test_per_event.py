"""A subscription takes no more memory for having sent many events."""

import gc
from collections.abc import AsyncGenerator
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from graphql import build_schema, parse
from graphql.execution import Executor, map_source_to_response_event
from graphql.execution.collect_fields import FieldDetails

from models import exact_json
from schema import updates
from schema.context import Context, TokenIdentity
from schema.updates import SharedUpdates, Update
from transport.lifted_events import LiftingExecutor

SCHEMA = build_schema("""
    type Query { nothing: Int }
    type Thing { name: String inner: Thing }
    type Subscription { thing: Thing }
""")


class Services:
    updates = SharedUpdates()


async def thing() -> dict[str, Any]:
    return {"thing": {"name": "a", "inner": {"name": "b"}}}


async def events() -> AsyncGenerator[Update, None]:
    for number in count():
        yield Update(number, thing)


async def test_what_was_collected_for_an_event_is_forgotten_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    document = parse("subscription { thing { name inner { name } } }")
    services: Any = Services()
    caller = TokenIdentity(uuid4(), uuid4(), frozenset())
    context = Context(services=services, caller=caller)
    monkeypatch.setattr(updates, "SECONDS", -1.0)
    executor = LiftingExecutor.build(SCHEMA, document, context_value=context)
    assert isinstance(executor, Executor)
    results: Any = map_source_to_response_event(executor, events())
    counts = []
    for sent in range(1, 201):
        result = await anext(results)
        assert exact_json.dumps(result.data) == '{"thing":{"name":"a","inner":{"name":"b"}}}'
        if sent in {100, 200}:
            gc.collect()
            counts.append(sum(isinstance(found, FieldDetails) for found in gc.get_objects()))
    await results.aclose()
    assert counts[1] - counts[0] < 20
