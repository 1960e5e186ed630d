"""Creates, cancels and resumes subscriptions."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from billing.catalog.catalog_products import CatalogProduct
from billing.invoicing.due_invoices import invoice_periods_of
from billing.invoicing.invoices import Bill, issue
from billing.periods.intervals import Recurrence, RecurringInterval, boundary
from billing.periods.metered_renewal import renew_periods
from billing.periods.rerating import rerate_late
from billing.subscriptions.cycle import edit
from billing.subscriptions.fixed_charges import charges_in_advance
from billing.subscriptions.live_subscriptions import (
    LONGEST_TRIAL_DAYS,
    SUBSCRIPTION_COLUMNS,
    LiveSubscription,
    SubscriptionStatus,
    live_subscription,
)
from billing.subscriptions.renewal import Touched, end_at, next_periods
from billing.subscriptions.renewals import instant_of_cut
from billing.subscriptions.reserving import hold_meters, release_meters
from billing.subscriptions.sale import check_quantity, product_on_sale
from billing.subscriptions.terms import Terms, first_terms
from billing.transaction import STAMPED, BillingTransaction
from metering.archive.recounting import refuse_archived_start
from metering.live.outbox import OutboxType
from metering.problems import RefusedError, problem
from models import CustomerSubscription

EARLIEST_START = datetime(1970, 1, 1, tzinfo=UTC)
TRIAL_NOTICE = timedelta(days=3)
"""How long before its end a trial is announced to end."""


class CancelWhen(StrEnum):
    """When a cancellation or a change takes effect."""

    PERIOD_END = "PERIOD_END"
    NOW = "NOW"


@dataclass(frozen=True, slots=True)
class SubscriptionDraft:
    """A subscription to be created. It starts now if `started_at` is None.

    The trial lasts until `trial_ends_at`, or for `trial_days`; without both, as long as that of the
    product. A trial that ends at or before the start is none.
    """

    customer_id: UUID
    product_id: UUID
    started_at: datetime | None = None
    quantity: int = 1
    trial_ends_at: datetime | None = None
    trial_days: int | None = None


async def create_subscription(
    organization_id: UUID, draft: SubscriptionDraft
) -> CustomerSubscription:
    """Subscribes a customer to a product: now, since an instant in the past, or later.

    The current period begins: its credit is granted, and its fixed prices are invoiced, unless it
    is a trial. Earlier periods are not invoiced. A subscription that starts later is scheduled, and
    reserves the product's meters.

    Raises:
        RefusedError: the product is unknown or archived, the start, the trial or the quantity is
            invalid, or the customer has another subscription with one of the meters.
    """
    async with edit(organization_id, Touched("customer_id", draft.customer_id)) as transaction:
        product = await product_on_sale(transaction, draft.product_id)
        check_quantity(product, draft.quantity)
        closed = await closed_through(transaction, draft.customer_id, product)
        started_at = draft.started_at or transaction.now
        if draft.started_at is not None:
            _check_start(draft.started_at, transaction.now)
        elif closed is not None:
            # The clock may have been set back since.
            started_at = max(started_at, closed)
        trial_ends_at = _end_of_trial(draft, started_at, product)
        terms = first_terms(
            product, draft.quantity, started_at, trial_ends_at, max(transaction.now, started_at)
        )
        if closed is not None and terms.usage.start < closed:
            message = (
                f"This customer's usage is already closed through {closed.isoformat()},"
                " but the current period would begin before that."
            )
            raise RefusedError(problem("INVALID", message, "startedAt"))
        await refuse_archived_start(transaction.connection, terms.usage.start, "startedAt")
        is_scheduled = draft.started_at is not None and started_at > transaction.now
        subscription = await CustomerSubscription.create(
            organization_id=organization_id,
            customer_id=draft.customer_id,
            product_id=product.id,
            quantity=draft.quantity,
            status=(SubscriptionStatus.SCHEDULED if is_scheduled else terms.status).value,
            started_at=started_at,
            trial_ends_at=trial_ends_at,
            trial_notice_at=_notice_of(trial_ends_at, terms),
            anchor_at=terms.anchor,
            period_index=0,
            current_period_start=terms.period.start,
            whole_start=terms.whole.start,
            current_period_end=started_at if is_scheduled else terms.period.end,
            usage_period_start=started_at if is_scheduled else terms.usage.start,
            usage_period_end=started_at if is_scheduled else terms.usage.end,
            usage_whole_start=terms.usage_whole.start,
            revision=transaction.revision,
            created_at=transaction.now,
            using_db=transaction.connection,
        )
        await transaction.publish(OutboxType.SUBSCRIPTION_CREATED, subscription.id)
        await hold_meters(transaction, subscription, product)
        if not is_scheduled:
            # Late usage comes first: the credit that it burns does not carry over.
            await rerate_late(transaction, [draft.customer_id])
            await _begin(transaction, subscription, terms)
        return subscription


async def _begin(
    transaction: BillingTransaction, subscription: CustomerSubscription, terms: Terms
) -> None:
    """Begins the first period, and invoices what it costs in advance."""
    await renew_periods(transaction, next_periods(subscription.id, subscription.customer_id, terms))
    bill = Bill(
        subscription_id=subscription.id,
        customer_id=subscription.customer_id,
        currency=terms.product.currency,
        periods=[],
        charges=charges_in_advance(terms),
        is_free=False,
    )
    await issue(transaction, [bill])


async def cancel_subscription(
    organization_id: UUID, subscription_id: UUID, when: CancelWhen, *, prorate: bool = False
) -> CustomerSubscription:
    """Cancels a subscription, at the end of its period or immediately.

    A scheduled one ends immediately in any case. A change that is pending is dropped. With
    `prorate`, an immediate cancellation gives back the fixed prices for the time that is left.

    Raises:
        RefusedError: there is no such subscription, or it has ended.
    """
    async with edit(organization_id, Touched("id", subscription_id)) as transaction:
        one = await locked_subscription(transaction, subscription_id)
        if one.status is SubscriptionStatus.SCHEDULED:
            await _withdraw(transaction, one)
        elif when is CancelWhen.PERIOD_END:
            await transaction.run(
                f"""
                UPDATE customer_subscription
                SET cancel_at_period_end = true, pending_product_id = NULL, pending_quantity = NULL,
                    {STAMPED}
                WHERE organization_id = $1 AND id = $2
                """,
                one.id,
            )
            await release_meters(transaction, one)
            if not one.cancel_at_period_end:
                await transaction.publish(OutboxType.SUBSCRIPTION_CANCEL_SCHEDULED, one.id)
        else:
            await rerate_late(transaction, [one.customer_id])
            at = await instant_of_cut(transaction, one)
            await end_at(transaction, one, at, prorate=prorate)
            await invoice_periods_of(transaction, [one.id])
        return await subscription_row(transaction, one.id)


async def resume_subscription(organization_id: UUID, subscription_id: UUID) -> CustomerSubscription:
    """Takes a cancellation at the period's end back. Without one, nothing changes.

    Raises:
        RefusedError: there is no such subscription, or it has ended.
    """
    async with edit(organization_id, Touched("id", subscription_id)) as transaction:
        one = await locked_subscription(transaction, subscription_id)
        await transaction.run(
            f"""
            UPDATE customer_subscription SET cancel_at_period_end = false, {STAMPED}
            WHERE organization_id = $1 AND id = $2
            """,
            one.id,
        )
        if one.cancel_at_period_end:
            await transaction.publish(OutboxType.SUBSCRIPTION_CHANGED, one.id)
        return await subscription_row(transaction, one.id)


async def locked_subscription(
    transaction: BillingTransaction, subscription_id: UUID
) -> LiveSubscription:
    """Loads a subscription and locks its row.

    Raises:
        RefusedError: there is no such subscription, or it has ended.
    """
    rows = await transaction.rows(
        f"""
        SELECT {SUBSCRIPTION_COLUMNS} FROM customer_subscription subscription
        WHERE subscription.organization_id = $1 AND subscription.id = $2
        FOR UPDATE
        """,
        subscription_id,
    )
    if not rows:
        message = "There is no subscription with this id."
        raise RefusedError(problem("NOT_FOUND", message, "id"))
    found = live_subscription(rows[0])
    if found.status is SubscriptionStatus.CANCELED:
        raise RefusedError(problem("INVALID", "This subscription has already ended.", "id"))
    return found


async def subscription_row(
    transaction: BillingTransaction, subscription_id: UUID
) -> CustomerSubscription:
    """Loads the row of a subscription as it is now in the transaction."""
    return await CustomerSubscription.get(
        organization_id=transaction.organization_id,
        id=subscription_id,
        using_db=transaction.connection,
    )


async def _withdraw(transaction: BillingTransaction, subscription: LiveSubscription) -> None:
    """Ends a subscription that has not started."""
    await transaction.run(
        f"""
        UPDATE customer_subscription
        SET status = 'CANCELED', ended_at = $3, trial_notice_at = NULL, {STAMPED}
        WHERE organization_id = $1 AND id = $2
        """,
        subscription.id,
        transaction.now,
    )
    await transaction.run(
        "DELETE FROM subscription_meter WHERE organization_id = $1 AND subscription_id = $2",
        subscription.id,
    )
    await transaction.publish(OutboxType.SUBSCRIPTION_ENDED, subscription.id)


def _end_of_trial(
    draft: SubscriptionDraft, started_at: datetime, product: CatalogProduct
) -> datetime | None:
    """Returns when the trial ends; None if there is none."""
    ends_at, days = draft.trial_ends_at, draft.trial_days
    if ends_at is not None and days is not None:
        message = "Give trialEndsAt or trialDays, not both."
        raise RefusedError(problem("INVALID", message, "trialDays"))
    if days is not None and not 0 <= days <= LONGEST_TRIAL_DAYS:
        message = f"trialDays must be from 0 to {LONGEST_TRIAL_DAYS}."
        raise RefusedError(problem("INVALID", message, "trialDays"))
    if ends_at is not None and ends_at > started_at + timedelta(days=LONGEST_TRIAL_DAYS):
        message = f"A trial can last at most {LONGEST_TRIAL_DAYS} days."
        raise RefusedError(problem("LIMIT_EXCEEDED", message, "trialEndsAt"))
    if ends_at is None:
        ends_at = started_at + timedelta(days=(product.trial_days if days is None else days) or 0)
    return ends_at if ends_at > started_at else None


def _notice_of(trial_ends_at: datetime | None, terms: Terms) -> datetime | None:
    """Returns when the end of a trial is announced; None if there is no trial, or it is over."""
    return trial_ends_at - TRIAL_NOTICE if trial_ends_at is not None and terms.is_trial else None


def _check_start(started_at: datetime, at: datetime) -> None:
    if started_at > boundary(at, Recurrence(RecurringInterval.YEAR), 1):
        message = "startedAt may be at most a year ahead."
        raise RefusedError(problem("INVALID", message, "startedAt"))
    if started_at < EARLIEST_START:
        raise RefusedError(problem("INVALID", "startedAt is before 1970.", "startedAt"))


async def closed_through(
    transaction: BillingTransaction, customer_id: UUID, product: CatalogProduct
) -> datetime | None:
    """Returns the end of the customer's latest closed period on one of the product's meters."""
    rows = await transaction.rows(
        """
        SELECT max(ends_at) AS closed_through FROM metered_period
        WHERE organization_id = $1 AND customer_id = $2 AND meter_id = ANY($3::uuid[])
          AND closed_at IS NOT NULL
        """,
        customer_id,
        product.meter_ids,
    )
    found: datetime | None = rows[0]["closed_through"]
    return found
