"""The data of a webhook is the object as `node(id:)` answers it."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from arq.connections import ArqRedis

from config.settings import Settings
from metering.live.outbox import OutboxType
from models import CreditGrant, Organization, OutboxEvent, exact_json
from models.identifiers import new_id
from resolvers.queries.nodes import NODE_TYPES
from schema.ids import decode_id, encode_id
from tests.graphql_client import Api
from tests.outbox import listen
from tests.resolvers.ai_plan import subscribed
from tests.webhooks.documented import PAGE
from transport.application import services_of
from transport.webhook_objects import WebhookObjects, document, type_name
from waiting.outages import OutageError
from webhooks.due import TEST_TYPE
from webhooks.fan_out import Happened, fan_out

# A few fields of each type that its webhooks have, at least.
SHOWN = {
    "AlertTrigger": """id value currency periodStart triggeredAt customer { id externalId }
        alert { id name kind threshold enabled }""",
    "Customer": "id externalId name email createdAt",
    "CustomerSubscription": """id status startedAt currentPeriodStart currentPeriodEnd
        cancelAtPeriodEnd endedAt invoicingProblem
        customer { id externalId name email createdAt } product { id name }""",
    "Invoice": """id number currency total issuedAt customer { id externalId } subscription { id }
        lines { kind description periodStart periodEnd consumedUnits creditedUnits billableUnits
            amount price { id currency } }""",
    "CreditNote": "id number amount reason refunded issuedAt invoice { id number currency }",
    "CreditEntry": "id kind units reason createdAt customer { id externalId } meter { id name }",
    "CreditGrant": """id units remaining priority effectiveAt expiresAt rollsOver reason createdAt
        voidedAt voidReason benefit { id units } customer { id externalId } meter { id name }""",
    "Meter": """id name unit createdAt archivedAt isLocked aggregation { function property }
        filter { conjunction clauses { __typename
            ... on MeterClause { property operator value } } }
        progress { pendingEvents problems }""",
}


@pytest.fixture
def objects(settings: Settings, redis: ArqRedis) -> WebhookObjects:
    return WebhookObjects(services_of(settings, redis))


def contains(found: Any, wanted: Any) -> bool:
    """Whether everything that is wanted was found, with the same values."""
    if isinstance(wanted, dict):
        return wanted.keys() <= found.keys() and all(
            contains(found[name], value) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(contains, found, wanted))
    return bool(found == wanted)


async def test_each_type_is_shown_as_node_shows_it(
    api: Api, organization: Organization, objects: WebhookObjects
) -> None:
    await listen(organization.id)
    await subscribed(api, organization)
    meters = await api.get("{ meters(first: 1) { nodes { id } } }")
    await api.get(
        'mutation ($meter: ID!) { usageAlertCreate(input: {name: "low", kind: CREDIT_BALANCE,'
        ' threshold: "1000000000", meterId: $meter}) { alert { id } } }',
        meter=meters["meters"]["nodes"][0]["id"],
    )
    found = await api.get("{ invoices(first: 1) { nodes { id } } }")
    await api.get(
        "mutation ($invoice: ID!) { creditNoteCreate(input: {invoiceId: $invoice, amount: 5,"
        ' reason: "slow answers"}) { creditNote { id } } }',
        invoice=found["invoices"]["nodes"][0]["id"],
    )
    await api.get(
        'mutation ($meter: ID!) { customerMeterCredit(input: {externalCustomerId: "acme",'
        ' meterId: $meter, units: "1000000", reason: "x"}) { customerMeter { id } } }',
        meter=meters["meters"]["nodes"][0]["id"],
    )
    gift = await CreditGrant.get(organization_id=organization.id, benefit_id=None)
    await api.get(
        'mutation ($grant: ID!) { creditGrantVoid(input: {id: $grant, reason: "too much"})'
        " { grant { id } } }",
        grant=encode_id("CreditGrant", gift.id),
    )
    await fan_out(organization.id, objects.render)
    seen = set()
    for event in await OutboxEvent.filter(organization_id=organization.id):
        message = await body(event)
        name = type_name(event.type)
        assert message["type"] == event.type
        assert decode_id(message["data"]["id"], name) == event.object_id
        shown = await api.get(
            f"query ($id: ID!) {{ node(id: $id) {{ ... on {name} {{ {SHOWN[name]} }} }} }}",
            id=message["data"]["id"],
        )
        assert contains(message["data"], shown["node"]), (message["data"], shown["node"])
        seen.add(event.type)
    assert seen >= {"customer.created", "subscription.created", "invoice.issued", "credit.granted"}
    assert seen >= {"alert.triggered", "credit_note.issued", "credit.voided"}


async def body(event: OutboxEvent) -> Any:
    return exact_json.loads(str(event.body))


async def test_a_meter_says_why_it_fails(
    api: Api, organization: Organization, objects: WebhookObjects
) -> None:
    await subscribed(api, organization)
    [meter] = (await api.get("{ meters { nodes { id } } }"))["meters"]["nodes"]
    key = decode_id(meter["id"], "Meter")
    assert key is not None
    [data] = await objects.render(organization.id, [happened(OutboxType.METER_FAILING, key)])
    shown = await api.get(
        f"query ($id: ID!) {{ node(id: $id) {{ ... on Meter {{ {SHOWN['Meter']} }} }} }}",
        id=meter["id"],
    )
    assert contains(data, shown["node"])
    assert data["progress"]["problems"] == []


def happened(type_: OutboxType, object_id: Any) -> Happened:
    return Happened(new_id(), type_.value, object_id, datetime.now(UTC))


async def test_a_deleted_object_has_its_id_only(
    organization: Organization, objects: WebhookObjects
) -> None:
    gone = happened(OutboxType.CUSTOMER_UPDATED, new_id())
    [data] = await objects.render(organization.id, [gone])
    assert list(data) == ["id"]
    assert decode_id(data["id"], "Customer") == gone.object_id


async def test_an_object_of_another_organization_is_not_shown(
    api: Api, organization: Organization, other_organization: Organization, objects: WebhookObjects
) -> None:
    await subscribed(api, organization)
    found = await api.get('{ customer(externalId: "acme") { id } }')
    key = decode_id(found["customer"]["id"], "Customer")
    event = happened(OutboxType.CUSTOMER_UPDATED, key)
    [data] = await objects.render(other_organization.id, [event])
    assert list(data) == ["id"]


async def test_an_outage_is_no_deleted_object(
    organization: Organization, objects: WebhookObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_arguments: object) -> None:
        raise OutageError("no answer")

    monkeypatch.setattr("schema.loaders.rows_by_id", away)
    with pytest.raises(OutageError):
        await objects.render(organization.id, [happened(OutboxType.CUSTOMER_UPDATED, new_id())])


@pytest.mark.parametrize("type_", OutboxType)
def test_every_type_of_event_has_an_object(type_: OutboxType) -> None:
    name = type_name(type_.value)
    assert name in NODE_TYPES or name == "AlertTrigger"
    assert "ids" in document(name)


def test_documentation_and_dashboard_list_every_type_in_order() -> None:
    known = [type_.value for type_ in OutboxType]
    assert re.findall(r"^\| `([a-z_.]+)` \|", PAGE, re.MULTILINE) == [*known, TEST_TYPE]
    root = Path(__file__).parents[2]
    dashboard = (root / "web/src/features/webhooks/eventTypes.ts").read_text()
    assert re.findall(r"type: '([a-z_.]+)'", dashboard) == known
