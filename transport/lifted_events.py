"""The fast path of ingestion: plain events bypass the coercion of variables.

graphql-core coerces a variable field by field, which takes ten times as long as storing the event.
So a list of events in a variable is taken out before coercion and put back after it, if every item
has a shape that coercion would not change. Everything else (odd shapes, literals in the document)
is coerced as usual, with GraphQL's own errors. Both ways end in the same list of dicts: keys as in
EventInput, and `timestamp` an aware datetime in UTC.
"""

from typing import Any, get_type_hints

import strawberry
from graphql import (
    DocumentNode,
    GraphQLError,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    TypeNode,
    get_operation_ast,
)
from graphql.execution import Executor
from strawberry.utils.str_converters import to_camel_case

from metering.language.instants import parse_instant
from schema.errors import TooComplex
from schema.inputs.events import EventInput
from schema.plain_fields import PlainFieldsExecutor
from schema.plans import Plan
from transport.per_event import PerEventExecutor

MOST_EVENTS = 10_000  # no setting allows more
# Keys in an object: for each key that it refuses, graphql-core reads and quotes the whole object.
_MOST_KEYS = 1_000
# Fields of other kinds than these, `timestamp` and `metadata` are left to graphql-core.
_TEXTS = tuple(
    to_camel_case(name)
    for name, kind in get_type_hints(EventInput).items()
    if kind in (str | None, strawberry.ID | None)
)
_INPUT_KEYS = frozenset({"events", "onInvalid"})
_KINDS = frozenset({"EventInput", "[EventInput]", "EventsIngestInput"})
_KEYS = frozenset({"name", *_TEXTS, "timestamp", "metadata"})


def plain_events(items: Any) -> list[dict[str, Any]] | None:  # noqa: PLR0911  # every odd shape ends it
    """Returns the events that coercion would make of `items`; None if coercion must decide."""
    if type(items) is not list:
        return None
    events: list[dict[str, Any]] = []
    for item in items:
        if type(item) is not dict or not item.keys() <= _KEYS or type(item.get("name")) is not str:
            return None
        for key in _TEXTS:
            if key in item and type(item[key]) is not str and item[key] is not None:
                return None
        metadata = item.get("metadata")
        if metadata is not None and type(metadata) is not dict:
            return None
        timestamp = item.get("timestamp")
        if timestamp is None:
            events.append(item)
            continue
        if type(timestamp) is not str:
            return None
        try:
            events.append({**item, "timestamp": parse_instant(timestamp)})
        except ValueError:
            return None
    return events


class LiftingExecutor(PerEventExecutor):
    """Strawberry's executor, in which plain events bypass the coercion of variables."""

    @classmethod
    def build(
        cls,
        schema: Any,
        document: DocumentNode,
        root_value: Any = None,
        context_value: Any = None,
        raw_variable_values: dict[str, Any] | None = None,
        operation_name: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> list[GraphQLError] | Executor[Any]:
        """Builds the executor; see the module."""
        lifted: dict[str, list[dict[str, Any]]] = {}
        variables = raw_variable_values or {}
        operation = get_operation_ast(document, operation_name)
        if variables and operation is not None:
            try:
                variables = _lift(operation, variables, lifted)
            except TooComplex as error:
                return [error]
        executor = super().build(
            schema,
            document,
            root_value,
            context_value,
            variables,
            operation_name,
            *args,
            **kwargs,
        )
        if lifted and not isinstance(executor, list):
            _put_back(executor.variable_values.coerced, lifted)
        return executor

    @classmethod
    def of_plan(
        cls,
        plan: Plan,
        variables: dict[str, Any],
        context: Any,
        operation_extensions: dict[str, Any] | None,
    ) -> PlainFieldsExecutor | None:
        """Makes the executor of a planned operation; see the module."""
        lifted: dict[str, list[dict[str, Any]]] = {}
        if variables:
            try:
                variables = _lift(plan.operation, variables, lifted)
            except TooComplex:
                return None
        executor = super().of_plan(plan, variables, context, operation_extensions)
        if lifted and executor is not None:
            _put_back(executor.variable_values.coerced, lifted)
        return executor


def _put_back(coerced: dict[str, Any], lifted: dict[str, list[dict[str, Any]]]) -> None:
    """Puts the events where the empty lists are."""
    for name, events in lifted.items():
        if isinstance(coerced[name], list):
            coerced[name] = events
        else:
            coerced[name]["events"] = events


def _lift(
    operation: OperationDefinitionNode,
    variables: dict[str, Any],
    lifted: dict[str, list[dict[str, Any]]],
) -> dict[str, Any]:
    """Returns the variables with empty lists in place of plain events, which go into `lifted`.

    Raises TooComplex for other events if refusing them one by one would take long.
    """
    remaining = variables
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        kind = _kind(definition.type)
        value = variables.get(name)
        events: list[dict[str, Any]] | None = None
        rest: Any = []
        if kind == "[EventInput]":
            events = _events(value)
        elif kind == "EventsIngestInput" and type(value) is dict and value.keys() <= _INPUT_KEYS:
            events = _events(value.get("events"))
            rest = {**value, "events": []}
        if events:
            remaining = {**remaining, name: rest}
            lifted[name] = events
        elif events is None and kind in _KINDS and _is_wide([value]):
            raise TooComplex(
                f"An object in ${name} has more than {_MOST_KEYS:,} keys, or a list more than"
                f" {MOST_EVENTS:,} items"
            )
    return remaining


def _is_wide(value: dict[str, Any] | list[Any], levels: int = 4) -> bool:
    """Whether the input, its events, an event or its metadata has too many items."""
    inner = value.values() if isinstance(value, dict) else value
    return len(value) > (_MOST_KEYS if isinstance(value, dict) else MOST_EVENTS) or (
        levels > 0
        and any(_is_wide(item, levels - 1) for item in inner if isinstance(item, dict | list))
    )


def _events(items: Any) -> list[dict[str, Any]] | None:
    if type(items) is list and len(items) > MOST_EVENTS:
        return items  # unread: `eventsIngest` refuses them because they are too many
    return plain_events(items)


def _kind(type_: TypeNode) -> str:
    if isinstance(type_, NonNullTypeNode):
        return _kind(type_.type)
    if isinstance(type_, ListTypeNode):
        return f"[{_kind(type_.type)}]"
    return type_.name.value if isinstance(type_, NamedTypeNode) else ""
