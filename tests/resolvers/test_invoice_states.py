"""Invoices' states through the API: drafts, payment, voids, and who may do what."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from billing.subscriptions.cycle import run_cycle
from config import clock
from models import Organization
from schema.context import Scope
from tests.graphql_client import Api
from tests.ingesting import drain
from tests.resolvers.ai_plan import INGEST, made, refused, subscribed
from tests.serving import new_token

SETTINGS = """mutation ($input: OrganizationUpdateInput!) { organizationUpdate(input: $input) {
  organization { invoiceGraceHours paymentTermDays } userErrors { code path } } }"""
SHOWN = """id status number total issuedAt finalizesAt dueAt paidAt paymentReference voidedAt
  voidReason isWrittenOff lines { kind amount }"""
INVOICES = f"""query ($status: InvoiceStatus) {{ invoices(status: $status) {{
  totalCount nodes {{ {SHOWN} }} }} }}"""
FINALIZE = f"""mutation ($id: ID!) {{ invoiceFinalize(input: {{id: $id}}) {{
  invoice {{ {SHOWN} }} userErrors {{ code path }} }} }}"""
PAY = f"""mutation ($input: InvoiceMarkPaidInput!) {{ invoiceMarkPaid(input: $input) {{
  invoice {{ {SHOWN} }} userErrors {{ code path }} }} }}"""
VOID = f"""mutation ($input: InvoiceVoidInput!) {{ invoiceVoid(input: $input) {{
  invoice {{ {SHOWN} }} userErrors {{ code path }} }} }}"""


async def invoices(api: Api, status: str | None = None) -> list[Any]:
    found: list[Any] = (await api.get(INVOICES, status=status))["invoices"]["nodes"]
    return found


async def drafted(api: Api, organization: Organization) -> Any:
    """A draft of a period that ended a moment ago."""
    await made(api, SETTINGS, input={"invoiceGraceHours": 24, "paymentTermDays": 14})
    _meter, subscription = await subscribed(api, organization)
    await run_cycle(datetime.fromisoformat(subscription["currentPeriodEnd"]), organization.id)
    [draft] = await invoices(api, "DRAFT")
    return draft


def amounts(invoice: Any) -> list[tuple[str, int]]:
    return [(line["kind"], line["amount"]) for line in invoice["lines"]]


async def test_a_draft_becomes_an_invoice_that_is_paid(
    api: Api, organization: Organization
) -> None:
    draft = await drafted(api, organization)
    assert (draft["number"], draft["total"], draft["dueAt"]) == ("", 2080, None)
    assert amounts(draft) == [("METERED", 80), ("FIXED", 2000)]
    ends = datetime.fromisoformat(draft["finalizesAt"]) - timedelta(hours=24)
    assert draft["issuedAt"] == draft["finalizesAt"]
    usage = {"name": "ai", "externalCustomerId": "acme", "metadata": {"tokens": 100_000}}
    await api.get(INGEST, events=[usage])
    await drain(organization.id)
    [now] = await invoices(api, "DRAFT")
    assert (now["total"], amounts(now)) == (2120, [("METERED", 120), ("FIXED", 2000)])
    assert await invoices(api, "PAID") == []

    with clock.at(ends + timedelta(hours=1)):
        issued = await made(api, FINALIZE, id=draft["id"])
    assert (issued["status"], issued["number"], issued["total"]) == ("ISSUED", "000002", 2120)
    assert amounts(issued) == amounts(now)
    due = datetime.fromisoformat(issued["dueAt"]) - datetime.fromisoformat(issued["issuedAt"])
    assert (due, issued["finalizesAt"]) == (timedelta(days=14), None)
    assert await refused(api, FINALIZE, id=draft["id"]) == [("INVALID", "id")]

    paid_at = "2026-01-02T03:04:05Z"
    paying = {"id": draft["id"], "paidAt": paid_at, "reference": "transfer 4711"}
    paid = await made(api, PAY, input=paying)
    assert (paid["status"], paid["paymentReference"]) == ("PAID", "transfer 4711")
    assert datetime.fromisoformat(paid["paidAt"]) == datetime.fromisoformat(paid_at)
    assert [one["id"] for one in await invoices(api, "PAID")] == [draft["id"]]
    assert await refused(api, PAY, input=paying) == [("INVALID", "id")]
    assert await refused(api, VOID, input={"id": draft["id"], "reason": "x"}) == [("INVALID", "id")]


async def test_a_void_invoice_says_why_and_its_number_stays(
    api: Api, organization: Organization
) -> None:
    await subscribed(api, organization)
    [first] = await invoices(api)
    void = await made(api, VOID, input={"id": first["id"], "reason": "two of them"})
    assert (void["status"], void["number"]) == ("VOID", "000001")
    assert (void["voidReason"], void["isWrittenOff"]) == ("two of them", False)
    assert (amounts(void), void["total"]) == ([("FIXED", 2000)], 2000)
    subscription = await api.get(
        "{ subscriptions { nodes { upcomingInvoice { lines { kind amount } } } } }"
    )
    [one] = subscription["subscriptions"]["nodes"]
    assert amounts(one["upcomingInvoice"]) == [("METERED", 80), ("FIXED", 2000), ("FIXED", 2000)]


async def test_a_draft_that_is_too_large_does_not_hide_the_others(
    api: Api, organization: Organization
) -> None:
    draft = await drafted(api, organization)
    huge = {"name": "ai", "externalCustomerId": "acme", "metadata": {"tokens": 10**25}}
    await api.get(INGEST, events=[huge])
    await drain(organization.id)
    listed = {one["id"]: one for one in await invoices(api)}
    assert len(listed) == 2
    assert (listed[draft["id"]]["lines"], listed[draft["id"]]["total"]) == ([], 0)


async def test_revenue_counts_no_drafts_and_subtracts_voids(
    api: Api, organization: Organization
) -> None:
    async def points() -> list[int]:
        first = datetime.fromisoformat(draft["issuedAt"]) - timedelta(days=50)
        found = await api.get(
            """query ($start: DateTime!, $end: DateTime!) {
              revenue(start: $start, end: $end, interval: DAY) { points { amount } } }""",
            start=first.isoformat(),
            end=(first + timedelta(days=120)).isoformat(),
        )
        return [point["amount"] for point in found["revenue"]["points"] if point["amount"]]

    draft = await drafted(api, organization)
    assert await points() == [2000]
    await run_cycle(datetime.fromisoformat(draft["finalizesAt"]), organization.id)
    assert await points() == [2000, 2080]
    with clock.at(datetime.fromisoformat(draft["finalizesAt"]) + timedelta(days=2)):
        await made(api, VOID, input={"id": draft["id"], "reason": "wrong", "writeOff": True})
    assert await points() == [2000, 2080, -2080]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("invoiceGraceHours", -1),
        ("invoiceGraceHours", 721),
        ("paymentTermDays", -1),
        ("paymentTermDays", 366),
    ],
)
async def test_a_setting_out_of_bounds_is_refused(api: Api, field: str, value: int) -> None:
    assert await refused(api, SETTINGS, input={field: value}) == [("INVALID", field)]


async def test_settings_of_invoices_are_kept_and_reset(api: Api) -> None:
    chosen = {"invoiceGraceHours": 720, "paymentTermDays": 0}
    assert await made(api, SETTINGS, input=chosen) == chosen
    assert await made(api, SETTINGS, input={}) == chosen
    reset = await made(api, SETTINGS, input=dict.fromkeys(chosen))
    assert reset == {"invoiceGraceHours": 0, "paymentTermDays": None}


@pytest.mark.parametrize(
    ("reason", "code"), [("", "INVALID"), (" ", "INVALID"), ("x" * 1_001, "LIMIT_EXCEEDED")]
)
async def test_a_void_needs_a_reason(
    api: Api, organization: Organization, reason: str, code: str
) -> None:
    await subscribed(api, organization)
    [first] = await invoices(api)
    sent = {"id": first["id"], "reason": reason}
    assert await refused(api, VOID, input=sent) == [(code, "reason")]


async def test_a_payment_lies_in_the_past(api: Api, organization: Organization) -> None:
    await subscribed(api, organization)
    [first] = await invoices(api)
    sent = {"id": first["id"], "paidAt": "2099-01-01T00:00:00Z", "reference": "a\0b"}
    assert await refused(api, PAY, input=sent) == [("INVALID", "reference"), ("INVALID", "paidAt")]


async def test_changing_invoices_needs_billing_write(
    api: Api, other_api: Api, organization: Organization
) -> None:
    await subscribed(api, organization)
    [first] = await invoices(api)
    reader = api.with_secret(await new_token(organization, Scope.BILLING_READ))
    calls = [
        (FINALIZE, {"id": first["id"]}),
        (PAY, {"input": {"id": first["id"]}}),
        (VOID, {"input": {"id": first["id"], "reason": "x"}}),
    ]
    for query, variables in calls:
        assert await reader.codes(query, **variables) == ["FORBIDDEN"]
        assert await refused(other_api, query, **variables) == [("NOT_FOUND", "id")]
    assert (await invoices(api))[0]["status"] == "ISSUED"


async def test_a_customer_sees_states_but_not_why_an_invoice_is_void(
    api: Api, organization: Organization
) -> None:
    await subscribed(api, organization)
    [first] = await invoices(api)
    await made(api, VOID, input={"id": first["id"], "reason": "internal"})
    session = await api.session("acme")
    shown = "{ viewer { invoices { nodes { status number voidedAt isWrittenOff %s } } } }"
    [one] = (await session.get(shown % "total"))["viewer"]["invoices"]["nodes"]
    assert (one["status"], one["number"], one["total"]) == ("VOID", "000001", 2000)
    assert await session.codes(shown % "voidReason") == ["FORBIDDEN"]
