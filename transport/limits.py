"""Limits on documents, operations and variables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    TypeNode,
)

from metering.voiding.voids import MAXIMUM_EVENTS
from schema.errors import TooComplex
from transport.cost import Weight


@dataclass(frozen=True)
class Limits:
    """The limits on documents and operations."""

    cost: int = 20_000
    depth: int = 20
    tokens: int = 2_000
    anonymous_tokens: int = 500
    operations: int = 20
    directives: int = 100
    selections: int = 500
    values: int = 5_000


def check_size(document: DocumentNode, limits: Limits) -> None:
    """Raises TooComplex for a document that is too large to be validated cheaply."""
    operations = directives = selections = 0
    pending: list[Any] = list(document.definitions)
    while pending:
        node = pending.pop()
        directives += len(node.directives or ())
        if isinstance(node, OperationDefinitionNode):
            operations += 1
        selection_set = getattr(node, "selection_set", None)
        if selection_set is not None:
            selections += len(selection_set.selections)
            pending.extend(selection_set.selections)
    for name, count, limit in (
        ("operations", operations, limits.operations),
        ("directives", directives, limits.directives),
        ("selections", selections, limits.selections),
    ):
        if count > limit:
            raise TooComplex(f"The document has {count:,} {name}; at most {limit:,} are allowed")


def check_depth(weight: Weight, limits: Limits) -> None:
    """Raises TooComplex for an operation that is nested too deeply."""
    if weight.depth > limits.depth:
        raise TooComplex(
            f"The operation nests {weight.depth} fields; at most {limits.depth} are allowed",
            depth=weight.depth,
            maximumDepth=limits.depth,
        )


def check_values(
    operation: OperationDefinitionNode, variables: Mapping[str, Any] | None, limits: Limits
) -> None:
    """Raises TooComplex for variables with too many values.

    Events do not count; `eventsIngest` has its own limit. An input of `eventsVoid`, or a list of
    ids for it, may have as many ids more as that voids.
    """
    counted, limit = 0, limits.values
    pending = []
    for definition in operation.variable_definitions or ():
        name, type_name = definition.variable.name.value, _type_name(definition.type)
        if variables and name in variables and type_name not in {"EventsIngestInput", "EventInput"}:
            pending.append(variables[name])
            if type_name == "EventsVoidInput" or _is_list_of_ids(definition.type):
                limit = limits.values + MAXIMUM_EVENTS
    while pending:
        value = pending.pop()
        counted += 1
        if isinstance(value, dict):
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
        if counted + len(pending) > limit:
            raise TooComplex(f"The variables have more than {limit:,} values")


def _is_list_of_ids(type_: TypeNode) -> bool:
    if isinstance(type_, NonNullTypeNode):
        type_ = type_.type
    return isinstance(type_, ListTypeNode) and _type_name(type_) in {"ID", "String"}


def _type_name(type_: TypeNode) -> str:
    while isinstance(type_, ListTypeNode | NonNullTypeNode):
        type_ = type_.type
    return type_.name.value if isinstance(type_, NamedTypeNode) else ""
