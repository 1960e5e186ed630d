"""The states of an invoice."""

from enum import StrEnum


class InvoiceStatus(StrEnum):
    """Where an invoice is in its life: DRAFT → ISSUED → PAID, or ISSUED → VOID."""

    DRAFT = "DRAFT"
    ISSUED = "ISSUED"
    PAID = "PAID"
    VOID = "VOID"
