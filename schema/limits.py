"""What an operation may cost: one linear rule, asked before graphql-core's own rules.

Every selected field or spread costs 1; what is selected of a list costs its page size times as
much. Introspection counts every field once. A fragment is weighed once however often it is
spread, as a number for what is selected once and one for what is selected per object of a page,
so that a kilobyte of nested fragments is weighed in a millisecond. So is its nesting.

graphql-core's validation has quadratic rules, so this runs first: what passes is small.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)
from graphql.language import Node

from schema.connections import DEFAULT_PAGE, MAX_PAGE
from schema.errors import TooComplex

UNPAGED_LIST = 10  # what a list without a page size is taken to hold
_CAP = 10**12  # costs saturate here, so that they stay machine integers


@dataclass(frozen=True)
class Limits:
    """The most that a document and an operation may be."""

    cost: int = 20_000
    depth: int = 20
    tokens: int = 10_000
    operations: int = 20
    directives: int = 200
    selections: int = 2_000


class Weight(NamedTuple):
    """What a selection costs: `once`, and `each` for every object of the page around it."""

    once: int
    each: int
    depth: int


_NOTHING = Weight(0, 0, 0)


@dataclass
class _Weighing:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    known: dict[str, Weight] = field(default_factory=dict)

    def selection(
        self, selection_set: SelectionSetNode | None, parent: GraphQLNamedType | None
    ) -> Weight:
        once = each = depth = 0
        for node in selection_set.selections if selection_set else ():
            if isinstance(node, FieldNode):
                weight = self.field(node, parent)
            elif isinstance(node, FragmentSpreadNode):
                weight = self.fragment(node.name.value)
                once += 1  # fragments without an end but full of spreads are not free
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                inner = self.schema.get_type(condition.name.value) if condition else parent
                weight = self.selection(node.selection_set, inner)
            else:
                continue
            once = min(_CAP, once + weight.once)
            each = min(_CAP, each + weight.each)
            depth = max(depth, weight.depth)
        return Weight(once, each, depth)

    def fragment(self, name: str) -> Weight:
        if name not in self.known:
            self.known[name] = _NOTHING  # a cycle ends here; validation refuses it by name
            fragment = self.fragments.get(name)
            if fragment is not None:
                condition = self.schema.get_type(fragment.type_condition.name.value)
                self.known[name] = self.selection(fragment.selection_set, condition)
        return self.known[name]

    def field(self, node: FieldNode, parent: GraphQLNamedType | None) -> Weight:
        fields = (
            parent.fields if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else {}
        )
        definition = fields.get(node.name.value)
        named = get_named_type(definition.type) if definition else None
        inner = self.selection(node.selection_set, named)
        depth = inner.depth + 1
        if named is not None and named.name.endswith("Connection"):
            size = self.page_size(node)
            return Weight(min(_CAP, 1 + inner.once + size * inner.each), 0, depth)
        # Outside its connection, `each` belongs to no page: it counts once.
        cost = min(_CAP, inner.once + inner.each)
        if definition is None or not _is_list(definition.type) or named is None:
            return Weight(1 + cost, 0, depth)
        if node.selection_set is None or named.name.startswith("__"):
            return Weight(1 + cost, 0, depth)
        if parent is not None and parent.name.endswith("Connection"):
            return Weight(1, cost, depth)
        return Weight(min(_CAP, 1 + self.list_size(node) * cost), 0, depth)

    def page_size(self, node: FieldNode) -> int:
        for argument in node.arguments or ():
            if argument.name.value in {"first", "last"}:
                size = self.value(argument.value)
                if isinstance(size, int):
                    return min(max(size, 1), MAX_PAGE)
        return DEFAULT_PAGE

    def list_size(self, node: FieldNode) -> int:
        for argument in node.arguments or ():
            if argument.name.value == "ids":
                ids = self.value(argument.value)
                return len(ids) if isinstance(ids, list) else 1
        return UNPAGED_LIST

    def value(self, node: Node) -> Any:
        if isinstance(node, VariableNode):
            return self.variables.get(node.name.value)
        if isinstance(node, IntValueNode):
            return int(node.value) if len(node.value) < 10 else MAX_PAGE
        return list(node.values) if isinstance(node, ListValueNode) else None


def _is_list(type_: Any) -> bool:
    if isinstance(type_, GraphQLNonNull):
        type_ = type_.of_type
    return isinstance(type_, GraphQLList)


def weigh(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any] | None,
) -> Weight:
    """The cost (in `once`) and depth of one operation of a document."""
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    weighing = _Weighing(schema, fragments, _with_defaults(operation, variables or {}))
    root = schema.get_root_type(operation.operation)
    try:
        weight = weighing.selection(operation.selection_set, root)
    except RecursionError:
        raise TooComplex("The operation is nested too deeply") from None
    return Weight(weight.once + weight.each, 0, weight.depth)


def _with_defaults(
    operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> Mapping[str, Any]:
    defaults = {
        definition.variable.name.value: int(definition.default_value.value)
        for definition in operation.variable_definitions or ()
        if isinstance(definition.default_value, IntValueNode)
        and len(definition.default_value.value) < 10
    }
    return {**defaults, **variables} if defaults else variables


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
            raise TooComplex(f"The document has {count:,} {name}; allowed are {limit:,}")


def check_weight(weight: Weight, limits: Limits) -> None:
    """Raises TooComplex for an operation that costs too much or is nested too deeply."""
    if weight.depth > limits.depth:
        raise TooComplex(
            f"The operation nests {weight.depth} fields; allowed are {limits.depth}",
            depth=weight.depth,
            maximumDepth=limits.depth,
        )
    if weight.once > limits.cost:
        raise TooComplex(
            f"The operation costs {weight.once:,} (its fields times the page sizes around them); "
            f"allowed are {limits.cost:,}. Ask for smaller pages or fewer fields.",
            cost=weight.once,
            maximumCost=limits.cost,
        )
