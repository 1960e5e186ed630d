"""Periods as if late usage were rated, and open ones had ended: what estimates bill."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from billing.catalog.prices import metered_prices
from billing.invoicing.invoices import unbilled_periods
from billing.periods.billed_meters import (
    CountedMeter,
    asked_period,
    counted_meters,
    usage_by_meter,
)
from billing.periods.metered_periods import MeteredPeriod, PeriodUsage, close
from billing.periods.rerating import late_periods, rerating_of
from billing.periods.store import PERIOD_COLUMNS, metered_period_of


async def estimated_periods(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    rows: Sequence[dict[str, Any]],
    *,
    open_only: bool,
) -> dict[UUID, list[MeteredPeriod]]:
    """Returns the periods of each subscription that an invoice may bill, or the open ones.

    They are as if late usage were rated and the open periods had ended.
    """
    ids = [row["id"] for row in rows]
    unbilled = await unbilled_periods(connection, organization_id, ids)
    found = {period.id: period for periods in unbilled.values() for period in periods}
    opened, usages = await _open_periods(connection, organization_id, ids)
    found |= {period.id: period for period in opened}
    prices = await metered_prices(
        connection, organization_id, {one.price_id for one in opened if one.price_id is not None}
    )
    late = await late_periods(
        connection, organization_id, list({row["customer_id"] for row in rows})
    )
    # The kept usage is that of whole periods.
    counting = [
        one
        for one in opened
        if one.cuts or (one.price_id is not None and prices[one.price_id].rate_values)
    ]
    meter_ids = {one.meter_id for one in (*late, *counting)}
    meters: dict[UUID, CountedMeter] = {}
    if meter_ids:
        heads = await connection.execute_query_dict(
            "SELECT head FROM event_log WHERE organization_id = $1", [organization_id]
        )
        meters = await counted_meters(connection, organization_id, heads[0]["head"], meter_ids)
    asked = {one.id: asked_period(one, meters[one.meter_id], prices) for one in counting}
    counted = await usage_by_meter(connection, meters, list(asked.values()))
    usages |= dict(zip(asked, counted, strict=True))
    if late:
        rerating = await rerating_of(connection, organization_id, meters, late)
        found |= {period.id: period for period in rerating.periods}
    by_subscription: dict[UUID, list[MeteredPeriod]] = {}
    for period in found.values():
        if open_only and period.id not in usages:
            continue
        if period.usage is None and period.id in usages and period.end is not None:
            period = close(period, period.end, usages[period.id])  # noqa: PLW2901  # the same period, ended
        if period.usage is not None and period.subscription_id is not None:
            by_subscription.setdefault(period.subscription_id, []).append(period)
    return by_subscription


async def _open_periods(
    connection: BaseDBAsyncClient, organization_id: UUID, subscription_ids: Iterable[UUID]
) -> tuple[list[MeteredPeriod], dict[UUID, PeriodUsage]]:
    """Loads the open periods of subscriptions, and the kept usage of each."""
    rows = await connection.execute_query_dict(
        f"""
        SELECT {PERIOD_COLUMNS}, kept.consumed AS kept_consumed, log.head
        FROM metered_period period
        JOIN event_log log ON log.organization_id = $1
        JOIN customer_meter kept
            ON kept.organization_id = $1 AND kept.meter_id = period.meter_id
           AND kept.customer_id = period.customer_id
        WHERE period.organization_id = $1 AND period.subscription_id = ANY($2::uuid[])
          AND period.closed_at IS NULL
        """,
        [organization_id, list(subscription_ids)],
    )
    usages = {
        row["id"]: PeriodUsage(row["kept_consumed"], row["head"], is_behind=False) for row in rows
    }
    return [metered_period_of(row) for row in rows], usages
