"""Reserves meters for subscriptions: a customer has at most one subscription that uses a meter."""

from billing.catalog.catalog_products import CatalogProduct
from billing.subscriptions.live_subscriptions import LiveSubscription
from billing.transaction import BillingTransaction
from metering.problems import RefusedError, problem
from models import CustomerSubscription


async def hold_meters(
    transaction: BillingTransaction,
    subscription: CustomerSubscription | LiveSubscription,
    product: CatalogProduct,
) -> None:
    """Reserves a product's meters for a subscription. The table's key allows only one.

    Raises:
        RefusedError: another subscription of the customer uses such a meter.
    """
    meters = sorted(product.meter_ids)
    await transaction.run(
        """
        INSERT INTO subscription_meter (organization_id, customer_id, subscription_id, meter_id)
        SELECT $1, $2, $3, held.* FROM unnest($4::uuid[]) AS held
        ON CONFLICT (organization_id, customer_id, meter_id) DO NOTHING
        """,
        subscription.customer_id,
        subscription.id,
        meters,
    )
    held = await transaction.rows(
        """
        SELECT meter_id FROM subscription_meter
        WHERE organization_id = $1 AND subscription_id = $2 AND meter_id = ANY($3::uuid[])
        """,
        subscription.id,
        meters,
    )
    if len(held) < len(meters):
        message = "The customer has another subscription with a meter of this product."
        raise RefusedError(problem("ALREADY_EXISTS", message, "productId"))


async def release_meters(transaction: BillingTransaction, subscription: LiveSubscription) -> None:
    """Releases the meters that only a pending change of the subscription would have used."""
    await transaction.run(
        """
        DELETE FROM subscription_meter held
        WHERE held.organization_id = $1 AND held.subscription_id = $2
          AND NOT EXISTS (
              SELECT FROM metered_period period
              WHERE period.organization_id = $1 AND period.customer_id = held.customer_id
                AND period.meter_id = held.meter_id AND period.subscription_id = $2
                AND period.closed_at IS NULL
          )
          AND NOT EXISTS (
              SELECT FROM product_price price
              WHERE price.organization_id = $1 AND price.product_id = $3
                AND price.meter_id = held.meter_id
          )
          AND NOT EXISTS (
              SELECT FROM product_benefit included
              JOIN benefit ON benefit.organization_id = $1 AND benefit.id = included.benefit_id
              WHERE included.organization_id = $1 AND included.product_id = $3
                AND benefit.meter_id = held.meter_id
          )
        """,
        subscription.id,
        subscription.product_id,
    )
