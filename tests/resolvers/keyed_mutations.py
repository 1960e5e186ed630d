"""Mutations that take an idempotency key, each with an input of its own, and their caller."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest
from tortoise.backends.asyncpg.client import TransactionWrapper
from tortoise.backends.base.client import BaseDBAsyncClient

from models import Organization
from tests.graphql_client import Api
from tests.resolvers.ai_plan import ai_plan

ERRORS = "userErrors { code message path }"
DOCUMENTS = {
    "meterCreate": ("MeterCreateInput", "meter { id name }"),
    "customerCreate": ("CustomerCreateInput", "customer { id name }"),
    "customerErase": ("CustomerEraseInput", "customer { id erasedAt }"),
    "customerMeterCredit": ("CustomerMeterCreditInput", "customerMeter { id creditedUnits }"),
    "creditGrantVoid": ("CreditGrantVoidInput", "grant { id remaining }"),
    "customerSubscriptionCreate": ("CustomerSubscriptionCreateInput", "subscription { id }"),
    "customerSubscriptionCancel": (
        "CustomerSubscriptionCancelInput",
        "subscription { id status }",
    ),
    "customerSubscriptionChange": (
        "CustomerSubscriptionChangeInput",
        "subscription { id quantity } invoice { id total lines { kind amount } }",
    ),
    "productCreate": ("ProductCreateInput", "product { id name }"),
    "priceSimulationStart": ("PriceSimulationStartInput", "simulation { id name }"),
    "meterCreditBenefitCreate": ("MeterCreditBenefitCreateInput", "benefit { id }"),
    "creditNoteCreate": ("CreditNoteCreateInput", "creditNote { id number }"),
    "invoiceFinalize": ("InvoiceFinalizeInput", "invoice { id number }"),
    "invoiceMarkPaid": ("InvoiceMarkPaidInput", "invoice { id status }"),
    "invoiceVoid": ("InvoiceVoidInput", "invoice { id status }"),
    "webhookEndpointCreate": ("WebhookEndpointCreateInput", "webhookEndpoint { id url }"),
    "usageAlertCreate": ("UsageAlertCreateInput", "alert { id name }"),
}
# What each makes a row of, at least.
TABLES = {
    "meterCreate": "meter",
    "customerCreate": "customer",
    "customerErase": "customer_erasure",
    "customerMeterCredit": "credit_entry",
    "creditGrantVoid": "credit_entry",
    "customerSubscriptionCreate": "invoice",
    "customerSubscriptionChange": "invoice",
    "productCreate": "product",
    "priceSimulationStart": "price_simulation",
    "meterCreditBenefitCreate": "benefit",
    "webhookEndpointCreate": "webhook_endpoint",
    "usageAlertCreate": "usage_alert",
    "creditNoteCreate": "balance_entry",
}
KEY = "order-4711"


class Caller:
    """Calls the mutations, with inputs that make sense in one small organization."""

    def __init__(
        self, api: Api, inputs: dict[str, dict[str, Any]], customers: dict[str, str]
    ) -> None:
        self.api = api
        self.inputs = inputs
        self.customers = customers

    async def answer(
        self, mutation: str, key: str | None = KEY, /, api: Api | None = None, **changes: Any
    ) -> dict[str, Any]:
        sent = {**self.inputs[mutation], **changes, "idempotencyKey": key}
        body = {"query": document(mutation), "variables": {"input": sent}}
        # json writes half of a surrogate pair, too.
        response = await (api or self.api).post(json.dumps(body))
        answer: dict[str, Any] = response.json()
        return answer

    async def call(
        self, mutation: str, key: str | None = KEY, /, api: Api | None = None, **changes: Any
    ) -> dict[str, Any]:
        answer = await self.answer(mutation, key, api, **changes)
        assert "errors" not in answer, answer["errors"]
        payload: dict[str, Any] = answer["data"][mutation]
        return payload


def document(mutation: str) -> str:
    type_name, selected = DOCUMENTS[mutation]
    return (
        f"mutation ($input: {type_name}!) {{ {mutation}(input: $input) {{ {selected} {ERRORS} }} }}"
    )


def made(payload: dict[str, Any]) -> Any:
    assert payload["userErrors"] == []
    return next(value for name, value in payload.items() if name != "userErrors")


def mistakes(payload: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(error["code"], error["path"]) for error in payload["userErrors"]]


async def invoice_of(api: Api, name: str, product_id: str) -> str:
    """The id of the first invoice of a new customer's new subscription."""
    found = await api.get(
        "mutation ($customer: String!, $product: ID!) {"
        " customerCreate(input: {externalId: $customer}) { userErrors { message } }"
        " customerSubscriptionCreate(input: {externalCustomerId: $customer, productId: $product})"
        " { subscription { id invoices { nodes { id } } } } }",
        customer=name,
        product=product_id,
    )
    [invoice] = found["customerSubscriptionCreate"]["subscription"]["invoices"]["nodes"]
    invoice_id: str = invoice["id"]
    return invoice_id


async def subscription_of(api: Api, invoice_id: str) -> str:
    """The id of an invoice's subscription."""
    node = "query ($id: ID!) { node(id: $id) { ... on Invoice { subscription { id } } } }"
    found: str = (await api.get(node, id=invoice_id))["node"]["subscription"]["id"]
    return found


