"""Billing through the API: the AI plan, what is refused, and a customer's own view."""

from datetime import datetime
from typing import Any

from structlog.testing import capture_logs

from billing.subscriptions.cycle import run_cycle
from models import Organization, ProductPrice
from tests.graphql_client import Api
from tests.ingesting import drain
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


async def test_the_ai_plan_through_the_api(api: Api, organization: Organization) -> None:
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
    await drain(organization.id)
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


async def test_an_amount_beyond_exact_integers_is_an_error_and_on_no_invoice(
    api: Api, organization: Organization
) -> None:
    _meter, subscription = await subscribed(api, organization)
    huge = {"name": "ai", "externalCustomerId": "acme", "metadata": {"tokens": 10**25}}
    await api.get(INGEST, events=[huge])
    await drain(organization.id)
    with capture_logs() as logs:
        answer = await api.ask("{ subscriptions { nodes { id upcomingInvoice { currency } } } }")
    [shown] = answer["data"]["subscriptions"]["nodes"]
    assert shown == {"id": subscription["id"], "upcomingInvoice": None}
    [error] = answer["errors"]
    assert error["extensions"] == {"code": "AMOUNT_TOO_LARGE"}
    assert not [log for log in logs if log["log_level"] == "error"]
    await run_cycle(datetime.fromisoformat(subscription["currentPeriodEnd"]), organization.id)
    query = "{ subscriptions(first: 1) { nodes { invoicingProblem invoices { totalCount } } } }"
    [node] = (await api.get(query))["subscriptions"]["nodes"]
    assert node["invoices"]["totalCount"] == 1
    assert node["invoicingProblem"].startswith("AI usage: 4,000,000,000,000,000,000,")
    assert error["message"] == node["invoicingProblem"]


async def test_a_new_price_needs_a_current_currency_and_old_ones_can_be_read(
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


async def test_invalid_products_are_refused_with_paths(api: Api, other_api: Api) -> None:
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


async def test_a_session_sees_the_charges_of_its_customer(
    api: Api, organization: Organization
) -> None:
    _meter, subscription = await subscribed(api, organization)
    own = await api.session("acme")
    viewer = (await own.get(f"{{ viewer {{ {VIEW} }} }}"))["viewer"]
    [seen] = viewer["subscriptions"]["nodes"]
    assert seen["id"] == subscription["id"]
    assert seen["upcomingInvoice"]["total"] == 2080
    assert viewer["invoices"]["totalCount"] == 1


async def test_a_session_opens_its_customers_invoices_by_id_and_no_others(
    api: Api, organization: Organization
) -> None:
    await subscribed(api, organization)
    listed = await api.get("{ invoices { nodes { id number } } }")
    [invoice] = listed["invoices"]["nodes"]
    opened = "query ($id: ID!) { viewer { invoice(id: $id) { number } } }"
    session, other = await api.session("acme"), await api.session("another")
    assert (await session.get(opened, id=invoice["id"]))["viewer"]["invoice"] == {
        "number": invoice["number"]
    }
    assert (await other.get(opened, id=invoice["id"]))["viewer"]["invoice"] is None
    for unknown in ("", "x", invoice["id"] + "A"):
        assert (await session.get(opened, id=unknown))["viewer"]["invoice"] is None
