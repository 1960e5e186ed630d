"""What still needs a meter to count: products, subscriptions, and what is yet to be billed."""

from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

_USES = """
SELECT EXISTS (
    SELECT FROM product_price price
    JOIN product ON product.organization_id = price.organization_id
                AND product.id = price.product_id AND product.archived_at IS NULL
    WHERE price.organization_id = meter.organization_id AND price.meter_id = meter.id
) OR EXISTS (
    SELECT FROM benefit
    JOIN product_benefit brought ON brought.organization_id = benefit.organization_id
                                AND brought.benefit_id = benefit.id
    JOIN product ON product.organization_id = benefit.organization_id
                AND product.id = brought.product_id AND product.archived_at IS NULL
    WHERE benefit.organization_id = meter.organization_id AND benefit.meter_id = meter.id
) AS of_products, EXISTS (
    SELECT FROM subscription_meter held
    WHERE held.organization_id = meter.organization_id AND held.meter_id = meter.id
) AS of_subscriptions, EXISTS (
    SELECT FROM metered_period period
    WHERE period.organization_id = meter.organization_id AND period.meter_id = meter.id
      AND period.closed_at IS NOT NULL
      AND (period.is_behind OR period.needs_correction
           OR period.product_price_id IS NOT NULL AND period.billed_amount IS NULL)
) AS of_invoices
FROM meter WHERE meter.id = $1
"""


async def meter_in_use(connection: BaseDBAsyncClient, meter_id: UUID) -> str | None:
    """Why the meter must go on counting, as a sentence; None where it need not.

    To be called under the log's lock. A subscription holds its meters until it is ended,
    also one whose cancellation is scheduled and one of a product that is no longer sold.
    """
    rows = await connection.execute_query_dict(_USES, [meter_id])
    uses = rows[0]
    if uses["of_products"]:
        return "A product's price or benefit uses this meter."
    if uses["of_subscriptions"]:
        return "A subscription uses this meter until it ends."
    if uses["of_invoices"]:
        return "Usage of this meter is still to be invoiced."
    return None
