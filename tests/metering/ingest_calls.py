"""Calls of `ingest` as the API makes them, and what they have stored."""

from datetime import UTC, datetime
from typing import Any

from metering.ingest.events import check_event
from metering.ingest.storing import IngestCall, InvalidEventPolicy, Receipt, ReceiptStatus, ingest
from models import Customer, EventBatch, Organization
from schema.ids import decode_id

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
REJECT, SKIP = InvalidEventPolicy.REJECT_BATCH, InvalidEventPolicy.SKIP_INVALID
INSERTED, DUPLICATE, CONFLICT = (
    ReceiptStatus.INSERTED,
    ReceiptStatus.DUPLICATE,
    ReceiptStatus.CONFLICT,
)
REJECTED, SKIPPED = ReceiptStatus.REJECTED, ReceiptStatus.SKIPPED
INVALID: dict[str, Any] = {"name": "n" * 129}


def call(*events: dict[str, Any], on_invalid: InvalidEventPolicy = REJECT) -> IngestCall:
    return IngestCall(
        [
            check_event(
                {"name": "ai_usage", "externalCustomerId": "c1", **event},
                NOW,
                lambda public_id: decode_id(public_id, "Customer"),
            )
            for event in events
        ],
        on_invalid,
    )


async def send(
    organization: Organization,
    *events: dict[str, Any],
    on_invalid: InvalidEventPolicy = REJECT,
) -> list[Receipt]:
    return (await ingest(organization.id, [call(*events, on_invalid=on_invalid)]))[0]


def statuses(receipts: list[Receipt]) -> list[ReceiptStatus]:
    return [receipt.status for receipt in receipts]


async def batches_of(organization: Organization) -> list[EventBatch]:
    return await EventBatch.filter(organization_id=organization.id).order_by("id")


async def customers_of(organization: Organization) -> list[str | None]:
    customers = await Customer.filter(organization_id=organization.id).order_by("external_id")
    return [customer.external_id for customer in customers]
