"""Reading products, subscriptions, credits and invoices."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TypeVar
from uuid import UUID

from strawberry.dataloader import DataLoader
from tortoise.models import Model

from billing.invoicing.estimates import Estimate, upcoming_invoices
from models import (
    Benefit,
    CreditEntry,
    CustomerSubscription,
    Invoice,
    InvoiceLine,
    Product,
    ProductBenefit,
    ProductPrice,
)
from schema.loaders.sources import SQLSource
from schema.loaders.tables import rows_source

M = TypeVar("M", bound=Model)


def products_source(organization_id: UUID, *, include_archived: bool) -> SQLSource[Product]:
    """The organization's products."""
    conditions = "true" if include_archived else "{row}.archived_at IS NULL"
    return rows_source(Product, organization_id, conditions)


def subscriptions_source(
    organization_id: UUID, status: str | None = None
) -> SQLSource[CustomerSubscription]:
    """The organization's subscriptions."""
    if status is None:
        return rows_source(CustomerSubscription, organization_id)
    return rows_source(
        CustomerSubscription, organization_id, "{row}.status = {status}", status=(status, "text")
    )


def subscriptions_of_customer(
    organization_id: UUID, customer_id: UUID
) -> SQLSource[CustomerSubscription]:
    """A customer's subscriptions."""
    return rows_source(
        CustomerSubscription,
        organization_id,
        "{row}.customer_id = {customer}",
        customer=(customer_id, "uuid"),
    )


def invoices_of_customer(organization_id: UUID, customer_id: UUID) -> SQLSource[Invoice]:
    """A customer's invoices."""
    return rows_source(
        Invoice, organization_id, "{row}.customer_id = {customer}", customer=(customer_id, "uuid")
    )


def invoices_of_subscription(organization_id: UUID, subscription_id: UUID) -> SQLSource[Invoice]:
    """A subscription's invoices."""
    return rows_source(
        Invoice,
        organization_id,
        "{row}.subscription_id = {subscription}",
        subscription=(subscription_id, "uuid"),
    )


def credit_entries_source(
    organization_id: UUID, customer_id: UUID, meter_id: UUID
) -> SQLSource[CreditEntry]:
    """A customer's credit ledger on a meter."""
    return rows_source(
        CreditEntry,
        organization_id,
        "{row}.customer_id = {customer} AND {row}.meter_id = {meter}",
        customer=(customer_id, "uuid"),
        meter=(meter_id, "uuid"),
    )


class BillingLoaders:
    """The loaders of one request for billing, all bound to `organization_id`."""

    def __init__(self, organization_id: UUID) -> None:
        self.organization_id = organization_id

    @cached_property
    def prices_of_product(self) -> DataLoader[UUID, list[ProductPrice]]:
        """A product's prices, in order."""
        return self._of(ProductPrice, "product_id", lambda price: price.product_id)

    @cached_property
    def lines_of_invoice(self) -> DataLoader[UUID, list[InvoiceLine]]:
        """An invoice's lines, in order."""
        return self._of(InvoiceLine, "invoice_id", lambda line: line.invoice_id)

    @cached_property
    def benefits_of_product(self) -> DataLoader[UUID, list[Benefit]]:
        """A product's benefits, in order."""
        return DataLoader(self._benefits_of_products, cache=False)

    @cached_property
    def upcoming_invoice(self) -> DataLoader[UUID, Estimate | None]:
        """What a subscription's next invoice would say."""
        return DataLoader(self._upcoming_invoices, cache=False)

    def _of(
        self, model: type[M], column: str, parent: Callable[[M], UUID]
    ) -> DataLoader[UUID, list[M]]:
        """The rows of a table that belong to a parent, by their ordinal."""

        async def load(keys: list[UUID]) -> Sequence[list[M]]:
            rows = await model.filter(
                organization_id=self.organization_id, **{f"{column}__in": set(keys)}
            ).order_by("ordinal")
            return [[row for row in rows if parent(row) == key] for key in keys]

        return DataLoader(load, cache=False)

    async def _benefits_of_products(self, keys: list[UUID]) -> list[list[Benefit]]:
        brought = await ProductBenefit.filter(
            organization_id=self.organization_id, product_id__in=set(keys)
        ).order_by("ordinal")
        ids = [row.benefit_id for row in brought]
        found = {
            row.id: row
            for row in await Benefit.filter(organization_id=self.organization_id, id__in=set(ids))
        }
        return [[found[row.benefit_id] for row in brought if row.product_id == key] for key in keys]

    async def _upcoming_invoices(self, keys: list[UUID]) -> list[Estimate | None]:
        found = await upcoming_invoices(self.organization_id, keys)
        return [found.get(key) for key in keys]