async def draft_of(api: Api, name: str, product_id: str) -> str:
    """The id of a draft, of the subscription of a new customer that ended a moment ago."""
    invoice_id = await invoice_of(api, name, product_id)
    grace = "mutation ($hours: Int!) { organizationUpdate(input: {invoiceGraceHours: $hours}) {"
    grace += " userErrors { message } } }"
    await api.get(grace, hours=720)
    cancel = "mutation ($id: ID!) { customerSubscriptionCancel(input: {id: $id, when: NOW}) {"
    cancel += " subscription { id invoices(last: 1) { nodes { id status } } } } }"
    found = await api.get(cancel, id=await subscription_of(api, invoice_id))
    await api.get(grace, hours=0)
    [draft] = found["customerSubscriptionCancel"]["subscription"]["invoices"]["nodes"]
    assert draft["status"] == "DRAFT"
    draft_id: str = draft["id"]
    return draft_id


async def grant_of(api: Api, name: str) -> str:
    """The id of the credit that a customer got with its subscription."""
    found = await api.get(
        "query ($customer: String!) { customer(externalId: $customer) {"
        " meters { nodes { grants { nodes { id } } } } } }",
        customer=name,
    )
    [meter] = found["customer"]["meters"]["nodes"]
    [grant] = meter["grants"]["nodes"]
    grant_id: str = grant["id"]
    return grant_id


@pytest.fixture
async def caller(api: Api) -> Caller:
    meter, product = await ai_plan(api)
    customers = {}
    for name in ("acme", "globex", "vandelay"):
        created = await api.get(
            "mutation ($id: String!) { customerCreate(input: {externalId: $id}) { customer { id }"
            " } }",
            id=name,
        )
        customers[name] = created["customerCreate"]["customer"]["id"]
    subscribed = await api.get(
        document("customerSubscriptionCreate"),
        input={"customerId": customers["globex"], "productId": product["id"]},
    )
    invoices = {name: await invoice_of(api, name, product["id"]) for name in ("initech", "hooli")}
    draft = await draft_of(api, "pied piper", product["id"])
    changing = await subscription_of(api, await invoice_of(api, "soylent", product["id"]))
    inputs: dict[str, dict[str, Any]] = {
        "meterCreate": {
            "name": "tokens",
            "filter": {
                "clauses": [{"clause": {"property": "n", "operator": "EQUALS", "value": 10}}]
            },
            "aggregation": {"function": "SUM", "property": "tokens"},
        },
        "customerCreate": {"name": "Pied Piper"},
        "customerErase": {"id": customers["vandelay"]},
        "customerMeterCredit": {
            "externalCustomerId": "acme",
            "meterId": meter,
            "units": "100",
            "reason": "a gift",
        },
        "creditGrantVoid": {"id": await grant_of(api, "hooli"), "reason": "a mistake"},
        "customerSubscriptionCreate": {
            "externalCustomerId": "acme",
            "productId": product["id"],
            "startedAt": "2026-03-01T12:00:00Z",
        },
        "customerSubscriptionCancel": {
            "id": subscribed["customerSubscriptionCreate"]["subscription"]["id"],
            "when": "NOW",
        },
        "customerSubscriptionChange": {"id": changing, "quantity": 3},
        "productCreate": {
            "name": "plan",
            "recurringInterval": "MONTH",
            "prices": [{"fixed": {"currency": "USD", "amount": 100}}],
        },
        "priceSimulationStart": {
            "prices": [{"metered": {"currency": "USD", "meterId": meter, "unitAmount": "0.5"}}],
            "start": "2026-01-01T00:00:00Z",
            "end": "2026-02-01T00:00:00Z",
        },
        "meterCreditBenefitCreate": {
            "description": "free",
            "meterId": meter,
            "units": "1.50",
        },
        "creditNoteCreate": {
            "invoiceId": invoices["initech"],
            "amount": 100,
            "reason": "slow answers",
        },
        "invoiceFinalize": {"id": draft},
        "invoiceMarkPaid": {"id": invoices["initech"], "reference": "transfer 4711"},
        "invoiceVoid": {"id": invoices["hooli"], "reason": "a mistake"},
        "webhookEndpointCreate": {"url": "https://hooks.example/metergraph"},
        "usageAlertCreate": {
            "name": "much",
            "kind": "CONSUMED_UNITS",
            "threshold": "10",
            "meterId": meter,
        },
    }
    return Caller(api, inputs, customers)


@pytest.fixture
def counts(database: BaseDBAsyncClient, organization: Organization) -> Callable[[str], Any]:
    async def counts(mutation: str) -> int:
        rows = await database.execute_query_dict(
            f"SELECT count(*) AS n FROM {TABLES[mutation]} WHERE organization_id = $1",
            [organization.id],
        )
        number: int = rows[0]["n"]
        return number

    return counts


@contextmanager
def answers_lost_after_commit() -> Iterator[None]:
    """The connection breaks when what was sent has been committed, before anybody is told."""
    commit = TransactionWrapper.commit

    async def lost(self: TransactionWrapper) -> None:
        await commit(self)
        if not isinstance(self._parent, TransactionWrapper):  # savepoints are not lost
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionWrapper, "commit", lost)
        yield
