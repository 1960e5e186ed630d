"""Reads what belongs to products, subscriptions, credits and invoices."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property, partial
from typing import TypeVar
from uuid import UUID

from strawberry.dataloader import DataLoader
from tortoise.connection import get_connection
from tortoise.models import Model
from tortoise.transactions import in_transaction

from billing.invoicing.balances import balances
from billing.invoicing.estimates import Estimate, estimates, upcoming_invoices
from billing.periods.current_credit import SNAPSHOT, CurrentCredit, current_credit
from billing.periods.grant_usage import AskedGrant, GrantUsage, usage_of_grants
from config.clock import now
from models import (
    Benefit,
    CreditEntry,
    CreditNote,
    InvoiceLine,
    ProductBenefit,
    ProductPrice,
)
from schema.loaders.lines import BilledLine, LinePeriod, billed_lines

M = TypeVar("M", bound=Model)


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
    def billed_lines(self) -> DataLoader[LinePeriod, list[BilledLine]]:
        """The lines that issued invoices have for the usage of a period."""
        return DataLoader(partial(billed_lines, self.organization_id), cache=False)

    @cached_property
    def credit_entries_of_period(self) -> DataLoader[UUID, list[CreditEntry]]:
        """The credit ledger of a metered period, oldest first."""
        return self._of(
            CreditEntry, "metered_period_id", lambda entry: entry.metered_period_id, "id"
        )

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

    @cached_property
    def credit(self) -> DataLoader[tuple[UUID, UUID], CurrentCredit | None]:
        """The credit of a customer on a meter; None if it never had any."""
        return DataLoader(self._credit, cache=False)

    @cached_property
    def usage_of_grant(self) -> DataLoader[AskedGrant, list[GrantUsage]]:
        """The usage that used a grant."""
        return DataLoader(self._usage_of_grants, cache=False)

    @cached_property
    def end_of_grant(self) -> DataLoader[UUID, datetime | None]:
        """The end of the last period that a grant was in."""
        return DataLoader(self._ends_of_grants, cache=False)

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

    async def _credit(self, keys: list[tuple[UUID, UUID]]) -> list[CurrentCredit | None]:
        async with in_transaction() as connection:
            await connection.execute_query(SNAPSHOT)
            unique = list(dict.fromkeys(keys))
            found = await current_credit(connection, self.organization_id, unique, now())
        return [found.get(key) for key in keys]

    async def _usage_of_grants(self, keys: list[AskedGrant]) -> list[list[GrantUsage]]:
        async with in_transaction() as connection:
            await connection.execute_query(SNAPSHOT)
            return await usage_of_grants(connection, self.organization_id, keys, now())

    async def _ends_of_grants(self, keys: list[UUID]) -> list[datetime | None]:
        rows = await get_connection("default").execute_query_dict(
            """
            SELECT DISTINCT ON (held.credit_grant_id) held.credit_grant_id, period.ends_at
            FROM credit_holding held
            JOIN metered_period period
              ON period.organization_id = $1 AND period.id = held.metered_period_id
            WHERE held.organization_id = $1 AND held.credit_grant_id = ANY($2::uuid[])
            ORDER BY held.credit_grant_id, period.ends_at DESC
            """,
            [self.organization_id, keys],
        )
        ends = {row["credit_grant_id"]: row["ends_at"] for row in rows}
        return [ends.get(key) for key in keys]

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
