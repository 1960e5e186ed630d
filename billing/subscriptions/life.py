"""Creates and cancels subscriptions."""

from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from billing.catalog.catalog_products import CatalogProduct, catalog_products
from billing.invoicing.due_invoices import invoice_periods_of
from billing.invoicing.invoices import Bill, issue
from billing.numbers import LARGEST_AMOUNT
from billing.periods.intervals import index_at, period_at
from billing.periods.metered_renewal import renew_periods
from billing.periods.rerating import rerate_late
from billing.subscriptions.cycle import edit
from billing.subscriptions.renewal import (
    SUBSCRIPTION_COLUMNS,
    Touched,
    end_at,
    live_subscription,
    next_periods,
)
from billing.transaction import BillingTransaction
from metering.live.outbox import OutboxType
from metering.problems import RefusedError, problem
from models import CustomerSubscription

EARLIEST_START = datetime(1970, 1, 1, tzinfo=UTC)


class CancelWhen(StrEnum):
    """When a cancellation takes effect."""

    PERIOD_END = "PERIOD_END"
    NOW = "NOW"


async def create_subscription(
    organization_id: UUID, customer_id: UUID, product_id: UUID, started_at: datetime | None = None
) -> CustomerSubscription:
    """Subscribes a customer to a product, from now on or since `started_at`.

    The current period begins: its credit is granted, and its fixed prices are invoiced. Earlier
    periods are not invoiced.

    Raises:
        RefusedError: the product is unknown or archived, `started_at` is invalid, or the
            customer has another subscription with one of the meters.
    """
    async with edit(organization_id, Touched("customer_id", customer_id)) as transaction:
        await _check_product(transaction, product_id)
        if started_at is not None:
            _check_start(started_at, transaction.now)
        products = await catalog_products(transaction.connection, organization_id, [product_id])
        product = products[product_id]
        if sum(price.amount for price in product.fixed) > LARGEST_AMOUNT:
            message = "The fixed prices of this product are too large to be invoiced together."
            raise RefusedError(problem("LIMIT_EXCEEDED", message, "productId"))
        closed_through = await _closed_through(transaction, customer_id, product)
        anchor = started_at or transaction.now
        if started_at is None and closed_through is not None:
            # The clock may have been set back since.
            anchor = max(anchor, closed_through)
        index = index_at(anchor, product.interval, max(transaction.now, anchor))
        current = period_at(anchor, product.interval, index)
        if closed_through is not None and current.start < closed_through:
            message = (
                f"This customer's usage is already closed through {closed_through.isoformat()},"
                " but the current period would begin before that."
            )
            raise RefusedError(problem("INVALID", message, "startedAt"))
        subscription = await CustomerSubscription.create(
            organization_id=organization_id,
            customer_id=customer_id,
            product_id=product_id,
            status="ACTIVE",
            started_at=anchor,
            period_index=index,
            current_period_start=current.start,
            current_period_end=current.end,
            created_at=transaction.now,
            using_db=transaction.connection,
        )
        await transaction.publish(OutboxType.SUBSCRIPTION_CREATED, subscription.id)
        await _hold_meters(transaction, subscription, product)
        # Late usage comes first: the credit that it burns does not carry over.
        await rerate_late(transaction, [customer_id])
        await renew_periods(
            transaction, next_periods(subscription.id, customer_id, product, current)
        )
        await issue(transaction, [Bill(subscription.id, customer_id, product, [], current)])
        return subscription


async def cancel_subscription(
    organization_id: UUID, subscription_id: UUID, when: CancelWhen
) -> CustomerSubscription:
    """Cancels a subscription, at the end of its period or immediately.

    Raises:
        RefusedError: there is no such subscription, or it has ended.
    """
    async with edit(organization_id, Touched("id", subscription_id)) as transaction:
        subscription = (
            await CustomerSubscription.filter(organization_id=organization_id, id=subscription_id)
            .using_db(transaction.connection)
            .select_for_update()
            .first()
        )
        if subscription is None:
            message = "There is no subscription with this id."
            raise RefusedError(problem("NOT_FOUND", message, "id"))
        if subscription.status != "ACTIVE":
            raise RefusedError(problem("INVALID", "This subscription has already ended.", "id"))
        if when is CancelWhen.PERIOD_END:
            is_new = not subscription.cancel_at_period_end
            subscription.cancel_at_period_end = True
            await subscription.save(
                using_db=transaction.connection, update_fields=["cancel_at_period_end"]
            )
            if is_new:
                await transaction.publish(OutboxType.SUBSCRIPTION_CANCEL_SCHEDULED, subscription.id)
        else:
            await _end_now(transaction, subscription)
            await subscription.refresh_from_db(using_db=transaction.connection)
        return subscription


async def _end_now(transaction: BillingTransaction, subscription: CustomerSubscription) -> None:
    rows = await transaction.rows(
        f"""
        SELECT {SUBSCRIPTION_COLUMNS} FROM customer_subscription subscription
        WHERE subscription.organization_id = $1 AND subscription.id = $2
        """,
        subscription.id,
    )
    live = live_subscription(rows[0])
    await rerate_late(transaction, [live.customer_id])
    # The clock may have been set back to before the period.
    await end_at(transaction, live, max(transaction.now, live.current.start))
    await invoice_periods_of(transaction, [live.id])


async def _check_product(transaction: BillingTransaction, product_id: UUID) -> None:
    """Locks the product, so that its benefits cannot change. Refuses one that is not on sale."""
    rows = await transaction.rows(
        """
        SELECT archived_at FROM product WHERE organization_id = $1 AND id = $2 FOR SHARE
        """,
        product_id,
    )
    if not rows:
        raise RefusedError(problem("NOT_FOUND", "There is no product with this id.", "productId"))
    if rows[0]["archived_at"] is not None:
        raise RefusedError(problem("INVALID", "This product is archived.", "productId"))


def _check_start(started_at: datetime, at: datetime) -> None:
    if started_at > at:
        raise RefusedError(problem("INVALID", "startedAt is in the future.", "startedAt"))
    if started_at < EARLIEST_START:
        raise RefusedError(problem("INVALID", "startedAt is before 1970.", "startedAt"))


async def _closed_through(
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


async def _hold_meters(
    transaction: BillingTransaction, subscription: CustomerSubscription, product: CatalogProduct
) -> None:
    """Reserves the product's meters for the subscription. The table's key allows only one."""
    meters = sorted(product.meter_ids)
    rows = await transaction.rows(
        """
        INSERT INTO subscription_meter (organization_id, customer_id, subscription_id, meter_id)
        SELECT $1, $2, $3, held.* FROM unnest($4::uuid[]) AS held
        ON CONFLICT (organization_id, customer_id, meter_id) DO NOTHING
        RETURNING meter_id
        """,
        subscription.customer_id,
        subscription.id,
        meters,
    )
    if len(rows) < len(meters):
        message = "The customer has another subscription with a meter of this product."
        raise RefusedError(problem("ALREADY_EXISTS", message, "productId"))
