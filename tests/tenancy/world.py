"""A tenant with something of everything, under names of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient

from billing.catalog.prices import MeteredDraft
from billing.periods.intervals import RecurringInterval
from billing.simulations.running import Step, simulate_batch
from billing.simulations.starting import SimulationDraft, start_simulation
from models import Meter, Organization
from tests.graphql_client import Api
from tests.ingesting import drain
from tests.resolvers.ai_plan import subscribed

EVERYTHING = """{
  auditEntries(first: 1) { edges { cursor } nodes { __typename id } }
  organization { __typename id accessTokens { __typename id name } }
  products(first: 1) { edges { cursor } nodes {
    __typename id prices { __typename id } benefits { __typename id }
  } }
  subscriptions(first: 1) { edges { cursor } nodes {
    __typename id invoices(first: 1) { nodes { __typename id } }
  } }
  priceSimulations(first: 1) { edges { cursor } nodes {
    __typename id customers(first: 1) { edges { cursor } }
  } }
  invoices(first: 1) { edges { cursor } nodes { __typename id creditNotes { __typename id } } }
  events(first: 1) { edges { cursor } nodes { __typename id } }
  meters(first: 1) { edges { cursor } nodes { __typename id } }
  webhookEndpoints(first: 1) { edges { cursor } nodes {
    __typename id deliveries(first: 1) { edges { cursor } nodes { __typename id } }
  } }
  usageAlerts(first: 1) { edges { cursor } nodes {
    __typename id triggers(first: 1) { edges { cursor } nodes { __typename id } }
  } }
  customers(first: 1) { edges { cursor } nodes {
    __typename id meters(first: 1) { edges { cursor } nodes {
      __typename id creditEntries(first: 1) { edges { cursor } nodes { __typename id } }
      grants(first: 1) { edges { cursor } nodes { __typename id } }
    } }
  } }
}"""


@dataclass(frozen=True)
class Tenant:
    """An organization, its API, and what it has: an id of every type, external ids, cursors."""

    organization: Organization
    api: Api
    word: str
    ids: Mapping[str, str]
    cursors: tuple[str, ...]

    @property
    def customer(self) -> str:
        """The external id of its customer."""
        return f"{self.word}-customer"

    @property
    def event(self) -> str:
        """The external id of one of its events."""
        return f"{self.word}-event"


async def settled(api: Api, organization: Organization, word: str) -> Tenant:
    """A tenant whose every name has `word` in it."""
    await subscribed(api, organization)
    await api.get(
        "mutation ($old: ID!, $new: String!, $text: String!, $events: [EventInput!]!) {"
        " customerUpdate(input: {id: $old, externalId: $new, name: $text, email: $text}) "
        "{ userErrors { message } }"
        " eventsIngest(input: {events: $events}) { userErrors { message } }"
        " accessTokenCreate(input: {name: $text, scopes: [USAGE_READ]}) { userErrors { message } }"
        "}",
        old=(await api.get('{ customer(externalId: "acme") { id } }'))["customer"]["id"],
        new=f"{word}-customer",
        text=f"{word}-text",
        events=[
            {
                "name": f"{word}-name",
                "externalId": f"{word}-event",
                "externalCustomerId": f"{word}-customer",
                "metadata": {"note": f"{word}-metadata"},
                "timestamp": (datetime.now(UTC) - timedelta(hours=1)).isoformat(),
            }
        ],
    )
    await drain(organization.id)
    created = await api.get(
        "mutation ($url: String!) { webhookEndpointCreate(input: {url: $url}) "
        "{ webhookEndpoint { id } } }",
        url=f"https://{word}.example/",
    )
    await api.get(
        "mutation ($id: ID!) { webhookEndpointTest(input: {id: $id}) { delivery { id } } }",
        id=created["webhookEndpointCreate"]["webhookEndpoint"]["id"],
    )
    meters = await api.get("{ meters(first: 1) { nodes { id } } }")
    await api.get(
        "mutation ($meter: ID!, $name: String!, $who: String!) { of_all: usageAlertCreate(input: "
        '{name: $name, kind: CREDIT_BALANCE, threshold: "1000000000", meterId: $meter}'
        ") { userErrors { message } } of_one: usageAlertCreate(input: {name: $name, kind: "
        'CONSUMED_UNITS, threshold: "1", meterId: $meter, externalCustomerId: $who}'
        ") { userErrors { message } } }",
        who=f"{word}-customer",
        meter=meters["meters"]["nodes"][0]["id"],
        name=f"{word}-alert",
    )
    [invoice] = (await api.get("{ invoices { nodes { id } } }"))["invoices"]["nodes"]
    await api.get(
        "mutation ($id: ID!, $text: String!) {"
        " creditNoteCreate(input: {invoiceId: $id, amount: 1, reason: $text})"
        " { userErrors { message } } }",
        id=invoice["id"],
        text=f"{word}-reason",
    )
    await simulate(organization)
    ids: dict[str, str] = {}
    cursors: list[str] = []
    found = await api.get(EVERYTHING)
    for value in _walk(found):
        if "id" in value:
            ids.setdefault(value["__typename"], value["id"])
        if "cursor" in value:
            cursors.append(value["cursor"])
    # The token in use must stay good: name another one.
    tokens = found["organization"]["accessTokens"]
    ids["AccessToken"] = next(token["id"] for token in tokens if token["name"] == f"{word}-text")
    return Tenant(organization, api, word, ids, tuple(cursors))


async def simulate(organization: Organization) -> None:
    """Simulates a price of the customer's usage of yesterday and today."""
    meter = await Meter.filter(organization_id=organization.id).first()
    assert meter is not None
    end = datetime.now(UTC)
    draft = SimulationDraft(
        None,
        [MeteredDraft("USD", meter.id, parameters={"unit_amount": Decimal(1)})],
        (),
        None,
        end - timedelta(days=1),
        end,
        RecurringInterval.DAY,
    )
    simulation = await start_simulation(organization.id, draft)
    assert await simulate_batch(organization.id, simulation.id) is Step.LAST


def _walk(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value, *(inner for item in value.values() for inner in _walk(item))]
    return [inner for item in value for inner in _walk(item)] if isinstance(value, list) else []


async def fingerprint(database: BaseDBAsyncClient, organization: Organization) -> dict[str, str]:
    """A digest of all rows of an organization, by table."""
    tables = await database.execute_query_dict(
        "SELECT c.table_name AS name FROM information_schema.columns c"
        " JOIN information_schema.tables t USING (table_schema, table_name)"
        " WHERE c.table_schema = 'public' AND c.column_name = 'organization_id'"
        " AND t.table_type = 'BASE TABLE'"
    )
    digests = {}
    for table in tables:
        rows = await database.execute_query_dict(
            f"SELECT md5(coalesce(string_agg(r.row, ',' ORDER BY r.row), '')) AS digest FROM ("
            f"SELECT (to_jsonb(t) - 'last_used_at')::text AS row FROM \"{table['name']}\" t"
            f" WHERE organization_id = $1) r",
            [organization.id],
        )
        digests[table["name"]] = rows[0]["digest"]
    return digests
