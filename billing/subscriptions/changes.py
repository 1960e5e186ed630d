"""Changes the product or the quantity of subscriptions, and previews such changes."""

from dataclasses import dataclass, replace
from uuid import UUID

from billing.catalog.catalog_products import CatalogProduct
from billing.invoicing.due_invoices import invoice_with_what_is_counted
from billing.periods.rerating import rerate_late
from billing.subscriptions.cycle import edit
from billing.subscriptions.life import (
    CancelWhen,
    closed_through,
    locked_subscription,
    subscription_row,
)
from billing.subscriptions.live_subscriptions import LiveSubscription, SubscriptionStatus
from billing.subscriptions.renewal import Touched, change_at, products_of
from billing.subscriptions.renewals import instant_of_cut
from billing.subscriptions.reserving import hold_meters, release_meters
from billing.subscriptions.sale import check_quantity, product_on_sale
from billing.subscriptions.terms import terms_from
from billing.transaction import STAMPED, BillingTransaction
from metering.live.outbox import OutboxType
from metering.problems import RefusedError, problem
from models import CustomerSubscription, Invoice


@dataclass(frozen=True, slots=True)
class SubscriptionChange:
    """A change of a subscription. What is None stays as it is."""

    product_id: UUID | None = None
    quantity: int | None = None
    when: CancelWhen = CancelWhen.NOW


async def change_subscription(
    organization_id: UUID, subscription_id: UUID, change: SubscriptionChange
) -> tuple[CustomerSubscription, Invoice | None]:
    """Changes a subscription, immediately or from its next period. Returns it and the invoice.

    It replaces a change that is pending. A change NOW cuts the current period: its usage is billed
    by the old prices, and what is paid in advance is prorated. The invoice is issued at once. A
    subscription that has not started simply starts with the other product or quantity.

    Raises:
        RefusedError: there is no such subscription or product, or the change is not possible.
    """
    async with edit(organization_id, Touched("id", subscription_id)) as transaction:
        one = await locked_subscription(transaction, subscription_id)
        product, quantity = await _changed(transaction, one, change)
        # Dropping a pending change first makes its meters free again.
        await _keep_pending(transaction, one, None, None)
        if one.status is SubscriptionStatus.SCHEDULED:
            await _replace(transaction, one, product, quantity)
        elif change.when is CancelWhen.PERIOD_END:
            await hold_meters(transaction, one, product)
            await _keep_pending(transaction, one, product.id, quantity)
        else:
            await hold_meters(transaction, one, product)
            return await _change_now(transaction, one, product, quantity)
        await transaction.publish(OutboxType.SUBSCRIPTION_CHANGED, one.id)
        return await subscription_row(transaction, one.id), None


async def cancel_change(organization_id: UUID, subscription_id: UUID) -> CustomerSubscription:
    """Drops the change that is pending. Without one, nothing changes.

    Raises:
        RefusedError: there is no such subscription, or it has ended.
    """
    async with edit(organization_id, Touched("id", subscription_id)) as transaction:
        one = await locked_subscription(transaction, subscription_id)
        await _keep_pending(transaction, one, None, None)
        if one.has_pending_change:
            await transaction.publish(OutboxType.SUBSCRIPTION_CHANGED, one.id)
        return await subscription_row(transaction, one.id)


async def _changed(
    transaction: BillingTransaction, subscription: LiveSubscription, change: SubscriptionChange
) -> tuple[CatalogProduct, int]:
    """Returns the product and the quantity after a change, or refuses it."""
    if change.product_id is None and change.quantity is None:
        message = "Give a productId, a quantity or both."
        raise RefusedError(problem("INVALID", message, "productId"))
    products = await products_of(transaction, [subscription])
    product = products[subscription.product_id]
    currency = product.currency
    if change.product_id not in (None, product.id):
        product = await product_on_sale(transaction, change.product_id)
    quantity = subscription.quantity if change.quantity is None else change.quantity
    check_quantity(product, quantity)
    if (product.id, quantity) == (subscription.product_id, subscription.quantity):
        message = "The subscription already has this product and this quantity."
        path = "quantity" if change.product_id is None else "productId"
        raise RefusedError(problem("INVALID", message, path))
    if product.currency != currency:
        message = f"The subscription is in {currency}, but this product is in {product.currency}."
        raise RefusedError(problem("INVALID", message, "productId"))
    if subscription.cancel_at_period_end and change.when is CancelWhen.PERIOD_END:
        message = "The subscription ends with its current period. Resume it first."
        raise RefusedError(problem("INVALID", message, "when"))
    return product, quantity


async def _change_now(
    transaction: BillingTransaction,
    subscription: LiveSubscription,
    product: CatalogProduct,
    quantity: int,
) -> tuple[CustomerSubscription, Invoice | None]:
    row = await subscription_row(transaction, subscription.id)
    if row.invoicing_problem is not None:
        message = f"Invoices of this subscription are withheld. {row.invoicing_problem}"
        raise RefusedError(problem("INVALID", message, "id"))
    # Late usage comes first: the credit that it burns is not taken along.
    await rerate_late(transaction, [subscription.customer_id])
    closed = await closed_through(transaction, subscription.customer_id, product)
    at = max(await instant_of_cut(transaction, subscription), closed or transaction.now)
    products = await products_of(transaction, [subscription])
    terms = terms_from(subscription, products, product, quantity, min(at, subscription.usage.end))
    await change_at(transaction, subscription, products, terms)
    await invoice_with_what_is_counted(transaction, subscription.id)
    invoice = await invoice_of_period(transaction, subscription)
    return await subscription_row(transaction, subscription.id), invoice


async def invoice_of_period(
    transaction: BillingTransaction, subscription: LiveSubscription
) -> Invoice | None:
    """Returns the invoice of the subscription's current period, once it is closed and invoiced."""
    rows = await transaction.rows(
        """
        SELECT invoice_id FROM subscription_period
        WHERE organization_id = $1 AND subscription_id = $2 AND period_index = $3
        """,
        subscription.id,
        subscription.period_index,
    )
    return await Invoice.get_or_none(
        organization_id=transaction.organization_id,
        id=rows[0]["invoice_id"],
        using_db=transaction.connection,
    )


async def _replace(
    transaction: BillingTransaction,
    subscription: LiveSubscription,
    product: CatalogProduct,
    quantity: int,
) -> None:
    """Changes a subscription that has not started."""
    await hold_meters(transaction, subscription, product)
    await transaction.run(
        f"""
        UPDATE customer_subscription SET product_id = $3, quantity = $4, {STAMPED}
        WHERE organization_id = $1 AND id = $2
        """,
        subscription.id,
        product.id,
        quantity,
    )
    await release_meters(transaction, replace(subscription, product_id=product.id))


async def _keep_pending(
    transaction: BillingTransaction,
    subscription: LiveSubscription,
    product_id: UUID | None,
    quantity: int | None,
) -> None:
    """Stores the change that is pending, or that none is."""
    await transaction.run(
        f"""
        UPDATE customer_subscription
        SET pending_product_id = $3, pending_quantity = $4, {STAMPED}
        WHERE organization_id = $1 AND id = $2
        """,
        subscription.id,
        product_id,
        quantity,
    )
    if product_id is None:
        await release_meters(transaction, subscription)
