"""Rows of an organization that are listed or found: meters, products and invoices."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from models import Invoice, Meter, Organization, Product

START = datetime(2026, 1, 1, tzinfo=UTC)


def meter(organization: Organization, name: str) -> Meter:
    """A meter that counts all events."""
    return Meter(
        organization_id=organization.id,
        name=name,
        event_filter={"conjunction": "AND", "clauses": []},
        aggregation_function="COUNT",
    )


def product(organization: Organization, name: str) -> Product:
    """A monthly product without prices."""
    return Product(
        organization_id=organization.id,
        name=name,
        recurring_interval="MONTH",
        currency="USD",
        created_at=START,
    )


def invoice(organization: Organization, sequence: int, **columns: Any) -> Invoice:
    """An invoice over nothing in dollars, issued at the start, unless `columns` say otherwise."""
    usual = {
        "customer_id": UUID(int=1),
        "subscription_id": UUID(int=1),
        "currency": "USD",
        "total": 0,
        "position": 0,
        "issued_at": START,
    }
    return Invoice(organization_id=organization.id, sequence=sequence, **{**usual, **columns})


async def store_named(organization: Organization, names: Iterable[str]) -> None:
    """Stores a meter and a product of each name."""
    named = list(names)
    await Meter.bulk_create([meter(organization, name) for name in named])
    await Product.bulk_create([product(organization, name) for name in named])
