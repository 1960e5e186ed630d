"""How long the lists of introspection are, so that what asks for them is weighed as what it is."""

from collections.abc import Mapping
from functools import lru_cache

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
)

# Wrapped types are mostly one level deep: queries ask for nine, and get null.
OF_TYPE = 0.5

ROOTS = {"__schema": "__Schema", "__type": "__Type"}


@lru_cache(maxsize=8)
def introspection_sizes(schema: GraphQLSchema) -> Mapping[str, float]:
    """The length of each list by its field's name: of the schema, or on average of a type."""
    types = list(schema.type_map.values())
    fields = inputs = members = arguments = 0
    for type_ in types:
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            fields += len(type_.fields)
            arguments += sum(len(field.args) for field in type_.fields.values())
        elif isinstance(type_, GraphQLInputObjectType):
            inputs += len(type_.fields)
        elif isinstance(type_, GraphQLEnumType):
            members += len(type_.values)
    return {
        "types": len(types),
        "directives": len(schema.directives),
        "fields": fields / len(types),
        "inputFields": inputs / len(types),
        "enumValues": members / len(types),
        "args": arguments / max(fields, 1),
        "ofType": OF_TYPE,
    }
