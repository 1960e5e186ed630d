"""A customer's session reaches its own view and no other root field, node or mutation.

The calls are made from the schema, so that a new field is tried the day it is added.
"""

from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_required_argument,
    is_required_input_field,
)

from models import Organization
from resolvers.queries.nodes import NODE_TYPES
from resolvers.schema import create_schema
from schema.ids import encode_id
from tests.graphql_client import Api
from tests.resolvers.ai_plan import subscribed

SCHEMA = create_schema()._schema

# What a session may ask at the root.
OWN_QUERIES = {"me", "viewer"}

SCALARS = {
    "ID": '"x"',
    "String": '"x"',
    "Int": "1",
    "BigInt": "1",
    "Boolean": "true",
    "Decimal": '"1"',
    "DateTime": '"2026-01-01T00:00:00Z"',
    "CurrencyCode": '"USD"',
    "JSONObject": "{}",
    "ClauseValue": "1",
}


def literal(asked: Any) -> str:
    """A value of an input type, with what it requires."""
    if isinstance(asked, GraphQLNonNull):
        return literal(asked.of_type)
    if isinstance(asked, GraphQLList):
        return f"[{literal(asked.of_type)}]"
    if isinstance(asked, GraphQLEnumType):
        return str(next(iter(asked.values)))
    if isinstance(asked, GraphQLInputObjectType):
        fields = [(name, field) for name, field in asked.fields.items() if _required(field)]
        # Where nothing is required, as in @oneOf, one is given.
        fields = fields or list(asked.fields.items())[:1]
        return "{" + ", ".join(f"{name}: {literal(field.type)}" for name, field in fields) + "}"
    return SCALARS[str(asked)]


def _required(field: GraphQLArgument | GraphQLInputField) -> bool:
    if isinstance(field, GraphQLArgument):
        return is_required_argument(field)
    return is_required_input_field(field)


def call(name: str, field: GraphQLField) -> str:
    """A root field with what it requires."""
    given = [
        f"{argument}: {literal(of.type)}" for argument, of in field.args.items() if _required(of)
    ]
    returned = get_named_type(field.type)
    composite = isinstance(returned, GraphQLObjectType | GraphQLInterfaceType)
    return f"{name}{'(' + ', '.join(given) + ')' if given else ''}" + (
        " { __typename }" if composite else ""
    )


def fields_of(root: GraphQLObjectType, but: set[str]) -> list[str]:
    return [name for name in root.fields if name not in but]


async def test_a_session_asks_no_query_but_its_own(api: Api, organization: Organization) -> None:
    await subscribed(api, organization)
    own = await api.session("acme")
    assert SCHEMA.query_type is not None
    for name in fields_of(SCHEMA.query_type, OWN_QUERIES):
        asked = f"{{ {call(name, SCHEMA.query_type.fields[name])} }}"
        assert await own.codes(asked) == ["FORBIDDEN"], name


async def test_a_session_may_use_no_mutation(api: Api, organization: Organization) -> None:
    await subscribed(api, organization)
    own = await api.session("acme")
    assert SCHEMA.mutation_type is not None
    for name in fields_of(SCHEMA.mutation_type, set()):
        asked = f"mutation {{ {call(name, SCHEMA.mutation_type.fields[name])} }}"
        assert await own.codes(asked) == ["FORBIDDEN"], name


async def test_a_session_reaches_no_node(api: Api, organization: Organization) -> None:
    await subscribed(api, organization)
    own = await api.session("acme")
    found = await api.get(
        """{
          products(first: 1) { nodes { id prices { id } benefits { id } } }
          subscriptions(first: 1) { nodes { id invoices(first: 1) { nodes { id } } } }
          events(first: 1) { nodes { id } }
          meters(first: 1) { nodes { id } }
          customers(first: 1) { nodes { id meters(first: 1) { nodes {
            id creditEntries(first: 1) { nodes { id } }
          } } } }
          organization { accessTokens { id } }
        }"""
    )

    ids = ids_in(found)
    assert {await _type_reached(own, one) for one in ids} == {None}
    assert len(ids) == len(NODE_TYPES) - 1  # all but the organization
    assert await _type_reached(own, encode_id("Organization", organization.id)) is None


def ids_in(value: Any) -> list[str]:
    if isinstance(value, dict):
        here = [value["id"]] if "id" in value else []
        return here + [one for item in value.values() for one in ids_in(item)]
    return [one for item in value for one in ids_in(item)] if isinstance(value, list) else []


async def _type_reached(own: Api, node_id: str) -> str | None:
    answer = await own.ask("query ($id: ID!) { node(id: $id) { __typename id } }", id=node_id)
    node = (answer.get("data") or {}).get("node")
    return None if node is None else str(node["__typename"])


async def test_a_session_sees_nothing_of_another_customer(
    api: Api, organization: Organization
) -> None:
    await subscribed(api, organization)
    other = await api.session("other")
    viewer = await other.get(
        """{ viewer {
          externalId
          subscriptions { totalCount } invoices { totalCount } meters { totalCount }
          events { totalCount }
        } }"""
    )
    nothing = {"totalCount": 0}
    assert viewer["viewer"] == {
        "externalId": "other",
        **dict.fromkeys(("subscriptions", "invoices", "meters", "events"), nothing),
    }
