"""What may be sold: products that are on sale, in quantities that can be invoiced."""

from uuid import UUID

from billing.catalog.catalog_products import CatalogProduct, catalog_products
from billing.numbers import LARGEST_AMOUNT
from billing.subscriptions.fixed_charges import plan_of
from billing.transaction import BillingTransaction
from metering.problems import RefusedError, problem

LARGEST_QUANTITY = 1_000_000


async def product_on_sale(transaction: BillingTransaction, product_id: UUID) -> CatalogProduct:
    """Loads a product and locks it, so that its benefits cannot change.

    Raises:
        RefusedError: there is no such product, or it is archived.
    """
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
    products = await catalog_products(
        transaction.connection, transaction.organization_id, [product_id]
    )
    return products[product_id]


def check_quantity(product: CatalogProduct, quantity: int) -> None:
    """Refuses a quantity that is no quantity, or whose fixed prices cannot be invoiced.

    Raises:
        RefusedError: the quantity is not allowed.
    """
    if quantity < 1:
        raise RefusedError(problem("INVALID", "quantity must be at least 1.", "quantity"))
    if quantity > LARGEST_QUANTITY:
        message = f"quantity must be at most {LARGEST_QUANTITY:,}."
        raise RefusedError(problem("LIMIT_EXCEEDED", message, "quantity"))
    if plan_of(product, quantity).amount > LARGEST_AMOUNT:
        message = "The fixed prices of this product are too large to be invoiced together."
        if quantity > 1:
            message = "The fixed prices for this quantity are too large to be invoiced."
            raise RefusedError(problem("LIMIT_EXCEEDED", message, "quantity"))
        raise RefusedError(problem("LIMIT_EXCEEDED", message, "productId"))
