"""Discounts and minimums through the API."""

from typing import Any

from models import Organization
from schema.context import Scope
from tests.graphql_client import Api
from tests.resolvers.ai_plan import METER, PRODUCT, SUBSCRIBE, made, refused
from tests.serving import new_token

SET = """
mutation ($input: SubscriptionDiscountSetInput!) {
  subscriptionDiscountSet(input: $input) {
    subscription { id discount { percentOff amountOff periodsLeft } }
    userErrors { code path }
  }
}
"""
UPCOMING = """
query ($id: ID!) {
  subscription(id: $id) { upcomingInvoice { total lines { kind amount billableUnits } } }
}
"""


async def subscription_to(api: Api, **product: Any) -> str:
    """A subscription to a metered price of a cent and a fixed one of $20."""
    meter = (await api.get(METER, name="tokens"))["meterCreate"]["meter"]["id"]
    prices = [
        {"fixed": {"currency": "USD", "amount": 2000}},
        {"metered": {"currency": "USD", "meterId": meter, "unitAmount": "1"}},
    ]
    plan = {"name": "Plan", "recurringInterval": "MONTH", "prices": prices, **product}
    created = await made(api, PRODUCT, input=plan)
    customer = 'mutation { customerCreate(input: {externalId: "acme"}) { customer { id } } }'
    await api.get(customer)
    sent = {"externalCustomerId": "acme", "productId": created["id"]}
    subscription: str = (await made(api, SUBSCRIBE, input=sent))["id"]
    return subscription


async def test_a_discount_is_set_replaced_and_removed(api: Api) -> None:
    id_ = await subscription_to(api)
    half = await made(api, SET, input={"id": id_, "percentOff": "50", "periods": 2})
    assert half["discount"] == {"percentOff": "50", "amountOff": None, "periodsLeft": 2}
    upcoming = (await api.get(UPCOMING, id=id_))["subscription"]["upcomingInvoice"]
    assert [(line["kind"], line["amount"]) for line in upcoming["lines"]] == [
        ("METERED", 0),
        ("FIXED", 2000),
        ("DISCOUNT", -1000),
    ]
    amount = await made(api, SET, input={"id": id_, "amountOff": 300})
    assert amount["discount"] == {"percentOff": None, "amountOff": 300, "periodsLeft": None}
    assert (await made(api, SET, input={"id": id_}))["discount"] is None
    upcoming = (await api.get(UPCOMING, id=id_))["subscription"]["upcomingInvoice"]
    assert upcoming["total"] == 2000


async def test_every_mistake_in_a_discount_has_its_path(api: Api) -> None:
    id_ = await subscription_to(api)
    wrong = {"id": id_, "percentOff": "101", "amountOff": 0, "periods": 0}
    assert await refused(api, SET, input=wrong) == [
        ("INVALID", "amountOff"),
        ("INVALID", "percentOff"),
        ("INVALID", "amountOff"),
        ("INVALID", "periods"),
    ]
    assert await refused(api, SET, input={"id": "nothing", "percentOff": "1"}) == [
        ("NOT_FOUND", "id")
    ]


async def test_a_discount_needs_the_scope_of_billing(api: Api, organization: Organization) -> None:
    id_ = await subscription_to(api)
    reader = api.with_secret(await new_token(organization, Scope.BILLING_READ))
    answer = await reader.ask(SET, input={"id": id_, "percentOff": "5"})
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]


async def test_the_minimum_of_a_product_is_in_the_estimate(api: Api) -> None:
    id_ = await subscription_to(api, minimumAmount=500)
    upcoming = (await api.get(UPCOMING, id=id_))["subscription"]["upcomingInvoice"]
    assert {"kind": "MINIMUM", "amount": 500, "billableUnits": None} in upcoming["lines"]
    shown = await api.get(
        "query ($id: ID!) { subscription(id: $id) { product { minimumAmount } } }", id=id_
    )
    assert shown["subscription"]["product"] == {"minimumAmount": 500}
