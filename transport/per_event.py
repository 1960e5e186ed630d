"""Subscriptions: each update is made once for all who select it alike, and remembered no longer.

graphql-core 3.3 executes each event with a copy of the subscription's executor, and the copies
share its memo of collected subfields. Its keys are objects of one event, so it never hits across
events and grows as long as the subscription lives: a kilobyte and more an event.
"""

from collections.abc import Awaitable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, cast

from graphql import ExecutionResult
from graphql.execution import Executor

from models import exact_json
from schema.context import Context
from schema.plain_fields import PlainFieldsExecutor
from schema.updates import Update
from transport.http_response import encode_json


@dataclass(frozen=True, slots=True)
class _EventExecutor:
    """All that graphql-core asks of the executor of one event."""

    subscription: "PerEventExecutor"
    update: Update

    def execute_operation(self, _serially: bool | None = None) -> Awaitable[ExecutionResult]:
        """The result of the event."""
        return self.subscription.result_of(self.update)


class PerEventExecutor(PlainFieldsExecutor):
    """Strawberry's executor; what subscriptions yield is an `Update`."""

    def build_per_event_executor(self, payload: Any) -> Executor[Any]:
        """What executes one event."""
        executor: Any = _EventExecutor(self, payload)
        return cast("Executor[Any]", executor)

    async def result_of(self, update: Update) -> ExecutionResult:
        """The result of an update, with its data as JSON text."""
        context: Context = self.context_value
        return await context.services.updates.result(
            (update.key, self._asked, context.identity.sees),
            partial(self._execute, update),
            self.operation,
        )

    @cached_property
    def _asked(self) -> tuple[int, str]:
        """What is selected: `transport.documents` has one operation for each text."""
        return id(self.operation), repr(self.variable_values.coerced)

    async def _execute(self, update: Update) -> tuple[ExecutionResult, int]:
        executor: Any = super().build_per_event_executor(await update.make())
        executor._relevant_sub_fields = {}  # noqa: SLF001  # graphql-core offers no other way to it
        found: Any = executor.execute_operation(False)
        result: ExecutionResult = await found if isinstance(found, Awaitable) else found
        if result.data is None:
            return result, 0
        text = encode_json(result.data)
        return ExecutionResult(exact_json.written(text), result.errors), len(text)
