"""Credits and debits units manually, and voids grants."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing.catalog.price_meters import ADDING_UP
from billing.numbers import decimal_problems, minus, plus
from billing.periods.current_credit import CurrentCredit, current_credit
from billing.periods.grants import (
    DEFAULT_PRIORITY,
    NOTHING,
    CreditGrant,
    Holding,
    in_order,
    priority_problems,
)
from billing.periods.ledger import EntryKind, LedgerEntry
from billing.periods.metered_periods import MeteredPeriod, by_id
from billing.periods.open_credit import settle_credit
from billing.periods.rerating import rerate_late
from billing.periods.store import insert_periods, update_periods
from billing.periods.stored_credit import insert_entries
from billing.subscriptions.cycle import edit
from billing.subscriptions.renewal import Touched
from billing.transaction import BillingTransaction
from metering.archive.boundary import accepted_from
from metering.erasing.customers import refuse_erased
from metering.language.aggregations import AggregationFunction
from metering.language.numerics import text_of_number
from metering.live.outbox import OutboxType
from metering.problems import Problem, RefusedError, problem, refuse_any
from metering.texts import REASON, name_problems
from models import CreditGrant as CreditGrantRow
from models import Meter
from models.identifiers import new_id

MAXIMUM_GRANTS = 1_000
"""So many grants of a customer on a meter can be in use or ahead."""


@dataclass(frozen=True, slots=True)
class CreditDraft:
    """Units to credit from `effective_at` until `expires_at`, or to debit if they are negative.

    By default, they count for the whole current period, and never expire.
    """

    units: Decimal
    reason: str
    effective_at: datetime | None = None
    expires_at: datetime | None = None
    priority: int = DEFAULT_PRIORITY

    def problems(self) -> Iterator[Problem]:
        """Yields what is wrong with it on any meter and in any period."""
        yield from name_problems(self.reason, REASON, "reason")
        yield from decimal_problems(self.units, "units")
        yield from priority_problems(self.priority)
        if not self.units:
            yield problem("INVALID", "units must not be zero.", "units")
        if self.units < 0 and (self.effective_at is not None or self.expires_at is not None):
            field = "expiresAt" if self.effective_at is None else "effectiveAt"
            yield problem("INVALID", f"A debit takes effect at once. Leave out {field}.", field)


async def credit_by_hand(
    organization_id: UUID, customer_id: UUID, meter_id: UUID | None, draft: CreditDraft
) -> UUID:
    """Grants units to a customer on a meter. A negative number debits units of its grants.

    Returns the id of the customer meter.

    Raises:
        RefusedError: there is no such meter, a value is invalid, or too few units are left to
            debit.
    """
    problems = list(draft.problems())
    async with edit(organization_id, Touched("customer_id", customer_id)) as transaction:
        meter = await Meter.get_or_none(
            organization_id=organization_id, id=meter_id, using_db=transaction.connection
        )
        if meter is None:
            problems.append(problem("NOT_FOUND", "There is no meter with this id.", "meterId"))
        refuse_any(problems)
        if meter is None or meter_id is None:
            raise LookupError("a missing meter was not refused")
        adds_up = AggregationFunction(meter.aggregation_function) in ADDING_UP
        current, is_new = await _current(transaction, customer_id, meter_id, adds_up=adds_up)
        if draft.units < 0:
            period = await _debit(transaction, current, draft)
        else:
            archived = await accepted_from(transaction.connection)
            refuse_any(list(_draft_problems(draft, current, transaction.now, archived)))
            period = _with_grant(current.period, draft)
        await _store(transaction, current.period, period, is_new=is_new)
        rows = await transaction.rows(
            """
            SELECT id FROM customer_meter
            WHERE organization_id = $1 AND customer_id = $2 AND meter_id = $3
            """,
            customer_id,
            meter_id,
        )
        customer_meter_id: UUID = rows[0]["id"]
        return customer_meter_id


async def void_grant(organization_id: UUID, grant_id: UUID | None, reason: str) -> None:
    """Takes what remains of a grant. Usage from before that burns it as before, also if it is late.

    Raises:
        RefusedError: there is no such grant, nothing remains of it, its customer was erased, or the
            reason is invalid.
    """
    missing = problem("NOT_FOUND", "There is no grant with this id.", "id")
    row = None
    if grant_id is not None:
        row = await CreditGrantRow.get_or_none(organization_id=organization_id, id=grant_id)
    if row is None:
        raise RefusedError(*name_problems(reason, REASON, "reason"), missing)
    await refuse_erased(organization_id, row.customer_id, "id")
    async with edit(organization_id, Touched("customer_id", row.customer_id)) as transaction:
        refuse_any(name_problems(reason, REASON, "reason"))
        current, _ = await _current(transaction, row.customer_id, row.meter_id, adds_up=False)
        remaining = current.remaining.get(row.id, NOTHING)
        if not remaining:
            raise RefusedError(problem("CONFLICT", "Nothing remains of this grant.", "id"))
        period = current.period
        at = transaction.now if period.start is None else max(transaction.now, period.start)
        await transaction.run(
            """
            UPDATE credit_grant SET voided_at = $3, void_reason = $4
            WHERE organization_id = $1 AND id = $2
            """,
            row.id,
            at,
            reason,
        )
        holdings = [
            _voided(one, at, NOTHING if current.adds_up else remaining)
            if one.grant.id == row.id
            else one
            for one in period.holdings
        ]
        voided = replace(period, holdings=by_id(holdings))
        await _store(transaction, period, voided, is_new=False)
        await transaction.publish(OutboxType.CREDIT_VOIDED, row.id)


def _voided(one: Holding, at: datetime, taken: Decimal) -> Holding:
    """Returns a grant that ends at `at`.

    Where usage does not add up, a grant cannot end within a period, so what remains is taken.
    """
    ends = at if one.grant.ends is None else min(one.grant.ends, at)
    grant = replace(one.grant, ends=ends, is_voided=True)
    return replace(one, grant=grant, taken=plus(one.taken, taken))


async def _current(
    transaction: BillingTransaction, customer_id: UUID, meter_id: UUID, *, adds_up: bool
) -> tuple[CurrentCredit, bool]:
    """Returns the credit of the open period and False, or that of a new one and True.

    The new period covers all time. `adds_up` is whether the usage of the meter does.
    """
    # Late usage burns credit first.
    await rerate_late(transaction, [customer_id])
    key = (customer_id, meter_id)
    found = await current_credit(
        transaction.connection, transaction.organization_id, [key], transaction.now
    )
    if key in found:
        return found[key], False
    period = MeteredPeriod(
        id=new_id(),
        customer_id=customer_id,
        meter_id=meter_id,
        subscription_id=None,
        price_id=None,
        start=None,
        end=None,
    )
    return CurrentCredit(period, NOTHING, NOTHING, {}, {}, [], adds_up), True


async def _store(
    transaction: BillingTransaction, before: MeteredPeriod, period: MeteredPeriod, *, is_new: bool
) -> None:
    """Stores an open period whose grants have changed. All others, maybe a thousand, are stored."""
    known = {one.grant.id: one for one in before.holdings}
    changed = tuple(one for one in period.holdings if known.get(one.grant.id) is not one)
    if is_new:
        await insert_periods(transaction, [replace(period, holdings=changed)])
    else:
        await update_periods(transaction, [replace(period, holdings=changed)])
    await settle_credit(transaction, [period])


def _with_grant(period: MeteredPeriod, draft: CreditDraft) -> MeteredPeriod:
    grant = CreditGrant(
        id=new_id(),
        units=draft.units,
        begins=draft.effective_at or period.start,
        ends=draft.expires_at,
        priority=draft.priority,
        reason=draft.reason,
    )
    new = Holding(grant, draft.units, is_new=True)
    return replace(period, holdings=by_id([*period.holdings, new]))


def _draft_problems(
    draft: CreditDraft, current: CurrentCredit, now: datetime, archived: datetime | None
) -> Iterator[Problem]:
    """Yields what is wrong with the time and the number of grants."""
    period = current.period
    bounds = [at for at in (period.start, period.end) if at is not None]
    given = (("effectiveAt", draft.effective_at), ("expiresAt", draft.expires_at))
    for name, at in given:
        if at is not None and not current.adds_up and at not in bounds:
            ends = " or ".join(at.isoformat() for at in bounds)
            message = (
                f"The usage of this meter does not add up, so a grant can only begin and end with "
                f"a period: leave out {name}{f', or say {ends}' if bounds else ''}."
            )
            yield problem("INVALID", message, name)
    begins, ends_at = draft.effective_at or period.start, draft.expires_at
    if draft.effective_at is not None and period.start and draft.effective_at < period.start:
        start = period.start.isoformat()
        message = f"effectiveAt must not be before the current period, which began at {start}."
        yield problem("INVALID", message, "effectiveAt")
    elif begins and archived and begins != period.start and begins < archived:
        message = f"effectiveAt is too early: events before {archived.isoformat()} are archived."
        yield problem("INVALID", message, "effectiveAt")
    if ends_at is not None and ends_at <= max(now, begins or now):
        yield problem("INVALID", "expiresAt must be ahead, and after effectiveAt.", "expiresAt")
    if sum(1 for units in current.remaining.values() if units) >= MAXIMUM_GRANTS:
        message = f"At most {MAXIMUM_GRANTS:,} grants of a customer on a meter can have units left."
        yield problem("LIMIT_EXCEEDED", message)


async def _debit(
    transaction: BillingTransaction, current: CurrentCredit, draft: CreditDraft
) -> MeteredPeriod:
    """Takes units of the grants that are active now: first of the one that usage burns last.

    Raises:
        RefusedError: too few units are left.
    """
    left = current.left
    asked = minus(NOTHING, draft.units)
    if asked > left:
        message = f"Only {text_of_number(left)} units of credit are left to debit."
        raise RefusedError(problem("LIMIT_EXCEEDED", message, "units"))
    period, entries = current.period, []
    holdings = {one.grant.id: one for one in period.holdings}
    for one in reversed(in_order(current.active, period.end)):
        taken = min(asked, current.remaining[one.grant.id])
        if taken:
            asked = minus(asked, taken)
            holdings[one.grant.id] = replace(one, taken=plus(one.taken, taken))
            entries.append(
                LedgerEntry(
                    period,
                    EntryKind.MANUAL,
                    minus(NOTHING, taken),
                    one.grant.is_rolling,
                    reason=draft.reason,
                    grant_id=one.grant.id,
                )
            )
    await insert_entries(transaction, entries)
    return replace(period, holdings=by_id(list(holdings.values())))
