"""Credits and debits units manually."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from billing.numbers import decimal_problems, minus
from billing.periods.billed_meters import AskedPeriod, counted_meters, usage_by_meter
from billing.periods.credit import NOTHING, Credit
from billing.periods.metered_periods import EntryKind, LedgerEntry, MeteredPeriod
from billing.periods.metered_renewal import open_periods
from billing.periods.rerating import rerate_late
from billing.periods.store import insert_entries, insert_periods, store_credit, update_periods
from billing.subscriptions.cycle import edit
from billing.subscriptions.renewal import Touched
from billing.transaction import BillingTransaction
from metering.language.numerics import text_of_number
from metering.problems import RefusedError, problem
from metering.texts import REASON, name_problems
from metering.usage.periods import CustomerPeriod
from models.identifiers import new_id


async def credit_by_hand(
    organization_id: UUID, customer_id: UUID, meter_id: UUID | None, units: Decimal, reason: str
) -> UUID:
    """Adds units to a customer's current credit on a meter. A negative number debits units.

    Returns the id of the customer meter.

    Raises:
        RefusedError: there is no such meter, the units or the reason are invalid, or too few units
            are left to debit.
    """
    problems = [
        *name_problems(reason, REASON, "reason"),
        *decimal_problems(units, "units"),
    ]
    if not units:
        problems.append(problem("INVALID", "units must not be zero.", "units"))
    async with edit(organization_id, Touched("customer_id", customer_id)) as transaction:
        meters = await transaction.rows(
            "SELECT FROM meter WHERE organization_id = $1 AND id = $2", meter_id
        )
        if not meters or meter_id is None:
            problems.append(problem("NOT_FOUND", "There is no meter with this id.", "meterId"))
        if problems or meter_id is None:
            raise RefusedError(*problems)
        # Late usage burns credit first.
        await rerate_late(transaction, [customer_id])
        period, is_new = await _current_period(transaction, customer_id, meter_id)
        if units < 0:
            await _check_debit(transaction, period, -units)
        period = replace(period, credit=period.credit.plus(Credit(rolling=units)))
        if is_new:
            await insert_periods(transaction, [period])
        else:
            await update_periods(transaction, [period])
        entry = LedgerEntry(period, EntryKind.MANUAL, units, is_rolling=True, reason=reason)
        await insert_entries(transaction, [entry])
        await store_credit(transaction, [period])
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


async def _check_debit(
    transaction: BillingTransaction, period: MeteredPeriod, units: Decimal
) -> None:
    """Refuses to debit more units than are unused of the open period's credit."""
    burned = NOTHING
    if period.start is not None:
        meters = await counted_meters(
            transaction.connection, transaction.organization_id, transaction.head, [period.meter_id]
        )
        asked = CustomerPeriod(period.customer_id, period.start, period.end)
        [usage] = await usage_by_meter(
            transaction.connection, meters, [AskedPeriod(period.meter_id, asked)]
        )
        burned = max(NOTHING, usage.consumed)
    left = max(NOTHING, minus(period.credit.credited, burned))
    if units > left:
        message = f"Only {text_of_number(left)} units of credit are left to debit."
        raise RefusedError(problem("LIMIT_EXCEEDED", message, "units"))


async def _current_period(
    transaction: BillingTransaction, customer_id: UUID, meter_id: UUID
) -> tuple[MeteredPeriod, bool]:
    """Returns the open period and False, or a new period that covers all time, and True."""
    found = await open_periods(transaction, [(customer_id, meter_id)])
    if found:
        return found[customer_id, meter_id].period, False
    period = MeteredPeriod(
        id=new_id(),
        customer_id=customer_id,
        meter_id=meter_id,
        subscription_id=None,
        price_id=None,
        start=None,
        end=None,
        credit=Credit(NOTHING, NOTHING),
    )
    return period, True
