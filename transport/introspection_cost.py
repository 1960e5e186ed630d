"""The cost of introspection, from the lengths of the schema's lists.

`__schema { types }` lists every type once, so the average type counts. Elsewhere the client chooses
the type, by its name or by what leads to it, and may choose the longest again and again. So a
selection on a type has two costs: `once` for the average type, and `each` for the longest.
"""

from collections.abc import Mapping
from functools import lru_cache
from math import ceil
from typing import NamedTuple

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    is_abstract_type,
)

ROOTS = {"__schema": "__Schema", "__type": "__Type"}

# Of what a field of data takes. The whole schema must cost less than the limit, two of them more.
_OF_A_FIELD = 0.7
# Most types are wrapped once; queries ask for nine levels and get null.
_OF_TYPE = 0.5
# Fields through which a client chooses a type.
_CHOSEN = {"type", "interfaces", "possibleTypes", "queryType", "mutationType", "subscriptionType"}
_PRINTED = {"defaultValue": 4}  # a literal, printed each time


class _Sizes(NamedTuple):
    average: float
    longest: int


def introspection_cost(schema: GraphQLSchema, name: str, once: int, each: int) -> tuple[int, int]:
    """Returns a field's average and worst cost; `once` and `each` are those of its selections.

    It is a field of an introspection type, or a root, whose cost is the sum of the two.
    """
    if name in ROOTS:
        return 1 + ceil(_OF_A_FIELD * each), 0
    if name == "ofType":
        below = _OF_TYPE if once == each else 1  # without a list below it, most are null
        return 1 + ceil(_OF_TYPE * once), 1 + ceil(below * each)
    if name in _CHOSEN:
        once = each
    elif name == "types":
        each = once
    size = _sizes(schema).get(name)
    if size is None:
        own = _PRINTED.get(name, 1)
        return own + once, own + each
    # An object counts too: making one takes as long as one of its fields.
    return 1 + ceil(size.average * (1 + once)), 1 + ceil(size.longest * (1 + each))


@lru_cache(maxsize=8)
def _sizes(schema: GraphQLSchema) -> Mapping[str, _Sizes]:
    """The lengths of lists, by the names of their fields."""
    types = list(schema.type_map.values())
    composite = [t for t in types if isinstance(t, GraphQLObjectType | GraphQLInterfaceType)]
    inputs = [t for t in types if isinstance(t, GraphQLInputObjectType)]
    enums = [t for t in types if isinstance(t, GraphQLEnumType)]
    abstract = [t for t in types if is_abstract_type(t)]
    lengths = {
        "fields": [len(type_.fields) for type_ in composite],
        "interfaces": [len(type_.interfaces) for type_ in composite],
        "possibleTypes": [len(schema.get_possible_types(type_)) for type_ in abstract],
        "inputFields": [len(type_.fields) for type_ in inputs],
        "enumValues": [len(type_.values) for type_ in enums],
    }
    arguments = [len(field.args) for type_ in composite for field in type_.fields.values()]
    return {
        "types": _Sizes(len(types), len(types)),
        "directives": _Sizes(len(schema.directives), len(schema.directives)),
        "args": _Sizes(sum(arguments) / len(arguments), max(arguments)),
        **{name: _Sizes(sum(each) / len(types), max(each)) for name, each in lengths.items()},
    }
