"""What the current usage period of a subscription owes besides the lines of its prices. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from billing.catalog.catalog_products import CatalogProduct
from billing.periods.intervals import Period
from billing.periods.shares import share, share_of_amount
from billing.rating.lines import Line
from billing.rating.settlements import Minimum, Settlement, charged_in_advance
from billing.subscriptions.live_subscriptions import LiveSubscription, SubscriptionStatus
from billing.subscriptions.terms import current_usage_whole


def minimum_until(
    subscription: LiveSubscription, products: Mapping[UUID, CatalogProduct], end: datetime
) -> Minimum | None:
    """Returns the least that the usage costs, in proportion to time, if its period ends at `end`.

    None if the product has no minimum. A trial has none either.
    """
    product = products[subscription.product_id]
    if product.minimum_amount is None or subscription.status is not SubscriptionStatus.ACTIVE:
        return None
    served = Period(subscription.usage.start, end)
    of = share(served, current_usage_whole(subscription, products))
    first = next(iter(product.metered.values()))
    return Minimum(share_of_amount(product.minimum_amount, of), first.id)


def settlement_of_current(
    subscription: LiveSubscription,
    products: Mapping[UUID, CatalogProduct],
    charges: Sequence[Line],
) -> Settlement:
    """Returns the settlement of the current usage period, as if it ended now with these charges."""
    return Settlement(
        id=None,
        period=subscription.usage,
        minimum=minimum_until(subscription, products, subscription.usage.end),
        discount=subscription.discount,
        charged=charged_in_advance(charges),
    )
