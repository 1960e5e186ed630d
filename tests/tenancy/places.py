"""Every place of the schema where a client names something: found by introspection.

A place is an argument, or a field of an input however deep, that takes an id, a customer's or an
event's external id, a cursor or a search text. A field that is added tomorrow is a place tomorrow.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_required_argument,
    is_required_input_field,
)

from tests.schema_execution import GRAPHQL_SCHEMA

SCHEMA = GRAPHQL_SCHEMA
ROOTS = {"query": "Query", "mutation": "Mutation", "subscription": "Subscription"}
CURSORS = {"after", "before"}

# What a value must be to make sense where it stands, by the name of its argument.
_VALUES: dict[str, Any] = {
    "start": "2026-01-01T00:00:00Z",
    "end": "2026-01-03T00:00:00Z",
    "timezone": "UTC",
    "currency": "USD",
    "property": "name",
    "value": "x",
    "first": 2,
    "last": 2,
    "url": "https://hooks.example/",
}
_BY_TYPE: dict[str, Any] = {
    "String": "text",
    "Int": 1,
    "BigInt": 1,
    "Boolean": False,
    "Decimal": "1",
    "DateTime": "2026-01-01T00:00:00Z",
    "JSONObject": {},
    "ClauseValue": 1,
}
# How objects are reached that are no nodes, by type, with CALL for the field.
REACHED = {
    "MeterPreview": """meterPreview(
        filter: { clauses: [{ clause: { property: "name", operator: EQUALS, value: "x" } }] }
        aggregation: { function: COUNT }
        start: "2026-01-01T00:00:00Z"
        end: "2026-01-03T00:00:00Z"
    ) { CALL }""",
    "UpcomingInvoice": "subscriptions(first: 1) { nodes { upcomingInvoice { CALL } } }",
}
# What else an input needs that its type does not say.
_ALSO: dict[str, dict[str, Any]] = {
    "MeteredPriceInput": {"unitAmount": "1"},
    "MeterClauseInput": {"value": 1},
}
# Fields that need a customer, which either of two arguments names.
_ABOUT_A_CUSTOMER = {"usageCheck"}


@dataclass(frozen=True)
class Place:
    """Where something is named: a field of a type, and the path to the value in its arguments."""

    parent: str
    field: str
    path: tuple[str, ...]
    kind: str

    def __str__(self) -> str:
        return f"{self.parent}.{self.field}({'.'.join(self.path)})"


def values() -> list[Place]:
    """Every place where a value of any kind can be sent; `kind` is its type."""
    return [
        Place(name, field_name, path, kind)
        for name, type_ in SCHEMA.type_map.items()
        if isinstance(type_, GraphQLObjectType) and not name.startswith("__")
        for field_name, field in type_.fields.items()
        for argument_name, argument in field.args.items()
        for path, kind in _values_in(argument.type, (argument_name,), ())
    ]


def places() -> list[Place]:
    """All places where something is named, in the order of the schema."""
    return [
        replace(place, kind=kind)
        for place in values()
        if (kind := _named(place.path[-1], place.kind)) is not None
    ]


def _values_in(
    type_: Any, path: tuple[str, ...], above: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str]]:
    named = get_named_type(type_)
    if isinstance(named, GraphQLInputObjectType):
        if named.name not in above:  # filters hold filters
            for name, field in named.fields.items():
                yield from _values_in(field.type, (*path, name), (*above, named.name))
    else:
        yield path, named.name


def _named(name: str, type_name: str) -> str | None:
    if type_name == "ID":
        return "id"
    if type_name != "String":
        return None
    if name.lower().startswith("external"):
        return "external"
    return "cursor" if name in CURSORS else "text"


def field_of(place: Place) -> GraphQLField:
    """The field of a place."""
    type_ = SCHEMA.type_map[place.parent]
    assert isinstance(type_, GraphQLObjectType)
    field: GraphQLField = type_.fields[place.field]
    return field


def arguments(field: GraphQLField, place: Place | None, value: Any, own: Any) -> dict[str, Any]:
    """Arguments with `value` at the place; `own` names what else is required: (path) -> id."""
    path = place.path if place else ()
    given = {}
    for name, argument in field.args.items():
        if path[:1] == (name,):
            given[name] = _value(argument.type, (name,), path[1:], value, own)
        elif is_required_argument(argument):
            given[name] = _value(argument.type, (name,), (), None, own)
    if (
        place is not None
        and place.field in _ABOUT_A_CUSTOMER
        and not {"customerId", "externalCustomerId"} & given.keys()
    ):
        given["customerId"] = own(("customerId",))
    return given


def _value(type_: Any, here: tuple[str, ...], rest: tuple[str, ...], value: Any, own: Any) -> Any:  # noqa: PLR0911  # a type has as many kinds
    if isinstance(type_, GraphQLNonNull):
        return _value(type_.of_type, here, rest, value, own)
    if isinstance(type_, GraphQLList):
        return [_value(type_.of_type, here, rest, value, own)]
    if isinstance(type_, GraphQLInputObjectType):
        return _object(type_, here, rest, value, own)
    if value is not None and not rest:
        return value
    if isinstance(type_, GraphQLEnumType):
        return next(iter(type_.values))
    if type_.name == "ID":
        return own(here)
    return _VALUES.get(here[-1], _BY_TYPE.get(type_.name))


def _object(
    type_: GraphQLInputObjectType,
    here: tuple[str, ...],
    rest: tuple[str, ...],
    value: Any,
    own: Any,
) -> dict[str, Any]:
    given = {}
    for name, field in type_.fields.items():
        if rest[:1] == (name,):
            given[name] = _value(field.type, (*here, name), rest[1:], value, own)
        elif is_required_input_field(field):
            given[name] = _value(field.type, (*here, name), (), None, own)
    for name, also in _ALSO.get(type_.name, {}).items():
        given.setdefault(name, also)
    if type_.extensions["strawberry-definition"].is_one_of and not given:
        name, field = next(iter(type_.fields.items()))
        given[name] = _value(field.type, (*here, name), (), None, own)
    if {"customerId", "externalCustomerId"} <= type_.fields.keys() and (
        not {"customerId", "externalCustomerId"} & given.keys() and type_.name != "EventFilter"
    ):
        given["customerId"] = own((*here, "customerId"))
    return given


def selection(type_: Any, depth: int) -> str:
    """Everything of a type that needs no arguments, down to a depth."""
    named = get_named_type(type_)
    if not isinstance(named, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType):
        return ""
    chosen = ["__typename"]
    if isinstance(named, GraphQLInterfaceType | GraphQLUnionType):
        # Aliased: fields of one name differ in type from one object to the next.
        for one in SCHEMA.get_possible_types(named):
            leaves = [name for name, field in one.fields.items() if not _composite(field)]
            aliased = " ".join(f"{one.name}_{name}: {name}" for name in leaves)
            chosen.append(f"... on {one.name} {{ {aliased} }}")
        return "{ " + " ".join(chosen) + " }"
    for name, field in named.fields.items():
        if any(is_required_argument(argument) for argument in field.args.values()):
            continue
        if not _composite(field):
            chosen.append(name)
        elif depth > 0:
            paged = "(first: 2)" if "first" in field.args else ""
            chosen.append(f"{name}{paged} {selection(field.type, depth - 1)}")
    return "{ " + " ".join(chosen) + " }"


def _composite(field: GraphQLField) -> bool:
    return isinstance(
        get_named_type(field.type), GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType
    )


def operation(place: Place, given: dict[str, Any], depth: int) -> str:
    """A document that calls the field of a place with variables, at the root or on $node."""
    field = field_of(place)
    variables = [f"$v_{name}: {field.args[name].type}" for name in given]
    sizes = ["first: 20"] if "first" in field.args else []  # of whom each counts its events
    passed = ", ".join([*(f"{name}: $v_{name}" for name in given), *sizes])
    call = f"{place.field}({passed}) {selection(field.type, depth)}".replace("()", "")
    for kind, root in ROOTS.items():
        if place.parent == root:
            return f"{kind} ({', '.join(variables)}) {{ {call} }}".replace("()", "")
    if place.parent in REACHED:
        reached = REACHED[place.parent].replace("CALL", call)
        return f"query ({', '.join(variables)}) {{ {reached} }}"
    return (
        f"query ($node: ID!, {', '.join(variables)}) "
        f"{{ node(id: $node) {{ ... on {place.parent} {{ {call} }} }} }}"
    )
