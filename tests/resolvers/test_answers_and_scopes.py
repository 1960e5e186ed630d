"""A mutation's answer shows no more than its caller may read, and is refused before it is done."""

from typing import Any

import pytest
from graphql import GraphQLInterfaceType

from models import Customer, CustomerMeter, Organization
from resolvers.queries.nodes import NODE_TYPES
from schema.context import Scope
from schema.ids import encode_id
from schema.permissions import ACCESS
from tests.graphql_client import Api
from tests.resolvers.ai_plan import ai_plan, made
from tests.schema_execution import GRAPHQL_SCHEMA
from tests.serving import new_token

RECOMPUTE = """mutation ($id: ID!) { customerMeterRecompute(input: {customerMeterId: $id}) {
  customerMeter { id %s } drift userErrors { code } } }"""
CREDIT = """mutation ($customer: ID!, $meter: ID!) { customerMeterCredit(input: {
  customerId: $customer, meterId: $meter, units: "5", reason: "a gift"
}) { customerMeter { %s } userErrors { code } } }"""


class Ids:
    """A customer with credit on the meter of a product."""

    def __init__(self, meter: str, product: str, customer: Customer) -> None:
        self.meter = meter
        self.product = product
        self.customer_row = customer
        self.customer = encode_id("Customer", customer.id)


@pytest.fixture
async def ids(api: Api, organization: Organization) -> Ids:
    meter, product = await ai_plan(api)
    customer = await Customer.create(
        organization_id=organization.id, external_id="acme", email="secret@example.com"
    )
    return Ids(meter, product["id"], customer)


async def holder(api: Api, organization: Organization, *scopes: Scope) -> Api:
    return api.with_secret(await new_token(organization, *scopes))


async def forbidden(api: Api, query: str, **variables: Any) -> str:
    """The message of the only error, which is FORBIDDEN."""
    answer = await api.ask(query, **variables)
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN", error
    message: str = error["message"]
    return message


def test_every_node_type_requires_a_scope() -> None:
    schema = GRAPHQL_SCHEMA
    node = schema.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    objects = {type_.name for type_ in schema.get_possible_types(node)}
    assert objects == ACCESS.keys() == NODE_TYPES.keys()


async def test_a_node_needs_the_scope_that_reads_its_type(
    api: Api, organization: Organization, ids: Ids
) -> None:
    sender = await holder(api, organization, Scope.EVENTS_WRITE)
    for node_id in (ids.customer, ids.meter, ids.product):
        await forbidden(sender, "query ($id: ID!) { node(id: $id) { id } }", id=node_id)
    reader = await holder(api, organization, Scope.USAGE_READ)
    await forbidden(reader, "query ($id: ID!) { node(id: $id) { id } }", id=ids.product)
    assert await reader.get("query ($id: ID!) { node(id: $id) { id } }", id=ids.meter)


async def test_events_write_does_not_allow_renaming_customers(
    api: Api, organization: Organization, ids: Ids
) -> None:
    update = """mutation ($id: ID!) { customerUpdate(input: {id: $id, externalId: "globex"}) {
      customer { id } userErrors { code } } }"""
    sender = await holder(api, organization, Scope.EVENTS_WRITE)
    assert "BILLING_WRITE" in await forbidden(sender, update, id=ids.customer)
    assert (await Customer.get(id=ids.customer_row.id)).external_id == "acme"
    biller = await holder(api, organization, Scope.BILLING_WRITE)
    assert await made(biller, update, id=ids.customer) == {"id": ids.customer}


async def test_recomputing_usage_needs_to_read_it(
    api: Api, organization: Organization, ids: Ids
) -> None:
    await api.get(CREDIT % "id", customer=ids.customer, meter=ids.meter)
    row = await CustomerMeter.get(customer_id=ids.customer_row.id)
    key = encode_id("CustomerMeter", row.id)
    for scopes in ([Scope.METERS_WRITE], [Scope.METERS_WRITE, Scope.BILLING_READ]):
        writer = await holder(api, organization, *scopes)
        for fields in ("", "balance"):
            assert "USAGE_READ" in await forbidden(writer, RECOMPUTE % fields, id=key)
    reader = await holder(api, organization, Scope.USAGE_READ)
    assert "METERS_WRITE" in await forbidden(reader, RECOMPUTE % "", id=key)
    both = await holder(api, organization, Scope.METERS_WRITE, Scope.USAGE_READ)
    found = await made(both, RECOMPUTE % "balance", id=key)
    assert found == {"id": key, "balance": "5"}


async def test_crediting_without_usage_read_shows_only_ids(
    api: Api, organization: Organization, ids: Ids
) -> None:
    writer = await holder(api, organization, Scope.BILLING_WRITE)
    sent = {"customer": ids.customer, "meter": ids.meter}
    fragment = " fragment F on CustomerMeter { creditedUnits }"
    for query in (
        CREDIT % "balance",
        CREDIT % "id consumedUnits",
        CREDIT % "...F" + fragment,
        CREDIT % "... on Node { ... on CustomerMeter { balance } }",
        CREDIT % "customer { id }",
        CREDIT % "b: balance @include(if: true)",
    ):
        message = await forbidden(writer, query, **sent)
        assert "USAGE_READ, which CustomerMeter." in message, query
    assert await CustomerMeter.filter(customer_id=ids.customer_row.id).count() == 0
    payload = (await writer.get(CREDIT % "__typename id", **sent))["customerMeterCredit"]
    assert payload["customerMeter"]["__typename"] == "CustomerMeter"
    reader = await holder(api, organization, Scope.BILLING_WRITE, Scope.USAGE_READ)
    assert (await made(reader, CREDIT % "balance", **sent)) == {"balance": "10"}


async def test_a_write_scope_reads_only_what_it_writes(
    api: Api, organization: Organization, ids: Ids
) -> None:
    meters = await holder(api, organization, Scope.METERS_WRITE)
    update = "mutation ($id: ID!) { meterUpdate(input: {id: $id}) { meter { %s } } }"
    assert await meters.codes(update % "name filter { conjunction }", id=ids.meter) == []
    assert await meters.codes(update % "progress { countedEvents }", id=ids.meter) == ["FORBIDDEN"]
    billing = await holder(api, organization, Scope.BILLING_WRITE)
    product = "mutation ($id: ID!) { productUpdate(input: {id: $id}) { product { %s } } }"
    shown = "name prices { ... on FixedPrice { amount } } benefits { description }"
    assert await billing.codes(product % shown, id=ids.product) == []
    beside = "prices { ... on MeteredPrice { meter { name } } }"
    message = await forbidden(billing, product % beside, id=ids.product)
    assert "USAGE_READ or BILLING_READ, which Meter.name" in message
    session = """mutation ($id: ID!) { customerSessionCreate(input: {customerId: $id}) {
      token customer { email } } }"""
    assert await billing.codes(session, id=ids.customer) == []


async def test_events_write_allows_creating_customers_and_not_reading_them(
    api: Api, organization: Organization
) -> None:
    create = """mutation { customerCreate(input: {externalId: "hooli", idempotencyKey: "k"}) {
      customer { %s } userErrors { code } } }"""
    sender = await holder(api, organization, Scope.EVENTS_WRITE)
    assert "Customer.email" in await forbidden(sender, create % "email")
    assert await Customer.filter(organization_id=organization.id).count() == 0
    first = await made(sender, create % "id")
    # Sent again, it would otherwise show what others have written since.
    await Customer.filter(organization_id=organization.id).update(email="secret@example.com")
    assert "Customer.email" in await forbidden(sender, create % "email")
    assert await made(sender, create % "id") == first
