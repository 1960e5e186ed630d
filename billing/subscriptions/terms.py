"""What a subscription is for in each of its periods. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from uuid import UUID

from billing.catalog.catalog_products import CatalogProduct
from billing.periods.intervals import (
    Period,
    ending_within,
    period_around,
    period_from,
    whole_period,
)
from billing.periods.shares import share
from billing.subscriptions.live_subscriptions import LiveSubscription, SubscriptionStatus


@dataclass(frozen=True, slots=True)
class Terms:
    """What a subscription is for in a usage period.

    `period` is that of the product, for which the fixed prices are paid; `usage` is the usage
    period in it, for which usage is billed and credit granted. Each is a whole one, or the end of
    one: the first calendar period, or if `is_rest`, what is left when the subscription changes.
    Whole periods are counted from `anchor`. If the period `goes_on`, only a usage period begins.
    """

    product: CatalogProduct
    quantity: int
    anchor: datetime
    period: Period
    whole: Period
    usage: Period
    usage_whole: Period
    is_trial: bool = False
    is_rest: bool = False
    goes_on: bool = False

    @property
    def status(self) -> SubscriptionStatus:
        """The subscription's status in the period."""
        return SubscriptionStatus.TRIALING if self.is_trial else SubscriptionStatus.ACTIVE

    @property
    def share(self) -> Fraction:
        """The part of the whole period that the period is."""
        return share(self.period, self.whole)

    @property
    def usage_share(self) -> Fraction:
        """The part of the whole usage period that the usage period is."""
        return share(self.usage, self.usage_whole)


def first_terms(
    product: CatalogProduct,
    quantity: int,
    started_at: datetime,
    trial_ends_at: datetime | None,
    now: datetime,
) -> Terms:
    """Returns the terms of the period that contains `now`, or the first, of a new subscription."""
    if trial_ends_at is not None and trial_ends_at > now:
        trial = Period(started_at, trial_ends_at)
        return Terms(
            product,
            quantity,
            trial_ends_at,
            trial,
            trial,
            usage=trial,
            usage_whole=trial,
            is_trial=True,
        )
    anchor = trial_ends_at or started_at
    within = max(now, anchor)
    period = period_around(anchor, product.interval, within)
    usage = period_around(anchor, product.usage_interval, within)
    return _paid_terms(product, quantity, anchor, period, usage)


def next_terms(
    subscription: LiveSubscription, products: Mapping[UUID, CatalogProduct]
) -> Terms | None:
    """Returns the terms of the next period; None if the subscription ends with its current one."""
    if subscription.usage.end < subscription.current.end:
        return _next_usage(subscription, products)
    if subscription.cancel_at_period_end:
        return None
    product, quantity = products[subscription.next_product_id], subscription.next_quantity
    start, anchor = subscription.current.end, subscription.anchor
    if subscription.status is SubscriptionStatus.SCHEDULED:
        return first_terms(product, quantity, start, subscription.trial_ends_at, start)
    if product.interval != products[subscription.product_id].interval:
        anchor = start
    period = period_from(anchor, product.interval, start)
    usage = period_from(anchor, product.usage_interval, start)
    return _paid_terms(product, quantity, anchor, period, usage)


def _next_usage(subscription: LiveSubscription, products: Mapping[UUID, CatalogProduct]) -> Terms:
    """Returns the terms of the next usage period in the current period."""
    product, period = products[subscription.product_id], subscription.current
    every = product.usage_interval
    usage = period_from(subscription.anchor, every, subscription.usage.end)
    usage = ending_within(usage, every, period)
    return Terms(
        product,
        subscription.quantity,
        subscription.anchor,
        period,
        current_whole(subscription, products),
        usage,
        usage,
        goes_on=True,
    )


def _paid_terms(
    product: CatalogProduct, quantity: int, anchor: datetime, period: Period, usage: Period
) -> Terms:
    """Returns the terms of periods that begin by themselves. Only the first may be shorter."""
    usage = ending_within(usage, product.usage_interval, period)
    whole, usage_whole = period, usage
    if period.start == anchor:
        whole = whole_period(product.interval, period)
    if usage.start == anchor:
        usage_whole = whole_period(product.usage_interval, usage)
    return Terms(product, quantity, anchor, period, whole, usage, usage_whole)


def terms_from(
    subscription: LiveSubscription,
    products: Mapping[UUID, CatalogProduct],
    product: CatalogProduct,
    quantity: int,
    at: datetime,
) -> Terms:
    """Returns the terms of the period that begins if the subscription changes at `at`.

    It is the rest of the current period. If the intervals of the products differ, it is a whole new
    one; a trial goes on all the same.
    """
    old, whole = products[subscription.product_id], current_whole(subscription, products)
    if not subscription.is_trialing and product.interval != old.interval:
        period = period_around(at, product.interval, at)
        usage = period_around(at, product.usage_interval, at)
        return _paid_terms(product, quantity, at, period, usage)
    rest = Period(at, subscription.current.end)
    if subscription.is_trialing or product.usage_interval == product.interval:
        usage, usage_whole = rest, whole
    elif product.usage_interval == old.usage_interval:
        usage = Period(at, subscription.usage.end)
        usage_whole = current_usage_whole(subscription, products)
    else:
        usage_whole = period_around(subscription.anchor, product.usage_interval, at)
        usage_whole = whole_period(product.usage_interval, usage_whole)
        usage_whole = ending_within(usage_whole, product.usage_interval, rest)
        usage = Period(at, usage_whole.end)
    return Terms(
        product,
        quantity,
        subscription.anchor,
        rest,
        whole,
        usage,
        usage_whole,
        is_trial=subscription.is_trialing,
        is_rest=True,
    )


def current_whole(
    subscription: LiveSubscription, products: Mapping[UUID, CatalogProduct]
) -> Period:
    """Returns the whole period that the current one is, or is a part of."""
    if subscription.is_trialing and subscription.trial_ends_at is not None:
        return Period(subscription.started_at, subscription.trial_ends_at)
    if subscription.whole_start is not None:
        return Period(subscription.whole_start, subscription.current.end)
    interval = products[subscription.product_id].interval
    return period_around(subscription.anchor, interval, subscription.current.start)


def current_usage_whole(
    subscription: LiveSubscription, products: Mapping[UUID, CatalogProduct]
) -> Period:
    """Returns the whole usage period that the current one is, or is a part of."""
    if subscription.usage_whole_start is not None:
        return Period(subscription.usage_whole_start, subscription.usage.end)
    # It began before usage periods had intervals of their own.
    return current_whole(subscription, products)
