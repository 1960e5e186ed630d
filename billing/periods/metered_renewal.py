"""Renews metered periods, many at a time: closes them, carries credit over, opens the next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing.catalog.prices import metered_prices
from billing.periods.billed_meters import (
    AskedPeriod,
    CountedMeter,
    asked_period,
    counted_meters,
    usage_by_meter,
)
from billing.periods.cuts import cuts_at, served_share
from billing.periods.intervals import Period
from billing.periods.metered_periods import (
    LedgerEntry,
    MeteredPeriod,
    NextPeriod,
    PeriodUsage,
    begin,
    close,
)
from billing.periods.store import (
    PERIOD_COLUMNS,
    insert_entries,
    insert_periods,
    metered_period_of,
    store_credit,
    update_periods,
)
from billing.rating.lines import MeteredPrice
from billing.transaction import BillingTransaction, columns
from metering.usage.periods import CustomerPeriod, begin_periods

PeriodKey = tuple[UUID, UUID]
"""A customer and a meter."""


@dataclass(frozen=True, slots=True)
class OpenPeriod:
    """An open period, and the current usage that `customer_meter` keeps."""

    period: MeteredPeriod
    kept_start: datetime | None
    kept_end: datetime | None
    kept_consumed: Decimal

    def kept_until(self, end: datetime) -> bool:
        """Whether the kept usage is that of the period if it ends at `end`."""
        return self.kept_start == self.period.start and self.kept_end == end


# LATERAL reads each period by its index. A join may read all open periods of the organization.
_OPEN_PERIODS = f"""
    SELECT {PERIOD_COLUMNS}, kept.period_start, kept.period_end, kept.consumed AS kept_consumed
    FROM unnest($2::uuid[], $3::uuid[]) AS asked (customer_id, meter_id)
    CROSS JOIN LATERAL (
        SELECT * FROM metered_period
        WHERE organization_id = $1 AND closed_at IS NULL
          AND customer_id = asked.customer_id AND meter_id = asked.meter_id
        LIMIT 1
    ) AS period
    CROSS JOIN LATERAL (
        SELECT * FROM customer_meter
        WHERE organization_id = $1
          AND meter_id = asked.meter_id AND customer_id = asked.customer_id
        LIMIT 1
    ) AS kept
