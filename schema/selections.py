"""Finds what an operation selects below a field, so that only selected data is preloaded."""

from typing import Any

from graphql import FieldNode, FragmentSpreadNode

from schema.context import Info


def selects(info: Info, name: str) -> bool:
    """Whether a field of this name is selected at any depth. A false positive only costs a read."""
    raw: Any = info._raw_info  # noqa: SLF001  # `selected_fields` copies it all
    pending: list[Any] = [*raw.field_nodes]
    seen: set[str] = set()
    while pending:
        node = pending.pop()
        if isinstance(node, FragmentSpreadNode):
            if node.name.value in seen:
                continue
            seen.add(node.name.value)
            selection_set = raw.fragments[node.name.value].selection_set
        else:
            if isinstance(node, FieldNode) and node.name.value == name:
                return True
            selection_set = node.selection_set
        if selection_set is not None:
            pending.extend(selection_set.selections)
    return False
