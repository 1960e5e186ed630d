"""Rating closed periods anew for events that came late, and all that follows from it.

What a closed period consumed, what it carried over, and so the credit of the periods after it, up
to the current one. What was billed of them is left as it is: the next invoice says the difference.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from billing.catalog.terms import metered_prices
from billing.periods.counted_usage import CountedMeter, counted_meters, usage_by_meter
from billing.periods.metered_periods import Entry, Link, rerated
from billing.periods.store import COLUMNS, insert_entries, link_of, store_credit, update_links
from billing.rating.lines import MeteredPrice, rating_of
from billing.transaction import HeldLog
from billing.withheld import release_invoices
from metering.usage.periods import CustomerPeriod


@dataclass(frozen=True, slots=True)
class Rerating:
    """Chains as they are now, from their first changed link on, and what the ledger says of it."""

    links: list[Link]
    entries: list[Entry]
    changed: list[Link]


async def late_chains(
    connection: BaseDBAsyncClient, organization_id: UUID, customer_ids: Sequence[UUID]
) -> list[Link]:
    """The links of these customers that are to be rated anew, each chain up to its open one.

    Those that end after the earliest late event, and those whose meter has counted on since.
    """
    rows = await connection.execute_query_dict(
        f"""
        WITH begun AS (
            SELECT link.customer_id, link.meter_id, min(link.ends_at) AS ends_at
            FROM unnest($2::uuid[]) AS asked (customer_id)
            JOIN metered_period link
                ON link.organization_id = $1 AND link.customer_id = asked.customer_id
            JOIN meter ON meter.id = link.meter_id
            LEFT JOIN event_log log ON log.organization_id = $1
            LEFT JOIN billing_frontier frontier
                ON frontier.organization_id = $1 AND frontier.customer_id = asked.customer_id
            WHERE link.closed_at IS NOT NULL
              AND (link.ends_at > frontier.late_from
                   OR link.is_behind AND coalesce(meter.position, log.head) > link.position)
            GROUP BY link.customer_id, link.meter_id
        )
        SELECT {COLUMNS}
        FROM begun
        JOIN metered_period link
            ON link.organization_id = $1 AND link.customer_id = begun.customer_id
           AND link.meter_id = begun.meter_id
           AND (link.ends_at >= begun.ends_at OR link.closed_at IS NULL)
        ORDER BY link.customer_id, link.meter_id, link.closed_at IS NULL, link.ends_at, link.id
        """,
        [organization_id, list(customer_ids)],
    )
    return [link_of(row) for row in rows]


async def rate_anew(
    connection: BaseDBAsyncClient, meters: Mapping[UUID, CountedMeter], links: Sequence[Link]
) -> Rerating:
    """Counts what `late_chains` gave and rates it anew; stores nothing."""
    closed = [link for link in links if link.usage is not None]
    counted = await usage_by_meter(
        connection,
        meters,
        [
            (link.meter_id, CustomerPeriod(link.customer_id, link.start, link.end))
            for link in closed
        ],
    )
    usages = {link.id: usage for link, usage in zip(closed, counted, strict=True)}
    result = Rerating([], [], [])
    for chain in _chains(links):
        now, entries = rerated(chain, usages)
        result.links.extend(now)
        result.entries.extend(entries)
        result.changed.extend(
            link for link, before in zip(now, chain, strict=True) if link != before
        )
    return result


async def rerate_late(log: HeldLog, customer_ids: Iterable[UUID]) -> None:
    """Brings the closed periods of these customers up to the log's head, and their credit."""
    asked = list(set(customer_ids))
    links = await late_chains(log.connection, log.organization_id, asked)
    if links:
        meters = await counted_meters(
            log.connection, log.organization_id, log.head, (link.meter_id for link in links)
        )
        rerating = await rate_anew(log.connection, meters, links)
        await _store(log, rerating)
    await log.connection.execute_query(
        """
        UPDATE billing_frontier SET late_from = NULL
        WHERE organization_id = $1 AND customer_id = ANY($2::uuid[]) AND late_from IS NOT NULL
        """,
        [log.organization_id, asked],
    )


async def _store(log: HeldLog, rerating: Rerating) -> None:
    prices = await metered_prices(
        log.connection,
        log.organization_id,
        {link.price_id for link in rerating.changed if link.price_id is not None},
    )
    disputed = {link.id for link in rerating.changed if is_disputed(link, prices)}
    await update_links(log.connection, log.organization_id, rerating.changed, log.now, disputed)
    await insert_entries(log.connection, log.organization_id, rerating.entries, log.now)
    await release_invoices(
        log, (link.subscription_id for link in rerating.changed if link.subscription_id)
    )
    recredited = {entry.link.id for entry in rerating.entries}
    await store_credit(
        log.connection,
        log.organization_id,
        [link for link in rerating.changed if link.usage is None and link.id in recredited],
        log.revision,
    )


def is_disputed(link: Link, prices: Mapping[UUID, MeteredPrice]) -> bool:
    """Whether what was billed of a link is not what it now comes to."""
    if link.billed is None or link.price_id is None:
        return False
    return rating_of(link, prices[link.price_id]) != link.billed


def _chains(links: Sequence[Link]) -> list[list[Link]]:
    chains: dict[tuple[UUID, UUID], list[Link]] = {}
    for link in links:
        chains.setdefault((link.customer_id, link.meter_id), []).append(link)
    return list(chains.values())
