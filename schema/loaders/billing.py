"""Reads products, subscriptions, credits and invoices."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TypeVar
from uuid import UUID

from strawberry.dataloader import DataLoader
from tortoise.connection import get_connection
from tortoise.models import Model

from billing.invoicing.balances import balances
from billing.invoicing.estimates import Estimate, estimates, upcoming_invoices
from models import (
    Benefit,
    CreditEntry,
    CreditNote,
    CustomerSubscription,
    Invoice,
    InvoiceLine,
    Product,
    ProductBenefit,
    ProductPrice,
)
from schema.loaders.keyset import Keyset, instant_key, uuid_key
from schema.loaders.sources import SQLSource
from schema.loaders.tables import Where, equal, given, has_text, rows_source, unarchived

M = TypeVar("M", bound=Model)


ISSUED_FIRST = Keyset((instant_key("issued_at"), uuid_key()))


@dataclass(frozen=True)
class SubscriptionQuery:
    """Which subscriptions to list: those that meet every condition that is given."""

    status: str | None = None
    customer_id: UUID | None = None
    product_id: UUID | None = None
    ends_before: datetime | None = None
    include_ended: bool = True


@dataclass(frozen=True)
class InvoiceQuery:
    """Which invoices to list: those that meet every condition that is not None."""

    customer_id: UUID | None = None
    subscription_id: UUID | None = None
    issued_after: datetime | None = None
    issued_before: datetime | None = None
    status: str | None = None


def products_source(
    organization_id: UUID, text: str | None = None, *, include_archived: bool
) -> SQLSource[Product]:
    """The organization's products whose names contain a text."""
    found = has_text(("name",), text)
    return rows_source(Product, organization_id, *unarchived(include_archived), *found)


def subscriptions_source(
    organization_id: UUID, query: SubscriptionQuery
) -> SQLSource[CustomerSubscription]:
    """The organization's subscriptions that meet the query."""
    return rows_source(
        CustomerSubscription,
        organization_id,
        *given(
            equal("status", query.status, "text"),
            equal("customer_id", query.customer_id),
            equal("product_id", query.product_id),
            Where("{row}.current_period_end < {value}", query.ends_before, "timestamptz"),
        ),
        *([] if query.include_ended else [Where("{row}.status <> 'CANCELED'")]),
    )


def subscriptions_of_customer(
    organization_id: UUID, customer_id: UUID, *, include_ended: bool
) -> SQLSource[CustomerSubscription]:
    """A customer's subscriptions."""
    query = SubscriptionQuery(customer_id=customer_id, include_ended=include_ended)
    return subscriptions_source(organization_id, query)


def invoices_source(
    organization_id: UUID, query: InvoiceQuery, *, newest_first: bool = False
) -> SQLSource[Invoice]:
    """The organization's invoices that meet the query, in the order of issuing."""
    return rows_source(
        Invoice,
        organization_id,
        *given(
            equal("customer_id", query.customer_id),
            equal("subscription_id", query.subscription_id),
            equal("status", query.status, "text"),
            Where("{row}.issued_at >= {value}", query.issued_after, "timestamptz"),
            Where("{row}.issued_at < {value}", query.issued_before, "timestamptz"),
        ),
        keyset=ISSUED_FIRST,
        newest_first=newest_first,
    )


def invoices_of_customer(organization_id: UUID, customer_id: UUID) -> SQLSource[Invoice]:
    """A customer's invoices."""
    return invoices_source(organization_id, InvoiceQuery(customer_id=customer_id))


def invoices_of_subscription(organization_id: UUID, subscription_id: UUID) -> SQLSource[Invoice]:
    """A subscription's invoices."""
    return invoices_source(organization_id, InvoiceQuery(subscription_id=subscription_id))


def credit_entries_source(
    organization_id: UUID, customer_id: UUID, meter_id: UUID
) -> SQLSource[CreditEntry]:
    """A customer's credit ledger on a meter."""
    return rows_source(
        CreditEntry,
        organization_id,
        equal("customer_id", customer_id),
        equal("meter_id", meter_id),
    )


class BillingLoaders:
    """A request's loaders for billing, all bound to `organization_id`."""

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
    def credit_notes_of_invoice(self) -> DataLoader[UUID, list[CreditNote]]:
        """An invoice's credit notes, in order."""
        return self._of(CreditNote, "invoice_id", lambda note: note.invoice_id, "sequence")

    @cached_property
    def balances_of_customer(self) -> DataLoader[UUID, list[tuple[str, int]]]:
        """A customer's balances: currencies and minor units."""
        return DataLoader(self._balances, cache=False)

    @cached_property
    def benefits_of_product(self) -> DataLoader[UUID, list[Benefit]]:
        """A product's benefits, in order."""
        return DataLoader(self._benefits_of_products, cache=False)

    @cached_property
    def upcoming_invoice(self) -> DataLoader[UUID, Estimate | None]:
        """An estimate of a subscription's next invoice."""
        return DataLoader(self._upcoming_invoices, cache=False)

    @cached_property
    def draft(self) -> DataLoader[tuple[UUID, UUID], Estimate | None]:
        """Drafts as of now, by (invoice, subscription); None for an invoice that is no draft."""
        return DataLoader(self._drafts, cache=False)

    def _of(
        self, model: type[M], column: str, parent: Callable[[M], UUID], order: str = "ordinal"
    ) -> DataLoader[UUID, list[M]]:
        """The rows of a table that belong to a parent, in the order of a column."""

        async def load(keys: list[UUID]) -> Sequence[list[M]]:
            rows = await model.filter(
                organization_id=self.organization_id, **{f"{column}__in": set(keys)}
            ).order_by(order)
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

    async def _drafts(self, keys: list[tuple[UUID, UUID]]) -> list[Estimate | None]:
        ids = list({subscription_id for _, subscription_id in keys})
        found = (await estimates(self.organization_id, ids)).drafts
        return [found.get(invoice_id) for invoice_id, _ in keys]

    async def _balances(self, keys: list[UUID]) -> list[list[tuple[str, int]]]:
        found = await balances(get_connection("default"), self.organization_id, keys)
        return [
            [
                (currency, amount)
                for (customer_id, currency), amount in found.items()
                if customer_id == key
            ]
            for key in keys
        ]
