"""Simulations of prices through the API."""

from datetime import timedelta
from typing import Any

import pytest

from billing.simulations.running import Step, simulate_batch
from billing.simulations.starting import MOST_KEPT, MOST_RUNNING
from config import clock
from metering.language.instants import format_instant
from models import Organization, PriceSimulation
from schema.context import Scope
from tests.graphql_client import Api
from tests.ingesting import drain
from tests.resolvers.ai_plan import made, refused
from tests.serving import new_token

START = """
mutation ($input: PriceSimulationStartInput!) {
  priceSimulationStart(input: $input) {
    simulation { id status progress total failure } userErrors { code message path }
  }
}
"""
READ = """
query ($id: ID!) {
  node(id: $id) { ... on PriceSimulation {
    name status progress failure currency start end recurringInterval minimumAmount position
    total currentTotal finishedAt product { name }
    prices { __typename id currency }
    benefits { units rollover rolloverLimit expiresAfterDays priority meter { name } }
    greatest: customers(first: 1) { totalCount nodes { ...one } }
    least: customers(last: 1) { nodes { ...one } }
  } }
}
fragment one on SimulatedCustomer {
  customer { externalId } amount currentAmount difference
  lines {
    kind description periodStart periodEnd amount consumedUnits creditedUnits billableUnits
    convertedUnits rate { unitAmount }
    price { id ... on MeteredPrice { meter { name } rates { unitAmount } } }
  }
}
"""
JANUARY = {"start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z"}


async def meter_of(api: Api, **more: Any) -> str:
    created = await made(
        api,
        "mutation ($input: MeterCreateInput!) { meterCreate(input: $input) {"
        " meter { id } userErrors { message } } }",
        input={
            "name": "AI usage",
            "filter": {},
            "aggregation": {"function": "SUM", "property": "tokens"},
            **more,
        },
    )
    meter_id: str = created["id"]
    return meter_id


async def use(api: Api, organization: Organization, **tokens: int) -> None:
    await api.get(
        "mutation ($events: [EventInput!]!) {"
        " eventsIngest(input: {events: $events}) { userErrors { message } } }",
        events=[
            {
                "name": "ai",
                "externalCustomerId": customer,
                "timestamp": "2026-01-15T12:00:00Z",
                "metadata": {"tokens": count, "model": "large"},
            }
            for customer, count in tokens.items()
        ],
    )
    await drain(organization.id)


def metered(meter: str, **price: Any) -> dict[str, Any]:
    return {"metered": {"currency": "USD", "meterId": meter, "unitAmount": "2", **price}}


def fixed(amount: int) -> dict[str, Any]:
    return {"fixed": {"currency": "USD", "amount": amount}}


async def simulate(organization: Organization) -> None:
    for row in await PriceSimulation.filter(organization_id=organization.id, status="RUNNING"):
        step = Step.MORE
        while step is Step.MORE:
            step = await simulate_batch(organization.id, row.id, 1)
        assert step is Step.LAST


async def test_a_simulation_says_what_everybody_would_have_paid(
    api: Api, organization: Organization
) -> None:
    meter = await meter_of(api, dimensions=["model"])
    await use(api, organization, small=40, large=900)
    rates = [{"values": [{"property": "model", "value": "large"}], "unitAmount": "3"}]
    benefit = {"meterId": meter, "units": "50", "rollover": True, "rolloverLimit": "10"}
    begun = await made(
        api,
        START,
        input={
            "name": "Dearer",
            "prices": [
                fixed(100),
                metered(meter, rates=rates, conversion={"divideBy": "10"}),
            ],
            "benefits": [benefit],
            "minimumAmount": 20,
            **JANUARY,
        },
    )
    assert begun == {**begun, "status": "RUNNING", "progress": 0, "total": 0, "failure": None}
    await simulate(organization)
    found = (await api.get(READ, id=begun["id"]))["node"]
    assert (found["name"], found["status"], found["progress"]) == ("Dearer", "DONE", 1)
    assert (found["total"], found["currentTotal"], found["currency"]) == (475, 0, "USD")
    assert (found["recurringInterval"], found["minimumAmount"]) == ("MONTH", 20)
    assert found["benefits"] == [
        {
            "units": "50",
            "rollover": True,
            "rolloverLimit": "10",
            "expiresAfterDays": None,
            "priority": 50,
            "meter": {"name": "AI usage"},
        }
    ]
    assert found["greatest"]["totalCount"] == 2
    [most], [least] = found["greatest"]["nodes"], found["least"]["nodes"]
    assert (most["customer"], most["amount"], most["difference"]) == (
        {"externalId": "large"},
        355,
        355,
    )
    first, usage = most["lines"]
    assert (first["kind"], first["description"], first["amount"]) == ("FIXED", "Dearer", 100)
    assert usage == {
        **usage,
        "kind": "METERED",
        "description": "AI usage, large",
        "periodStart": JANUARY["start"],
        "periodEnd": JANUARY["end"],
        "amount": 255,
        "consumedUnits": "900",
        "creditedUnits": "50",
        "billableUnits": "850",
        "convertedUnits": "85",
        "rate": {"unitAmount": "3"},
    }
    assert usage["price"]["meter"] == {"name": "AI usage"}
    # Its prices exist in the simulation only.
    assert usage["price"]["id"] in {price["id"] for price in found["prices"]}
    assert (await api.get("query ($id: ID!) { node(id: $id) { id } }", id=usage["price"]["id"]))[
        "node"
    ] is None
    assert [(line["kind"], line["amount"]) for line in least["lines"]] == [
        ("FIXED", 100),
        ("METERED", 0),
        ("MINIMUM", 20),
    ]
    listed = await api.get("{ priceSimulations { nodes { id } } }")
    assert listed["priceSimulations"]["nodes"] == [{"id": begun["id"]}]


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"prices": []}, {("INVALID", "prices")}),
        ({"end": JANUARY["start"]}, {("INVALID", "end")}),
        ({"end": "2025-12-01T00:00:00Z"}, {("INVALID", "end")}),
        ({"end": "2026-01-31T00:00:00Z"}, {("INVALID", "end")}),
        ({"end": "2099-02-01T00:00:00Z"}, {("INVALID", "end")}),
        ({"start": "2020-01-01T00:00:00Z"}, {("LIMIT_EXCEEDED", "end")}),
        ({"start": "0001-01-01T00:00:00Z"}, {("LIMIT_EXCEEDED", "end")}),
        ({"recurringInterval": "DAY", "end": "2026-02-02T00:00:00Z"}, {("LIMIT_EXCEEDED", "end")}),
        ({"name": ""}, {("INVALID", "name")}),
        ({"productId": "nonsense"}, {("NOT_FOUND", "productId")}),
        ({"prices": [fixed(1)]}, {("INVALID", "productId")}),
        ({"prices": [metered("nonsense")]}, {("NOT_FOUND", "prices.0.metered.meterId")}),
        (
            {"prices": [fixed(-1), fixed(1)], "minimumAmount": 1, "name": "\x00"},
            {
                ("INVALID", "prices.0.fixed.amount"),
                ("INVALID", "minimumAmount"),
                ("INVALID", "name"),
                ("INVALID", "productId"),
            },
        ),
        (
            {"benefits": [{"meterId": "nonsense", "units": "0", "rolloverLimit": "1"}]},
            {
                ("NOT_FOUND", "benefits.0.meterId"),
                ("INVALID", "benefits.0.units"),
                ("INVALID", "benefits.0.rolloverLimit"),
            },
        ),
    ],
)
async def test_what_cannot_be_simulated_is_refused(
    api: Api,
    organization: Organization,
    changes: dict[str, Any],
    errors: set[tuple[str, str]],
) -> None:
    meter = await meter_of(api)
    sent = {"prices": [metered(meter)], **JANUARY, **changes}
    assert set(await refused(api, START, input=sent)) == errors
    running = await PriceSimulation.filter(organization_id=organization.id).count()
    assert running == 0


