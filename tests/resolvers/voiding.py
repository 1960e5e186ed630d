"""Voids events, and shows what a meter has left of them."""

from typing import Any

import pytest

from models import Organization
from tests.graphql_client import Api
from tests.ingesting import catch_up_all, drain
from tests.resolvers.events import event, ingest
from tests.resolvers.token_meter import create_meter

VOID = """
mutation ($input: EventsVoidInput!) {
  eventsVoid(input: $input) {
    voided alreadyVoided notFound userErrors { code message path }
  }
}
"""
METER = """query ($start: DateTime!, $end: DateTime!) { meters(first: 1) { nodes {
  progress { countedEvents skippedEvents }
  quantities(start: $start, end: $end, interval: DAY) { total }
  topCustomers(start: $start, end: $end) { quantity } } }
  customer(externalId: "c1") { meters { nodes { consumedUnits } } } }"""
DAY = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-01T12:07:00Z"}


def used(tokens: Any, number: int) -> dict[str, Any]:
    return event(
        externalId=f"e{number}",
        timestamp=f"2026-03-01T12:0{number}:00Z",
        metadata={"tokens": tokens},
    )


async def void(api: Api, **sent: Any) -> Any:
    found = (await api.get(VOID, input={"reason": "sent twice", **sent}))["eventsVoid"]
    return found.pop("userErrors") or [
        found[name] for name in ("voided", "alreadyVoided", "notFound")
    ]


async def shown(api: Api) -> dict[str, Any]:
    found = await api.get(METER, **DAY)
    [meter] = found["meters"]["nodes"]
    return {
        "counted": meter["progress"]["countedEvents"],
        "skipped": meter["progress"]["skippedEvents"],
        "total": meter["quantities"]["total"],
        "top": [row["quantity"] for row in meter["topCustomers"]],
        "consumed": [row["consumedUnits"] for row in found["customer"]["meters"]["nodes"]],
    }


@pytest.fixture
async def counted(api: Api, organization: Organization) -> list[str]:
    """A meter has counted events of 1, 10 and 100 tokens, and one without; their ids."""
    await create_meter(api)
    await catch_up_all(organization.id)
    sent = [used(tokens, number) for number, tokens in enumerate((1, 10, 100, "none"))]
    found = await ingest(api, *sent)
    await drain(organization.id)
    return [receipt["eventId"] for receipt in found["receipts"]]
