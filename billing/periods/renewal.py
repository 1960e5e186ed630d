"""Turning the periods of subscriptions: the old one is closed, and the next one begins or none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from billing.catalog.terms import ProductTerms, product_terms
from billing.periods.advancing import take_steps
from billing.periods.intervals import Period, RecurringInterval, period
from billing.periods.metered_periods import Step
from billing.rows import columns
from billing.transaction import HeldLog
from models.identifiers import new_id


class SubscriptionStatus(StrEnum):
    """Whether a subscription runs."""

    ACTIVE = "ACTIVE"
    CANCELED = "CANCELED"


COLUMNS = """
    subscription.id, subscription.customer_id, subscription.product_id, subscription.started_at,
    subscription.period_index, subscription.current_period_start, subscription.current_period_end,
    subscription.cancel_at_period_end
"""
"""The columns of `customer_subscription subscription` that `live_subscription` reads."""


@dataclass(frozen=True, slots=True)
class Touched:
    """The subscriptions with this value in a column: one, a customer's, or a product's."""

    column: Literal["id", "customer_id", "product_id"]
    value: UUID


@dataclass(frozen=True, slots=True)
class LiveSubscription:
    """A subscription whose row is locked. `current` is the period of index `period_index`."""

    id: UUID
    customer_id: UUID
    product_id: UUID
    anchor: datetime
    period_index: int
    current: Period
    cancel_at_period_end: bool


def live_subscription(row: Mapping[str, Any]) -> LiveSubscription:
    """The subscription in a row."""
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
class _Turn:
    """A subscription's current period ends at `at`; `following` begins, or None does."""

    subscription: LiveSubscription
    at: datetime
    following: Period | None


async def turn(log: HeldLog, subscriptions: Sequence[LiveSubscription]) -> None:
    """Ends the current periods where they end, and begins the next ones, unless canceled."""
    terms = await _terms(log, subscriptions)
    turns = [
        _Turn(
            one,
            one.current.end,
            None if one.cancel_at_period_end else _following(one, terms[one.product_id].interval),
        )
        for one in subscriptions
    ]
    await _carry_out(log, turns, terms)


async def end_at(log: HeldLog, subscription: LiveSubscription, at: datetime) -> None:
    """Ends a subscription within its current period, there and then."""
    terms = await _terms(log, [subscription])
    await _carry_out(log, [_Turn(subscription, at, None)], terms)


def _following(subscription: LiveSubscription, interval: RecurringInterval) -> Period:
    return period(subscription.anchor, interval, subscription.period_index + 1)


async def _terms(
    log: HeldLog, subscriptions: Sequence[LiveSubscription]
) -> dict[UUID, ProductTerms]:
    return await product_terms(
        log.connection, log.organization_id, (one.product_id for one in subscriptions)
    )


async def _carry_out(
    log: HeldLog, turns: Sequence[_Turn], terms: Mapping[UUID, ProductTerms]
) -> None:
    if not turns:
        return
    await _close_periods(log, turns)
    held = await _held_meters(log, [turn.subscription.id for turn in turns])
    steps: list[Step] = []
    for turn_ in turns:
        product = terms[turn_.subscription.product_id]
        meters = [] if turn_.following is None else product.meter_ids
        if turn_.following is not None:
            steps += period_steps(
                turn_.subscription.id, turn_.subscription.customer_id, product, turn_.following
            )
        steps += (
            Step(turn_.subscription.customer_id, meter_id, turn_.at)
            for meter_id in held.get(turn_.subscription.id, [])
            if meter_id not in meters
        )
    await take_steps(log, steps)
    await _move_subscriptions(log, turns)
    await _release_meters(log, turns, terms)


def period_steps(
    subscription_id: UUID, customer_id: UUID, product: ProductTerms, begins: Period
) -> list[Step]:
    """The steps that a period of a subscription begins with."""
    return [
        Step(
            customer_id=customer_id,
            meter_id=meter_id,
            at=begins.start,
            until=begins.end,
            subscription_id=subscription_id,
            price_id=product.metered[meter_id].id if meter_id in product.metered else None,
            grants=tuple(product.grants.get(meter_id, ())),
        )
        for meter_id in product.meter_ids
    ]


async def _close_periods(log: HeldLog, turns: Sequence[_Turn]) -> None:
    """Notes the ended periods. Their key refuses a second turn of the same period."""
    await log.connection.execute_query(
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
        [
            log.organization_id,
            log.now,
            *columns(
                turns,
                lambda _turn: new_id(),
                lambda turn: turn.subscription.id,
                lambda turn: turn.subscription.period_index,
                lambda turn: turn.subscription.current.start,
                lambda turn: turn.at,
                lambda turn: turn.following is None,
            ),
        ],
    )


async def _held_meters(log: HeldLog, subscription_ids: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """The meters on which the subscriptions have an open link."""
    rows = await log.connection.execute_query_dict(
        """
        SELECT subscription_id, array_agg(meter_id ORDER BY meter_id) AS meter_ids
        FROM metered_period
        WHERE organization_id = $1 AND subscription_id = ANY($2::uuid[]) AND closed_at IS NULL
        GROUP BY subscription_id
        """,
        [log.organization_id, list(subscription_ids)],
    )
    return {row["subscription_id"]: row["meter_ids"] for row in rows}


async def _move_subscriptions(log: HeldLog, turns: Sequence[_Turn]) -> None:
    await log.connection.execute_query(
        """
        UPDATE customer_subscription AS kept
        SET period_index = kept.period_index + CASE WHEN turned.starts_at IS NULL THEN 0 ELSE 1 END,
            current_period_start = coalesce(turned.starts_at, kept.current_period_start),
            current_period_end = coalesce(turned.ends_at, turned.at),
            status = CASE WHEN turned.starts_at IS NULL THEN 'CANCELED' ELSE kept.status END,
            ended_at = CASE WHEN turned.starts_at IS NULL THEN turned.at END
        FROM unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[])
            AS turned (id, at, starts_at, ends_at)
        WHERE kept.organization_id = $1 AND kept.id = turned.id
        """,
        [
            log.organization_id,
            *columns(
                turns,
                lambda turn: turn.subscription.id,
                lambda turn: turn.at,
                lambda turn: None if turn.following is None else turn.following.start,
                lambda turn: None if turn.following is None else turn.following.end,
            ),
        ],
    )


async def _release_meters(
    log: HeldLog, turns: Sequence[_Turn], terms: Mapping[UUID, ProductTerms]
) -> None:
    """Lets go of the meters that the subscriptions no longer price or credit."""
    kept = [
        (turn.subscription.id, meter_id)
        for turn in turns
        if turn.following is not None
        for meter_id in terms[turn.subscription.product_id].meter_ids
    ]
    await log.connection.execute_query(
        """
        DELETE FROM subscription_meter held
        WHERE held.organization_id = $1 AND held.subscription_id = ANY($2::uuid[])
          AND NOT EXISTS (
              SELECT FROM unnest($3::uuid[], $4::uuid[]) AS kept (subscription_id, meter_id)
              WHERE kept.subscription_id = held.subscription_id AND kept.meter_id = held.meter_id
          )
        """,
        [
            log.organization_id,
            [turn.subscription.id for turn in turns],
            *columns(kept, lambda pair: pair[0], lambda pair: pair[1]),
        ],
    )
