"""Advice on an operation that costs too much: its costliest part, and the page size that fits."""

from dataclasses import replace
from typing import Any, NamedTuple

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
)

from schema.connections import DEFAULT_PAGES
from schema.errors import TooComplex
from transport.cost import Weighing, weigh
from transport.field_types import SERIES, fields_of, is_list_type, is_page

_MOST_STEPS = 50  # fragments may be cyclic, because validation comes later


class _Step(NamedTuple):
    """A field on the way to the costliest part, with its `size` if it is a page."""

    name: str
    size: int | None
    is_sized: bool


def too_costly(
    weighing: Weighing, operation: OperationDefinitionNode, cost: int, limit: int
) -> TooComplex:
    """Returns the error of an operation above the limit, with advice."""
    steps = _costliest(weighing, operation)
    message = (
        f"The operation costs {cost:,} (its fields times the page sizes around them); the maximum"
        f" is {limit:,}."
    )
    extensions: dict[str, Any] = {"cost": cost, "maximumCost": limit}
    sizes = [step.size for step in steps if step.size is not None]
    if sizes:
        last = max(index for index, step in enumerate(steps) if step.size is not None)
        extensions["path"] = [step.name for step in steps[: last + 1]]
        named = ".".join(extensions["path"])
        objects = " x ".join(f"{size:,}" for size in sizes)
        message += f" Most of it is in `{named}`: {objects} objects."
    unsized = [
        ".".join(before.name for before in steps[: index + 1])
        for index, step in enumerate(steps)
        if step.size is not None and not step.is_sized
    ]
    first, fitting = _fitting(weighing, operation, limit) if unsized else (0, 0)
    if first:
        extensions["suggestedFirst"] = first
        lists = " and ".join(f"`{name}`" for name in unsized)
        top, inside, further = DEFAULT_PAGES
        message += (
            f" Lists without `first` have {top} objects, inside a list {inside}, further inside"
            f" {further}: with `first: {first}` on {lists} it would cost {fitting:,}."
        )
    else:
        message += " Ask for smaller pages, fewer points or fewer fields there."
    return TooComplex(message, **extensions)


def _fitting(weighing: Weighing, operation: OperationDefinitionNode, limit: int) -> tuple[int, int]:
    """The largest page size with which the operation fits, and its cost then; or zeros."""
    low, high, found = 1, DEFAULT_PAGES[0] - 1, (0, 0)
    while low <= high:
        middle = (low + high) // 2
        sizes = (middle,) * len(DEFAULT_PAGES)
        cost = weigh(
            replace(weighing, default_pages=sizes, known={}, entered=set()), operation
        ).once
        if cost <= limit:
            found, low = (middle, cost), middle + 1
        else:
            high = middle - 1
    return found


def _costliest(weighing: Weighing, operation: OperationDefinitionNode) -> list[_Step]:
    """The path from the root along the costliest field of each level."""
    steps: list[_Step] = []
    parent: GraphQLNamedType | None = weighing.schema.get_root_type(operation.operation)
    selection_set: SelectionSetNode | None = operation.selection_set
    level = 0
    while selection_set is not None and len(steps) < _MOST_STEPS:
        fields = _fields(weighing, selection_set, parent)
        if not fields:
            break
        node, parent = max(
            fields, key=lambda found: sum(weighing.field(found[0], found[1], level)[:2])
        )
        definition = fields_of(parent).get(node.name.value)
        parent = get_named_type(definition.type) if definition else None
        name = (node.alias or node.name).value
        if parent is not None and is_page(parent):
            is_sized = parent.name in SERIES or weighing.given_size(node) is not None
            steps.append(_Step(name, weighing.count(node, parent, level), is_sized))
        else:
            steps.append(_Step(name, None, is_sized=False))
        level = weighing.level_below(
            level, is_list=definition is not None and is_list_type(definition.type)
        )
        selection_set = node.selection_set
    return steps


def _fields(
    weighing: Weighing, selection_set: SelectionSetNode, parent: GraphQLNamedType | None
) -> list[tuple[FieldNode, GraphQLNamedType | None]]:
    """The fields of a selection, including those in fragments."""
    found: list[tuple[FieldNode, GraphQLNamedType | None]] = []
    spread: set[str] = set()
    pending = [(selection_set, parent)]
    while pending:
        selections, on = pending.pop()
        for node in selections.selections:
            if isinstance(node, FieldNode):
                found.append((node, on))
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                inner = weighing.schema.get_type(condition.name.value) if condition else on
                pending.append((node.selection_set, inner))
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
                spread.add(node.name.value)
                fragment = weighing.fragments.get(node.name.value)
                if fragment is not None:
                    inner = weighing.schema.get_type(fragment.type_condition.name.value)
                    pending.append((fragment.selection_set, inner))
    return found
