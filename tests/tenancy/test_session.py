"""A customer's session, walked through everything its own view leads to: nobody else is there.

tests/resolvers/test_session_reach.py tries the other root fields, nodes and mutations.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any

from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLUnionType, get_named_type

from models import Organization, exact_json
from tests.graphql_client import Api
from tests.ingesting import drain
from tests.tenancy.places import SCHEMA, arguments, selection
from tests.tenancy.world import settled

COMPOSITE = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType


async def test_nothing_that_a_session_reaches_is_of_another_customer(
    api: Api, organization: Organization
) -> None:
    tenant = await settled(api, organization, "own")
    await api.get(
        "mutation ($events: [EventInput!]!) {"
        ' customerCreate(input: {externalId: "secret", name: "secret", email: "secret"}) '
        "{ userErrors { message } }"
        " eventsIngest(input: {events: $events}) { userErrors { message } }"
        "}",
        events=[
            {
                "name": "ai",
                "externalCustomerId": "secret",
                "externalId": "secret",
                "metadata": {"tokens": 424242, "note": "secret"},
            }
        ],
    )
    await drain(organization.id)
    opened = await api.get(
        "mutation ($id: String!) { customerSessionCreate(input: {externalCustomerId: $id}) "
        "{ token } }",
        id=tenant.customer,
    )
    session = api.with_secret(opened["customerSessionCreate"]["token"])

    customer = SCHEMA.type_map["Customer"]
    assert isinstance(customer, GraphQLObjectType)
    pending = deque([(customer, "{ viewer %s }")])
    known = {"Customer"}
    tried, answered = set(), set()
    while pending:
        type_, document = pending.popleft()
        for name, field in type_.fields.items():
            given = arguments(field, None, None, lambda _path: tenant.ids["Meter"])
            passed = ", ".join(f"{key}: {literal(value)}" for key, value in given.items())
            if "first" in field.args:
                passed = "first: 3"
            call = f"{name}({passed})" if passed else name
            inner = get_named_type(field.type)
            asked = document % f"{{ __typename {call} {selection(inner, 0)} }}"
            answer = await session.ask(asked)
            text = exact_json.dumps(answer)
            assert "secret" not in text, asked
            assert "424242" not in text, asked
            codes = {error["extensions"]["code"] for error in answer.get("errors", [])}
            assert codes <= {"FORBIDDEN"}, answer
            tried.add(f"{type_.name}.{name}")
            if codes:
                continue
            answered.add(f"{type_.name}.{name}")
            if isinstance(inner, COMPOSITE):
                below = document % f"{{ __typename {call} %s }}"
                for one in objects_of(inner):
                    if one.name not in known:
                        known.add(one.name)
                        inside = below % f"{{ ... on {one.name} %s }}"
                        pending.append((one, below if one is inner else inside))
    assert len(tried) > 60
    # What it is for does answer; everybody's usage of a meter does not.
    assert {"Customer.meters", "Customer.invoices", "CustomerMeter.balance"} <= answered
    assert {"Meter.customers", "Meter.events", "Meter.progress"} <= tried - answered


def objects_of(type_: Any) -> Sequence[GraphQLObjectType]:
    """The types that an object of a type may have."""
    if isinstance(type_, GraphQLObjectType):
        return [type_]
    return list(SCHEMA.get_possible_types(type_))


def literal(value: object) -> str:
    """A value of an argument; capitals alone are of an enum."""
    text = str(value)
    return text if text.isalpha() and text.isupper() and text != "UTC" else f'"{text}"'
