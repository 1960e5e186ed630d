"""Estimates drafts, and the next invoices as if the periods ended now.

The same code makes the lines of invoices and estimates; for an estimate, it gets periods that are
closed and rated in memory only. Any number of subscriptions costs the same few statements.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise.transactions import in_transaction

from billing.catalog.catalog_products import CatalogProduct, catalog_products
from billing.invoicing.balances import balance_lines, balances, subtotal
from billing.invoicing.bills import periods_through
from billing.invoicing.charges import charges_of
from billing.invoicing.due_invoices import uninvoiced_periods
from billing.invoicing.estimated_periods import estimated_periods
from billing.invoicing.invoices import Bill, bill_lines, price_book
from billing.invoicing.rebilling import NOTHING_AGAIN, Rebilling, rebillings
from billing.invoicing.settlements import settlements
from billing.periods.metered_periods import MeteredPeriod
from billing.rating.lines import Line, amount_problem, total
from billing.rating.settlements import Settlement
from billing.subscriptions.fixed_charges import charges_in_advance
from billing.subscriptions.live_subscriptions import (
    LiveSubscription,
    SubscriptionStatus,
    live_subscription,
    product_ids,
)
from billing.subscriptions.settling import settlement_of_current
from billing.subscriptions.terms import next_terms
from metering.counting.progress import complete_through, oldest_in_flight, progress
from models import Meter


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimated invoice. It includes every event that was stored before `complete_through`."""

    customer_id: UUID
    subscription_id: UUID
    currency: str
    lines: list[Line]
    complete_through: datetime

    @property
    def total(self) -> int:
        """The sum of the lines in minor units."""
        return total(self.lines)

    @property
    def subtotal(self) -> int:
        """The sum of the lines before a balance is used, in minor units."""
        return subtotal(self.lines)

    @property
    def problem(self) -> str | None:
        """The reason why this could not be invoiced; None if it could."""
        return amount_problem(self.lines)


@dataclass(frozen=True, slots=True)
class Estimates:
    """Estimates of the next invoices by subscription, and of drafts by the invoice's id."""

    upcoming: dict[UUID, Estimate]
    drafts: dict[UUID, Estimate]


async def upcoming_invoices(
    organization_id: UUID, subscription_ids: Sequence[UUID]
) -> dict[UUID, Estimate]:
    """Estimates the next invoices, by subscription; those with nothing left to bill have none."""
    return (await estimates(organization_id, subscription_ids)).upcoming


