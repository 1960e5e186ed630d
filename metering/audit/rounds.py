"""The rolling audit: recomputes the cached usage of an organization in small steps.

A round goes through the customers one by one, ALL_CUSTOMERS first, and through the time of each one
span by span. `usage_audit` stores its progress, so that a restarted worker continues there.
Repeating a step changes nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tortoise.connection import get_connection

from config.clock import now
from metering.audit.buckets import Span
from metering.audit.recompute import SPAN_EVENTS, end_of_span, repair_buckets, repair_periods
from models import ALL_CUSTOMERS, UsageAudit

# A step audits at most this many customers with few events.
_CUSTOMERS = 100


@dataclass(frozen=True, slots=True)
class AuditStep:
    """Whether a step ended its round, and how many aggregates differed."""

    is_last: bool
    drifts: int


async def audits_due(round_start: datetime) -> list[UUID]:
    """Returns the organizations with an unfinished round, those that have waited longest first.

    Begins a new round for each organization whose last one began before `round_start`.
    """
    connection = get_connection("default")
    await connection.execute_query_dict(
        """
        INSERT INTO usage_audit (organization_id, customer_id, started_at)
        SELECT organization_id, $1, now() FROM event_log
        ON CONFLICT (organization_id) DO UPDATE
            SET customer_id = excluded.customer_id, next_from = NULL,
                started_at = excluded.started_at, finished_at = NULL
            WHERE usage_audit.finished_at IS NOT NULL AND usage_audit.started_at < $2
        RETURNING 1
        """,
        [ALL_CUSTOMERS, round_start],
    )
    rows = await connection.execute_query_dict(
        """
        SELECT organization_id FROM usage_audit WHERE finished_at IS NULL
        ORDER BY started_at, organization_id
        """
    )
    return [row["organization_id"] for row in rows]


async def audit_step(organization_id: UUID) -> AuditStep:
    """Audits all meters over the next span of the current round."""
    cursor = await UsageAudit.get(organization_id=organization_id)
    customer_ids = [cursor.customer_id]
    if cursor.customer_id != ALL_CUSTOMERS and cursor.next_from is None:
        customer_ids = await _small_customers(organization_id, cursor.customer_id)
    end = None
    if len(customer_ids) == 1:
        end = await end_of_span(organization_id, cursor.customer_id, cursor.next_from)
    span = Span(tuple(customer_ids), cursor.next_from, end)
    drifts = 0
    for meter_id in await _meters_in(organization_id, span):
        drifts += len(await repair_buckets(organization_id, meter_id, span))
    if end is not None:
        await UsageAudit.filter(organization_id=organization_id).update(next_from=end)
        return AuditStep(is_last=False, drifts=drifts)
    for meter_id in await _meters_of(organization_id, span):
        drifts += len(await repair_periods(organization_id, meter_id, customer_ids))
    following = await _customer_after(organization_id, customer_ids[-1])
    if following is None:
        await UsageAudit.filter(organization_id=organization_id).update(finished_at=now())
    else:
        await UsageAudit.filter(organization_id=organization_id).update(
            customer_id=following, next_from=None
        )
    return AuditStep(is_last=following is None, drifts=drifts)


async def _small_customers(organization_id: UUID, customer_id: UUID) -> list[UUID]:
    """Returns the customer and as many of the following ones as fit into one span."""
    rows = await get_connection("default").execute_query_dict(
        """
        SELECT id, sum(events) OVER (ORDER BY id) AS events_together
        FROM (
            SELECT customer.id, (
                SELECT count(*) FROM (
                    SELECT FROM event
                    WHERE event.organization_id = $1 AND event.customer_id = customer.id
                    LIMIT $3
                ) AS few
            ) AS events
            FROM (
                SELECT id FROM customer
                WHERE organization_id = $1 AND id >= $2 ORDER BY id LIMIT $4
            ) AS customer
        ) AS counted
        ORDER BY id
        """,
        [organization_id, customer_id, SPAN_EVENTS, _CUSTOMERS],
    )
    together = [row["id"] for row in rows if row["events_together"] < SPAN_EVENTS]
    return together or [customer_id]


async def _meters_in(organization_id: UUID, span: Span) -> list[UUID]:
    """Returns the meters that may have counted events of the span or have buckets in it."""
    of_customer = "" if span.is_of_all_customers else "AND customer_id = ANY($2)"
    rows = await get_connection("default").execute_query_dict(
        f"""
        SELECT meter.id FROM meter
        WHERE meter.organization_id = $1 AND (
            meter.event_names IS NULL
            OR meter.event_names && (
                SELECT array_agg(DISTINCT name::text) FROM event
                WHERE organization_id = $1 {of_customer}
                  AND timestamp >= coalesce($3::timestamptz, '-infinity')
                  AND timestamp < coalesce($4::timestamptz, 'infinity')
            )
            OR EXISTS (
                SELECT FROM usage_bucket kept
                WHERE kept.organization_id = $1 AND kept.meter_id = meter.id
                  AND kept.customer_id = ANY($2)
                  AND kept.bucket >= coalesce($3::timestamptz, '-infinity')
                  AND kept.bucket < coalesce($4::timestamptz, 'infinity')
            )
        )
        ORDER BY meter.id
        """,
        [organization_id, list(span.customer_ids), span.start, span.end],
    )
    return [row["id"] for row in rows]


async def _meters_of(organization_id: UUID, span: Span) -> list[UUID]:
    """Returns the meters on which the span's customers have usage; none for ALL_CUSTOMERS."""
    if span.is_of_all_customers:
        return []
    rows = await get_connection("default").execute_query_dict(
        """
        SELECT meter.id FROM meter
        WHERE meter.organization_id = $1 AND (
            EXISTS (
                SELECT FROM customer_meter cached
                WHERE cached.organization_id = $1 AND cached.meter_id = meter.id
                  AND cached.customer_id = ANY($2)
            ) OR EXISTS (
                SELECT FROM usage_bucket kept
                WHERE kept.organization_id = $1 AND kept.meter_id = meter.id
                  AND kept.customer_id = ANY($2)
            )
        )
        ORDER BY meter.id
        """,
        [organization_id, list(span.customer_ids)],
    )
    return [row["id"] for row in rows]


async def _customer_after(organization_id: UUID, customer_id: UUID) -> UUID | None:
    rows = await get_connection("default").execute_query_dict(
        """
        SELECT id FROM customer WHERE organization_id = $1 AND id > $2 ORDER BY id LIMIT 1
        """,
        [organization_id, customer_id],
    )
    return rows[0]["id"] if rows else None
