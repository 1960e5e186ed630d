"""Billing through the API: the story of the AI plan, what is refused, and a customer's own view."""

from datetime import datetime
from typing import Any

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from billing.subscriptions.cycle import run_cycle
from metering.counting.log import advance
from models import Organization, ProductPrice
from tests.graphql_client import Api
from tests.resolvers.ai_plan import (
    BENEFIT,
    CANCEL,
    CREDIT,
    INGEST,
    PRODUCT,
    SUBSCRIBE,
    VIEW,
    ai_plan,
    made,
    refused,
    subscribed,
)


async def test_the_ai_plan_through_the_api(
    api: Api, database: BaseDBAsyncClient, organization: Organization
) -> None:
    meter, subscription = await subscribed(api, organization)
    by_hand = {"externalCustomerId": "acme", "meterId": meter, "units": "5.5", "reason": "oops"}
    credit = await made(api, CREDIT, input=by_hand)
    assert (credit["creditedUnits"], credit["balance"]) == ("1000005.5", "-149994.5")
    # All of it is used, so that no debit can turn it into a charge.
    debit = {**by_hand, "units": "-5.5"}
    assert await refused(api, CREDIT, input=debit) == [("LIMIT_EXCEEDED", "units")]
    entries = credit["creditEntries"]["nodes"]
    assert [entry["kind"] for entry in entries] == ["GRANT", "MANUAL"]
    assert entries[1]["reason"] == "oops"
    customer = (await api.get(f'{{ customer(externalId: "acme") {{ {VIEW} }} }}'))["customer"]
    [seen] = customer["subscriptions"]["nodes"]
    assert seen["invoices"]["totalCount"] == 1
    assert seen["invoices"]["nodes"][0]["number"] == "000001"
    upcoming = seen["upcomingInvoice"]
    assert [(line["kind"], line["amount"]) for line in upcoming["lines"]] == [
        ("METERED", 80),
        ("FIXED", 2000),
    ]
    assert upcoming["lines"][0]["billableUnits"] == "149994.5"
    assert upcoming["lines"][0]["price"]["__typename"] == "MeteredPrice"
    end = datetime.fromisoformat(subscription["currentPeriodEnd"])
    await run_cycle(end, organization.id)
    customer = (await api.get(f'{{ customer(externalId: "acme") {{ {VIEW} }} }}'))["customer"]
    invoice = customer["subscriptions"]["nodes"][0]["invoices"]["nodes"][1]
    assert (invoice["lines"], invoice["total"]) == (upcoming["lines"], 2080)
    assert customer["meters"]["nodes"][0]["creditEntries"]["totalCount"] == 4
    assert (await api.get("{ invoices { totalCount nodes { number } } }"))["invoices"] == {
        "totalCount": 2,
        "nodes": [{"number": "000001"}, {"number": "000002"}],
    }
    canceled = await made(api, CANCEL, id=subscription["id"], when="NOW")
    assert canceled["status"] == "CANCELED"
    assert await refused(api, CANCEL, id=subscription["id"], when="NOW") == [("INVALID", "id")]
    listed = await api.get("{ subscriptions(status: CANCELED) { nodes { id } } }")
    assert listed["subscriptions"]["nodes"] == [{"id": subscription["id"]}]


async def test_a_customer_meter_says_which_time_it_is_about(
    api: Api, organization: Organization
) -> None:
    async def shown() -> dict[str, Any]:
        about = "periodStart periodEnd consumedUnits creditedUnits balance"
        query = (
            f'{{ customer(externalId: "acme") {{ meters(first: 1) {{ nodes {{ {about} }} }} }} }}'
        )
        [node] = (await api.get(query))["customer"]["meters"]["nodes"]
        found: dict[str, Any] = node
        return found

    meter, product = await ai_plan(api)
    usage = {"name": "ai", "externalCustomerId": "acme", "metadata": {"tokens": 7}}
    await api.get(INGEST, events=[usage])
    while await advance(organization.id):
        pass
    by_hand = {"externalCustomerId": "acme", "meterId": meter, "units": "5", "reason": "hello"}
    await made(api, CREDIT, input=by_hand)
    before = await shown()
    assert (before["periodStart"], before["periodEnd"]) == (None, None)
    assert (before["consumedUnits"], before["balance"]) == ("7", "-2")

    subscription = await made(
        api, SUBSCRIBE, input={"externalCustomerId": "acme", "productId": product["id"]}
    )
    current = await shown()
    assert current["periodStart"] == subscription["currentPeriodStart"]
    assert current["periodEnd"] == subscription["currentPeriodEnd"]
    assert (current["consumedUnits"], current["creditedUnits"]) == ("0", "1000005")

    canceled = await made(api, CANCEL, id=subscription["id"], when="NOW")
    since = await shown()
    assert (since["periodStart"], since["periodEnd"]) == (canceled["endedAt"], None)
    assert (since["consumedUnits"], since["balance"]) == ("0", "5")


