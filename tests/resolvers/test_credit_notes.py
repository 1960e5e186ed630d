"""Credit notes and balances through the API."""

from datetime import datetime
from typing import Any

import pytest

from billing.subscriptions.cycle import run_cycle
from models import Organization
from schema.context import Scope
from tests.graphql_client import Api
from tests.resolvers.ai_plan import made, refused, subscribed
from tests.serving import new_token

NOTE = """mutation ($input: CreditNoteCreateInput!) { creditNoteCreate(input: $input) {
  creditNote { id number amount reason refunded issuedAt invoice { id } }
  userErrors { code path } } }"""
INVOICES = """{ invoices { nodes {
  id number subtotal total lines { kind amount price { id } }
  creditNotes { number amount } customer { balances { currency amount } }
} } }"""


async def invoices(api: Api) -> list[Any]:
    found: list[Any] = (await api.get(INVOICES))["invoices"]["nodes"]
    return found


async def test_a_credit_note_pays_a_part_of_the_next_invoice(
    api: Api, organization: Organization
) -> None:
    _meter, subscription = await subscribed(api, organization)
    [first] = await invoices(api)
    sent = {"invoiceId": first["id"], "amount": 500, "reason": "slow answers"}
    note = await made(api, NOTE, input=sent)
    assert (note["number"], note["amount"], note["refunded"]) == ("CN-000001", 500, False)
    assert note["invoice"] == {"id": first["id"]}
    refunded = await made(api, NOTE, input={**sent, "amount": 100, "refunded": True})
    assert refunded["number"] == "CN-000002"
    [first] = await invoices(api)
    assert first["customer"]["balances"] == [{"currency": "USD", "amount": 500}]
    assert [one["amount"] for one in first["creditNotes"]] == [500, 100]
    assert (first["subtotal"], first["total"]) == (2000, 2000)

    upcoming = "{ subscriptions { nodes { upcomingInvoice { total lines { kind amount } } } } }"
    [estimated] = (await api.get(upcoming))["subscriptions"]["nodes"]
    await run_cycle(datetime.fromisoformat(subscription["currentPeriodEnd"]), organization.id)
    second = (await invoices(api))[1]
    lines = [(line["kind"], line["amount"]) for line in second["lines"]]
    assert lines == [("METERED", 80), ("FIXED", 2000), ("BALANCE", -500)]
    assert (second["subtotal"], second["total"]) == (2080, 1580)
    assert second["lines"][2]["price"] == second["lines"][0]["price"]
    assert estimated["upcomingInvoice"]["total"] == 1580
    assert second["customer"]["balances"] == []


async def test_revenue_subtracts_credit_notes_and_not_the_use_of_a_balance(
    api: Api, organization: Organization
) -> None:
    _meter, subscription = await subscribed(api, organization)
    [first] = await invoices(api)
    sent = {"invoiceId": first["id"], "amount": 500, "reason": "slow answers"}
    await made(api, NOTE, input=sent)
    await made(api, NOTE, input={**sent, "amount": 300, "refunded": True})
    end = datetime.fromisoformat(subscription["currentPeriodEnd"])
    revenue = """query ($start: DateTime!, $end: DateTime!) {
      revenue(start: $start, end: $end, interval: YEAR) { total upcoming } }"""
    asked = {"start": subscription["startedAt"], "end": end.replace(year=end.year + 1).isoformat()}
    assert (await api.get(revenue, **asked))["revenue"] == {"total": 1200, "upcoming": 2080}
    await run_cycle(end, organization.id)
    assert (await api.get(revenue, **asked))["revenue"]["total"] == 1200 + 2080


@pytest.mark.parametrize(
    ("changes", "mistake"),
    [
        ({"amount": 2001}, ("LIMIT_EXCEEDED", "amount")),
        ({"amount": 0}, ("INVALID", "amount")),
        ({"amount": -5}, ("INVALID", "amount")),
        ({"reason": " "}, ("INVALID", "reason")),
        ({"reason": "x" * 1_001}, ("LIMIT_EXCEEDED", "reason")),
        ({"invoiceId": "nothing"}, ("NOT_FOUND", "invoiceId")),
    ],
)
async def test_what_is_no_credit_note_is_refused(
    api: Api, organization: Organization, changes: dict[str, Any], mistake: tuple[str, str]
) -> None:
    await subscribed(api, organization)
    [first] = await invoices(api)
    sent = {"invoiceId": first["id"], "amount": 500, "reason": "slow answers", **changes}
    assert await refused(api, NOTE, input=sent) == [mistake]


async def test_credit_notes_need_billing_write_and_an_invoice_of_ones_own(
    api: Api, other_api: Api, organization: Organization
) -> None:
    await subscribed(api, organization)
    [first] = await invoices(api)
    sent = {"invoiceId": first["id"], "amount": 500, "reason": "mine"}
    reader = api.with_secret(await new_token(organization, Scope.BILLING_READ))
    assert await reader.codes(NOTE, input=sent) == ["FORBIDDEN"]
    assert await refused(other_api, NOTE, input=sent) == [("NOT_FOUND", "invoiceId")]
    note = await made(api, NOTE, input=sent)
    node = "query ($id: ID!) { node(id: $id) { ... on CreditNote { amount } } }"
    assert (await reader.get(node, id=note["id"]))["node"] == {"amount": 500}
    assert (await other_api.get(node, id=note["id"]))["node"] is None


async def test_a_customer_sees_its_credit_notes_and_balances(
    api: Api, organization: Organization
) -> None:
    await subscribed(api, organization)
    [first] = await invoices(api)
    sent = {"invoiceId": first["id"], "amount": 500, "reason": "slow answers"}
    await made(api, NOTE, input=sent)
    session = await api.session("acme")
    shown = await session.get(
        "{ viewer { balances { currency amount } invoices { nodes { creditNotes { reason } } } } }"
    )
    assert shown["viewer"]["balances"] == [{"currency": "USD", "amount": 500}]
    [one] = shown["viewer"]["invoices"]["nodes"]
    assert one["creditNotes"] == [{"reason": "slow answers"}]
