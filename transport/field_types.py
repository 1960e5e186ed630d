"""What a field's type says about how often its selection is repeated."""

from collections.abc import Mapping
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
)

SERIES = {"MeterQuantities", "Revenue"}


def is_page(type_: GraphQLNamedType) -> bool:
    """Whether a type is a page or a series, whose selections count for each object."""
    return type_.name.endswith("Connection") or type_.name in SERIES


def fields_of(type_: GraphQLNamedType | None) -> Mapping[str, GraphQLField]:
    """Returns the fields of an object type or an interface; none for other types."""
    return type_.fields if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) else {}


def is_list_type(type_: Any) -> bool:
    """Whether a field of this type returns a list."""
    if isinstance(type_, GraphQLNonNull):
        type_ = type_.of_type
    return isinstance(type_, GraphQLList)
