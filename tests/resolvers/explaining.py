"""Invoices, and their lines taken apart through the API."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from billing.catalog.prices import MeteredDraft
from billing.rating.schemes import Tier
from models import Customer, Meter
from tests.billing.world import World
from tests.graphql_client import Api

LINE = """
  ordinal kind description consumedUnits creditedUnits billableUnits amount
  explanation {
    position matchedEvents
    steps { description units unitAmount flatAmount amount }
    credits { kind units }
    corrects { ordinal description amount explanation { steps { amount } } }
  }
"""
INVOICES = f"{{ invoices(first: 3) {{ nodes {{ id lines {{ {LINE} }} }} }} }}"
EVENTS = """query ($id: ID!, $ordinal: Int!, $first: Int, $after: String) { invoice(id: $id) {
  line(ordinal: $ordinal) { events(first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor } nodes { externalId timestamp metadata }
  } } } }"""
UPCOMING = (
    f"{{ subscriptions(first: 1) {{ nodes {{ upcomingInvoice {{ lines {{ {LINE} }} }} }} }} }}"
)


async def invoices(api: Api) -> list[Any]:
    found: list[Any] = (await api.get(INVOICES))["invoices"]["nodes"]
    for invoice in found:
        for line in invoice["lines"]:
            adds_up(line)
    return found


def adds_up(line: dict[str, Any]) -> None:
    explained = line["explanation"]
    if explained is not None:
        assert sum(Decimal(step["amount"]) for step in explained["steps"]) == line["amount"]


def steps(line: dict[str, Any]) -> list[tuple[str, str | None, str]]:
    return [
        (step["description"], step["units"], step["amount"])
        for step in line["explanation"]["steps"]
    ]


async def events(api: Api, invoice: dict[str, Any], ordinal: int, **page: Any) -> dict[str, Any]:
    found = await api.get(EVENTS, id=invoice["id"], ordinal=ordinal, **page)
    listed: dict[str, Any] = found["invoice"]["line"]["events"]
    return listed


async def numbers(api: Api, invoice: dict[str, Any], ordinal: int) -> list[int]:
    """What the events of a line count, latest first."""
    nodes = (await events(api, invoice, ordinal, first=100))["nodes"]
    return [event["metadata"]["tokens"] for event in nodes]


TIERS = (
    Tier(Decimal(3), Decimal("0.5")),
    Tier(Decimal(5), Decimal("1.3"), 7),
    Tier(None, Decimal(2)),
)


@dataclass(frozen=True)
class Sold:
    """A customer of a product with a metered price."""

    customer: Customer
    meter: Meter


async def sold(world: World, *, credit: int = 0, **price: Any) -> Sold:
    customer, meter = await world.customer(), await world.meter()
    draft = MeteredDraft("USD", meter.id, **price)
    benefits = [await world.benefit(meter, credit)] if credit else []
    product = await world.product(draft, benefits=benefits)
    await world.subscribe(customer, product, "2026-01-01")
    return Sold(customer, meter)
