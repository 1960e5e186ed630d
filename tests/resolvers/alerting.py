"""Makes alerts through the API, and usage that triggers them."""

from typing import Any

from models import Organization
from tests.graphql_client import Api
from tests.ingesting import drain, send

CREATE = """mutation ($input: UsageAlertCreateInput!) { usageAlertCreate(input: $input) {
  alert { id name kind threshold enabled meter { id } customer { externalId }
    triggers { totalCount nodes { value periodStart customer { externalId } } } }
  userErrors { code path }
} }"""
UPDATE = """mutation ($input: UsageAlertUpdateInput!) { usageAlertUpdate(input: $input) {
  alert { id name threshold enabled triggers { totalCount } } userErrors { code path }
} }"""
DELETE = """mutation ($id: ID!) { usageAlertDelete(input: {id: $id}) {
  deletedId userErrors { code path }
} }"""
METER = """mutation { meterCreate(input: {name: "tokens", unit: "token"
  filter: {clauses: [{clause: {property: "name", operator: EQUALS, value: "use"}}]}
  aggregation: {function: SUM, property: "tokens"}
}) { meter { id } } }"""


async def token_meter(api: Api, organization: Organization) -> str:
    made = await api.get(METER)
    await drain(organization.id)
    found: str = made["meterCreate"]["meter"]["id"]
    return found


async def use(organization: Organization, who: str, tokens: Any) -> None:
    event = {"name": "use", "externalCustomerId": who, "metadata": {"tokens": tokens}}
    await send(organization.id, event)
    await drain(organization.id)


def consumed(meter: str | None, threshold: Any = "10", **more: Any) -> dict[str, Any]:
    alert = {"name": "much", "kind": "CONSUMED_UNITS", "threshold": threshold, "meterId": meter}
    return {**alert, **more}


async def create(api: Api, sent: dict[str, Any]) -> dict[str, Any]:
    made = (await api.get(CREATE, input=sent))["usageAlertCreate"]
    assert made["userErrors"] == []
    alert: dict[str, Any] = made["alert"]
    return alert
