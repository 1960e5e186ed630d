"""A small world to bill in: customers, meters, products, events, and a clock to set."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from billing.catalog.prices import PriceDraft
from billing.catalog.products import ProductChanges, update_product
from billing.invoicing.balances import balances
from billing.invoicing.credit_notes import create_credit_note
from billing.invoicing.estimates import Estimate, estimates
from billing.invoicing.life import finalize_invoice, mark_paid, void_invoice
from billing.rating.discounts import Discount
from billing.subscriptions.change_preview import ChangePreview, preview_change
from billing.subscriptions.changes import SubscriptionChange, cancel_change, change_subscription
from billing.subscriptions.cycle import CycleReport, run_cycle
from billing.subscriptions.discounts import set_discount
from billing.subscriptions.life import (
    CancelWhen,
    SubscriptionDraft,
    cancel_subscription,
    create_subscription,
    resume_subscription,
)
from config import clock
from metering.counting.log import advance
from metering.ingest.events import check_event
from metering.ingest.storing import IngestCall, InvalidEventPolicy, ingest
from models import (
    Benefit,
    CreditNote,
    Customer,
    CustomerSubscription,
    Invoice,
    InvoiceLine,
    Meter,
    Organization,
    Product,
)
from tests.billing.credits import Credits, instant
from tests.reference.values import parse_json

__all__ = ["BilledInvoice", "World", "instant"]


@dataclass(frozen=True)
class BilledInvoice:
    """An invoice, with its lines in order. Any: tests compare Decimals with integers."""

    invoice: Any
    lines: list[Any]

    @property
    def kinds(self) -> list[str]:
        return [line.kind for line in self.lines]

    @property
    def amounts(self) -> list[int]:
        return [int(line.amount) for line in self.lines]


class World(Credits):
    """What tests do in an organization."""

    async def give_benefits(self, product: Product, benefits: Sequence[Benefit], at: str) -> None:
        with clock.at(instant(at)):
            changes = ProductChanges(benefit_ids=[benefit.id for benefit in benefits])
            await update_product(self.id, product.id, changes)

    async def subscribe(
        self,
        customer: Customer,
        product: Product,
        at: str,
        started_at: str | None = None,
        *,
        quantity: int = 1,
        trial_ends_at: str | None = None,
        trial_days: int | None = None,
    ) -> CustomerSubscription:
        begins = None if started_at is None else instant(started_at)
        trial = None if trial_ends_at is None else instant(trial_ends_at)
        draft = SubscriptionDraft(customer.id, product.id, begins, quantity, trial, trial_days)
        with clock.at(instant(at)):
            return await create_subscription(self.id, draft)

    async def subscribed(
        self,
        at: str = "2026-01-01",
        *,
        fixed: int = 0,
        amount: str | int = 1,
        units: str | int = 0,
        rollover: bool = False,
    ) -> tuple[Customer, Meter, CustomerSubscription]:
        """A customer of a product with a price per unit, a fixed one and a benefit where given."""
        customer, meter = await self.customer(), await self.meter()
        prices: list[PriceDraft] = [self.fixed(fixed)] if fixed else []
        benefits = [await self.benefit(meter, units, rollover=rollover)] if units else []
        product = await self.product(*prices, self.per_unit(meter, amount), benefits=benefits)
        return customer, meter, await self.subscribe(customer, product, at)

    async def received(self, at: str) -> None:
        """All events so far were received then."""
        await self.query(
            "UPDATE event_batch SET received_at = $2 WHERE organization_id = $1 RETURNING 1",
            instant(at),
        )

    async def cancel(
        self,
        subscription: CustomerSubscription,
        at: str,
        when: CancelWhen = CancelWhen.NOW,
        *,
        prorate: bool = False,
    ) -> CustomerSubscription:
        with clock.at(instant(at)):
            return await cancel_subscription(self.id, subscription.id, when, prorate=prorate)

    async def resume(self, subscription: CustomerSubscription, at: str) -> CustomerSubscription:
        with clock.at(instant(at)):
            return await resume_subscription(self.id, subscription.id)

    async def change(
        self,
        subscription: CustomerSubscription,
        at: str,
        product: Product | None = None,
        quantity: int | None = None,
        when: CancelWhen = CancelWhen.NOW,
    ) -> BilledInvoice | None:
        change = SubscriptionChange(None if product is None else product.id, quantity, when)
        with clock.at(instant(at)):
            _row, invoice = await change_subscription(self.id, subscription.id, change)
        return None if invoice is None else await self.billed(invoice)

    async def preview(
        self,
        subscription: CustomerSubscription,
        at: str,
        product: Product | None = None,
        quantity: int | None = None,
        when: CancelWhen = CancelWhen.NOW,
    ) -> ChangePreview:
        change = SubscriptionChange(None if product is None else product.id, quantity, when)
        with clock.at(instant(at)):
            return await preview_change(self.id, subscription.id, change)

    async def discount(
        self,
        subscription: CustomerSubscription,
        at: str,
        *,
        percent: str | int | None = None,
        amount: int | None = None,
        periods: int | None = None,
    ) -> CustomerSubscription:
        given = Discount(None if percent is None else Decimal(percent), amount)
        discount = None if given == Discount() else given
        with clock.at(instant(at)):
            return await set_discount(self.id, subscription.id, discount, periods)

    async def drop_change(self, subscription: CustomerSubscription, at: str) -> None:
        with clock.at(instant(at)):
            await cancel_change(self.id, subscription.id)

    async def send(
        self, customer: Customer, *events: tuple[str, Any], name: str = "ai_usage", **metadata: Any
    ) -> None:
        """Stores events of (instant, tokens) and other metadata; `count` counts them."""
        drafts = [
            check_event(
                {
                    "customerId": str(customer.id),
                    "name": name,
                    "timestamp": instant(at),
                    "metadata": {"tokens": tokens, **metadata},
                },
                instant("2100-01-01"),
                UUID,
            )
            for at, tokens in events
        ]
        call = IngestCall(drafts, InvalidEventPolicy.REJECT_BATCH)
        await ingest(self.id, [call])

    async def events(self) -> list[dict[str, Any]]:
        """The raw events, with the positions of their batches and of their voids."""
        rows = await self.query(
            """
            SELECT e.id, e.name, e.timestamp, e.metadata, batch.position,
                   voided.position AS voided_at
            FROM event e
            JOIN event_batch batch
                ON batch.organization_id = e.organization_id AND batch.id = abs(e.batch_id)
            LEFT JOIN event_void voided
                ON voided.organization_id = e.organization_id AND voided.event_id = e.id
            WHERE e.organization_id = $1
            """
        )
        return [{**row, "metadata": parse_json(row["metadata"])} for row in rows]

    async def count(self) -> None:
        while await advance(self.id):
            pass

    async def use(self, customer: Customer, *events: tuple[str, Any], **metadata: Any) -> None:
        """Stores and counts."""
        await self.send(customer, *events, **metadata)
        await self.count()

    async def cycle(self, at: str) -> CycleReport:
        return await run_cycle(instant(at), self.id)

    async def invoices(
        self, subscription: CustomerSubscription | None = None
    ) -> list[BilledInvoice]:
        found = Invoice.filter(organization_id=self.id)
        if subscription is not None:
            found = found.filter(subscription_id=subscription.id)
        issued = await found.exclude(status="DRAFT").order_by("sequence")
        return [await self.billed(invoice) for invoice in issued]

    async def billed(self, invoice: Invoice) -> BilledInvoice:
        lines = InvoiceLine.filter(organization_id=self.id, invoice_id=invoice.id)
        return BilledInvoice(invoice, await lines.order_by("ordinal"))

    async def grace(self, hours: int) -> None:
        """Invoices are drafts for so long."""
        await Organization.filter(id=self.id).update(invoice_grace_hours=hours)

    async def drafts(self) -> list[tuple[Invoice, Estimate]]:
        """Drafts, and what they say now, in the order in which they will be issued."""
        found = await Invoice.filter(organization_id=self.id, status="DRAFT").order_by("issued_at")
        said = await estimates(self.id, [draft.subscription_id for draft in found])
        return [(draft, said.drafts[draft.id]) for draft in found]

    async def finalize(self, invoice: Invoice, at: str) -> None:
        with clock.at(instant(at)):
            await finalize_invoice(self.id, invoice.id)

    async def pay(self, invoice: Invoice, at: str) -> None:
        with clock.at(instant(at)):
            await mark_paid(self.id, invoice.id)

    async def void(self, invoice: Invoice, at: str, *, write_off: bool = False) -> None:
        with clock.at(instant(at)):
            await void_invoice(self.id, invoice.id, "a mistake", write_off=write_off)

    async def note(
        self, invoice: Invoice, amount: int, at: str, *, refunded: bool = False
    ) -> CreditNote:
        with clock.at(instant(at)):
            return await create_credit_note(
                self.id, invoice.id, amount, "an apology", refunded=refunded
            )

    async def owed(self, customer: Customer) -> dict[str, int]:
        """The customer's balances by currency."""
        found = await balances(self.database, self.id, [customer.id])
        return {currency: amount for (_customer, currency), amount in found.items()}
