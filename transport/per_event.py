"""Subscriptions: each update is made once for all that select the same, and then forgotten.

graphql-core 3.3 executes each event with a copy of the subscription's executor. The copies share
the subscription's shape (see `schema.plans`), so nothing grows with the events.
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
    """The part of an executor that graphql-core needs for one event."""

    subscription: "PerEventExecutor"
    update: Update

    def execute_operation(self, _serially: bool | None = None) -> Awaitable[ExecutionResult]:
        """Returns the result of the event."""
        return self.subscription.result_of(self.update)


class PerEventExecutor(PlainFieldsExecutor):
    """Strawberry's executor for subscriptions that yield an `Update`."""

    def build_per_event_executor(self, payload: Any) -> Executor[Any]:
        """Returns the executor of one event."""
        executor: Any = _EventExecutor(self, payload)
        return cast("Executor[Any]", executor)

    async def result_of(self, update: Update) -> ExecutionResult:
        """Returns the result of an update, with its data as JSON text."""
        context: Context = self.context_value
        return await context.services.updates.result(
            (update.key, self._asked, context.identity.sees),
            partial(self._execute, update),
            self.operation,
        )

    @cached_property
    def _asked(self) -> tuple[int, str]:
        """Identifies what is selected; `transport.documents` has one operation for each text."""
        return id(self.operation), repr(self.variable_values.coerced)

    async def _execute(self, update: Update) -> tuple[ExecutionResult, int]:
        executor: Any = super().build_per_event_executor(await update.make())
        found: Any = executor.execute_operation(False)
        result: ExecutionResult = await found if isinstance(found, Awaitable) else found
        if result.data is None:
            return result, 0
        text = encode_json(result.data)
        return ExecutionResult(exact_json.written(text), result.errors), len(text)
