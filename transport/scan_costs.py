"""Finds the fields of an operation that are scans (see `schema.scans`), for its cost."""

from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    FieldNode,
    GraphQLNamedType,
    NullValueNode,
    ObjectValueNode,
    ValueNode,
)

SCAN_COST = 500
_EVENTS = "EventConnection"
_SCANS = {
    ("Query", "meterPreview"),
    ("MeterPreview", "quantities"),
    ("Meter", "topCustomers"),
    ("MeterQuantities", "groups"),
    ("LineExplanation", "matchedEvents"),
    ("Revenue", "upcoming"),
}


def scan_cost(
    node: FieldNode,
    parent: GraphQLNamedType | None,
    named: GraphQLNamedType | None,
    given: Callable[[ValueNode], Any],
) -> int:
    """Returns the cost of a field as a scan; 0 if it is not one.

    Args:
        node: the field.
        parent: the type that it is selected on.
        named: the type that it has.
        given: replaces a variable by its value.
    """
    name = node.name.value
    owner = None if parent is None else parent.name
    result = None if named is None else named.name
    is_scan = (
        (owner, name) in _SCANS
        or (owner == _EVENTS and name == "totalCount")
        or (
            result == _EVENTS
            and (owner in {"MeterPreview", "InvoiceLine"} or _has_where(node, given))
        )
    )
    return SCAN_COST if is_scan else 0


def _has_where(node: FieldNode, given: Callable[[ValueNode], Any]) -> bool:
    for argument in node.arguments or ():
        if argument.name.value == "filter":
            filter_ = given(argument.value)
            if isinstance(filter_, Mapping):  # from a variable
                return filter_.get("where") is not None
            fields = filter_.fields if isinstance(filter_, ObjectValueNode) else ()
            for field in fields:
                if field.name.value == "where":
                    where = given(field.value)
                    return where is not None and not isinstance(where, NullValueNode)
    return False
