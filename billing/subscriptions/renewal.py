"""Renews subscriptions: closes the current period, and begins the next one, if any."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from billing.catalog.catalog_products import CatalogProduct, catalog_products
from billing.periods.intervals import Period
from billing.periods.metered_periods import NextPeriod
from billing.periods.metered_renewal import renew_periods
from billing.subscriptions.fixed_charges import (
    charges_given_back,
    charges_in_advance,
    charges_of_change,
)
from billing.subscriptions.live_subscriptions import LiveSubscription, product_ids
from billing.subscriptions.renewals import (
    Renewal,
    close_periods,
    held_meters,
    move_subscriptions,
    release_unused_meters,
)
from billing.subscriptions.settling import minimum_until
from billing.subscriptions.terms import (
    Terms,
    current_usage_whole,
    next_terms,
)
from billing.transaction import BillingTransaction
from metering.live.outbox import OutboxType


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


async def renew_subscriptions(
    transaction: BillingTransaction, subscriptions: Sequence[LiveSubscription]
) -> None:
    """Ends the current usage periods, and begins the next ones unless they are canceled."""
    products = await products_of(transaction, subscriptions)
    renewals = []
    for one in subscriptions:
        terms = next_terms(one, products)
        charges = charges_in_advance(terms)
        later = products[one.next_product_id] if terms is not None and terms.goes_on else None
        minimum = minimum_until(one, products, one.usage.end)
        renewals.append(Renewal(one, one.usage.end, terms, charges, later=later, minimum=minimum))
    await _carry_out(transaction, renewals)


async def end_at(
    transaction: BillingTransaction, subscription: LiveSubscription, at: datetime, *, prorate: bool
) -> None:
    """Ends a subscription at an instant within its current period.

    With `prorate`, the part of its fixed prices that is for the time after that is given back.
    """
    products = await products_of(transaction, [subscription])
    charges = charges_given_back(subscription, products, at) if prorate else []
    minimum = minimum_until(subscription, products, subscription.usage.end)
    await _carry_out(transaction, [Renewal(subscription, at, None, charges, minimum=minimum)])


async def change_at(
    transaction: BillingTransaction,
    subscription: LiveSubscription,
    products: Mapping[UUID, CatalogProduct],
    terms: Terms,
) -> None:
    """Changes the terms of a subscription within its current period, which they cut."""
    renewal = Renewal(
        subscription,
        terms.period.start,
        terms,
        charges_of_change(subscription, products, terms),
        current_usage_whole(subscription, products),
        minimum=minimum_until(subscription, products, terms.period.start),
    )
    await _carry_out(transaction, [renewal])


async def products_of(
    transaction: BillingTransaction, subscriptions: Sequence[LiveSubscription]
) -> dict[UUID, CatalogProduct]:
    """Loads the products of the current and the next periods."""
    return await catalog_products(
        transaction.connection, transaction.organization_id, product_ids(subscriptions)
    )


async def _carry_out(transaction: BillingTransaction, renewals: Sequence[Renewal]) -> None:
    if not renewals:
        return
    await close_periods(transaction, renewals)
    held = await held_meters(transaction, [renewal.subscription.id for renewal in renewals])
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
    await move_subscriptions(transaction, renewals)
    await release_unused_meters(transaction, renewals)
    await _publish(transaction, renewals)


async def _publish(transaction: BillingTransaction, renewals: Sequence[Renewal]) -> None:
    """Records what happened to the subscriptions."""
    ended = [one.subscription.id for one in renewals if one.next is None]
    renewed = [
        one.subscription.id
        for one in renewals
        if one.next is not None and not one.next.goes_on and not one.cuts
    ]
    changed = [one.subscription.id for one in renewals if one.is_change]
    await transaction.publish(OutboxType.SUBSCRIPTION_CHANGED, *changed)
    await transaction.publish(OutboxType.SUBSCRIPTION_RENEWED, *renewed)
    await transaction.publish(OutboxType.SUBSCRIPTION_ENDED, *ended)


def next_periods(
    subscription_id: UUID, customer_id: UUID, terms: Terms, cuts: Period | None = None
) -> list[NextPeriod]:
    """Returns the metered periods that begin with a usage period of a subscription."""
    product = terms.product
    return [
        NextPeriod(
            customer_id=customer_id,
            meter_id=meter_id,
            start=terms.usage.start,
            end=terms.usage.end,
            subscription_id=subscription_id,
            price_id=product.metered[meter_id].id if meter_id in product.metered else None,
            grants=tuple(
                grant.times(terms.quantity).part(terms.usage_share)
                for grant in product.grants.get(meter_id, ())
            ),
            is_trial=terms.is_trial,
            share=terms.usage_share,
            cuts=cuts,
        )
        for meter_id in product.meter_ids
    ]
