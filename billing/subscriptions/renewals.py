"""Renewals of subscriptions: what they change in the tables, many at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from billing.catalog.catalog_products import CatalogProduct
from billing.invoicing.charges import stored_charges
from billing.periods.intervals import Period
from billing.rating.discounts import Discount
from billing.rating.lines import Line
from billing.rating.settlements import Minimum
from billing.subscriptions.live_subscriptions import LiveSubscription, SubscriptionStatus
from billing.subscriptions.terms import Terms
from billing.transaction import STAMPED, BillingTransaction, columns
from models import exact_json
from models.identifiers import new_id


@dataclass(frozen=True, slots=True)
class Renewal:
    """A subscription's usage period ends at `at`, and one with the terms `next` begins, if any.

    `charges` are invoiced with the usage of the period that ends. `cuts` is the whole usage period
    that a change cuts. `later` is the product from the subscription's next period on, if only a
    usage period begins: its meters stay reserved. `minimum` is the least that the usage costs.
    """

    subscription: LiveSubscription
    at: datetime
    next: Terms | None
    charges: Sequence[Line]
    cuts: Period | None = None
    later: CatalogProduct | None = None
    minimum: Minimum | None = None

    @property
    def is_change(self) -> bool:
        """Whether the next period is for another product or quantity."""
        one, terms = self.subscription, self.next
        return terms is not None and (terms.product.id, terms.quantity) != (
            one.product_id,
            one.quantity,
        )

    @property
    def discount(self) -> Discount | None:
        """What is taken off the invoice: an amount in proportion to time if a period goes on."""
        found, terms = self.subscription.discount, self.next
        if found is None or terms is None or not terms.is_rest:
            return found
        return found.part(terms.share)

    @property
    def discount_left(self) -> tuple[Discount | None, int | None]:
        """The discount of later invoices, and of how many more periods; None: of all."""
        one, terms = self.subscription, self.next
        goes_on = terms is not None and (terms.goes_on or terms.is_rest)
        # The end of a trial is no period, unless the first one is paid in advance.
        is_paid = one.status is SubscriptionStatus.ACTIVE or bool(self.charges)
        if one.discount_periods is None or goes_on or not is_paid:
            return one.discount, one.discount_periods
        left = one.discount_periods - 1
        return (one.discount, left) if left else (None, None)

    @property
    def paid_discount(self) -> Discount | None:
        """What is taken off the charges in advance for the period that follows, or goes on."""
        one, terms = self.subscription, self.next
        goes_on = terms is not None and (terms.goes_on or terms.is_trial)
        return one.paid_discount if goes_on else one.discount

    @property
    def reserved(self) -> set[UUID]:
        """The meters that the subscription reserves from then on."""
        products = (None if self.next is None else self.next.product, self.later)
        return {meter_id for one in products if one is not None for meter_id in one.meter_ids}


def stored_discount(discount: Discount | None) -> str | None:
    """Returns a discount as JSON text."""
    return None if discount is None else exact_json.dumps(discount.to_json())


async def close_periods(transaction: BillingTransaction, renewals: Sequence[Renewal]) -> None:
    """Stores the ended periods. The table's key refuses to renew the same period twice."""
    await transaction.run(
        """
        INSERT INTO subscription_period (
            organization_id, closed_at, id, subscription_id, period_index, starts_at, ends_at,
            is_last, charges, minimum_amount, minimum_price_id, discount
        )
        SELECT $1, $2, ended.id, ended.subscription_id, ended.period_index, ended.starts_at,
               ended.ends_at, ended.is_last, ended.charges::jsonb, ended.minimum_amount,
               ended.minimum_price_id, ended.discount::jsonb
        FROM unnest(
            $3::uuid[], $4::uuid[], $5::int[], $6::timestamptz[], $7::timestamptz[], $8::boolean[],
            $9::text[], $10::bigint[], $11::uuid[], $12::text[]
        ) AS ended (
            id, subscription_id, period_index, starts_at, ends_at, is_last, charges,
            minimum_amount, minimum_price_id, discount
        )
        """,
        transaction.now,
        *columns(
            renewals,
            lambda _renewal: new_id(),
            lambda renewal: renewal.subscription.id,
            lambda renewal: renewal.subscription.period_index,
            lambda renewal: renewal.subscription.usage.start,
            lambda renewal: renewal.at,
            lambda renewal: renewal.next is None,
            lambda renewal: stored_charges(renewal.charges),
            lambda renewal: None if renewal.minimum is None else renewal.minimum.amount,
            lambda renewal: None if renewal.minimum is None else renewal.minimum.price_id,
            lambda renewal: stored_discount(renewal.discount),
        ),
    )


