"""Taking many chains a step on: old links are closed, carried over, and new ones opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing.periods.counted_usage import CountedMeter, counted_meters, usage_by_meter
from billing.periods.metered_periods import Entry, Link, Step, Usage, begin, close
from billing.periods.store import (
    COLUMNS,
    insert_entries,
    insert_links,
    link_of,
    store_credit,
    update_links,
)
from billing.rows import columns
from billing.transaction import HeldLog
from metering.usage.periods import CustomerPeriod, begin_periods

Chain = tuple[UUID, UUID]
"""A customer and a meter."""


@dataclass(frozen=True, slots=True)
class OpenLink:
    """An open link, with the usage that is kept of the customer's current period on the meter."""

    link: Link
    kept_start: datetime | None
    kept_end: datetime | None
    kept_consumed: Decimal

    def kept_until(self, end: datetime) -> bool:
        """Whether what is kept is the usage of the link as it ends at `end`."""
        return self.kept_start == self.link.start and self.kept_end == end


# One by one, by the indexes: joined, all open links of the organization are read for a chunk.
_OPEN_LINKS = f"""
    SELECT {COLUMNS}, kept.period_start, kept.period_end, kept.consumed AS kept_consumed
    FROM unnest($2::uuid[], $3::uuid[]) AS chain (customer_id, meter_id)
    CROSS JOIN LATERAL (
        SELECT * FROM metered_period
        WHERE organization_id = $1 AND closed_at IS NULL
          AND customer_id = chain.customer_id AND meter_id = chain.meter_id
        LIMIT 1
    ) AS link
    CROSS JOIN LATERAL (
        SELECT * FROM customer_meter
        WHERE organization_id = $1
          AND meter_id = chain.meter_id AND customer_id = chain.customer_id
        LIMIT 1
    ) AS kept
"""


async def open_links(log: HeldLog, chains: Sequence[Chain]) -> dict[Chain, OpenLink]:
    """The open links of chains, where they have one."""
    rows = await log.connection.execute_query_dict(
        _OPEN_LINKS,
        [log.organization_id, [chain[0] for chain in chains], [chain[1] for chain in chains]],
    )
    return {
        (row["customer_id"], row["meter_id"]): OpenLink(
            link_of(row), row["period_start"], row["period_end"], row["kept_consumed"]
        )
        for row in rows
    }


async def take_steps(log: HeldLog, steps: Sequence[Step]) -> None:
    """Takes each chain its step on; no two steps are of one chain."""
    if not steps:
        return
    meters = await counted_meters(
        log.connection, log.organization_id, log.head, (step.meter_id for step in steps)
    )
    opened = await open_links(log, [(step.customer_id, step.meter_id) for step in steps])
    steps = [step for step in steps if not _goes_back(step, opened)]
    usages = await _usages(log, steps, opened, meters)
    closed_links: list[Link] = []
    new_links: list[Link] = []
    entries: list[Entry] = []
    for step in steps:
        chain = (step.customer_id, step.meter_id)
        previous: Link | None = None
        if chain in opened:
            previous, closing = close(opened[chain].link, step.at, usages[chain])
            closed_links.append(previous)
            entries += closing
        link, opening = begin(step, previous)
        new_links.append(link)
        entries += opening
    await update_links(log.connection, log.organization_id, closed_links, log.now)
    await insert_links(log.connection, log.organization_id, new_links)
    await insert_entries(log.connection, log.organization_id, entries, log.now)
    await store_credit(log.connection, log.organization_id, new_links, log.revision)
    await _move_frontiers(log, closed_links)
    await _begin_current(log, steps, meters)


def _goes_back(step: Step, opened: dict[Chain, OpenLink]) -> bool:
    """Whether the chain stands later than the step: then the next step takes it on.

    So it is where a meter joins a subscription whose turn was missed for long.
    """
    found = opened.get((step.customer_id, step.meter_id))
    return found is not None and found.link.start is not None and step.at < found.link.start


async def _usages(
    log: HeldLog,
    steps: Sequence[Step],
    opened: dict[Chain, OpenLink],
    meters: dict[UUID, CountedMeter],
) -> dict[Chain, Usage]:
    """The usage of each link that is closed: what is kept of it, or else counted."""
    found: dict[Chain, Usage] = {}
    asked: list[tuple[UUID, CustomerPeriod]] = []
    for step in steps:
        chain = (step.customer_id, step.meter_id)
        if chain not in opened:
            continue
        meter = meters[step.meter_id]
        if opened[chain].kept_until(step.at) and not meter.precedes_definition:
            found[chain] = Usage(opened[chain].kept_consumed, meter.position, meter.is_behind)
        else:
            period = CustomerPeriod(step.customer_id, opened[chain].link.start, step.at)
            asked.append((step.meter_id, period))
    counted = await usage_by_meter(log.connection, meters, asked)
    for (meter_id, period), usage in zip(asked, counted, strict=True):
        found[period.customer_id, meter_id] = usage
    return found


async def _move_frontiers(log: HeldLog, closed_links: Sequence[Link]) -> None:
    """From now on, events from before the links' ends are late."""
    ends: dict[UUID, datetime] = {}
    for link in closed_links:
        if link.end is not None:
            ends[link.customer_id] = max(link.end, ends.get(link.customer_id, link.end))
    await log.connection.execute_query(
        """
        INSERT INTO billing_frontier AS kept (organization_id, customer_id, closed_through)
        SELECT $1, closed.* FROM unnest($2::uuid[], $3::timestamptz[]) AS closed
        ON CONFLICT (organization_id, customer_id) DO UPDATE
        SET closed_through = greatest(kept.closed_through, excluded.closed_through)
        """,
        [
            log.organization_id,
            *columns(ends.items(), lambda item: item[0], lambda item: item[1]),
        ],
    )


async def _begin_current(
    log: HeldLog, steps: Sequence[Step], meters: dict[UUID, CountedMeter]
) -> None:
    """Makes the new links the current periods that usage is kept of."""
    for meter_id, meter in sorted(meters.items()):
        periods = [
            CustomerPeriod(step.customer_id, step.at, step.until)
            for step in steps
            if step.meter_id == meter_id
        ]
        await begin_periods(log.connection, meter.definition, meter.position, periods, log.revision)
