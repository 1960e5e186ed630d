"""Computes the cost of an operation in linear time, before graphql-core validates it.

Every selected field or spread costs 1, and a scan hundreds. Selections on a list are multiplied by
its page size (a series: by its points; introspection: by the list's length). A page without a size
is smaller inside a list. A fragment is weighed once for each default size, however often it is
spread, with one number for fields selected once and one for fields selected per object of a page.
So a kilobyte of nested fragments takes a millisecond, and so does its nesting. Some of
graphql-core's rules take more than linear time; documents that pass here are small.
"""

from collections.abc import Callable, Mapping
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
    GraphQLNamedType,
    GraphQLSchema,
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
from metering.usage.preview_series import PREVIEW_POINTS
from schema.connections import DEFAULT_PAGES, MAX_PAGE
from schema.errors import TooComplex
from transport.field_types import SERIES, fields_of, is_list_type, is_page
from transport.introspection_cost import ROOTS, introspection_cost
from transport.scan_costs import scan_cost

UNPAGED_LIST = 10  # the assumed length of a list without pages
SERIES_OF_CUSTOMER = "CustomerSeries"  # a list of these has the arguments of a series
PREVIEW = "MeterPreview"  # a series inside it has the preview's range
FILTER_NODES = "MeterFilterNode"
_CLAUSES = 2
RATING = 10  # rating units at a price of a hundred tiers takes as long as reading ten fields
_LENGTHS = {
    "HOUR": timedelta(hours=1),
    "DAY": timedelta(days=1),
    "WEEK": timedelta(weeks=1),
    "MONTH": timedelta(days=28),
    "YEAR": timedelta(days=365),
}
_CAP = 10**12  # the highest cost, so that costs stay machine integers


class Weight(NamedTuple):
    """The cost of a selection: `once`, and `each` for every object of the page around it."""

    once: int
    each: int
    depth: int


class Size(NamedTuple):
    """A method of Weighing that reads a size from variables."""

    of: Callable[..., int]
    arguments: tuple[Any, ...]


_NOTHING = Weight(0, 0, 0)


