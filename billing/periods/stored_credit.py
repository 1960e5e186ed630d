"""Loads and stores the grants of metered periods, and ledger entries, many at a time.

Code that changes credit must hold the log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing.periods.grants import NOTHING, CreditGrant, Holding
from billing.periods.ledger import Booked, EntryKind, LedgerEntry
from billing.periods.metered_periods import MeteredPeriod
from billing.transaction import BillingTransaction, columns
from metering.counting.noted_changes import noted
from metering.live.outbox import OutboxType
from models import exact_json
from models.identifiers import new_id

# Numbers are texts, because a JSON number would lose digits.
HOLDINGS = """(
    SELECT json_agg(
        json_build_array(
            held.credit_grant_id, held.brought::text,
            granted.metered_period_id = held.metered_period_id, held.revoked::text,
            held.taken::text, held.revocable::text, granted.units::text, granted.is_rolling,
            granted.effective_at, least(granted.expires_at, granted.voided_at), granted.priority,
            granted.benefit_id, granted.whole_units::text, granted.rollover_limit::text,
            granted.voided_at IS NOT NULL, granted.reason
        ) ORDER BY held.credit_grant_id
    )
    FROM credit_holding held
    JOIN credit_grant granted ON granted.organization_id = $1 AND granted.id = held.credit_grant_id
    WHERE held.organization_id = $1 AND held.metered_period_id = period.id
)"""
"""The grants of a row `metered_period period` of the organization $1, for `holdings_of`."""


def holdings_of(stored: str | None) -> tuple[Holding, ...]:
    """Loads the grants of a period from what `HOLDINGS` selects."""
    return tuple(_holding(*one) for one in (exact_json.loads(stored) if stored else ()))


def _holding(  # noqa: PLR0913, PLR0917  # the columns of HOLDINGS
    grant_id: str,
    brought: str,
    is_new: bool,
    revoked: str,
    taken: str,
    revocable: str,
    units: str,
    is_rolling: bool,
    begins: str | None,
    ends: str | None,
    priority: int,
    benefit_id: str | None,
    whole_units: str | None,
    rollover_limit: str | None,
    is_voided: bool,
    reason: str | None,
) -> Holding:
    return Holding(
        CreditGrant(
            id=UUID(grant_id),
            units=Decimal(units),
            is_rolling=is_rolling,
            begins=None if begins is None else datetime.fromisoformat(begins),
            ends=None if ends is None else datetime.fromisoformat(ends),
            priority=priority,
            benefit_id=None if benefit_id is None else UUID(benefit_id),
            whole_units=None if whole_units is None else Decimal(whole_units),
            rollover_limit=None if rollover_limit is None else Decimal(rollover_limit),
            is_voided=is_voided,
            reason=reason,
        ),
        brought=Decimal(brought),
        is_new=is_new,
        revoked=Decimal(revoked),
        taken=Decimal(taken),
        revocable=Decimal(revocable),
    )


async def store_holdings(transaction: BillingTransaction, periods: Sequence[MeteredPeriod]) -> None:
    """Stores the grants of periods, and new grants."""
    held = [
        (period, one, burned_of.get(one.grant.id, NOTHING))
        for period in periods
        for burned_of in [{} if period.usage is None else period.burning.burned_of]
        for one in period.holdings
    ]
    if not held:
        return
    await transaction.run(
        """
        INSERT INTO credit_holding (
            organization_id, metered_period_id, credit_grant_id, brought, revoked, taken, revocable,
            burned
        )
        SELECT $1, held.*
        FROM unnest(
            $2::uuid[], $3::uuid[], $4::numeric[], $5::numeric[], $6::numeric[], $7::numeric[],
            $8::numeric[]
        ) AS held
        ON CONFLICT (organization_id, metered_period_id, credit_grant_id) DO UPDATE
        SET brought = excluded.brought, revoked = excluded.revoked, taken = excluded.taken,
            revocable = excluded.revocable, burned = excluded.burned
        """,
        *columns(
            held,
            lambda row: row[0].id,
            lambda row: row[1].grant.id,
            lambda row: row[1].brought,
            lambda row: row[1].revoked,
            lambda row: row[1].taken,
            lambda row: row[1].revocable,
            lambda row: row[2],
        ),
    )
    await transaction.run(
        """
        INSERT INTO credit_grant (
            organization_id, created_at, id, customer_id, meter_id, metered_period_id, units,
            priority, effective_at, expires_at, is_rolling, benefit_id, whole_units,
            rollover_limit, reason
        )
        SELECT $1, $2, granted.*
        FROM unnest(
            $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::numeric[], $8::int[],
            $9::timestamptz[], $10::timestamptz[], $11::boolean[], $12::uuid[], $13::numeric[],
            $14::numeric[], $15::text[]
        ) AS granted
        ON CONFLICT (organization_id, id) DO NOTHING
        """,
        transaction.now,
        *columns(
            [(period, one.grant) for period, one, _burned in held if one.is_new],
            lambda row: row[1].id,
            lambda row: row[0].customer_id,
            lambda row: row[0].meter_id,
            lambda row: row[0].id,
            lambda row: row[1].units,
            lambda row: row[1].priority,
            lambda row: row[1].begins,
            lambda row: row[1].ends,
            lambda row: row[1].is_rolling,
            lambda row: row[1].benefit_id,
            lambda row: row[1].whole_units,
            lambda row: row[1].rollover_limit,
            lambda row: row[1].reason,
        ),
    )


async def booked_entries(
    transaction: BillingTransaction, period_ids: Sequence[UUID]
) -> dict[UUID, dict[Booked, Decimal]]:
    """Returns the sums of the ledger entries of periods."""
    rows = await transaction.rows(
        """
        SELECT metered_period_id, kind, is_rolling, credit_grant_id, sum(units) AS units
        FROM credit_entry
        WHERE organization_id = $1 AND metered_period_id = ANY($2::uuid[])
        GROUP BY metered_period_id, kind, is_rolling, credit_grant_id
        """,
        list(period_ids),
    )
    found: dict[UUID, dict[Booked, Decimal]] = {}
    for row in rows:
        key = Booked(EntryKind(row["kind"]), row["is_rolling"], row["credit_grant_id"])
        found.setdefault(row["metered_period_id"], {})[key] = row["units"]
    return found


async def insert_entries(transaction: BillingTransaction, entries: Sequence[LedgerEntry]) -> None:
    """Adds entries to the ledger, in their order."""
    if not entries:
        return
    ids = [new_id() for _ in entries]
    await transaction.run(
        """
        INSERT INTO credit_entry (
            organization_id, created_at, id, customer_id, meter_id, metered_period_id, kind, units,
            is_rolling, benefit_id, reason, credit_grant_id
        )
        SELECT $1, $2, entry.*
        FROM unnest(
            $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::numeric[],
            $9::boolean[], $10::uuid[], $11::text[], $12::uuid[]
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
            lambda entry: entry.grant_id,
        ),
    )
    granted = [id_ for id_, entry in zip(ids, entries, strict=True) if entry.is_granted]
    await transaction.publish(OutboxType.CREDIT_GRANTED, *granted)


