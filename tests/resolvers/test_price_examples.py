"""priceExamples and MeteredPrice.examples: what units cost, as invoices compute it."""

from typing import Any

import pytest

from models import Organization
from schema.context import Scope
from tests.graphql_client import Api
from tests.resolvers.ai_plan import METER, PRODUCT, made, subscribed
from tests.serving import new_token

EXAMPLES = """query ($price: MeteredPriceInput!, $units: [Decimal!]!) {
  priceExamples(price: $price, units: $units) { units amount } }"""
TIERS = [
    {"upTo": "1000", "unitAmount": "0", "flatAmount": 500},
    {"upTo": "10000", "unitAmount": "0.5"},
    {"unitAmount": "0.1"},
]
PRICES: list[tuple[dict[str, Any], dict[str, int]]] = [
    ({"unitAmount": "0.0004"}, {"1": 0, "1249": 0, "1250": 1, "1000000": 400, "-5": 0}),
    (
        {"pricing": "GRADUATED", "tiers": TIERS},
        {"0": 0, "0.5": 500, "1000": 500, "1001": 501, "10000": 5000, "20000": 6000},
    ),
    (
        {"pricing": "VOLUME", "tiers": TIERS, "capAmount": 4000},
        {"1000": 500, "1002": 501, "10000": 4000, "10001": 1000},
    ),
    (
        {"pricing": "GRADUATED", "tiers": TIERS, "billsFlatAmountAtZero": True},
        {"0": 500, "0.5": 500, "1001": 501},
    ),
    (
        {"unitAmount": "50", "conversion": {"divideBy": "60", "round": "UP", "decimals": 1}},
        {"0": 0, "1": 5, "60": 50, "61": 55, "-1": 0},
    ),
    (
        {"unitAmount": "10", "minimumAmount": 25, "capAmount": 45},
        {"0": 25, "2": 25, "3": 30, "5": 45},
    ),
    (
        {"pricing": "PACKAGE", "packageAmount": 300, "packageSize": "100"},
        {"0": 0, "0.01": 300, "100": 300, "100.000000000001": 600},
    ),
]


def priced(**parameters: Any) -> dict[str, Any]:
    return {"currency": "USD", "meterId": "none", **parameters}


@pytest.mark.parametrize(("parameters", "amounts"), PRICES)
async def test_a_price_shows_what_units_cost_before_and_after_it_is_created(
    api: Api, parameters: dict[str, Any], amounts: dict[str, int]
) -> None:
    expected = [{"units": units, "amount": amount} for units, amount in amounts.items()]
    drafted = await api.get(EXAMPLES, price=priced(**parameters), units=list(amounts))
    assert drafted["priceExamples"] == expected
    meter = (await api.get(METER, name="tokens"))["meterCreate"]["meter"]["id"]
    price = {"metered": priced(**parameters) | {"meterId": meter}}
    created = await made(
        api, PRODUCT, input={"name": "Plan", "recurringInterval": "MONTH", "prices": [price]}
    )
    stored = await api.get(
        "query ($id: ID!, $units: [Decimal!]!) { node(id: $id) {"
        " ... on MeteredPrice { examples(units: $units) { units amount } } } }",
        id=created["prices"][0]["id"],
        units=list(amounts),
    )
    assert stored["node"]["examples"] == expected


async def test_an_example_is_what_the_invoice_charges(api: Api, organization: Organization) -> None:
    await subscribed(api, organization)
    lines = await api.get(
        '{ customer(externalId: "acme") { subscriptions(first: 1) { nodes { upcomingInvoice {'
        " lines { amount billableUnits price { ... on MeteredPrice { id } } } } } } } }"
    )
    [subscription] = lines["customer"]["subscriptions"]["nodes"]
    [line] = [line for line in subscription["upcomingInvoice"]["lines"] if line["billableUnits"]]
    found = await api.get(
        "query ($id: ID!, $units: [Decimal!]!) { node(id: $id) {"
        " ... on MeteredPrice { examples(units: $units) { amount } } } }",
        id=line["price"]["id"],
        units=[line["billableUnits"]],
    )
    assert line["amount"] > 0
    assert found["node"]["examples"] == [{"amount": line["amount"]}]


async def test_an_amount_that_clients_would_misread_is_null(api: Api) -> None:
    price = priced(unitAmount="1000000000000000")
    answer = await api.ask(EXAMPLES, price=price, units=["1", "10"])
    assert answer["data"]["priceExamples"] == [
        {"units": "1", "amount": 10**15},
        {"units": "10", "amount": None},
    ]
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["AMOUNT_TOO_LARGE"]


@pytest.mark.parametrize(
    ("parameters", "units", "path"),
    [
        ({}, ["1"], ["price", "unitAmount"]),
        ({"unitAmount": "-1"}, ["1"], ["price", "unitAmount"]),
        ({"unitAmount": "1", "capAmount": -1}, ["1"], ["price", "capAmount"]),
        ({"pricing": "VOLUME", "tiers": []}, ["1"], ["price", "tiers"]),
        (
            {"pricing": "GRADUATED", "tiers": [{"unitAmount": "1"}, {"unitAmount": "1"}]},
            ["1"],
            ["price", "tiers", "0", "upTo"],
        ),
        ({"unitAmount": "1"}, ["1", "0.0000000000001"], ["units", "1"]),
        ({"unitAmount": "1"}, ["1" + "0" * 31], ["units", "0"]),
        ({"unitAmount": "1"}, ["1"] * 21, ["units"]),
    ],
)
async def test_impossible_examples_are_refused_at_their_place(
    api: Api, parameters: dict[str, Any], units: list[str], path: list[str]
) -> None:
    answer = await api.ask(EXAMPLES, price=priced(**parameters), units=units)
    [error] = answer["errors"]
    assert (error["extensions"]["code"], error["extensions"]["path"]) == ("BAD_USER_INPUT", path)
    assert path[0] == "price" or "units" in error["message"].partition(" (at")[0]


async def test_examples_need_a_scope_of_billing(api: Api, organization: Organization) -> None:
    sent = {"price": priced(unitAmount="1"), "units": ["1"]}
    for scope, codes in (
        (Scope.BILLING_READ, []),
        (Scope.BILLING_WRITE, []),
        (Scope.USAGE_READ, ["FORBIDDEN"]),
    ):
        token = api.with_secret(await new_token(organization, scope))
        assert await token.codes(EXAMPLES, **sent) == codes, scope