@dataclass
class Weighing:
    """Weighs one operation.

    `default_pages` are the sizes of pages without one, by the number of lists around them; the last
    is for all deeper levels. `defaults` are the document's values for missing variables.
    """

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    defaults: Mapping[str, ConstValueNode]
    default_pages: tuple[int, ...] = DEFAULT_PAGES
    known: dict[tuple[str, int], Weight] = field(default_factory=dict)
    entered: set[str] = field(default_factory=set)
    sizes: list["Size"] = field(default_factory=list)
    variables_read: int = 0

    def size(self, of: Callable[..., int], *arguments: Any) -> int:
        """Reads a size from the arguments of a field, and notes it if it is up to variables."""
        before = self.variables_read
        found = of(self, *arguments)
        if self.variables_read != before:
            self.sizes.append(Size(of, arguments))
        return found

    def selection(
        self,
        selection_set: SelectionSetNode | None,
        parent: GraphQLNamedType | None,
        level: int = 0,
    ) -> Weight:
        """Weighs what is selected on a type, inside `level` lists."""
        once = each = depth = 0
        for node in selection_set.selections if selection_set else ():
            if isinstance(node, FieldNode):
                weight = self.field(node, parent, level)
            elif isinstance(node, FragmentSpreadNode):
                weight = self.fragment(node.name.value, level)
                once += 1  # spreads alone are not free
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
        """Weighs a fragment, once for each level."""
        if name in self.entered:
            return _NOTHING  # a cycle, which validation refuses
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

    def field(  # one for each way of repeating a field
        self, node: FieldNode, parent: GraphQLNamedType | None, level: int = 0
    ) -> Weight:
        """Weighs a field inside `level` lists, with what is selected below it."""
        definition = fields_of(parent).get(node.name.value)
        named = get_named_type(definition.type) if definition else None
        if node.name.value in ROOTS:
            named = self.schema.get_type(ROOTS[node.name.value])
        is_list = definition is not None and is_list_type(definition.type)
        inner = self.selection(node.selection_set, named, self.level_below(level, is_list=is_list))
        scan = self.size(Weighing.scan, node, parent, named)
        inner, depth = inner._replace(once=inner.once + scan), inner.depth + 1
        if node.name.value in ROOTS or (parent is not None and parent.name.startswith("__")):
            once, each = introspection_cost(self.schema, node.name.value, inner.once, inner.each)
            return Weight(min(_CAP, once), min(_CAP, each), depth)
        if named is not None and is_page(named):
            if parent is not None and parent.name == SERIES_OF_CUSTOMER:
                return Weight(1 + inner.once, inner.each, depth)
            is_chart = parent is not None and parent.name == PREVIEW and named.name in SERIES
            count = PREVIEW_POINTS if is_chart else self.size(Weighing.count, node, named, level)
            return Weight(min(_CAP, 1 + inner.once + count * inner.each), 0, depth)
        if named is not None and named.name in SERIES_OF_CUSTOMER:
            points = self.size(Weighing.points, node)
            inner = inner._replace(each=min(_CAP, points * inner.each))
        # Outside a connection, `each` belongs to no page and counts once.
        cost = min(_CAP, inner.once + inner.each)
        if named is None or not is_list or node.selection_set is None:
            return Weight(1 + cost, 0, depth)
        if parent is not None and is_page(parent):
            return Weight(1 + scan, cost - scan, depth)
        # The clauses of filters are few.
        size = _CLAUSES
        if named.name != FILTER_NODES:
            size = self.size(Weighing.list_size, node)
        return Weight(min(_CAP, 1 + scan + size * (cost - scan)), 0, depth)

    def scan(
        self, node: FieldNode, parent: GraphQLNamedType | None, named: GraphQLNamedType | None
    ) -> int:
        """Returns what a field costs as a scan."""
        return scan_cost(node, parent, named, self.given)

    def level_below(self, level: int, *, is_list: bool) -> int:
        """The level below a field, up to the last one with a size of its own."""
        return min(level + is_list, len(self.default_pages) - 1)

    def count(self, node: FieldNode, named: GraphQLNamedType, level: int) -> int:
        """Returns the most objects of a page, or the points of a series."""
        if named.name in SERIES:
            return self.points(node)
        size = self.given_size(node)
        return self.default_pages[level] if size is None else size

    def given_size(self, node: FieldNode) -> int | None:
        """Returns the size in the arguments of a page; None if there is none."""
        for argument in node.arguments or ():
            if argument.name.value in {"first", "last"}:
                size = self.value(argument.value)
                if isinstance(size, int):
                    return min(max(size, 1), MAX_PAGE)
        return None

    def points(self, node: FieldNode) -> int:
        """Estimates the number of points of a series."""
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        try:
            start, end = (self.instant(given[name]) for name in ("start", "end"))
            length = _LENGTHS[self.value(given["interval"])]
        except (KeyError, ValueError, TypeError):
            return DEFAULT_PAGES[0]  # coercion will refuse them
        return max(1, -((start - end) // length))

    def instant(self, node: Node) -> datetime:
        """Reads the instant of an argument; raises ValueError if it is not one."""
        return parse_instant(self.value(node))

    def list_size(self, node: FieldNode) -> int:
        """The assumed length of a list without pages."""
        for argument in node.arguments or ():
            if argument.name.value in {"ids", "meterIds"}:
                ids = self.value(argument.value)
                if isinstance(ids, list):
                    return len(ids)
                return 1 if argument.name.value == "ids" else UNPAGED_LIST
            if argument.name.value == "units":
                units = self.value(argument.value)
                return RATING * (len(units) if isinstance(units, list) else 1)
        return self.given_size(node) or UNPAGED_LIST

    def given(self, node: Node) -> Any:
        """Replaces a variable by its sent value or its default; other nodes stay unchanged."""
        if not isinstance(node, VariableNode):
            return node
        self.variables_read += 1
        name = node.name.value
        return self.variables[name] if name in self.variables else self.defaults.get(name)

    def value(self, node: Node) -> Any:
        """Returns the value of an argument, as far as it matters to the cost."""
        if isinstance(node, VariableNode):
            found = self.given(node)
            return self.value(found) if isinstance(found, Node) else found
        if isinstance(node, IntValueNode):
            return int(node.value) if len(node.value) < 10 else MAX_PAGE
        if isinstance(node, StringValueNode | EnumValueNode):
            return node.value
        return list(node.values) if isinstance(node, ListValueNode) else None


def weigh(weighing: Weighing, operation: OperationDefinitionNode) -> Weight:
    """Computes the cost (in `once`) and the depth of an operation."""
    root = weighing.schema.get_root_type(operation.operation)
    try:
        weight = weighing.selection(operation.selection_set, root)
    except RecursionError:
        raise TooComplex("The operation is nested too deeply") from None
    return Weight(weight.once + weight.each, 0, weight.depth)


@lru_cache(maxsize=8)
def cost_of_introspection(schema: GraphQLSchema) -> int:
    """Returns the cost of the usual query for the whole schema, plus a quarter for similar ones."""
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
    """Prepares to weigh one operation of a document."""
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
