"""A subscription to discount, and what its invoices take off."""

import pytest

from models import Customer, CustomerSubscription, Product
from tests.billing.world import BilledInvoice, World


@pytest.fixture
async def customer(world: World) -> Customer:
    return await world.customer()


@pytest.fixture
async def product(world: World) -> Product:
    """$31 a month in advance, and a cent a unit."""
    return await world.product(world.fixed(3_100), world.per_unit(await world.meter()))


@pytest.fixture
async def subscription(world: World, customer: Customer, product: Product) -> CustomerSubscription:
    return await world.subscribe(customer, product, "2026-01-01")


def said(invoice: BilledInvoice) -> list[tuple[str, int]]:
    return list(zip(invoice.kinds, invoice.amounts, strict=True))


async def discounts(world: World) -> list[int]:
    """What each invoice takes off, but for the first, which no discount precedes."""
    return [
        sum(amount for kind, amount in said(invoice) if kind == "DISCOUNT")
        for invoice in (await world.invoices())[1:]
    ]
