"""Subscriptions that have not ended, as the tables have them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from billing.periods.intervals import Period
from billing.rating.discounts import Discount
from models import exact_json


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
    subscription.usage_period_start, subscription.usage_period_end, subscription.usage_whole_start,
    subscription.cancel_at_period_end,
    subscription.pending_product_id, subscription.pending_quantity,
    subscription.discount, subscription.discount_periods, subscription.paid_discount
"""
"""The columns of `customer_subscription subscription` that `live_subscription` reads."""


@dataclass(frozen=True, slots=True)
class LiveSubscription:
    """A subscription whose row is locked.

    `usage` is its usage period number `period_index`, a part of the `current` period of the
    product. `whole_start` and `usage_whole_start` are the starts of the whole periods that these
    are, or are the ends of. They are None for periods that began before this was stored; their
    whole ones follow from the anchor. Paid periods are counted from `anchor`. `next_product_id`
    and `next_quantity` apply from the next period; they differ from those of the current one if a
    change is pending. `discount` is taken off the invoices of `discount_periods` more periods, or
    of all; `paid_discount` was taken off what was paid in advance for the current one.
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
    usage: Period
    usage_whole_start: datetime | None
    cancel_at_period_end: bool
    discount: Discount | None = None
    discount_periods: int | None = None
    paid_discount: Discount | None = None

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
        usage=Period(row["usage_period_start"], row["usage_period_end"]),
        usage_whole_start=row["usage_whole_start"],
        cancel_at_period_end=row["cancel_at_period_end"],
        discount=_discount(row["discount"]),
        discount_periods=row["discount_periods"],
        paid_discount=_discount(row["paid_discount"]),
    )


def _discount(stored: str | None) -> Discount | None:
    return None if stored is None else Discount.from_json(exact_json.loads(stored))


def product_ids(subscriptions: Iterable[LiveSubscription]) -> set[UUID]:
    """Returns the products of the current and the next periods."""
    return {key for one in subscriptions for key in (one.product_id, one.next_product_id)}
