"""What a subscription is for in each of its periods, and what it pays in advance. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import Any
from uuid import UUID

from billing.catalog.catalog_products import CatalogProduct
from billing.periods.intervals import Period, period_around, period_from, whole_period
from billing.periods.shares import share
from billing.rating.lines import Line, Plan, fixed_lines, remaining_lines, returning_lines


class SubscriptionStatus(StrEnum):
    """Where a subscription is in its life."""

    SCHEDULED = "SCHEDULED"
    TRIALING = "TRIALING"
    ACTIVE = "ACTIVE"
    CANCELED = "CANCELED"


LONGEST_TRIAL_DAYS = 730

SUBSCRIPTION_COLUMNS = """
    subscription.id, subscription.customer_id, subscription.product_id, subscription.quantity,
    subscription.status, subscription.started_at, subscription.trial_ends_at,
    subscription.anchor_at, subscription.period_index, subscription.current_period_start,
    subscription.current_period_end, subscription.whole_start,
    subscription.cancel_at_period_end,
    subscription.pending_product_id, subscription.pending_quantity
"""
"""The columns of `customer_subscription subscription` that `live_subscription` reads."""


@dataclass(frozen=True, slots=True)
class LiveSubscription:
    """A subscription whose row is locked. `current` is its period number `period_index`.

    `whole_start` is the start of the whole period that the current one is, or is the end of. It is
    None for periods that began before this was stored; their whole ones follow from the anchor.
    Paid periods are counted from `anchor`. `next_product_id` and `next_quantity` apply from the
    next period; they differ from those of the current one if a change is pending.
    """

    id: UUID
    customer_id: UUID
    status: SubscriptionStatus
    product_id: UUID
    quantity: int
    next_product_id: UUID
    next_quantity: int
    started_at: datetime
    trial_ends_at: datetime | None
    anchor: datetime
    period_index: int
    current: Period
    whole_start: datetime | None
    cancel_at_period_end: bool

    @property
    def has_pending_change(self) -> bool:
        """Whether the next period is for another product or quantity."""
        return (self.next_product_id, self.next_quantity) != (self.product_id, self.quantity)

    @property
    def ends_in_trial(self) -> bool:
        """Whether the subscription has ended in its trial, or will end with it."""
        if self.status is SubscriptionStatus.CANCELED:
            return self.trial_ends_at is not None and self.current.end <= self.trial_ends_at
        return self.is_trialing and self.cancel_at_period_end

    @property
    def is_trialing(self) -> bool:
        """Whether the current period is the trial."""
        return self.status is SubscriptionStatus.TRIALING


def live_subscription(row: Mapping[str, Any]) -> LiveSubscription:
    """Loads a subscription from a row."""
    pending = row["pending_product_id"] is not None
    return LiveSubscription(
        id=row["id"],
        customer_id=row["customer_id"],
        status=SubscriptionStatus(row["status"]),
        product_id=row["product_id"],
        quantity=row["quantity"],
        next_product_id=row["pending_product_id"] if pending else row["product_id"],
        next_quantity=row["pending_quantity"] if pending else row["quantity"],
        started_at=row["started_at"],
        trial_ends_at=row["trial_ends_at"],
        anchor=row["anchor_at"],
        period_index=row["period_index"],
        current=Period(row["current_period_start"], row["current_period_end"]),
        whole_start=row["whole_start"],
        cancel_at_period_end=row["cancel_at_period_end"],
    )


def product_ids(subscriptions: Iterable[LiveSubscription]) -> set[UUID]:
    """Returns the products of the current and the next periods."""
    return {key for one in subscriptions for key in (one.product_id, one.next_product_id)}


@dataclass(frozen=True, slots=True)
class Terms:
    """What a subscription is for in a period.

    The period is a `whole` one, or the end of one: the first calendar period, or if `is_rest`, what
    is left when the subscription changes. Whole periods are counted from `anchor`.
    """

    product: CatalogProduct
    quantity: int
    anchor: datetime
    period: Period
    whole: Period
    is_trial: bool = False
    is_rest: bool = False

    @property
    def status(self) -> SubscriptionStatus:
        """The subscription's status in the period."""
        return SubscriptionStatus.TRIALING if self.is_trial else SubscriptionStatus.ACTIVE

    @property
    def share(self) -> Fraction:
        """The part of the whole period that the period is."""
        return share(self.period, self.whole)


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
        return Terms(product, quantity, trial_ends_at, trial, trial, is_trial=True)
    anchor = trial_ends_at or started_at
    period = period_around(anchor, product.interval, max(now, anchor))
    return _paid_terms(product, quantity, anchor, period)


def next_terms(
    subscription: LiveSubscription, products: Mapping[UUID, CatalogProduct]
) -> Terms | None:
    """Returns the terms of the next period; None if the subscription ends with its current one."""
    if subscription.cancel_at_period_end:
        return None
    product, quantity = products[subscription.next_product_id], subscription.next_quantity
    start, anchor = subscription.current.end, subscription.anchor
    if subscription.status is SubscriptionStatus.SCHEDULED:
        return first_terms(product, quantity, start, subscription.trial_ends_at, start)
    if product.interval != products[subscription.product_id].interval:
        anchor = start
    return _paid_terms(product, quantity, anchor, period_from(anchor, product.interval, start))


def _paid_terms(product: CatalogProduct, quantity: int, anchor: datetime, period: Period) -> Terms:
    """Returns the terms of a period that begins by itself. Only the first may be shorter."""
    is_first = period.start == anchor
    whole = whole_period(product.interval, period) if is_first else period
    return Terms(product, quantity, anchor, period, whole)


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
    if not subscription.is_trialing and (
        product.interval != products[subscription.product_id].interval
    ):
        return _paid_terms(product, quantity, at, period_around(at, product.interval, at))
    return Terms(
        product,
        quantity,
        subscription.anchor,
        Period(at, subscription.current.end),
        current_whole(subscription, products),
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


def plan_of(product: CatalogProduct, quantity: int) -> Plan:
    """Returns what a subscription to a product pays for in advance."""
    return Plan(product.name, product.fixed, quantity)


def charges_in_advance(terms: Terms | None) -> list[Line]:
    """Returns the lines for a period that begins by itself. A trial is free."""
    if terms is None or terms.is_trial:
        return []
    return fixed_lines(plan_of(terms.product, terms.quantity), terms.period, terms.share)


def charges_of_change(
    subscription: LiveSubscription, products: Mapping[UUID, CatalogProduct], terms: Terms
) -> list[Line]:
    """Returns the lines for a change within the current period: what is given back and bought."""
    if terms.is_trial:
        return []
    returned = charges_given_back(subscription, products, terms.period.start)
    if not terms.is_rest:
        return returned + charges_in_advance(terms)
    plan = plan_of(terms.product, terms.quantity)
    return returned + remaining_lines(plan, terms.period, terms.whole)


def charges_given_back(
    subscription: LiveSubscription, products: Mapping[UUID, CatalogProduct], at: datetime
) -> list[Line]:
    """Returns the lines that give back what was paid for the current period from `at` on."""
    if subscription.is_trialing:
        return []
    return returning_lines(
        plan_of(products[subscription.product_id], subscription.quantity),
        Period(at, subscription.current.end),
        current_whole(subscription, products),
    )