@dataclass(frozen=True, slots=True)
class OpenCredit:
    """The credit of an open period, which holds until the next grant begins or ends in it."""

    period: MeteredPeriod
    credited: Decimal
    until: datetime | None


async def store_credit(transaction: BillingTransaction, credits_: Sequence[OpenCredit]) -> None:
    """Copies the credit of open periods to `customer_meter`, and creates missing rows."""
    if not credits_:
        return
    await transaction.run(
        noted("""
        INSERT INTO customer_meter (
            organization_id, id, customer_id, meter_id, credited, credit_until,
            count, unique_count, sum, consumed, revision, updated_at
        )
        SELECT $1, period.*, 0, 0, 0, 0, $2, now()
        FROM unnest(
            $3::uuid[], $4::uuid[], $5::uuid[], $6::numeric[], $7::timestamptz[]
        ) AS period
        ON CONFLICT (organization_id, meter_id, customer_id) DO UPDATE
        SET credited = excluded.credited, credit_until = excluded.credit_until,
            revision = excluded.revision, updated_at = excluded.updated_at
        RETURNING id, revision
        """),
        transaction.revision,
        *columns(
            credits_,
            lambda _one: new_id(),
            lambda one: one.period.customer_id,
            lambda one: one.period.meter_id,
            lambda one: one.credited,
            lambda one: one.until,
        ),
    )
