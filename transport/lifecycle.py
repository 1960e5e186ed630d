"""Parses and weighs an operation within limits, before it is validated.

This is a Strawberry extension; each operation gets its own.
"""

from collections.abc import Iterator
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    NameNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_operation_ast,
)
from strawberry.extensions import SchemaExtension

from schema.context import Context
from schema.errors import BadUserInput, Unauthenticated
from transport.cost import cost_of_introspection, weigh, weighing_of
from transport.cost_advice import too_costly
from transport.documents import Documents
from transport.limits import check_depth, check_values


class Lifecycle(SchemaExtension):
    """Parses through `documents`, and refuses what costs too much before validating it."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self.refused: GraphQLError | None = None
        self.cost: int | None = None

    def on_parse(self) -> Iterator[None]:
        """Parses within the limits.

        An error is kept for `on_validate`, because one raised here would end a WebSocket's
        operation without an answer. Until then, a stand-in replaces the document.
        """
        context = self.execution_context
        if context.query and context.graphql_document is None:
            try:
                caller: Context = context.context
                context.graphql_document = self.documents.parse(
                    context.query, anonymous=caller.caller is None
                )
            except GraphQLError as error:
                self.refused = error
                context.graphql_document = _stand_in(context.operation_name)
        yield

    def on_validate(self) -> Iterator[None]:
        """Weighs the operation, then validates the document."""
        context = self.execution_context
        if context.pre_execution_errors is None:
            try:
                context.pre_execution_errors = self._check()
            except GraphQLError as error:
                context.pre_execution_errors = [error]
        yield

    def _check(self) -> list[GraphQLError]:
        if self.refused is not None:
            return [self.refused]
        context = self.execution_context
        document = context.graphql_document
        if document is None:  # without a query, which Strawberry has refused
            return []
        operation = get_operation_ast(document, context._provided_operation_name)  # noqa: SLF001  # `operation_name` would fall back on the first
        if operation is None:
            return [BadUserInput("Name one of the document's operations in `operationName`")]
        schema = context.schema._schema  # noqa: SLF001  # Strawberry offers no other way
        limits = self.documents.limits
        weighing = weighing_of(schema, document, operation, context.variables)
        weight = weigh(weighing, operation)
        if operation.operation is not OperationType.SUBSCRIPTION:  # each update would repeat it
            self.cost = weight.once
        check_depth(weight, limits)
        if weight.once > limits.cost:
            raise too_costly(weighing, operation, weight.once, limits.cost)
        if context.context.caller is None and weight.once > cost_of_introspection(schema):
            raise Unauthenticated(
                "Without a token, an operation may cost no more than a query for the schema"
            )
        check_values(operation, context.variables, limits)
        return self.documents.validate(context.query or "", schema, document)

    def get_results(self) -> dict[str, Any]:
        """Adds the cost and its limit to the response's `extensions`."""
        if self.cost is None:
            return {}
        return {"cost": {"requested": self.cost, "maximum": self.documents.limits.cost}}


def _stand_in(operation_name: str | None) -> DocumentNode:
    return DocumentNode(
        definitions=(
            OperationDefinitionNode(
                operation=OperationType.QUERY,
                name=NameNode(value=operation_name) if operation_name else None,
                variable_definitions=(),
                directives=(),
                selection_set=SelectionSetNode(selections=()),
            ),
        )
    )
