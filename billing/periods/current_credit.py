"""Reads what customers have left of their credit, as of an instant and of all that is counted.

`customer_meter` keeps the same balance, except for the moments between the instant where a grant
begins or ends and the next run of the cycle.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import reduce
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from billing.numbers import minus, plus
from billing.periods.billed_meters import (
    AskedPeriod,
    CountedMeter,
    counted_meters,
    usage_by_meter,
)
from billing.periods.grants import NOTHING, Holding
from billing.periods.metered_periods import MeteredPeriod
from billing.periods.open_credit import SoFar, so_far
from billing.periods.open_periods import OpenPeriod, PeriodKey, open_periods
from metering.usage.customer_periods import CustomerPeriod

SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
"""All statements of a transaction that begins with this see one state and block no others."""


@dataclass(frozen=True, slots=True)
class CurrentCredit:
    """The credit of an open period. `remaining` is what is left of each of its grants.

    `burned` is what usage of the period has burned of each. `active` are the grants that pay for
    usage now. `adds_up`: grants can begin and end within periods.
    """

    period: MeteredPeriod
    credited: Decimal
    consumed: Decimal
    remaining: Mapping[UUID, Decimal]
    burned: Mapping[UUID, Decimal]
    active: Sequence[Holding]
    adds_up: bool

    @property
    def balance(self) -> Decimal:
        """What `customer_meter` shows: below zero, it is usage that no credit covers."""
        return minus(self.credited, self.consumed)

    @property
    def left(self) -> Decimal:
        """The units that can still be used now."""
        return reduce(plus, (self.remaining[one.grant.id] for one in self.active), NOTHING)


async def current_credit(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    keys: Sequence[PeriodKey],
    now: datetime,
) -> dict[PeriodKey, CurrentCredit]:
    """Reads the credit of customers on meters; those that never had any may have none.

    The connection's transaction holds the log, or has one snapshot.
    """
    opened = await open_periods(connection, organization_id, keys)
    if not opened:
        return {}
    rows = await connection.execute_query_dict(
        "SELECT head FROM event_log WHERE organization_id = $1", [organization_id]
    )
    head = rows[0]["head"] if rows else 0
    meter_ids = {meter_id for _customer_id, meter_id in opened}
    meters = await counted_meters(connection, organization_id, head, meter_ids)
    begun = await so_far(connection, meters, [one.period for one in opened.values()], now)
    consumed = await _consumed(connection, meters, list(opened.values()))
    return {
        key: _credit(one, used, adds_up=meters[key[1]].adds_up)
        for key, one, used in zip(opened, begun, consumed, strict=True)
    }


async def _consumed(
    connection: BaseDBAsyncClient,
    meters: Mapping[UUID, CountedMeter],
    opened: Sequence[OpenPeriod],
) -> list[Decimal]:
    """Returns the usage of open periods: the kept usage if it fits, or else a count."""
    asked = [
        AskedPeriod(
            one.period.meter_id,
            CustomerPeriod(one.period.customer_id, one.period.start, one.period.end),
        )
        for one in opened
        if not one.kept_until(one.period.end)
    ]
    counted = iter(await usage_by_meter(connection, meters, asked))
    return [
        one.kept_consumed if one.kept_until(one.period.end) else next(counted).consumed
        for one in opened
    ]


def _credit(begun: SoFar, consumed: Decimal, *, adds_up: bool) -> CurrentCredit:
    last = begun.pieces[-1]
    burning = begun.burning(minus(consumed, begun.consumed))
    return CurrentCredit(
        begun.period,
        begun.credit(burning).credited,
        consumed,
        begun.remaining(burning),
        burning.burned_of,
        [
            one
            for one in begun.period.holdings
            if not one.grant.is_over(last.start) and not one.grant.is_ahead(last.end)
        ],
        adds_up,
    )
