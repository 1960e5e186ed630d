"""Loads and stores metered periods and ledger entries, many at a time.

Code that changes credit or periods must hold the log.
"""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from billing.periods.credit import NOTHING_PASSED, Credit, Cut, PassedOn, passed_on
from billing.periods.metered_periods import LedgerEntry, MeteredPeriod, PeriodUsage
from billing.periods.shares import WHOLE
from billing.rating.pricing import Rating
from billing.transaction import BillingTransaction, columns
from metering.counting.noted_changes import noted
from metering.live.outbox import OutboxType
from models import exact_json
from models.identifiers import new_id

PERIOD_COLUMNS = """
    period.id, period.customer_id, period.meter_id, period.subscription_id, period.product_price_id,
    period.starts_at, period.ends_at, period.plain, period.rolling, period.is_trial,
    period.share_numerator, period.share_denominator, period.granted_plain, period.granted_rolling,
    period.revocable_plain, period.revocable_rolling, period.closed_at, period.consumed,
    period.carried, period.position, period.is_behind, period.billed_consumed,
    period.billed_credited, period.billed_billable, period.billed_amount,
    period.needs_correction, period.rate_units, period.billed_rates
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
    credit, cut = Credit(plain=row["plain"], rolling=row["rolling"]), _cut(row)
    usage, passed = None, NOTHING_PASSED
    if row["closed_at"] is not None:
        by_rate = exact_json.loads(row["rate_units"]) if row["rate_units"] else ()
        usage = PeriodUsage(
            row["consumed"], row["position"], row["is_behind"], tuple(map(Decimal, by_rate))
        )
        passed = PassedOn(Credit(rolling=row["carried"]))
        if cut is not None:
            passed = passed_on(credit, row["consumed"], cut)
    return MeteredPeriod(
        id=row["id"],
        customer_id=row["customer_id"],
        meter_id=row["meter_id"],
        subscription_id=row["subscription_id"],
        price_id=row["product_price_id"],
        start=row["starts_at"],
        end=row["ends_at"],
        credit=credit,
        is_trial=row["is_trial"],
        share=WHOLE
        if row["share_numerator"] is None
        else Fraction(row["share_numerator"], row["share_denominator"]),
        cut=cut,
        usage=usage,
        passed=passed,
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


def _cut(row: Mapping[str, Any]) -> Cut | None:
    if row["granted_plain"] is None:
        return None
    return Cut(
        granted=Credit(row["granted_plain"], row["granted_rolling"]),
        revocable=Credit(row["revocable_plain"], row["revocable_rolling"]),
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
            starts_at, ends_at, plain, rolling, is_trial, share_numerator, share_denominator,
            is_behind, needs_correction
        )
        SELECT $1, period.*, false, false
        FROM unnest(
            $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::timestamptz[],
            $8::timestamptz[], $9::numeric[], $10::numeric[], $11::boolean[], $12::bigint[],
            $13::bigint[]
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
            lambda period: period.credit.plain,
            lambda period: period.credit.rolling,
            lambda period: period.is_trial,
            _numerator,
            _denominator,
        ),
    )


async def update_periods(
    transaction: BillingTransaction,
    periods: Sequence[MeteredPeriod],
    corrections: Collection[UUID] = (),
) -> None:
    """Stores the credit of periods, and the end, usage and cut of closed ones.

    `corrections` are the ids of periods whose invoice lines are not what they cost.
    """
    if not periods:
        return
    await transaction.run(
        """
        UPDATE metered_period AS kept
        SET ends_at = period.ends_at, plain = period.plain, rolling = period.rolling,
            closed_at = CASE WHEN period.position IS NOT NULL THEN coalesce(kept.closed_at, $2) END,
            consumed = period.consumed, carried = period.carried, position = period.position,
            is_behind = period.is_behind, needs_correction = period.needs_correction,
            share_numerator = period.share_numerator, share_denominator = period.share_denominator,
            granted_plain = period.granted_plain, granted_rolling = period.granted_rolling,
            revocable_plain = period.revocable_plain, revocable_rolling = period.revocable_rolling,
            rate_units = period.rate_units::jsonb
        FROM unnest(
            $3::uuid[], $4::timestamptz[], $5::numeric[], $6::numeric[], $7::numeric[],
            $8::numeric[], $9::bigint[], $10::boolean[], $11::boolean[], $12::bigint[],
            $13::bigint[], $14::numeric[], $15::numeric[], $16::numeric[], $17::numeric[],
            $18::text[]
        ) AS period (
            id, ends_at, plain, rolling, consumed, carried, position, is_behind, needs_correction,
            share_numerator, share_denominator, granted_plain, granted_rolling, revocable_plain,
            revocable_rolling, rate_units
        )
        WHERE kept.organization_id = $1 AND kept.id = period.id
        """,
        transaction.now,
        *columns(
            periods,
            lambda period: period.id,
            lambda period: period.end,
            lambda period: period.credit.plain,
            lambda period: period.credit.rolling,
            lambda period: None if period.usage is None else period.usage.consumed,
            lambda period: None if period.usage is None else period.passed.net.credited,
            lambda period: None if period.usage is None else period.usage.position,
            lambda period: period.usage is not None and period.usage.is_behind,
            lambda period: period.id in corrections,
            _numerator,
            _denominator,
            lambda period: None if period.cut is None else period.cut.granted.plain,
            lambda period: None if period.cut is None else period.cut.granted.rolling,
            lambda period: None if period.cut is None else period.cut.revocable.plain,
            lambda period: None if period.cut is None else period.cut.revocable.rolling,
            lambda period: _stored_units(period.usage),
        ),
    )


async def insert_entries(transaction: BillingTransaction, entries: Sequence[LedgerEntry]) -> None:
    """Adds entries to the ledger, in their order."""
    if not entries:
        return
    ids = [new_id() for _ in entries]
    await transaction.run(
        """
        INSERT INTO credit_entry (
            organization_id, created_at, id, customer_id, meter_id, metered_period_id, kind, units,
            is_rolling, benefit_id, reason
        )
        SELECT $1, $2, entry.*
        FROM unnest(
            $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::numeric[],
            $9::boolean[], $10::uuid[], $11::text[]
        ) AS entry
        """,
        transaction.now,
        ids,
        *columns(
            entries,
            lambda entry: entry.period.customer_id,
            lambda entry: entry.period.meter_id,
            lambda entry: entry.period.id,
            lambda entry: entry.kind.value,
            lambda entry: entry.units,
            lambda entry: entry.is_rolling,
            lambda entry: entry.benefit_id,
            lambda entry: entry.reason,
        ),
    )
    granted = [id_ for id_, entry in zip(ids, entries, strict=True) if entry.is_granted]
    await transaction.publish(OutboxType.CREDIT_GRANTED, *granted)


async def store_credit(transaction: BillingTransaction, periods: Sequence[MeteredPeriod]) -> None:
    """Copies the credit of open periods to `customer_meter`, and creates missing rows."""
    if not periods:
        return
    await transaction.run(
        noted("""
        INSERT INTO customer_meter (
            organization_id, id, customer_id, meter_id, credited,
            count, unique_count, sum, consumed, revision, updated_at
        )
        SELECT $1, period.*, 0, 0, 0, 0, $2, now()
        FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::numeric[]) AS period
        ON CONFLICT (organization_id, meter_id, customer_id) DO UPDATE
        SET credited = excluded.credited, revision = excluded.revision,
            updated_at = excluded.updated_at
        RETURNING id, revision
        """),
        transaction.revision,
        *columns(
            periods,
            lambda _period: new_id(),
            lambda period: period.customer_id,
            lambda period: period.meter_id,
            lambda period: period.credit.credited,
        ),
    )
