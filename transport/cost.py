"""What an operation costs: one linear rule, asked before graphql-core's own rules.

Every selected field or spread costs 1, and a scan hundreds; what is selected of a list costs its
page size (a series: its points; introspection: how long the list is) times as much. A page that
says no size is smaller inside a list. A fragment is weighed once for each default size, however
often it is spread, as a number for what is selected once and one for what is selected per object of
a page, so that a kilobyte of nested fragments is weighed in a millisecond. So is its nesting.
graphql-core's validation has rules that are worse than linear: what passes here is small.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from graphql import (
    ConstValueNode,
    DocumentNode,
    EnumValueNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    VariableNode,
    get_introspection_query,
    get_named_type,
    get_operation_ast,
    parse,
)
from graphql.language import Node

from metering.language.instants import parse_instant
from schema.connections import DEFAULT_PAGES, MAX_PAGE
from schema.errors import TooComplex
from transport.introspection_cost import ROOTS, introspection_cost
from transport.scan_costs import scan_cost

UNPAGED_LIST = 10  # what a list without a page size is taken to hold
_CLAUSES = 2
_LENGTHS = {
    "HOUR": timedelta(hours=1),
    "DAY": timedelta(days=1),
    "WEEK": timedelta(weeks=1),
    "MONTH": timedelta(days=28),
    "YEAR": timedelta(days=365),
}
_CAP = 10**12  # costs saturate here, so that they stay machine integers


class Weight(NamedTuple):
    """What a selection costs: `once`, and `each` for every object of the page around it."""

    once: int
    each: int
    depth: int


_NOTHING = Weight(0, 0, 0)


@dataclass
class Weighing:
    """The weighing of one operation.

    `default_pages` are the sizes of pages that say none, by their level: the number of lists that
    they are inside of, of which the last one stands for all that are deeper.
    `defaults` are the values that the document gives variables which the caller leaves out.
    """

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    defaults: Mapping[str, ConstValueNode]
    default_pages: tuple[int, ...] = DEFAULT_PAGES
    known: dict[tuple[str, int], Weight] = field(default_factory=dict)
    entered: set[str] = field(default_factory=set)

    def selection(
        self,
        selection_set: SelectionSetNode | None,
        parent: GraphQLNamedType | None,
        level: int = 0,
    ) -> Weight:
        """What is selected on a type, inside so many lists."""
        once = each = depth = 0
        for node in selection_set.selections if selection_set else ():
            if isinstance(node, FieldNode):
                weight = self.field(node, parent, level)
            elif isinstance(node, FragmentSpreadNode):
                weight = self.fragment(node.name.value, level)
                once += 1  # fragments without an end but full of spreads are not free
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                inner = self.schema.get_type(condition.name.value) if condition else parent
                weight = self.selection(node.selection_set, inner, level)
            else:
                continue
            once = min(_CAP, once + weight.once)
            each = min(_CAP, each + weight.each)
            depth = max(depth, weight.depth)
        return Weight(once, each, depth)

    def fragment(self, name: str, level: int) -> Weight:
        """A fragment, which is looked at once for each level."""
        if name in self.entered:
            return _NOTHING  # a cycle ends here; validation refuses it by name
        key = (name, level)
        if key not in self.known:
            self.known[key] = _NOTHING
            fragment = self.fragments.get(name)
            if fragment is not None:
                condition = self.schema.get_type(fragment.type_condition.name.value)
                self.entered.add(name)
                self.known[key] = self.selection(fragment.selection_set, condition, level)
                self.entered.remove(name)
        return self.known[key]

    def field(self, node: FieldNode, parent: GraphQLNamedType | None, level: int = 0) -> Weight:
        """A field, inside so many lists, with what is selected below it."""
        fields = (
            parent.fields if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else {}
        )
        definition = fields.get(node.name.value)
        named = get_named_type(definition.type) if definition else None
        if node.name.value in ROOTS:
            named = self.schema.get_type(ROOTS[node.name.value])
        is_list = definition is not None and is_list_type(definition.type)
        inner = self.selection(node.selection_set, named, self.level_below(level, is_list=is_list))
        inner = inner._replace(once=inner.once + scan_cost(node, parent, named, self.given))
        depth = inner.depth + 1
        if node.name.value in ROOTS or (parent is not None and parent.name.startswith("__")):
            once, each = introspection_cost(self.schema, node.name.value, inner.once, inner.each)
            return Weight(min(_CAP, once), min(_CAP, each), depth)
        if named is not None and is_page(named):
            is_series = named.name == "MeterQuantities"
            count = self.points(node) if is_series else self.page_size(node, level)
            return Weight(min(_CAP, 1 + inner.once + count * inner.each), 0, depth)
        # Outside its connection, `each` belongs to no page: it counts once.
        cost = min(_CAP, inner.once + inner.each)
        if named is None or not is_list or node.selection_set is None:
            return Weight(1 + cost, 0, depth)
        if parent is not None and is_page(parent):
            return Weight(1, cost, depth)
        if isinstance(named, GraphQLUnionType):  # the clauses of filters, which are few
            return Weight(min(_CAP, 1 + _CLAUSES * cost), 0, depth)
        return Weight(min(_CAP, 1 + self.list_size(node) * cost), 0, depth)

    def level_below(self, level: int, *, is_list: bool) -> int:
        """The level of what is selected of a field, as far as levels differ."""
        return min(level + is_list, len(self.default_pages) - 1)

    def page_size(self, node: FieldNode, level: int) -> int:
        """How many objects a page will have at most."""
        size = self.given_size(node)
        return self.default_pages[level] if size is None else size

    def given_size(self, node: FieldNode) -> int | None:
        """The size of a page as its arguments have it; None where they do not."""
        for argument in node.arguments or ():
            if argument.name.value in {"first", "last"}:
                size = self.value(argument.value)
                if isinstance(size, int):
                    return min(max(size, 1), MAX_PAGE)
        return None

    def points(self, node: FieldNode) -> int:
        """How many points a series will have, about."""
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        try:
            start, end = (self.instant(given[name]) for name in ("start", "end"))
            length = _LENGTHS[self.value(given["interval"])]
        except (KeyError, ValueError, TypeError):
            return DEFAULT_PAGES[0]  # which its coercion will refuse
        return max(1, -((start - end) // length))

    def instant(self, node: Node) -> datetime:
        """The instant of an argument; raises ValueError where it is none."""
        return parse_instant(self.value(node))

    def list_size(self, node: FieldNode) -> int:
        """How many objects a list without pages is taken to have."""
        for argument in node.arguments or ():
            if argument.name.value == "ids":
                ids = self.value(argument.value)
                return len(ids) if isinstance(ids, list) else 1
        return UNPAGED_LIST

    def given(self, node: Node) -> Any:
        """What is sent for a variable, or its default in the document; any other node itself."""
        if not isinstance(node, VariableNode):
            return node
        name = node.name.value
        return self.variables[name] if name in self.variables else self.defaults.get(name)

    def value(self, node: Node) -> Any:
        """The value of an argument, where it can matter to the cost."""
        if isinstance(node, VariableNode):
            found = self.given(node)
            return self.value(found) if isinstance(found, Node) else found
        if isinstance(node, IntValueNode):
            return int(node.value) if len(node.value) < 10 else MAX_PAGE
        if isinstance(node, StringValueNode | EnumValueNode):
            return node.value
        return list(node.values) if isinstance(node, ListValueNode) else None


def is_page(type_: GraphQLNamedType) -> bool:
    """Whether what is selected of a type is so for many objects: a page, or a series."""
    return type_.name.endswith("Connection") or type_.name == "MeterQuantities"


def is_list_type(type_: Any) -> bool:
    """Whether a field of this type gives a list."""
    if isinstance(type_, GraphQLNonNull):
        type_ = type_.of_type
    return isinstance(type_, GraphQLList)


def weigh(weighing: Weighing, operation: OperationDefinitionNode) -> Weight:
    """The cost (in `once`) and depth of an operation."""
    root = weighing.schema.get_root_type(operation.operation)
    try:
        weight = weighing.selection(operation.selection_set, root)
    except RecursionError:
        raise TooComplex("The operation is nested too deeply") from None
    return Weight(weight.once + weight.each, 0, weight.depth)


@lru_cache(maxsize=8)
def cost_of_introspection(schema: GraphQLSchema) -> int:
    """What the usual query for the whole schema costs, and a quarter more for others like it."""
    document = parse(
        get_introspection_query(
            specified_by_url=True,
            directive_is_repeatable=True,
            schema_description=True,
            input_value_deprecation=True,
            one_of=True,
        )
    )
    operation: Any = get_operation_ast(document)
    return weigh(weighing_of(schema, document, operation, None), operation).once * 5 // 4


def weighing_of(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any] | None,
) -> Weighing:
    """The weighing of one operation of a document."""
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    defaults = {
        definition.variable.name.value: definition.default_value
        for definition in operation.variable_definitions or ()
        if definition.default_value is not None
    }
    return Weighing(schema, fragments, variables or {}, defaults)
