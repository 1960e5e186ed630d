"""A customer that is erased through the API, and operations that ask about it."""

from typing import Any

from models import Customer, Organization
from tests.graphql_client import Api
from tests.ingesting import drain, send
from tests.resolvers.ai_plan import made

ERASE = """
mutation ($input: CustomerEraseInput!) {
  customerErase(input: $input) {
    customer { id externalId name email erasedAt }
    userErrors { code message path }
  }
}
"""
CREATE = """
mutation ($input: CustomerCreateInput!) {
  customerCreate(input: $input) { customer { id } userErrors { code } }
}
"""
STATE = """
query ($id: ID!) {
  customer(id: $id) {
    externalId name email erasedAt erasure { erasedEvents completedAt }
    events { nodes { name externalId metadata customer { name erasedAt } } }
  }
}
"""
NUMBERS = """
query ($id: ID!) {
  customer(id: $id) {
    meters { nodes { consumedUnits creditedUnits balance creditEntries { nodes { units kind } } } }
    invoices { nodes { number total lines { kind description consumedUnits amount } } }
  }
}
"""
JANE = {"externalId": "jane-4711", "name": "Jane Roe", "email": "jane@roe.example"}
EVENT = {
    "externalCustomerId": "jane-4711",
    "externalId": "call-1",
    "metadata": {"tokens": 5, "user": "jane@roe.example", "from": "192.0.2.7"},
}


async def jane(api: Api, organization: Organization) -> str:
    """The id of a customer with an event that is counted."""
    customer = await made(api, CREATE, input=JANE)
    await send(organization.id, EVENT)
    await drain(organization.id)
    found: str = customer["id"]
    return found


async def key_of(organization: Organization) -> Any:
    return (await Customer.get(organization_id=organization.id, external_id="jane-4711")).id


async def erase(api: Api, **sent: Any) -> Any:
    return await made(api, ERASE, input=sent)


def rendered_by(api: Api) -> Any:
    """Renders objects of the outbox, as the API shows customers."""

    async def render(_organization_id: Any, events: Any) -> list[dict[str, Any]]:
        rows = await Customer.filter(id__in=[event.object_id for event in events])
        found = {row.id: {"id": str(row.id), "name": row.name} for row in rows}
        return [found.get(event.object_id, {"id": str(event.object_id)}) for event in events]

    return render