async def test_an_amount_that_clients_would_misread_is_an_error_and_on_no_invoice(
    api: Api, organization: Organization
) -> None:
    _meter, subscription = await subscribed(api, organization)
    huge = {"name": "ai", "externalCustomerId": "acme", "metadata": {"tokens": 10**25}}
    await api.get(INGEST, events=[huge])
    while await advance(organization.id):
        pass
    upcoming = "{ subscriptions(first: 1) { nodes { upcomingInvoice { total } } } }"
    assert await api.codes(upcoming) == ["INTERNAL"]
    await run_cycle(datetime.fromisoformat(subscription["currentPeriodEnd"]), organization.id)
    query = "{ subscriptions(first: 1) { nodes { invoicingProblem invoices { totalCount } } } }"
    [node] = (await api.get(query))["subscriptions"]["nodes"]
    assert node["invoices"]["totalCount"] == 1
    assert node["invoicingProblem"].startswith("AI usage: 4,000,000,000,000,000,000,")


async def test_a_currency_must_be_one_in_circulation_but_what_is_stored_can_be_read(
    api: Api, organization: Organization
) -> None:
    _meter, product = await ai_plan(api)
    price = {"fixed": {"currency": "ZZZ", "amount": 1}}
    sent = {"name": "P", "recurringInterval": "DAY", "prices": [price]}
    assert await api.codes(PRODUCT, input=sent) == ["BAD_USER_INPUT"]
    await ProductPrice.filter(organization_id=organization.id).update(currency="ZZZ")
    query = "query ($id: ID!) { product(id: $id) { prices { currency } } }"
    found = (await api.get(query, id=product["id"]))["product"]["prices"]
    assert found == [{"currency": "ZZZ"}] * 2


async def test_every_object_of_billing_is_a_node_of_its_organization_only(
    api: Api, other_api: Api, organization: Organization
) -> None:
    await subscribed(api, organization)
    found = await api.get(
        """{
          products(first: 5) { nodes { id prices { id } benefits { id } } }
          subscriptions(first: 5) { nodes { id invoices(first: 5) { nodes { id } } } }
          customers(first: 5) { nodes { meters(first: 5) { nodes {
            creditEntries(first: 5) { nodes { id } }
          } } } }
        }"""
    )

    def ids_in(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["id"]] if "id" in value else []
            return own + [one for item in value.values() for one in ids_in(item)]
        return [one for item in value for one in ids_in(item)] if isinstance(value, list) else []

    ids = ids_in(found)
    assert len(ids) == 7
    nodes = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
    seen = (await api.get(nodes, ids=ids))["nodes"]
    assert [node["id"] for node in seen] == ids
    assert {node["__typename"] for node in seen} == {
        "Product",
        "FixedPrice",
        "MeteredPrice",
        "MeterCreditBenefit",
        "CustomerSubscription",
        "Invoice",
        "CreditEntry",
    }
    assert (await other_api.get(nodes, ids=ids))["nodes"] == [None] * len(ids)
    fields = " ".join(
        f"{name}(id: $id) {{ id }}" for name in ("product", "subscription", "invoice")
    )
    singular = f"query ($id: ID!) {{ {fields} }}"
    for one in ids:
        assert set((await other_api.get(singular, id=one)).values()) == {None}


