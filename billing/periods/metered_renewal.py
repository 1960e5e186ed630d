"""Renews metered periods, many at a time: closes them, carries credit over, opens the next."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from billing.catalog.prices import metered_prices
from billing.periods.billed_meters import (
    AskedPeriod,
    CountedMeter,
    asked_period,
    counted_meters,
    usage_by_meter,
)
from billing.periods.intervals import Period
from billing.periods.metered_periods import (
    MeteredPeriod,
    NextPeriod,
    PeriodUsage,
    begin,
    close,
)
from billing.periods.open_credit import move_frontiers, settle_credit
from billing.periods.open_periods import OpenPeriod, PeriodKey, open_periods
from billing.periods.shares import share
from billing.periods.store import insert_periods, update_periods
from billing.rating.lines import MeteredPrice
from billing.transaction import BillingTransaction
from metering.usage.customer_periods import CustomerPeriod
from metering.usage.periods import begin_periods


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
        transaction.connection,
        transaction.organization_id,
        [(renewal.customer_id, renewal.meter_id) for renewal in renewals],
    )
    renewals = [renewal for renewal in renewals if not _goes_back(renewal, opened)]
    prices = await metered_prices(
        transaction.connection,
        transaction.organization_id,
        {one.period.price_id for one in opened.values() if one.period.price_id is not None},
    )
    usages = await _usages(transaction, renewals, opened, meters, prices)
    closed_periods: list[MeteredPeriod] = []
    new_periods: list[MeteredPeriod] = []
    for renewal in renewals:
        key = (renewal.customer_id, renewal.meter_id)
        previous: MeteredPeriod | None = None
        if key in opened:
            previous = _closed(opened[key].period, renewal, usages[key])
            closed_periods.append(previous)
        new_periods.append(begin(renewal, previous))
    await update_periods(transaction, closed_periods)
    await insert_periods(transaction, new_periods)
    await settle_credit(transaction, new_periods, closed_periods)
    await move_frontiers(
        transaction,
        [(period.customer_id, period.end) for period in closed_periods if period.end is not None],
    )
    await _begin_current(transaction, renewals, meters)


def _closed(ending: MeteredPeriod, renewal: NextPeriod, usage: PeriodUsage) -> MeteredPeriod:
    """Closes an open period where the next one begins, which may cut it."""
    at, whole = renewal.start, renewal.cuts
    # A meter that is new in the subscription may have an open period without one.
    if whole is None or ending.subscription_id is None:
        return close(ending, at, usage)
    served = share(Period(ending.start or whole.start, at), whole)
    return close(ending, at, usage, served, share(Period(at, whole.end), whole))


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
        needed = asked_period(replace(opened[key].period, end=renewal.start), meter, prices)
        grows = meter.definition.aggregation.grows()
        is_whole = not needed.rates and not needed.cuts and not grows
        is_kept = opened[key].kept_until(renewal.start) and is_whole
        if is_kept and not meter.precedes_definition:
            found[key] = PeriodUsage(opened[key].kept_consumed, meter.position, meter.is_behind)
        else:
            asked.append(needed)
    counted = await usage_by_meter(transaction.connection, meters, asked)
    for one, usage in zip(asked, counted, strict=True):
        found[one.period.customer_id, one.meter_id] = usage
    return found


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
