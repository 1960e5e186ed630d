"""GraphQL's rule that fields under one response name must merge, in linear time.

graphql-core compares every pair of fields, which takes minutes for a few kilobytes of repeated
fields. Here, fields with the same response name are compared with the first of them, because "same
name, same arguments" and "same shape" are equivalences. Then their selections are merged and
checked as one. This is Simon Adameit's algorithm, which Sangria and GraphQL Java use.
https://spec.graphql.org/October2021/#sec-Field-Selection-Merging
"""

from collections.abc import Iterable
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationContext,
    ValidationRule,
    get_named_type,
    is_leaf_type,
    print_ast,
    type_from_ast,
)
from graphql.language import Node as ASTNode

from transport.field_types import fields_of


@dataclass(frozen=True, slots=True)
class _Found:
    """A field in a merged selection: its node, the type it stands on, its definition."""

    node: FieldNode
    parent: GraphQLNamedType | None
    definition: GraphQLField | None


_Selections = list[tuple[SelectionSetNode, GraphQLNamedType | None]]


class OverlappingFieldsRule(ValidationRule):
    """Reports fields that share a response name and cannot be merged."""

    context: ValidationContext

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self._arguments: dict[int, str] = {}

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        """Checks everything that an operation selects; unused fragments are errors anyway."""
        if self._has_cycle(node):
            return  # another rule refuses it
        root = self.context.schema.get_root_type(node.operation)
        pending: list[tuple[_Selections, bool]] = [([(node.selection_set, root)], True)]
        # Nested fragments are reached in many ways; one is enough.
        seen: set[tuple[bool, frozenset[tuple[int, str | None]]]] = set()
        while pending:
            selections, same_parent = pending.pop()
            merged = frozenset((id(found), on.name if on else None) for found, on in selections)
            if (same_parent, merged) in seen:
                continue
            seen.add((same_parent, merged))
            for name, group in self._by_response_name(selections).items():
                pending.extend(self._check(name, group, same_parent=same_parent))

    def _has_cycle(self, operation: OperationDefinitionNode) -> bool:
        context = self.context
        spreads = {
            fragment.name.value: [
                spread.name.value for spread in context.get_fragment_spreads(fragment.selection_set)
            ]
            for fragment in context.get_recursively_referenced_fragments(operation)
        }
        try:
            TopologicalSorter(spreads).prepare()
        except CycleError:
            return True
        return False

    def _by_response_name(self, selections: _Selections) -> dict[str, list[_Found]]:
        groups: dict[str, list[_Found]] = {}
        spread: set[str] = set()
        pending = selections[::-1]
        while pending:
            selection_set, parent = pending.pop()
            fields = fields_of(parent)
            for node in selection_set.selections:
                if isinstance(node, FieldNode):
                    name = (node.alias or node.name).value
                    found = _Found(node, parent, fields.get(node.name.value))
                    groups.setdefault(name, []).append(found)
                elif isinstance(node, FragmentSpreadNode):
                    fragment = self.context.get_fragment(node.name.value)
                    if fragment is not None and node.name.value not in spread:
                        spread.add(node.name.value)
                        condition = type_from_ast(self.context.schema, fragment.type_condition)
                        pending.append((fragment.selection_set, condition))
                elif isinstance(node, InlineFragmentNode):
                    condition = (
                        type_from_ast(self.context.schema, node.type_condition)
                        if node.type_condition
                        else parent
                    )
                    pending.append((node.selection_set, condition))
        return groups

    def _check(
        self, name: str, group: list[_Found], *, same_parent: bool
    ) -> Iterable[tuple[_Selections, bool]]:
        """Checks one group, and yields the merged selections below it."""
        if len(group) > 1:
            problem = self._shape_problem(group)
            if problem is not None:
                self._report(name, *problem)
                return
        mergers = _mergers(group) if same_parent else []
        for merger in mergers:
            problem = self._difference(merger)
            if problem is not None:
                self._report(name, *problem)
                return
        if len(mergers) == 1 and len(mergers[0]) == len(group):
            yield from _below(group, same_parent=True)
            return
        for merger in mergers:
            yield from _below(merger, same_parent=True)
        yield from _below(group, same_parent=False)

    def _shape_problem(self, group: list[_Found]) -> tuple[str, list[ASTNode]] | None:
        """Finds fields whose values could differ in shape, whatever their parent types."""
        known = [(found.node, found.definition.type) for found in group if found.definition]
        for node, type_ in known[1:]:
            first, first_type = known[0]
            if type_ is not first_type and _shape(type_) != _shape(first_type):
                reason = f"they return conflicting types '{first_type}' and '{type_}'"
                return reason, [first, node]
        return None

    def _difference(self, merger: list[_Found]) -> tuple[str, list[ASTNode]] | None:
        """Finds fields on one type that ask for different things under one name."""
        first = merger[0].node
        for found in merger[1:]:
            node = found.node
            if node.name.value != first.name.value:
                reason = f"'{first.name.value}' and '{node.name.value}' are different fields"
                return reason, [first, node]
            if self._arguments_of(node) != self._arguments_of(first):
                return "they have differing arguments", [first, node]
        return None

    def _arguments_of(self, node: FieldNode) -> str:
        if not node.arguments:
            return ""
        known = self._arguments.get(id(node))
        if known is None:
            known = self._arguments[id(node)] = "\n".join(
                sorted(print_ast(argument) for argument in node.arguments or ())
            )
        return known

    def _report(self, name: str, reason: str, nodes: list[ASTNode]) -> None:
        self.report_error(
            GraphQLError(
                f"Fields '{name}' conflict because {reason}."
                " Use different aliases on the fields to fetch both if this was intentional.",
                nodes,
            )
        )


def _below(group: list[_Found], *, same_parent: bool) -> Iterable[tuple[_Selections, bool]]:
    selections: _Selections = [
        (
            found.node.selection_set,
            get_named_type(found.definition.type) if found.definition else None,
        )
        for found in group
        if found.node.selection_set is not None
    ]
    if selections:
        yield selections, same_parent


def _mergers(group: list[_Found]) -> list[list[_Found]]:
    """Groups the fields that one object can have: by its type, with those on abstract types."""
    by_object: dict[str, list[_Found]] = {}
    anywhere: list[_Found] = []
    for found in group:
        if isinstance(found.parent, GraphQLObjectType):
            by_object.setdefault(found.parent.name, []).append(found)
        else:
            anywhere.append(found)
    if not by_object:
        return [anywhere]
    return [anywhere + fields for fields in by_object.values()]


def _shape(type_: Any) -> tuple[str, ...]:
    """Returns what must be equal: the lists and non-nulls around a type, and a leaf's name."""
    wrappers = []
    while isinstance(type_, GraphQLList | GraphQLNonNull):
        wrappers.append("!" if isinstance(type_, GraphQLNonNull) else "[")
        type_ = type_.of_type
    return (*wrappers, type_.name if is_leaf_type(type_) else "{}")