async def instant_of_cut(
    transaction: BillingTransaction, subscription: LiveSubscription
) -> datetime:
    """Returns the instant at which to end the current usage period at once.

    The clock may have been set back to before the period, which is empty then. A second empty one
    at the same instant could not be told apart from the first, so it lasts a microsecond.
    """
    start = subscription.usage.start
    if transaction.now > start:
        return transaction.now
    [row] = await transaction.rows(
        """
        SELECT EXISTS (
            SELECT FROM subscription_period
            WHERE organization_id = $1 AND subscription_id = $2
              AND starts_at = $3 AND ends_at = $3
        ) AS has_empty
        """,
        subscription.id,
        start,
    )
    return start + timedelta(microseconds=1) if row["has_empty"] else start


async def held_meters(
    transaction: BillingTransaction, subscription_ids: Sequence[UUID]
) -> dict[UUID, list[UUID]]:
    """Returns the meters on which each subscription has an open period."""
    rows = await transaction.rows(
        """
        SELECT subscription_id, array_agg(meter_id ORDER BY meter_id) AS meter_ids
        FROM metered_period
        WHERE organization_id = $1 AND subscription_id = ANY($2::uuid[]) AND closed_at IS NULL
        GROUP BY subscription_id
        """,
        list(subscription_ids),
    )
    return {row["subscription_id"]: row["meter_ids"] for row in rows}


async def move_subscriptions(transaction: BillingTransaction, renewals: Sequence[Renewal]) -> None:
    """Stores the terms of the periods that begin, with which pending changes take effect."""
    going_on = [(one, one.next) for one in renewals if one.next is not None]
    await transaction.run(
        f"""
        UPDATE customer_subscription AS kept
        SET {STAMPED}, period_index = kept.period_index + 1, status = next.status,
            product_id = next.product_id, quantity = next.quantity, anchor_at = next.anchor_at,
            current_period_start = next.starts_at, current_period_end = next.ends_at,
            whole_start = next.whole_start, usage_period_start = next.usage_start,
            usage_period_end = next.usage_end, usage_whole_start = next.usage_whole_start,
            discount = next.discount::jsonb, discount_periods = next.discount_periods,
            paid_discount = next.paid_discount::jsonb,
            pending_product_id = CASE WHEN next.goes_on THEN kept.pending_product_id END,
            pending_quantity = CASE WHEN next.goes_on THEN kept.pending_quantity END,
            trial_notice_at = CASE WHEN next.status = 'TRIALING' THEN kept.trial_notice_at END
        FROM unnest(
            $2::uuid[], $3::text[], $4::uuid[], $5::int[], $6::timestamptz[], $7::timestamptz[],
            $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::timestamptz[],
            $12::timestamptz[], $13::boolean[], $14::text[], $15::int[], $16::text[]
        ) AS next (
            id, status, product_id, quantity, anchor_at, starts_at, ends_at, whole_start,
            usage_start, usage_end, usage_whole_start, goes_on, discount, discount_periods,
            paid_discount
        )
        WHERE kept.organization_id = $1 AND kept.id = next.id
        """,
        *columns(
            going_on,
            lambda pair: pair[0].subscription.id,
            lambda pair: pair[1].status.value,
            lambda pair: pair[1].product.id,
            lambda pair: pair[1].quantity,
            lambda pair: pair[1].anchor,
            lambda pair: pair[1].period.start,
            lambda pair: pair[1].period.end,
            lambda pair: pair[1].whole.start,
            lambda pair: pair[1].usage.start,
            lambda pair: pair[1].usage.end,
            lambda pair: pair[1].usage_whole.start,
            lambda pair: pair[1].goes_on,
            lambda pair: stored_discount(pair[0].discount_left[0]),
            lambda pair: pair[0].discount_left[1],
            lambda pair: stored_discount(pair[0].paid_discount),
        ),
    )
    await transaction.run(
        f"""
        UPDATE customer_subscription AS kept
        SET {STAMPED}, status = 'CANCELED', ended_at = ended.at, current_period_end = ended.at,
            usage_period_end = ended.at, pending_product_id = NULL, pending_quantity = NULL,
            trial_notice_at = NULL
        FROM unnest($2::uuid[], $3::timestamptz[]) AS ended (id, at)
        WHERE kept.organization_id = $1 AND kept.id = ended.id
        """,
        *columns(
            [one for one in renewals if one.next is None],
            lambda renewal: renewal.subscription.id,
            lambda renewal: renewal.at,
        ),
    )


async def release_unused_meters(
    transaction: BillingTransaction, renewals: Sequence[Renewal]
) -> None:
    """Releases the meters that the subscriptions no longer price or credit."""
    kept = [
        (renewal.subscription.id, meter_id) for renewal in renewals for meter_id in renewal.reserved
    ]
    await transaction.run(
        """
        DELETE FROM subscription_meter held
        WHERE held.organization_id = $1 AND held.subscription_id = ANY($2::uuid[])
          AND NOT EXISTS (
              SELECT FROM unnest($3::uuid[], $4::uuid[]) AS kept (subscription_id, meter_id)
              WHERE kept.subscription_id = held.subscription_id AND kept.meter_id = held.meter_id
          )
        """,
        [renewal.subscription.id for renewal in renewals],
        *columns(kept, lambda pair: pair[0], lambda pair: pair[1]),
    )
