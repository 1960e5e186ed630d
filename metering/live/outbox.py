"""The outbox: what happened, recorded in the transaction in which it happened.

    async with in_transaction() as connection:
        ...
        await publish(connection, organization_id, OutboxType.CUSTOMER_UPDATED, customer_id)

A rollback takes the record back, and a commit keeps it, even if the process is killed. A worker
renders the object as the API shows it and sends it to the organization's webhook endpoints.

Rows take their `sequence` as they are inserted, without a lock of the organization's. A worker
never looks for "the rows after n", because a transaction with a lower number may commit later. It
looks for the rows without a body. Order is kept for each object only. For that, call `publish`
after the statement that writes the object's row: the row's lock then holds back the next
transaction that publishes something about the object.
"""

from enum import StrEnum
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from config import tracing
from metering.live.after_commit import emit
from metering.live.wakeup import DELIVER_WEBHOOKS, Wake
from models.identifiers import new_id


class OutboxType(StrEnum):
    """What can happen. The text before the dot says what kind of object it happens to."""

    CUSTOMER_CREATED = "customer.created"
    CUSTOMER_UPDATED = "customer.updated"
    CUSTOMER_ERASED = "customer.erased"
    SUBSCRIPTION_CREATED = "subscription.created"
    SUBSCRIPTION_TRIAL_ENDING = "subscription.trial_ending"
    SUBSCRIPTION_CHANGED = "subscription.changed"
    SUBSCRIPTION_RENEWED = "subscription.renewed"
    SUBSCRIPTION_CANCEL_SCHEDULED = "subscription.cancel_scheduled"
    SUBSCRIPTION_ENDED = "subscription.ended"
    INVOICE_DRAFTED = "invoice.drafted"
    INVOICE_ISSUED = "invoice.issued"
    INVOICE_PAID = "invoice.paid"
    INVOICE_VOIDED = "invoice.voided"
    CREDIT_NOTE_ISSUED = "credit_note.issued"
    CREDIT_GRANTED = "credit.granted"
    CREDIT_VOIDED = "credit.voided"
    ALERT_TRIGGERED = "alert.triggered"
    METER_FAILING = "meter.failing"
    ORGANIZATION_RESTORED = "organization.restored"


async def publish(
    connection: BaseDBAsyncClient, organization_id: UUID, type_: OutboxType, *object_ids: UUID
) -> None:
    """Records that something happened to objects, and wakes a worker after the commit.

    Nothing is stored unless an enabled endpoint of the organization wants the type. Without one,
    this costs a look into an index. Call it once for many objects.

    Args:
        connection: that of the transaction.
        organization_id: whose objects.
        type_: what happened.
        object_ids: the rows of the objects: of `customer`, `customer_subscription`, `invoice`,
            `credit_note`, `credit_entry`, `credit_grant`, `alert_trigger`, `meter` or
            `organization`, by the type.
    """
    if not object_ids:
        return
    stored = await connection.execute_query_dict(
        """
        INSERT INTO outbox_event (organization_id, type, id, object_id, created_at, traceparent)
        SELECT $1, $2::text, happened.id, happened.object_id, statement_timestamp(), $5::text
        FROM unnest($3::uuid[], $4::uuid[]) WITH ORDINALITY AS happened (id, object_id, ordinal)
        WHERE EXISTS (
            SELECT FROM webhook_endpoint
            WHERE organization_id = $1 AND disabled_at IS NULL
              AND (event_types = '{}' OR $2::text = ANY(event_types))
        )
        ORDER BY happened.ordinal
        RETURNING id
        """,
        [
            organization_id,
            type_.value,
            [new_id() for _ in object_ids],
            list(object_ids),
            tracing.here(),
        ],
    )
    if stored:
        emit(connection, Wake(DELIVER_WEBHOOKS, organization_id))
