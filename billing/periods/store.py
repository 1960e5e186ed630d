"""Links and ledger entries in the database: read and written many at a time.

To be called under the log's lock, as everything that changes credits or periods.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from billing.periods.credits import Credit
from billing.periods.metered_periods import NOTHING, Entry, Link, Usage
from billing.rating.pricing import Rating
from billing.rows import columns
from models.identifiers import new_id

COLUMNS = """
    link.id, link.customer_id, link.meter_id, link.subscription_id, link.product_price_id,
    link.starts_at, link.ends_at, link.plain, link.rolling, link.closed_at, link.consumed,
    link.carried, link.position, link.is_behind,
    link.billed_consumed, link.billed_credited, link.billed_billable, link.billed_amount
"""
"""The columns of `metered_period link` that `link_of` reads."""


def link_of(row: Mapping[str, Any]) -> Link:
    """The link in a row."""
    is_closed = row["closed_at"] is not None
    billed = None
    if row["billed_amount"] is not None:
        billed = Rating(
            consumed=row["billed_consumed"],
            credited=row["billed_credited"],
            billable=row["billed_billable"],
            amount=int(row["billed_amount"]),
        )
    return Link(
        id=row["id"],
        customer_id=row["customer_id"],
        meter_id=row["meter_id"],
        subscription_id=row["subscription_id"],
        price_id=row["product_price_id"],
        start=row["starts_at"],
        end=row["ends_at"],
        credit=Credit(plain=row["plain"], rolling=row["rolling"]),
        usage=Usage(row["consumed"], row["position"], row["is_behind"]) if is_closed else None,
        carried=row["carried"] if is_closed else NOTHING,
        billed=billed,
    )


async def insert_links(
    connection: BaseDBAsyncClient, organization_id: UUID, links: Sequence[Link]
) -> None:
    """Stores new open links."""
    if not links:
        return
    await connection.execute_query(
        """
        INSERT INTO metered_period (
            organization_id, id, customer_id, meter_id, subscription_id, product_price_id,
            starts_at, ends_at, plain, rolling, is_behind, is_disputed
        )
        SELECT $1, link.*, false, false
        FROM unnest(
            $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::timestamptz[],
            $8::timestamptz[], $9::numeric[], $10::numeric[]
        ) AS link
        """,
        [
            organization_id,
            *columns(
                links,
                lambda link: link.id,
                lambda link: link.customer_id,
                lambda link: link.meter_id,
                lambda link: link.subscription_id,
                lambda link: link.price_id,
                lambda link: link.start,
                lambda link: link.end,
                lambda link: link.credit.plain,
                lambda link: link.credit.rolling,
            ),
        ],
    )


async def update_links(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    links: Sequence[Link],
    now: datetime,
    disputed: Iterable[UUID] = (),
) -> None:
    """Stores the credit of links, and of closed ones how they ended.

    Args:
        connection: a transaction under the log's lock.
        organization_id: whose they are.
        links: as they are now.
        now: when those were closed that were open.
        disputed: the ids of those that were billed otherwise than they are now.
    """
    if not links:
        return
    disputed = set(disputed)
    await connection.execute_query(
        """
        UPDATE metered_period AS kept
        SET ends_at = link.ends_at, plain = link.plain, rolling = link.rolling,
            closed_at = CASE WHEN link.position IS NOT NULL THEN coalesce(kept.closed_at, $2) END,
            consumed = link.consumed, carried = link.carried, position = link.position,
            is_behind = link.is_behind, is_disputed = link.is_disputed
        FROM unnest(
            $3::uuid[], $4::timestamptz[], $5::numeric[], $6::numeric[], $7::numeric[],
            $8::numeric[], $9::bigint[], $10::boolean[], $11::boolean[]
        ) AS link (
            id, ends_at, plain, rolling, consumed, carried, position, is_behind, is_disputed
        )
        WHERE kept.organization_id = $1 AND kept.id = link.id
        """,
        [
            organization_id,
            now,
            *columns(
                links,
                lambda link: link.id,
                lambda link: link.end,
                lambda link: link.credit.plain,
                lambda link: link.credit.rolling,
                lambda link: None if link.usage is None else link.usage.consumed,
                lambda link: None if link.usage is None else link.carried,
                lambda link: None if link.usage is None else link.usage.position,
                lambda link: link.usage is not None and link.usage.is_behind,
                lambda link: link.id in disputed,
            ),
        ],
    )


async def insert_entries(
    connection: BaseDBAsyncClient, organization_id: UUID, entries: Sequence[Entry], now: datetime
) -> None:
    """Adds entries to the ledger, in their order."""
    if not entries:
        return
    await connection.execute_query(
        """
        INSERT INTO credit_entry (
            organization_id, created_at, id, customer_id, meter_id, metered_period_id, kind, units,
            is_rolling, benefit_id, reason
        )
        SELECT $1, $2, entry.*
        FROM unnest(
            $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::numeric[],
            $9::boolean[], $10::uuid[], $11::text[]
        ) AS entry
        """,
        [
            organization_id,
            now,
            *columns(
                entries,
                lambda _entry: new_id(),
                lambda entry: entry.link.customer_id,
                lambda entry: entry.link.meter_id,
                lambda entry: entry.link.id,
                lambda entry: entry.kind.value,
                lambda entry: entry.units,
                lambda entry: entry.is_rolling,
                lambda entry: entry.benefit_id,
                lambda entry: entry.reason,
            ),
        ],
    )


async def store_credit(
    connection: BaseDBAsyncClient, organization_id: UUID, links: Sequence[Link], revision: int
) -> None:
    """Shows the credit of open links as that of their customers' meters, made where missing."""
    if not links:
        return
    await connection.execute_query(
        """
        INSERT INTO customer_meter (
            organization_id, id, customer_id, meter_id, credited,
            count, unique_count, sum, consumed, revision, updated_at
        )
        SELECT $1, link.*, 0, 0, 0, 0, $2, now()
        FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::numeric[]) AS link
        ON CONFLICT (organization_id, meter_id, customer_id) DO UPDATE
        SET credited = excluded.credited, revision = excluded.revision,
            updated_at = excluded.updated_at
        """,
        [
            organization_id,
            revision,
            *columns(
                links,
                lambda _link: new_id(),
                lambda link: link.customer_id,
                lambda link: link.meter_id,
                lambda link: link.credit.credited,
            ),
        ],
    )