"""


async def open_periods(
    transaction: BillingTransaction, keys: Sequence[PeriodKey]
) -> dict[PeriodKey, OpenPeriod]:
    """Loads the open periods of these customers on these meters, if there are any."""
    rows = await transaction.rows(
        _OPEN_PERIODS,
        [key[0] for key in keys],
        [key[1] for key in keys],
    )
    return {
        (row["customer_id"], row["meter_id"]): OpenPeriod(
            metered_period_of(row), row["period_start"], row["period_end"], row["kept_consumed"]
        )
        for row in rows
    }


async def renew_periods(transaction: BillingTransaction, renewals: Sequence[NextPeriod]) -> None:
    """Closes the open periods, if any, and opens these. No two are of one customer and meter."""
    if not renewals:
        return
    meters = await counted_meters(
        transaction.connection,
        transaction.organization_id,
        transaction.head,
        (renewal.meter_id for renewal in renewals),
    )
    opened = await open_periods(
        transaction, [(renewal.customer_id, renewal.meter_id) for renewal in renewals]
    )
    renewals = [renewal for renewal in renewals if not _goes_back(renewal, opened)]
    prices = await metered_prices(
        transaction.connection,
        transaction.organization_id,
        {one.period.price_id for one in opened.values() if one.period.price_id is not None},
    )
    usages = await _usages(transaction, renewals, opened, meters, prices)
    cuts = await cuts_at(transaction, _cutting(renewals, opened))
    closed_periods: list[MeteredPeriod] = []
    new_periods: list[MeteredPeriod] = []
    entries: list[LedgerEntry] = []
    for renewal in renewals:
        key = (renewal.customer_id, renewal.meter_id)
        previous: MeteredPeriod | None = None
        if key in opened:
            ending, served = opened[key].period, None
            if renewal.cuts is not None and ending.id in cuts:
                served = served_share(ending, renewal.start, renewal.cuts)
            previous, closing = close(
                ending, renewal.start, usages[key], served, cuts.get(ending.id)
            )
            closed_periods.append(previous)
            entries += closing
        period, opening = begin(renewal, previous)
        new_periods.append(period)
        entries += opening
    await update_periods(transaction, closed_periods)
    await insert_periods(transaction, new_periods)
    await insert_entries(transaction, entries)
    await store_credit(transaction, new_periods)
    await _move_frontiers(transaction, closed_periods)
    await _begin_current(transaction, renewals, meters)


def _cutting(
    renewals: Sequence[NextPeriod], opened: Mapping[PeriodKey, OpenPeriod]
) -> dict[UUID, tuple[datetime, Period]]:
    """Returns when the open periods of changed subscriptions are cut, and within which period."""
    found = {}
    for renewal in renewals:
        ending = opened.get((renewal.customer_id, renewal.meter_id))
        # A meter that is new in the subscription may have an open period without one.
        if (
            renewal.cuts is not None
            and ending is not None
            and ending.period.subscription_id is not None
        ):
            found[ending.period.id] = (renewal.start, renewal.cuts)
    return found


def _goes_back(renewal: NextPeriod, opened: dict[PeriodKey, OpenPeriod]) -> bool:
    """Whether the open period began after `renewal` would begin. A later renewal closes it.

    This happens if a meter is added to a subscription that is long overdue for renewal.
    """
    found = opened.get((renewal.customer_id, renewal.meter_id))
    return (
        found is not None and found.period.start is not None and renewal.start < found.period.start
    )


async def _usages(
    transaction: BillingTransaction,
    renewals: Sequence[NextPeriod],
    opened: dict[PeriodKey, OpenPeriod],
    meters: dict[UUID, CountedMeter],
    prices: Mapping[UUID, MeteredPrice],
) -> dict[PeriodKey, PeriodUsage]:
    """Returns the usage of each period to close: the kept usage if it fits, or else a count."""
    found: dict[PeriodKey, PeriodUsage] = {}
    asked: list[AskedPeriod] = []
    for renewal in renewals:
        key = (renewal.customer_id, renewal.meter_id)
        if key not in opened:
            continue
        meter = meters[renewal.meter_id]
        needed = asked_period(replace(opened[key].period, end=renewal.start), prices)
        is_kept = opened[key].kept_until(renewal.start) and not needed.rates
        if is_kept and not meter.precedes_definition:
            found[key] = PeriodUsage(opened[key].kept_consumed, meter.position, meter.is_behind)
        else:
            asked.append(needed)
    counted = await usage_by_meter(transaction.connection, meters, asked)
    for one, usage in zip(asked, counted, strict=True):
        found[one.period.customer_id, one.meter_id] = usage
    return found


async def _move_frontiers(
    transaction: BillingTransaction, closed_periods: Sequence[MeteredPeriod]
) -> None:
    """Records that events from before the ends of these periods are late from now on."""
    ends: dict[UUID, datetime] = {}
    for period in closed_periods:
        if period.end is not None:
            ends[period.customer_id] = max(period.end, ends.get(period.customer_id, period.end))
    await transaction.run(
        """
        INSERT INTO billing_frontier AS kept (organization_id, customer_id, closed_through)
        SELECT $1, closed.* FROM unnest($2::uuid[], $3::timestamptz[]) AS closed
        ON CONFLICT (organization_id, customer_id) DO UPDATE
        SET closed_through = greatest(kept.closed_through, excluded.closed_through)
        """,
        *columns(ends.items(), lambda item: item[0], lambda item: item[1]),
    )


async def _begin_current(
    transaction: BillingTransaction,
    renewals: Sequence[NextPeriod],
    meters: dict[UUID, CountedMeter],
) -> None:
    """Makes `customer_meter` keep the usage of the new periods."""
    for meter_id, meter in sorted(meters.items()):
        periods = [
            CustomerPeriod(renewal.customer_id, renewal.start, renewal.end)
            for renewal in renewals
            if renewal.meter_id == meter_id
        ]
        await begin_periods(
            transaction.connection, meter.definition, meter.position, periods, transaction.revision
        )
