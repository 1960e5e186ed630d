"""Renews subscriptions: closes the current period, and begins the next one, if any."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from billing.catalog.catalog_products import CatalogProduct, catalog_products
from billing.invoicing.charges import stored_charges
from billing.periods.intervals import Period
from billing.periods.metered_periods import NextPeriod
from billing.periods.metered_renewal import renew_periods
from billing.rating.lines import Line
from billing.subscriptions.terms import (
    LiveSubscription,
    Terms,
    charges_given_back,
    charges_in_advance,
    charges_of_change,
    current_whole,
    next_terms,
    product_ids,
)
from billing.transaction import BillingTransaction, columns
from metering.live.outbox import OutboxType
from models.identifiers import new_id


@dataclass(frozen=True, slots=True)
class Touched:
    """The subscriptions that an edit affects: those with this value in a column."""

    column: Literal["id", "customer_id", "product_id"]
    value: UUID

    @property
    def sql(self) -> str:
        """The condition on `customer_subscription subscription`; $4 stands for the value."""
        condition = f"subscription.{self.column} = $4"
        if self.column == "product_id":
            return f"({condition} OR subscription.pending_product_id = $4)"
        return condition


@dataclass(frozen=True, slots=True)
class _Renewal:
    """A subscription's current period ends at `at`, and one with the terms `next` begins, if any.

    `charges` are invoiced with the usage of the period that ends. `cuts` is the whole period that a
    change cuts.
    """

    subscription: LiveSubscription
    at: datetime
    next: Terms | None
    charges: Sequence[Line]
    cuts: Period | None = None

    @property
    def is_change(self) -> bool:
        """Whether the next period is for another product or quantity."""
        one, terms = self.subscription, self.next
        return terms is not None and (terms.product.id, terms.quantity) != (
            one.product_id,
            one.quantity,
        )


async def renew_subscriptions(
    transaction: BillingTransaction, subscriptions: Sequence[LiveSubscription]
) -> None:
    """Ends the current periods, and begins the next ones unless they are canceled."""
    products = await products_of(transaction, subscriptions)
    renewals = []
    for one in subscriptions:
        terms = next_terms(one, products)
        renewals.append(_Renewal(one, one.current.end, terms, charges_in_advance(terms)))
    await _carry_out(transaction, renewals)


async def end_at(
    transaction: BillingTransaction, subscription: LiveSubscription, at: datetime, *, prorate: bool
) -> None:
    """Ends a subscription at an instant within its current period.

    With `prorate`, the part of its fixed prices that is for the time after that is given back.
    """
    products = await products_of(transaction, [subscription])
    charges = charges_given_back(subscription, products, at) if prorate else []
    await _carry_out(transaction, [_Renewal(subscription, at, None, charges)])


async def change_at(
    transaction: BillingTransaction,
    subscription: LiveSubscription,
    products: Mapping[UUID, CatalogProduct],
    terms: Terms,
) -> None:
    """Changes the terms of a subscription within its current period, which they cut."""
    renewal = _Renewal(
        subscription,
        terms.period.start,
        terms,
        charges_of_change(subscription, products, terms),
        current_whole(subscription, products),
    )
    await _carry_out(transaction, [renewal])


async def products_of(
    transaction: BillingTransaction, subscriptions: Sequence[LiveSubscription]
) -> dict[UUID, CatalogProduct]:
    """Loads the products of the current and the next periods."""
    return await catalog_products(
        transaction.connection, transaction.organization_id, product_ids(subscriptions)
    )


async def _carry_out(transaction: BillingTransaction, renewals: Sequence[_Renewal]) -> None:
    if not renewals:
        return
    await _close_periods(transaction, renewals)
    held = await _held_meters(transaction, [renewal.subscription.id for renewal in renewals])
    opening: list[NextPeriod] = []
    for renewal in renewals:
        one, terms = renewal.subscription, renewal.next
        meters = [] if terms is None else terms.product.meter_ids
        if terms is not None:
            opening += next_periods(one.id, one.customer_id, terms, renewal.cuts)
        opening += (
            NextPeriod(one.customer_id, meter_id, renewal.at, cuts=renewal.cuts)
            for meter_id in held.get(one.id, [])
            if meter_id not in meters
        )
    await renew_periods(transaction, opening)
    await _move_subscriptions(transaction, renewals)
    await _release_meters(transaction, renewals)
    await _publish(transaction, renewals)


async def _publish(transaction: BillingTransaction, renewals: Sequence[_Renewal]) -> None:
    """Records what happened to the subscriptions."""
    ended = [one.subscription.id for one in renewals if one.next is None]
    renewed = [one.subscription.id for one in renewals if one.next is not None and not one.cuts]
    changed = [one.subscription.id for one in renewals if one.is_change]
    await transaction.publish(OutboxType.SUBSCRIPTION_CHANGED, *changed)
    await transaction.publish(OutboxType.SUBSCRIPTION_RENEWED, *renewed)
    await transaction.publish(OutboxType.SUBSCRIPTION_ENDED, *ended)


def next_periods(
    subscription_id: UUID, customer_id: UUID, terms: Terms, cuts: Period | None = None
) -> list[NextPeriod]:
    """Returns the metered periods that begin with a period of a subscription."""
    product = terms.product
    return [
        NextPeriod(
            customer_id=customer_id,
            meter_id=meter_id,
            start=terms.period.start,
            end=terms.period.end,
            subscription_id=subscription_id,
            price_id=product.metered[meter_id].id if meter_id in product.metered else None,
            grants=tuple(grant.part(terms.share) for grant in product.grants.get(meter_id, ())),
            is_trial=terms.is_trial,
            share=terms.share,
            cuts=cuts,
        )
        for meter_id in product.meter_ids
    ]


async def _close_periods(transaction: BillingTransaction, renewals: Sequence[_Renewal]) -> None:
    """Stores the ended periods. The table's key refuses to renew the same period twice."""
    await transaction.run(
        """
        INSERT INTO subscription_period (
            organization_id, closed_at, id, subscription_id, period_index, starts_at, ends_at,
            is_last, charges
        )
        SELECT $1, $2, ended.id, ended.subscription_id, ended.period_index, ended.starts_at,
               ended.ends_at, ended.is_last, ended.charges::jsonb
        FROM unnest(
            $3::uuid[], $4::uuid[], $5::int[], $6::timestamptz[], $7::timestamptz[], $8::boolean[],
            $9::text[]
        ) AS ended (id, subscription_id, period_index, starts_at, ends_at, is_last, charges)
        """,
        transaction.now,
        *columns(
            renewals,
            lambda _renewal: new_id(),
            lambda renewal: renewal.subscription.id,
            lambda renewal: renewal.subscription.period_index,
            lambda renewal: renewal.subscription.current.start,
            lambda renewal: renewal.at,
            lambda renewal: renewal.next is None,
            lambda renewal: stored_charges(renewal.charges),
        ),
    )


