"""Plans: what all runs of an operation have in common.

Clients repeat a few documents. graphql-core finds the operation, its fragments and the signatures
of its variables in every run, and collects the selected fields again. A plan keeps them. It belongs
to a remembered document (see `transport.documents`), and is forgotten with it.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    VariableDefinitionNode,
    VariableNode,
    get_operation_ast,
    is_non_null_type,
)
from graphql.execution.collect_fields import (
    CollectedFields,
    FieldDetailsList,
    FragmentDetails,
    GroupedFieldSet,
)
from graphql.execution.get_variable_signature import (
    GraphQLVariableSignature,
    get_variable_signature,
)
from graphql.execution.values import (
    VariableValues,
    VariableValueSource,
    input_is_nested_too_deeply,
    maybe_use_default_value,
)
from graphql.utilities.coerce_input_value import coerce_input_value

EXTENSION = "metergraph.plans"
"""The extension of a GraphQLSchema with its `Plans`."""

# In a process. One may take half a megabyte, and a document with many @skip and @include has one
# for each combination of their values.
MOST_SHAPES = 500


Values = tuple[Any, ...]
"""The values of the variables in @skip and @include."""


@dataclass(slots=True)
class Shape:
    """What an operation selects, given the values of its @skip and @include.

    Args:
        root: the fields of the operation itself; None until its first run.
        below: the fields below a list of merged fields, on a type. The list is referenced, so that
            no other list gets its id.
        kept: what an executor keeps about the selections, by their ids.
    """

    root: GroupedFieldSet | None = None
    below: dict[tuple[GraphQLObjectType, int], tuple[FieldDetailsList, CollectedFields]] = field(
        default_factory=dict
    )
    kept: dict[int, Any] = field(default_factory=dict)


class Plan:
    """The plan of one operation. Its variables have known types, as in any valid document.

    `made` is told of each new shape.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        made: Callable[["Plan", Values], None],
    ) -> None:
        self.schema = schema
        self.document = document
        self.operation = operation
        self.fragment_definitions = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self.fragments = {
            name: FragmentDetails(definition, None)
            for name, definition in self.fragment_definitions.items()
        }
        self._signatures = [
            (definition, _signature(schema, definition))
            for definition in operation.variable_definitions or ()
        ]
        self._conditions = sorted(_conditions(operation, *self.fragment_definitions.values()))
        self._shapes: dict[Values, Shape] = {}
        self._made = made

    def shape(self, variables: Mapping[str, Any]) -> Shape:
        """Returns what the operation selects, given its coerced variables."""
        values = tuple(variables.get(name) for name in self._conditions)
        found = self._shapes.get(values)
        if found is None:
            found = self._shapes[values] = Shape()
            self._made(self, values)
        return found

    def forget(self, values: Values) -> None:
        """Drops a shape."""
        del self._shapes[values]

    def variables(self, sent: Mapping[str, Any]) -> VariableValues | None:
        """Coerces variables; None if any is invalid, which graphql-core then reports."""
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for definition, signature in self._signatures:
            name = signature.name
            value = sent.get(name, Undefined)
            if value is Undefined:
                sources[name] = VariableValueSource(signature)
                if definition.default_value:
                    try:
                        maybe_use_default_value(coerced, name, signature, _refuse)
                    except GraphQLError:
                        return None
                elif is_non_null_type(signature.type):
                    return None
                continue
            sources[name] = VariableValueSource(signature, value)
            if input_is_nested_too_deeply(value, signature.type):
                return None
            found = coerce_input_value(value, signature.type)
            if found is Undefined:
                return None
            coerced[name] = found
        return VariableValues(sources, coerced)


class Plans:
    """The plans of the documents that a process remembers."""

    def __init__(self) -> None:
        # By the ids of documents, which are kept alive meanwhile.
        self._plans: dict[int, tuple[DocumentNode, dict[str | None, Plan]]] = {}
        self._shapes: deque[tuple[Plan, Values]] = deque()

    def remember(self, document: DocumentNode) -> None:
        """Keeps the plans of a valid document from now on."""
        self._plans[id(document)] = document, {}

    def forget(self, document: DocumentNode) -> None:
        """Drops the plans of a document."""
        del self._plans[id(document)]
        self._shapes = deque(shape for shape in self._shapes if shape[0].document is not document)

    def find(
        self, schema: GraphQLSchema, document: DocumentNode, operation_name: str | None
    ) -> Plan | None:
        """Returns the plan of an operation; None if the document is not remembered.

        It is also None if the document has no such operation, or several and none is named.
        """
        _, plans = self._plans.get(id(document), (None, None))
        if plans is None:
            return None
        plan = plans.get(operation_name)
        if plan is None:
            operation = get_operation_ast(document, operation_name)
            if operation is not None:
                plan = Plan(schema, document, operation, self._made)
                plans[operation_name] = plan
        return plan

    def _made(self, plan: Plan, values: Values) -> None:
        """Counts a shape; beyond the bound, the oldest is made again when it is needed."""
        self._shapes.append((plan, values))
        if len(self._shapes) > MOST_SHAPES:
            oldest, its_values = self._shapes.popleft()
            oldest.forget(its_values)


def _signature(
    schema: GraphQLSchema, definition: VariableDefinitionNode
) -> GraphQLVariableSignature:
    signature = get_variable_signature(schema, definition)
    if isinstance(signature, GraphQLError):
        raise signature
    return signature


def _refuse(error: GraphQLError, _path: list[str | int]) -> None:
    raise error


def _conditions(*definitions: Any) -> set[str]:
    """Returns the variables that decide what is selected: those of @skip and @include."""
    names = set()
    pending = list(definitions)
    while pending:
        node = pending.pop()
        for directive in node.directives or ():
            for argument in directive.arguments or ():
                if isinstance(argument.value, VariableNode):
                    names.add(argument.value.name.value)
        selected = getattr(node, "selection_set", None)
        if selected is not None:
            pending.extend(selected.selections)
    return names
