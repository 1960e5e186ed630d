"""Renews subscriptions: closes the current period, and begins the next one, if any."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from billing.catalog.catalog_products import CatalogProduct, catalog_products
from billing.periods.intervals import Period, Recurrence, period_at
from billing.periods.metered_periods import NextPeriod
from billing.periods.metered_renewal import renew_periods
from billing.transaction import BillingTransaction, columns
from metering.live.outbox import OutboxType
from models.identifiers import new_id


class SubscriptionStatus(StrEnum):
    """Whether a subscription is active."""

    ACTIVE = "ACTIVE"
    CANCELED = "CANCELED"


SUBSCRIPTION_COLUMNS = """
    subscription.id, subscription.customer_id, subscription.product_id, subscription.started_at,
    subscription.period_index, subscription.current_period_start, subscription.current_period_end,
    subscription.cancel_at_period_end
"""
"""The columns of `customer_subscription subscription` that `live_subscription` reads."""


@dataclass(frozen=True, slots=True)
class Touched:
    """The subscriptions that an edit affects: those with this value in a column."""

    column: Literal["id", "customer_id", "product_id"]
    value: UUID


@dataclass(frozen=True, slots=True)
class LiveSubscription:
    """A subscription whose row is locked. `current` is its period number `period_index`."""

    id: UUID
    customer_id: UUID
    product_id: UUID
    anchor: datetime
    period_index: int
    current: Period
    cancel_at_period_end: bool


def live_subscription(row: Mapping[str, Any]) -> LiveSubscription:
    """Loads a subscription from a row."""
    return LiveSubscription(
        id=row["id"],
        customer_id=row["customer_id"],
        product_id=row["product_id"],
        anchor=row["started_at"],
        period_index=row["period_index"],
        current=Period(row["current_period_start"], row["current_period_end"]),
        cancel_at_period_end=row["cancel_at_period_end"],
    )


@dataclass(frozen=True, slots=True)
class _Renewal:
    """A subscription's current period ends at `at`, and `following` begins, if any."""

    subscription: LiveSubscription
    at: datetime
    following: Period | None


async def renew_subscriptions(
    transaction: BillingTransaction, subscriptions: Sequence[LiveSubscription]
) -> None:
    """Ends the current periods, and begins the next ones unless they are canceled."""
    products = await _products(transaction, subscriptions)
    renewals = [
        _Renewal(
            one,
            one.current.end,
            None
            if one.cancel_at_period_end
            else _following(one, products[one.product_id].interval),
        )
        for one in subscriptions
    ]
    await _carry_out(transaction, renewals, products)


async def end_at(
    transaction: BillingTransaction, subscription: LiveSubscription, at: datetime
) -> None:
    """Ends a subscription at an instant within its current period."""
    products = await _products(transaction, [subscription])
    await _carry_out(transaction, [_Renewal(subscription, at, None)], products)


def _following(subscription: LiveSubscription, interval: Recurrence) -> Period:
    return period_at(subscription.anchor, interval, subscription.period_index + 1)


async def _products(
    transaction: BillingTransaction, subscriptions: Sequence[LiveSubscription]
) -> dict[UUID, CatalogProduct]:
    return await catalog_products(
        transaction.connection,
        transaction.organization_id,
        (one.product_id for one in subscriptions),
    )


async def _carry_out(
    transaction: BillingTransaction,
    renewals: Sequence[_Renewal],
    products: Mapping[UUID, CatalogProduct],
) -> None:
    if not renewals:
        return
    await _close_periods(transaction, renewals)
    held = await _held_meters(transaction, [renewal.subscription.id for renewal in renewals])
    opening: list[NextPeriod] = []
    for renewal in renewals:
        product = products[renewal.subscription.product_id]
        meters = [] if renewal.following is None else product.meter_ids
        if renewal.following is not None:
            opening += next_periods(
                renewal.subscription.id,
                renewal.subscription.customer_id,
                product,
                renewal.following,
            )
        opening += (
            NextPeriod(renewal.subscription.customer_id, meter_id, renewal.at)
            for meter_id in held.get(renewal.subscription.id, [])
            if meter_id not in meters
        )
    await renew_periods(transaction, opening)
    await _move_subscriptions(transaction, renewals)
    await _release_meters(transaction, renewals, products)
    renewed = [one.subscription.id for one in renewals if one.following is not None]
    ended = [one.subscription.id for one in renewals if one.following is None]
    await transaction.publish(OutboxType.SUBSCRIPTION_RENEWED, *renewed)
    await transaction.publish(OutboxType.SUBSCRIPTION_ENDED, *ended)


def next_periods(
    subscription_id: UUID, customer_id: UUID, product: CatalogProduct, begins: Period
) -> list[NextPeriod]:
    """Returns the metered periods that begin with a period of a subscription."""
    return [
        NextPeriod(
            customer_id=customer_id,
            meter_id=meter_id,
            start=begins.start,
            end=begins.end,
            subscription_id=subscription_id,
            price_id=product.metered[meter_id].id if meter_id in product.metered else None,
            grants=tuple(product.grants.get(meter_id, ())),
        )
        for meter_id in product.meter_ids
    ]


async def _close_periods(transaction: BillingTransaction, renewals: Sequence[_Renewal]) -> None:
    """Stores the ended periods. The table's key refuses to renew the same period twice."""
    await transaction.run(
        """
        INSERT INTO subscription_period (
            organization_id, closed_at, id, subscription_id, period_index, starts_at, ends_at,
            is_last
        )
        SELECT $1, $2, ended.*
        FROM unnest(
            $3::uuid[], $4::uuid[], $5::int[], $6::timestamptz[], $7::timestamptz[], $8::boolean[]
        ) AS ended
        """,
        transaction.now,
        *columns(
            renewals,
            lambda _renewal: new_id(),
            lambda renewal: renewal.subscription.id,
            lambda renewal: renewal.subscription.period_index,
            lambda renewal: renewal.subscription.current.start,
            lambda renewal: renewal.at,
            lambda renewal: renewal.following is None,
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
    await transaction.run(
        """
        UPDATE customer_subscription AS kept
        SET period_index = kept.period_index + (renewal.starts_at IS NOT NULL)::int,
            current_period_start = coalesce(renewal.starts_at, kept.current_period_start),
            current_period_end = coalesce(renewal.ends_at, renewal.at),
            status = CASE WHEN renewal.starts_at IS NULL THEN 'CANCELED' ELSE kept.status END,
            ended_at = CASE WHEN renewal.starts_at IS NULL THEN renewal.at END
        FROM unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[])
            AS renewal (id, at, starts_at, ends_at)
        WHERE kept.organization_id = $1 AND kept.id = renewal.id
        """,
        *columns(
            renewals,
            lambda renewal: renewal.subscription.id,
            lambda renewal: renewal.at,
            lambda renewal: None if renewal.following is None else renewal.following.start,
            lambda renewal: None if renewal.following is None else renewal.following.end,
        ),
    )


async def _release_meters(
    transaction: BillingTransaction,
    renewals: Sequence[_Renewal],
    products: Mapping[UUID, CatalogProduct],
) -> None:
    """Releases the meters that the subscriptions no longer price or credit."""
    kept = [
        (renewal.subscription.id, meter_id)
        for renewal in renewals
        if renewal.following is not None
        for meter_id in products[renewal.subscription.product_id].meter_ids
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