async def _held_meters(
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


async def _move_subscriptions(
    transaction: BillingTransaction, renewals: Sequence[_Renewal]
) -> None:
    """Stores the terms of the periods that begin. A change that was pending has taken effect."""
    going_on = [(one.subscription.id, one.next) for one in renewals if one.next is not None]
    await transaction.run(
        """
        UPDATE customer_subscription AS kept
        SET period_index = kept.period_index + 1, status = next.status,
            product_id = next.product_id, quantity = next.quantity, anchor_at = next.anchor_at,
            current_period_start = next.starts_at, current_period_end = next.ends_at,
            whole_start = next.whole_start,
            pending_product_id = NULL, pending_quantity = NULL,
            trial_notice_at = CASE WHEN next.status = 'TRIALING' THEN kept.trial_notice_at END
        FROM unnest(
            $2::uuid[], $3::text[], $4::uuid[], $5::int[], $6::timestamptz[], $7::timestamptz[],
            $8::timestamptz[], $9::timestamptz[]
        ) AS next (
            id, status, product_id, quantity, anchor_at, starts_at, ends_at, whole_start
        )
        WHERE kept.organization_id = $1 AND kept.id = next.id
        """,
        *columns(
            going_on,
            lambda pair: pair[0],
            lambda pair: pair[1].status.value,
            lambda pair: pair[1].product.id,
            lambda pair: pair[1].quantity,
            lambda pair: pair[1].anchor,
            lambda pair: pair[1].period.start,
            lambda pair: pair[1].period.end,
            lambda pair: pair[1].whole.start,
        ),
    )
    await transaction.run(
        """
        UPDATE customer_subscription AS kept
        SET status = 'CANCELED', ended_at = ended.at, current_period_end = ended.at,
            pending_product_id = NULL, pending_quantity = NULL, trial_notice_at = NULL
        FROM unnest($2::uuid[], $3::timestamptz[]) AS ended (id, at)
        WHERE kept.organization_id = $1 AND kept.id = ended.id
        """,
        *columns(
            [one for one in renewals if one.next is None],
            lambda renewal: renewal.subscription.id,
            lambda renewal: renewal.at,
        ),
    )


async def _release_meters(transaction: BillingTransaction, renewals: Sequence[_Renewal]) -> None:
    """Releases the meters that the subscriptions no longer price or credit."""
    kept = [
        (renewal.subscription.id, meter_id)
        for renewal in renewals
        if renewal.next is not None
        for meter_id in renewal.next.product.meter_ids
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
