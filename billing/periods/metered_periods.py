"""A customer's consecutive periods on a meter: closing, opening and rerating them. Pure.

Each period carries credit over into the next one, so a change can reach as far as the open period.
Every change of credit is also an entry of the ledger: a period's credit is the sum of its entries
without EXPIRY, and the sum of all entries is the credit of the open period.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from billing.numbers import minus, plus
from billing.rating.pricing import Rating
from models.identifiers import new_id

NOTHING = Decimal(0)


class EntryKind(StrEnum):
    """Why units were credited or debited."""

    GRANT = "GRANT"
    MANUAL = "MANUAL"
    EXPIRY = "EXPIRY"
    CARRIED_OVER = "CARRIED_OVER"
    REVOKE = "REVOKE"


@dataclass(frozen=True, slots=True)
class Credit:
    """A customer's credit on a meter in one period, in units.

    Usage burns `plain` first, and what is left of it expires with the period. `rolling` may carry
    over: it is the grants with rollover, the manual credit and what was carried over before.
    """

    plain: Decimal = Decimal(0)
    rolling: Decimal = Decimal(0)

    @property
    def credited(self) -> Decimal:
        """All the credit of the period."""
        return plus(self.plain, self.rolling)

    def add(self, *, plain: Decimal = Decimal(0), rolling: Decimal = Decimal(0)) -> "Credit":
        """Returns the credit with these units added; negative units are taken away."""
        return Credit(plus(self.plain, plain), plus(self.rolling, rolling))


def carried_over(credit: Credit, consumed: Decimal) -> Decimal:
    """Returns the units that carry over into the next period: unused ones, at most the rolling."""
    left = minus(credit.credited, consumed)
    return max(Decimal(0), min(left, credit.rolling))


@dataclass(frozen=True, slots=True)
class Grant:
    """Units that a benefit credits at the start of a period."""

    benefit_id: UUID
    units: Decimal
    rollover: bool


@dataclass(frozen=True, slots=True)
class PeriodUsage:
    """Units consumed in a period, by the events up to `position`.

    `is_behind`: the log had more events, which the meter had not counted yet.
    """

    consumed: Decimal
    position: int
    is_behind: bool


@dataclass(frozen=True, slots=True)
class MeteredPeriod:
    """A period [start, end) of a customer on a meter; see models.MeteredPeriod.

    Only a closed period has `usage` and `carried`. `billed` is the sum of its invoice lines, those
    of voided invoices left out. `is_voided`: it was billed, and all of that was voided.
    """

    id: UUID
    customer_id: UUID
    meter_id: UUID
    subscription_id: UUID | None
    price_id: UUID | None
    start: datetime | None
    end: datetime | None
    credit: Credit
    usage: PeriodUsage | None = None
    carried: Decimal = NOTHING
    billed: Rating | None = None
    is_voided: bool = False


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """An entry for the credit ledger of a period."""

    period: MeteredPeriod
    kind: EntryKind
    units: Decimal
    is_rolling: bool
    benefit_id: UUID | None = None
    reason: str | None = None

    @property
    def is_granted(self) -> bool:
        """Whether it gives new credit: a grant, or a credit by hand."""
        return self.kind in {EntryKind.GRANT, EntryKind.MANUAL} and self.units > 0


@dataclass(frozen=True, slots=True)
class NextPeriod:
    """A period of a customer on a meter that begins at `start`.

    A subscription's period ends at `end`. Without a subscription, it is the time until the next
    one, and has no `end` yet.
    """

    customer_id: UUID
    meter_id: UUID
    start: datetime
    end: datetime | None = None
    subscription_id: UUID | None = None
    price_id: UUID | None = None
    grants: tuple[Grant, ...] = ()


def close(
    period: MeteredPeriod, at: datetime, usage: PeriodUsage
) -> tuple[MeteredPeriod, list[LedgerEntry]]:
    """Closes a period at `at`. All its credit expires, and unused units may carry over.

    A period without a start is before the first subscription. Its usage burns no credit.
    """
    burned = NOTHING if period.start is None else usage.consumed
    carried = carried_over(period.credit, burned)
    closed = replace(period, end=at, usage=usage, carried=carried)
    return closed, _entries(closed, EntryKind.EXPIRY, minus(NOTHING, period.credit.credited))


def begin(
    following: NextPeriod, previous: MeteredPeriod | None
) -> tuple[MeteredPeriod, list[LedgerEntry]]:
    """Opens a period. `previous` is the closed one before it, if there is one."""
    carried = NOTHING if previous is None else previous.carried
    credit = Credit(rolling=carried)
    for grant in following.grants:
        credit = (
            credit.add(rolling=grant.units) if grant.rollover else credit.add(plain=grant.units)
        )
    period = MeteredPeriod(
        id=new_id(),
        customer_id=following.customer_id,
        meter_id=following.meter_id,
        subscription_id=following.subscription_id,
        price_id=following.price_id,
        start=following.start,
        end=following.end,
        credit=credit,
    )
    entries = _entries(period, EntryKind.CARRIED_OVER, carried)
    entries += (
        LedgerEntry(period, EntryKind.GRANT, grant.units, grant.rollover, grant.benefit_id)
        for grant in following.grants
    )
    return period, entries


def rerated(
    periods: Sequence[MeteredPeriod], usages: Mapping[UUID, PeriodUsage]
) -> tuple[list[MeteredPeriod], list[LedgerEntry]]:
    """Gives periods their current usage. Returns the periods and the ledger entries for it.

    Args:
        periods: consecutive periods of a customer on a meter, up to the open one.
        usages: the current usage, by the period's id. Other closed periods keep theirs.
    """
    result: list[MeteredPeriod] = []
    entries: list[LedgerEntry] = []
    change = NOTHING
    for period in periods:
        current = period
        if change:
            current = replace(period, credit=period.credit.add(rolling=change))
            entries += _entries(current, EntryKind.CARRIED_OVER, change)
        if period.usage is None:
            result.append(current)
            break
        if change:
            entries += _entries(current, EntryKind.EXPIRY, minus(NOTHING, change))
        usage = usages.get(period.id, period.usage)
        carried = period.carried
        if period.start is not None:
            carried = carried_over(current.credit, usage.consumed)
        change = minus(carried, period.carried)
        result.append(replace(current, usage=usage, carried=carried))
    return result, entries


def _entries(period: MeteredPeriod, kind: EntryKind, units: Decimal) -> list[LedgerEntry]:
    return [LedgerEntry(period, kind, units, is_rolling=True)] if units else []
