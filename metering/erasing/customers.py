"""Erases what names a customer. A worker erases the metadata of its events afterwards."""

from datetime import UTC, datetime
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection

from metering.live.outbox import OutboxType, publish
from metering.problems import RefusedError, problem

_EVER = datetime(1, 1, 1, tzinfo=UTC)

# What was rendered for webhooks has the customer's name and email, also beside its invoices. A row
# without a body is written too: whoever renders it meanwhile sees that and starts over.
_BODIES = """
UPDATE outbox_event SET body = CASE WHEN body IS NOT NULL THEN jsonb_build_object(
    'type', type,
    'timestamp', body::jsonb -> 'timestamp',
    'data', jsonb_build_object('id', body::jsonb #> '{data,id}')
)::text END
WHERE organization_id = $1 AND object_id IN (
    SELECT $2::uuid
    UNION ALL SELECT id FROM customer_subscription WHERE organization_id = $1 AND customer_id = $2
    UNION ALL SELECT id FROM invoice WHERE organization_id = $1 AND customer_id = $2
    UNION ALL SELECT id FROM credit_note WHERE organization_id = $1 AND customer_id = $2
    UNION ALL SELECT id FROM credit_entry WHERE organization_id = $1 AND customer_id = $2
    UNION ALL SELECT id FROM credit_grant WHERE organization_id = $1 AND customer_id = $2
    UNION ALL SELECT id FROM alert_trigger WHERE organization_id = $1 AND customer_id = $2
)
"""

# The alerts of this customer alone, whose names may name it. With the frontier, a late event would
# be billed, although nobody can be sent the invoice.
_DELETED = (
    "customer_session WHERE organization_id = $1 AND customer_id = $2",
    """alert_trigger WHERE organization_id = $1 AND alert_id IN (
        SELECT id FROM usage_alert WHERE organization_id = $1 AND customer_id = $2
    )""",
    "usage_alert WHERE organization_id = $1 AND customer_id = $2",
    "billing_frontier WHERE organization_id = $1 AND customer_id = $2",
)


async def refuse_erased(
    organization_id: UUID,
    customer_id: UUID,
    field: str,
    message: str = "This customer was erased.",
    *,
    is_changed: bool = False,
) -> None:
    """Refuses a customer who was erased, and keeps it from being erased in this transaction.

    Call it before taking the log's lock. `field` named the customer. `is_changed`: the transaction
    changes its row.
    """
    connection = get_connection("default")
    lock = "FOR UPDATE" if is_changed else "FOR SHARE"
    if not await _is_present(connection, organization_id, customer_id, lock):
        raise RefusedError(problem("INVALID", message, field))


async def lock_customer(
    connection: BaseDBAsyncClient, organization_id: UUID, customer_id: UUID
) -> bool:
    """Locks a customer until the end of the transaction. Returns False if it was erased."""
    return await _is_present(connection, organization_id, customer_id, "FOR UPDATE")


async def _is_present(
    connection: BaseDBAsyncClient, organization_id: UUID, customer_id: UUID, lock: str
) -> bool:
    rows = await connection.execute_query_dict(
        f"SELECT erased_at FROM customer WHERE organization_id = $1 AND id = $2 {lock}",
        [organization_id, customer_id],
    )
    return bool(rows) and rows[0]["erased_at"] is None


async def erase_names(
    connection: BaseDBAsyncClient, organization_id: UUID, customer_id: UUID
) -> None:
    """Erases what names a customer, and ends its sessions, in the transaction that has locked it.

    From now on, a worker finds the events whose metadata is to be erased.
    """
    values = [organization_id, customer_id]
    await connection.execute_query(
        """
        UPDATE customer
        SET external_id = NULL, name = NULL, email = NULL, erased_at = statement_timestamp()
        WHERE organization_id = $1 AND id = $2
        """,
        values,
    )
    await connection.execute_query(
        """
        INSERT INTO customer_erasure (
            organization_id, customer_id, erased_at, next_from, erased_events
        )
        SELECT $1, $2, statement_timestamp(), $3::timestamptz, 0
        """,
        [*values, _EVER],
    )
    await connection.execute_query(
        "UPDATE event_log SET erased_customers = erased_customers + 1 WHERE organization_id = $1",
        [organization_id],
    )
    await erase_webhooks(connection, organization_id, customer_id)
    for rows in _DELETED:
        await connection.execute_query(f"DELETE FROM {rows}", values)
    await publish(connection, organization_id, OutboxType.CUSTOMER_ERASED, customer_id)


async def erase_webhooks(
    connection: BaseDBAsyncClient, organization_id: UUID, customer_id: UUID
) -> None:
    """Leaves only ids in the stored bodies of webhooks about a customer."""
    await connection.execute_query(_BODIES, [organization_id, customer_id])
