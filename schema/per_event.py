"""Subscriptions without a memory of every event that they have ever sent.

graphql-core 3.3 executes each event with a copy of the subscription's executor, and the copies
share its memo of collected subfields. Its keys are objects of one event, so it never hits across
events and grows as long as the subscription lives: a kilobyte and more an event.
"""

from typing import Any

from graphql.execution import Executor

from schema.plain_fields import PlainFieldsExecutor


class PerEventExecutor(PlainFieldsExecutor):
    """Strawberry's executor, whose copies for events remember for one event only."""

    def build_per_event_executor(self, payload: Any) -> Executor[Any]:
        """A copy for one event, with a memo of its own."""
        executor = super().build_per_event_executor(payload)
        executor._relevant_sub_fields = {}  # noqa: SLF001  # graphql-core offers no other way to it
        return executor