async def estimates(
    organization_id: UUID, subscription_ids: Sequence[UUID], *, open_only: bool = False
) -> Estimates:
    """Estimates the drafts of subscriptions, and the next invoice after them.

    The first one of each subscription uses the customer's balance, as if it was issued now.

    With `open_only`, the next invoice bills open periods only, as if earlier ones were invoiced
    already: there are no drafts, and no balance is left.
    """
    in_flight = await oldest_in_flight()
    async with in_transaction() as connection:
        # All statements read one snapshot, without blocking anyone.
        await connection.execute_query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        rows = await connection.execute_query_dict(
            """
            SELECT * FROM customer_subscription
            WHERE organization_id = $1 AND id = ANY($2::uuid[])
            """,
            [organization_id, list(subscription_ids)],
        )
        subscriptions = [live_subscription(row) for row in rows]
        products = await catalog_products(connection, organization_id, product_ids(subscriptions))
        earlier = [] if open_only else subscription_ids
        ended = await uninvoiced_periods(connection, organization_id, earlier)
        again = await rebillings(connection, organization_id, earlier)
        periods = await estimated_periods(connection, organization_id, rows, open_only=open_only)
        bills = [
            bill
            for one in subscriptions
            for bill in _bills(
                one,
                products,
                ended.get(one.id, []),
                periods.get(one.id, []),
                again.get(one.id, NOTHING_AGAIN),
            )
        ]
        settled = await settlements(
            connection,
            organization_id,
            [period["id"] for of_subscription in ended.values() for period in of_subscription],
            [period for bill in bills for period in bill.periods],
        )
        bills = [_with(bill, settled.get(bill.subscription_id, [])) for bill in bills]
        book = await price_book(
            connection, organization_id, [period for bill in bills for period in bill.periods]
        )
        meters = await Meter.filter(
            organization_id=organization_id,
            id__in={period.meter_id for bill in bills for period in bill.periods},
        ).using_db(connection)
        counted = await progress(organization_id, meters, in_flight)
        owed_to = () if open_only else {row["customer_id"] for row in rows}
        left = await balances(connection, organization_id, owed_to)
    through = {meter.id: one.complete_through for meter, one in zip(meters, counted, strict=True)}
    behind = {
        period.meter_id: period.usage.position
        for bill in bills
        for period in bill.periods
        if period.usage is not None and period.usage.by_rate and period.usage.is_behind
    }
    # Usage by dimension may be further behind than the rest.
    instants = await complete_through(organization_id, list(behind.values()))
    for meter_id, instant in zip(behind, instants, strict=True):
        through[meter_id] = min(instant, through[meter_id])
    live = {one.id for one in subscriptions if one.status is not SubscriptionStatus.CANCELED}
    found = Estimates({}, {})
    first: set[UUID] = set()
    for bill in bills:
        lines = [] if bill.is_free else bill_lines(bill, book)[0]
        if bill.subscription_id not in first:
            first.add(bill.subscription_id)
            key = (bill.customer_id, bill.currency)
            lines += balance_lines(lines, left.get(key, 0))
        complete = min(
            (
                through[line.metered_period.meter_id]
                for line in lines
                if line.metered_period is not None
            ),
            default=in_flight,
        )
        estimate = Estimate(bill.customer_id, bill.subscription_id, bill.currency, lines, complete)
        if bill.draft_id is not None:
            found.drafts[bill.draft_id] = estimate
        elif lines or bill.subscription_id in live:
            found.upcoming[bill.subscription_id] = estimate
    return found


def _bills(
    subscription: LiveSubscription,
    products: Mapping[UUID, CatalogProduct],
    ended: Sequence[dict[str, Any]],
    periods: Sequence[MeteredPeriod],
    again: Rebilling,
) -> list[Bill]:
    """Returns what the drafts of a subscription bill, and then the next invoice.

    The first of them also bills corrections and what was voided.
    """
    drafted = [period for period in ended if period["draft_id"] is not None]
    waiting = next((period for period in ended if period["draft_id"] is None), None)
    bills: list[Bill] = []
    after: datetime | None = None
    for period in (*drafted, waiting):
        own: list[Settlement] = []
        if period is not None:
            through, charges = period["ends_at"], charges_of(period["charges"])
        else:
            through, terms = subscription.usage.end, None
            if subscription.status is not SubscriptionStatus.CANCELED:
                terms = next_terms(subscription, products)
            charges = charges_in_advance(terms)
            own = [settlement_of_current(subscription, products, charges)]
        bills.append(
            Bill(
                subscription_id=subscription.id,
                customer_id=subscription.customer_id,
                currency=products[subscription.product_id].currency,
                periods=periods_through(periods, through, after),
                charges=charges,
                is_free=subscription.ends_in_trial,
                period_id=None if period is None else period["id"],
                draft_id=None if period is None else period["draft_id"],
                again=again if after is None else NOTHING_AGAIN,
                settlements=own,
            )
        )
        after = through
    return bills


def _with(bill: Bill, found: Sequence[Settlement]) -> Bill:
    """Returns the bill with the settlements of its periods."""
    places = {(period.start, period.end) for period in bill.periods}
    own = [
        one
        for one in found
        if one.id == bill.period_id or (one.period.start, one.period.end) in places
    ]
    return replace(bill, settlements=[*bill.settlements, *own])