async def test_products_that_make_no_sense(api: Api, other_api: Api) -> None:
    meter, product = await ai_plan(api)
    foreign, foreign_product = await ai_plan(other_api)

    def priced(**metered: Any) -> dict[str, Any]:
        price = {"currency": "USD", "meterId": meter, **metered}
        return {"name": "P", "recurringInterval": "DAY", "prices": [{"metered": price}]}

    path = "prices.0.metered"
    for metered, expected in (
        ({"unitAmount": "0.0000000000001"}, ("INVALID", f"{path}.unitAmount")),
        ({"unitAmount": 1, "packageAmount": 2}, ("INVALID", f"{path}.packageAmount")),
        ({"unitAmount": 1, "meterId": foreign}, ("NOT_FOUND", f"{path}.meterId")),
        ({"unitAmount": 1, "meterId": "nonsense"}, ("NOT_FOUND", f"{path}.meterId")),
        (
            {"pricing": "VOLUME", "tiers": [{"upTo": 5, "unitAmount": 1}]},
            ("INVALID", f"{path}.tiers.0.upTo"),
        ),
    ):
        assert await refused(api, PRODUCT, input=priced(**metered)) == [expected]
    brought = foreign_product["benefits"][0]["id"]
    assert await refused(
        api, PRODUCT, input={**priced(unitAmount=1), "name": " ", "benefitIds": [brought]}
    ) == [("INVALID", "name"), ("NOT_FOUND", "benefitIds.0")]
    archive = """mutation ($id: ID!) {
      meterArchive(input: {id: $id}) { meter { id } userErrors { code path } }
    }"""
    assert await refused(api, archive, id=meter) == [("IN_USE", "id")]
    sold = """mutation ($id: ID!) {
      productArchive(input: {id: $id}) { product { archivedAt } userErrors { code path } }
    }"""
    assert await refused(api, sold, id=foreign_product["id"]) == [("NOT_FOUND", "id")]
    assert (await made(api, sold, id=product["id"]))["archivedAt"]
    assert (await api.get("{ products { totalCount } }"))["products"]["totalCount"] == 0
    await made(api, archive, id=meter)
    assert await refused(api, PRODUCT, input=priced(unitAmount=1)) == [
        ("INVALID", f"{path}.meterId")
    ]
    benefit = {"description": "x", "meterId": meter, "units": "0"}
    assert await refused(api, BENEFIT, input=benefit) == [
        ("INVALID", "units"),
        ("INVALID", "meterId"),
    ]


async def test_subscriptions_and_credits_of_others_are_not_found(
    api: Api, other_api: Api, organization: Organization
) -> None:
    meter, subscription = await subscribed(api, organization)
    foreign_meter, foreign_product = await ai_plan(other_api)
    by = {"externalCustomerId": "acme"}
    for given, expected in (
        ({**by, "productId": foreign_product["id"]}, ("NOT_FOUND", "productId")),
        ({"externalCustomerId": "x", "productId": "x"}, ("NOT_FOUND", "externalCustomerId")),
        ({"customerId": "x", "productId": "x"}, ("NOT_FOUND", "customerId")),
        ({"productId": "x"}, ("INVALID", "")),
        ({**by, "customerId": "x", "productId": "x"}, ("INVALID", "")),
    ):
        assert await refused(api, SUBSCRIBE, input=given) == [expected]
    assert await refused(other_api, CANCEL, id=subscription["id"], when="NOW") == [
        ("NOT_FOUND", "id")
    ]
    assert await refused(
        api, CREDIT, input={**by, "meterId": foreign_meter, "units": 1, "reason": "x"}
    ) == [("NOT_FOUND", "meterId")]
    assert await refused(
        api, CREDIT, input={**by, "meterId": meter, "units": 0, "reason": " "}
    ) == [("INVALID", "reason"), ("INVALID", "units")]


async def test_a_customers_session_sees_its_own_charges_and_no_others(
    api: Api, organization: Organization
) -> None:
    _meter, subscription = await subscribed(api, organization)
    session = await api.get(
        """mutation { customerSessionCreate(input: {externalCustomerId: "acme"}) { token } }"""
    )
    own = api.with_secret(session["customerSessionCreate"]["token"])
    viewer = (await own.get(f"{{ viewer {{ {VIEW} }} }}"))["viewer"]
    [seen] = viewer["subscriptions"]["nodes"]
    assert seen["id"] == subscription["id"]
    assert seen["upcomingInvoice"]["total"] == 2080
    assert viewer["invoices"]["totalCount"] == 1
    for query in ("products", "subscriptions", "invoices"):
        assert await own.codes(f"{{ {query} {{ totalCount }} }}") == ["FORBIDDEN"]
    for query in ("product", "subscription", "invoice"):
        asked = f'{{ {query}(id: "{subscription["id"]}") {{ id }} }}'
        assert await own.codes(asked) == ["FORBIDDEN"]
    assert await own.codes(CANCEL, id=subscription["id"], when="NOW") == ["FORBIDDEN"]


@pytest.mark.parametrize("name", ["product", "subscription", "invoice"])
async def test_a_malformed_id_names_nothing(api: Api, name: str) -> None:
    assert await api.get(f'{{ {name}(id: "?") {{ id }} }}') == {name: None}