async def test_only_an_end_in_the_past_is_advised(api: Api) -> None:
    query = "mutation ($input: PriceSimulationStartInput!) { priceSimulationStart(input: $input) {"
    query += " userErrors { message } } }"
    prices, now = [metered(await meter_of(api))], clock.now()
    for days, interval, advised in (
        (30, "YEAR", "choose an earlier start"),
        (10, "WEEK", f"end it at {format_instant(now - timedelta(days=3))}."),
    ):
        begins, ends = (format_instant(now - timedelta(days=each)) for each in (days, 1))
        sent = {"prices": prices, "start": begins, "end": ends, "recurringInterval": interval}
        [error] = (await api.get(query, input=sent))["priceSimulationStart"]["userErrors"]
        assert advised in error["message"]


async def test_prices_are_checked_as_those_of_products_are(api: Api) -> None:
    meter = await meter_of(api)
    prices = [metered(meter, unitAmount="-1"), metered(meter, pricing="PACKAGE"), fixed(-5)]
    product = {"name": "plan", "recurringInterval": "MONTH", "prices": prices}
    as_product = await refused(
        api,
        "mutation ($input: ProductCreateInput!) { productCreate(input: $input) {"
        " product { id } userErrors { code path } } }",
        input=product,
    )
    assert as_product
    assert await refused(api, START, input={"prices": prices, **JANUARY}) == as_product


async def test_an_archived_meter_is_refused(api: Api) -> None:
    meter = await meter_of(api)
    await api.get(
        "mutation ($id: ID!) { meterArchive(input: {id: $id}) { userErrors { message } } }",
        id=meter,
    )
    sent = {
        "prices": [metered(meter)],
        "benefits": [{"meterId": meter, "units": "1"}],
        **JANUARY,
    }
    assert await refused(api, START, input=sent) == [
        ("INVALID", "prices.0.metered.meterId"),
        ("INVALID", "benefits.0.meterId"),
    ]


async def test_only_some_run_at_once_and_only_the_latest_are_kept(
    api: Api, organization: Organization
) -> None:
    meter = await meter_of(api)
    sent = {"prices": [metered(meter)], **JANUARY}
    for _ in range(MOST_RUNNING):
        await made(api, START, input=sent)
    assert await refused(api, START, input=sent) == [("LIMIT_EXCEEDED", "")]
    while await PriceSimulation.filter(organization_id=organization.id).count() <= MOST_KEPT:
        await simulate(organization)
        await made(api, START, input=sent)
    rows = await PriceSimulation.filter(organization_id=organization.id).order_by("id")
    first, second = rows[:2]
    assert first.expires_at < second.expires_at
    assert second.expires_at - second.created_at == timedelta(days=30)


async def test_only_who_may_read_billing_sees_the_customers(
    api: Api, organization: Organization
) -> None:
    meter = await meter_of(api)
    writer = api.with_secret(await new_token(organization, Scope.BILLING_WRITE))
    sent = {"prices": [metered(meter)], **JANUARY}
    shown = START.replace("failure }", "failure customers { totalCount } }")
    assert await writer.codes(shown, input=sent) == ["FORBIDDEN"]
    assert (await made(writer, START, input=sent))["status"] == "RUNNING"
    reader = api.with_secret(await new_token(organization, Scope.BILLING_READ))
    assert await reader.codes(START, input=sent) == ["FORBIDDEN"]
    assert await reader.get("{ priceSimulations { nodes { customers { totalCount } } } }")
