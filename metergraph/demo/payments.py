"""What became of the demo's invoices: most are paid, one is void, and one has a credit note."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from billing.invoicing.credit_notes import create_credit_note
from billing.invoicing.life import mark_paid, void_invoice
from config import clock
from models import Invoice, Organization

PAYS_LATE = "bluth"
VOIDED = "initech"
HAS_CREDIT_NOTE = "wonka"

TERM_DAYS = 14
_SETTLED_AFTER = timedelta(days=10)
_VOIDED_AFTER = timedelta(days=2)
_CREDITED_AFTER = timedelta(days=3)
_CREDIT_NOTE = 500

Step = tuple[datetime, Callable[[], Awaitable[Any]]]


async def set_terms(organization_id: UUID) -> None:
    """Invoices are due after two weeks."""
    await Organization.filter(id=organization_id).update(payment_term_days=TERM_DAYS)


def steps_of(
    organization_id: UUID, name: str, customer_id: UUID, turns: tuple[datetime, ...]
) -> list[Step]:
    """What happens to a customer's invoice after the first of its periods."""
    if name == VOIDED:
        return [(turns[0] + _VOIDED_AFTER, partial(_void, organization_id, customer_id))]
    if name == HAS_CREDIT_NOTE:
        return [(turns[0] + _CREDITED_AFTER, partial(_credit, organization_id, customer_id))]
    return []


async def pay_invoices(organization_id: UUID, late_payer: UUID, now: datetime) -> None:
    """Marks what was issued long enough before `now` as paid, but for one customer who is late."""
    due = Invoice.filter(
        organization_id=organization_id,
        status="ISSUED",
        total__gt=0,
        issued_at__lt=now - _SETTLED_AFTER,
    )
    for invoice in await due.exclude(customer_id=late_payer).order_by("sequence"):
        paid_at = invoice.issued_at + timedelta(days=1 + int(invoice.sequence or 0) % 9)
        with clock.at(now):
            await mark_paid(
                organization_id, invoice.id, paid_at, f"Bank transfer for {invoice.sequence:06}"
            )


async def _void(organization_id: UUID, customer_id: UUID) -> None:
    invoice = await _latest(organization_id, customer_id)
    reason = "The address was that of another company."
    await void_invoice(organization_id, invoice.id, reason, write_off=False)


async def _credit(organization_id: UUID, customer_id: UUID) -> None:
    invoice = await _latest(organization_id, customer_id)
    reason = "An apology for the outage on Monday."
    await create_credit_note(organization_id, invoice.id, _CREDIT_NOTE, reason, refunded=False)


async def _latest(organization_id: UUID, customer_id: UUID) -> Invoice:
    found = Invoice.filter(organization_id=organization_id, customer_id=customer_id)
    [invoice] = await found.order_by("-issued_at", "-id").limit(1)
    return invoice
