"""Loads and stores metered periods, many at a time.

Code that changes periods must hold the log.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from billing.periods.metered_periods import MeteredPeriod, PeriodUsage, PieceUsage
from billing.periods.shares import WHOLE
from billing.periods.stored_credit import HOLDINGS, holdings_of, store_holdings
from billing.rating.pricing import Rating
from billing.transaction import BillingTransaction, columns
from models import exact_json

PERIOD_COLUMNS = f"""
    period.id, period.customer_id, period.meter_id, period.subscription_id, period.product_price_id,
    period.starts_at, period.ends_at, period.is_trial, period.share_numerator,
    period.share_denominator, period.is_cut, period.closed_at, period.consumed, period.position,
    period.is_behind, period.billed_consumed, period.billed_credited, period.billed_billable,
    period.billed_amount, period.needs_correction, period.rate_units, period.billed_rates,
    period.piece_units, {HOLDINGS} AS holdings
"""
"""The columns of `metered_period period` that `metered_period_of` reads."""


COUNTED_FOR_PERIOD = """CASE WHEN period.rate_units IS NULL
    THEN coalesce(meter.position, log.head)
    ELSE least(meter.dimensions_position, meter.position, log.head)
END"""
"""How far a `meter` has counted what a `metered_period period` needs; `log` is the event log."""


def metered_period_of(row: Mapping[str, Any]) -> MeteredPeriod:
    """Loads a period from a row."""
    billed = None
    if row["billed_amount"] is not None:
        billed = Rating(
            consumed=row["billed_consumed"],
            credited=row["billed_credited"],
            billable=row["billed_billable"],
            amount=int(row["billed_amount"]),
            rates=rates_of(row["billed_rates"]),
        )
    usage = None
    if row["closed_at"] is not None:
        by_rate = exact_json.loads(row["rate_units"]) if row["rate_units"] else ()
        usage = PeriodUsage(
            row["consumed"],
            row["position"],
            row["is_behind"],
            tuple(map(Decimal, by_rate)),
            _pieces(row["piece_units"]),
        )
    return MeteredPeriod(
        id=row["id"],
        customer_id=row["customer_id"],
        meter_id=row["meter_id"],
        subscription_id=row["subscription_id"],
        price_id=row["product_price_id"],
        start=row["starts_at"],
        end=row["ends_at"],
        holdings=holdings_of(row["holdings"]),
        is_trial=row["is_trial"],
        share=WHOLE
        if row["share_numerator"] is None
        else Fraction(row["share_numerator"], row["share_denominator"]),
        is_cut=row["is_cut"],
        usage=usage,
        billed=billed,
        is_voided=billed is None and row["needs_correction"],
    )


def rates_of(stored: str | None) -> tuple[Rating, ...]:
    """Loads the parts of a rating from what `stored_rates` returned."""
    if stored is None:
        return ()
    return tuple(
        Rating(Decimal(consumed), Decimal(credited), Decimal(billable), amount)
        for consumed, credited, billable, amount in exact_json.loads(stored)
    )


def stored_rates(rating: Rating | None) -> str | None:
    """Returns the parts of a rating as JSON text; None if it has none."""
    if rating is None or not rating.rates:
        return None
    return exact_json.dumps(
        [
            [
                *(format(units, "f") for units in (rate.consumed, rate.credited, rate.billable)),
                rate.amount,
            ]
            for rate in rating.rates
        ]
    )


def _stored_units(usage: PeriodUsage | None) -> str | None:
    if usage is None or not usage.by_rate:
        return None
    return exact_json.dumps([format(units, "f") for units in usage.by_rate])


def _pieces(stored: str | None) -> tuple[PieceUsage, ...]:
    return tuple(
        PieceUsage(datetime.fromisoformat(start), tuple(map(Decimal, units)))
        for start, *units in (exact_json.loads(stored) if stored else ())
    )


def _stored_pieces(usage: PeriodUsage | None) -> str | None:
    if usage is None or not usage.pieces:
        return None
    return exact_json.dumps(
        [
            [piece.start.isoformat(), *(format(units, "f") for units in piece.units)]
            for piece in usage.pieces
        ]
    )


def _numerator(period: MeteredPeriod) -> int | None:
    return None if period.share == WHOLE else period.share.numerator


def _denominator(period: MeteredPeriod) -> int | None:
    return None if period.share == WHOLE else period.share.denominator


async def insert_periods(transaction: BillingTransaction, periods: Sequence[MeteredPeriod]) -> None:
    """Stores new open periods."""
    if not periods:
        return
    await transaction.run(
        """
        INSERT INTO metered_period (
            organization_id, id, customer_id, meter_id, subscription_id, product_price_id,
            starts_at, ends_at, is_trial, share_numerator, share_denominator, is_behind,
            needs_correction
        )
        SELECT $1, period.*, false, false
        FROM unnest(
            $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::timestamptz[],
            $8::timestamptz[], $9::boolean[], $10::bigint[], $11::bigint[]
        ) AS period
        """,
        *columns(
            periods,
            lambda period: period.id,
            lambda period: period.customer_id,
            lambda period: period.meter_id,
            lambda period: period.subscription_id,
            lambda period: period.price_id,
            lambda period: period.start,
            lambda period: period.end,
            lambda period: period.is_trial,
            _numerator,
            _denominator,
        ),
    )
    await store_holdings(transaction, periods)


async def update_periods(
    transaction: BillingTransaction,
    periods: Sequence[MeteredPeriod],
    corrections: Collection[UUID] = (),
) -> None:
    """Stores the credit of periods, and the end and usage of closed ones.

    `corrections` are the ids of periods whose invoice lines are not what they cost.
    """
    if not periods:
        return
    await transaction.run(
        """
        UPDATE metered_period AS kept
        SET ends_at = period.ends_at, consumed = period.consumed,
            closed_at = CASE WHEN period.position IS NOT NULL THEN coalesce(kept.closed_at, $2) END,
            position = period.position, is_behind = period.is_behind,
            needs_correction = period.needs_correction, share_numerator = period.share_numerator,
            share_denominator = period.share_denominator, is_cut = period.is_cut,
            rate_units = period.rate_units::jsonb, piece_units = period.piece_units::jsonb
        FROM unnest(
            $3::uuid[], $4::timestamptz[], $5::numeric[], $6::bigint[], $7::boolean[],
            $8::boolean[], $9::bigint[], $10::bigint[], $11::boolean[], $12::text[], $13::text[]
        ) AS period (
            id, ends_at, consumed, position, is_behind, needs_correction, share_numerator,
            share_denominator, is_cut, rate_units, piece_units
        )
        WHERE kept.organization_id = $1 AND kept.id = period.id
        """,
        transaction.now,
        *columns(
            periods,
            lambda period: period.id,
            lambda period: period.end,
            lambda period: None if period.usage is None else period.usage.consumed,
            lambda period: None if period.usage is None else period.usage.position,
            lambda period: period.usage is not None and period.usage.is_behind,
            lambda period: period.id in corrections,
            _numerator,
            _denominator,
            lambda period: period.is_cut,
            lambda period: _stored_units(period.usage),
            lambda period: _stored_pieces(period.usage),
        ),
    )
    await store_holdings(transaction, periods)
