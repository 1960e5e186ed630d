"""Crediting, or debiting, a customer's units by hand."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from billing.catalog.price_checks import decimal_problems
from billing.periods.advancing import open_links
from billing.periods.counted_usage import counted_meters, usage_by_meter
from billing.periods.credits import Credit
from billing.periods.metered_periods import NOTHING, Entry, EntryKind, Link
from billing.periods.renewal import Touched
from billing.periods.rerating import rerate_late
from billing.periods.store import insert_entries, insert_links, store_credit, update_links
from billing.problems import RefusedError, problem
from billing.rating.exact import minus
from billing.subscriptions.edits import edit
from billing.texts import required_text_problems
from billing.transaction import HeldLog
from metering.language.numerics import text_of_number
from metering.usage.periods import CustomerPeriod
from models.identifiers import new_id

MAXIMUM_REASON = 1000


async def credit_by_hand(
    organization_id: UUID, customer_id: UUID, meter_id: UUID | None, units: Decimal, reason: str
) -> tuple[UUID, int]:
    """Adds units, below zero to take them, to a customer's current credit on a meter.

    Gives the id of the customer meter, and the log's revision after it.

    Raises:
        RefusedError: there is no such meter, the units or the reason make no sense, or more is
            to be taken than is left.
    """
    problems = [
        *required_text_problems(reason, MAXIMUM_REASON, "reason"),
        *decimal_problems(units, "units"),
    ]
    if not units:
        problems.append(problem("INVALID", "units must not be zero.", "units"))
    async with edit(organization_id, Touched("customer_id", customer_id)) as log:
        connection = log.connection
        meters = await connection.execute_query_dict(
            "SELECT FROM meter WHERE organization_id = $1 AND id = $2", [organization_id, meter_id]
        )
        if not meters or meter_id is None:
            problems.append(problem("NOT_FOUND", "There is no meter with this id.", "meterId"))
        if problems or meter_id is None:
            raise RefusedError(*problems)
        # What came late takes from the credit first.
        await rerate_late(log, [customer_id])
        link, is_new = await _current_link(log, customer_id, meter_id)
        if units < 0:
            await _check_debit(log, link, -units)
        link = replace(link, credit=link.credit.add(rolling=units))
        if is_new:
            await insert_links(connection, organization_id, [link])
        else:
            await update_links(connection, organization_id, [link], log.now)
        entry = Entry(link, EntryKind.MANUAL, units, is_rolling=True, reason=reason)
        await insert_entries(connection, organization_id, [entry], log.now)
        await store_credit(connection, organization_id, [link], log.revision)
        rows = await connection.execute_query_dict(
            """
            SELECT id FROM customer_meter
            WHERE organization_id = $1 AND customer_id = $2 AND meter_id = $3
            """,
            [organization_id, customer_id, meter_id],
        )
        return rows[0]["id"], log.revision


async def _check_debit(log: HeldLog, link: Link, units: Decimal) -> None:
    """Refuses to take more units than usage has left of the open link's credit."""
    burned = NOTHING
    if link.start is not None:
        meters = await counted_meters(
            log.connection, log.organization_id, log.head, [link.meter_id]
        )
        period = CustomerPeriod(link.customer_id, link.start, link.end)
        [usage] = await usage_by_meter(log.connection, meters, [(link.meter_id, period)])
        burned = max(NOTHING, usage.consumed)
    left = max(NOTHING, minus(link.credit.credited, burned))
    if units > left:
        message = f"Only {text_of_number(left)} units of credit are left to debit."
        raise RefusedError(problem("LIMIT_EXCEEDED", message, "units"))


async def _current_link(log: HeldLog, customer_id: UUID, meter_id: UUID) -> tuple[Link, bool]:
    """The open link, or a new one of all the customer's time where there never was one."""
    found = await open_links(log, [(customer_id, meter_id)])
    if found:
        return found[customer_id, meter_id].link, False
    link = Link(
        id=new_id(),
        customer_id=customer_id,
        meter_id=meter_id,
        subscription_id=None,
        price_id=None,
        start=None,
        end=None,
        credit=Credit(NOTHING, NOTHING),
    )
    return link, True
