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
from fractions import Fraction
from uuid import UUID

from billing.periods.credit import NOTHING, NOTHING_PASSED, Credit, Cut, PassedOn, passed_on
from billing.periods.intervals import Period
from billing.periods.shares import WHOLE, share_of_units
from billing.rating.pricing import Rating
from models.identifiers import new_id


class EntryKind(StrEnum):
    """Why units were credited or debited."""

    GRANT = "GRANT"
    MANUAL = "MANUAL"
    EXPIRY = "EXPIRY"
    CARRIED_OVER = "CARRIED_OVER"
    REVOKE = "REVOKE"


@dataclass(frozen=True, slots=True)
class Grant:
    """Units that a benefit credits at the start of a period."""

    benefit_id: UUID
    units: Decimal
    rollover: bool

    @property
    def credit(self) -> Credit:
        """The units as credit."""
        return Credit(rolling=self.units) if self.rollover else Credit(plain=self.units)

    def part(self, share: Fraction) -> "Grant":
        """Returns the grant for a part of a period."""
        return replace(self, units=share_of_units(self.units, share))


@dataclass(frozen=True, slots=True)
class PeriodUsage:
    """Units consumed in a period, by the events up to `position`.

    `is_behind`: the log had more events, which the meter had not counted yet. `by_rate` is the
    usage of each rate of the price, and of all other units, if it has rates.
    """

    consumed: Decimal
    position: int
    is_behind: bool
    by_rate: tuple[Decimal, ...] = ()


@dataclass(frozen=True, slots=True)
class MeteredPeriod:
    """A period [start, end) of a customer on a meter; see models.MeteredPeriod.

    Only a closed period has `usage` and `passed`, the credit that went into the next period; it has
    a `cut` if a change of the subscription ended it early. `share` is the part of a whole period
    that it covers. `billed` is the sum of its invoice lines, those of voided invoices left out.
    `is_voided`: it was billed, and all of that was voided.
    """

    id: UUID
    customer_id: UUID
    meter_id: UUID
    subscription_id: UUID | None
    price_id: UUID | None
    start: datetime | None
    end: datetime | None
    credit: Credit
    is_trial: bool = False
    share: Fraction = WHOLE
    cut: Cut | None = None
    usage: PeriodUsage | None = None
    passed: PassedOn = NOTHING_PASSED
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
    one, and has no `end` yet. `share` is the part of a whole period that it covers. `cuts` is set
    if it begins within a period of the subscription, which it cuts: that whole period.
    """

    customer_id: UUID
    meter_id: UUID
    start: datetime
    end: datetime | None = None
    subscription_id: UUID | None = None
    price_id: UUID | None = None
    grants: tuple[Grant, ...] = ()
    is_trial: bool = False
    share: Fraction = WHOLE
    cuts: Period | None = None


def close(
    period: MeteredPeriod,
    at: datetime,
    usage: PeriodUsage,
    share: Fraction | None = None,
    cut: Cut | None = None,
) -> tuple[MeteredPeriod, list[LedgerEntry]]:
    """Closes a period at `at`. All its credit expires, and unused units may carry over.

    Args:
        period: an open period.
        at: its end.
        usage: its usage.
        share: the part of a whole period that it covers, if that has changed.
        cut: what is taken back if a change of the subscription ends the period early.
    """
    closed = replace(
        period,
        end=at,
        usage=usage,
        share=period.share if share is None else share,
        cut=cut,
    )
    closed = replace(closed, passed=_passed_on(closed, usage))
    expired = _entries(closed, EntryKind.EXPIRY, Credit(rolling=period.credit.credited).negative)
    return closed, expired


def begin(
    following: NextPeriod, previous: MeteredPeriod | None
) -> tuple[MeteredPeriod, list[LedgerEntry]]:
    """Opens a period. `previous` is the closed one before it, if there is one."""
    passed = NOTHING_PASSED if previous is None else previous.passed
    credit = passed.net
    for grant in following.grants:
        credit = credit.plus(grant.credit)
    period = MeteredPeriod(
        id=new_id(),
        customer_id=following.customer_id,
        meter_id=following.meter_id,
        subscription_id=following.subscription_id,
        price_id=following.price_id,
        start=following.start,
        end=following.end,
        credit=credit,
        is_trial=following.is_trial,
        share=following.share,
    )
    entries = _passing_entries(period, passed)
    entries += (
        LedgerEntry(period, EntryKind.GRANT, grant.units, grant.rollover, grant.benefit_id)
        for grant in following.grants
        if grant.units
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
    change = NOTHING_PASSED
    for period in periods:
        current = replace(period, credit=period.credit.plus(change.net))
        entries += _passing_entries(current, change)
        if period.usage is None:
            result.append(current)
            break
        expired = Credit(rolling=change.net.credited).negative
        entries += _entries(current, EntryKind.EXPIRY, expired)
        usage = usages.get(period.id, period.usage)
        passed = _passed_on(current, usage)
        change = passed.less(period.passed)
        result.append(replace(current, usage=usage, passed=passed))
    return result, entries


def _passed_on(period: MeteredPeriod, usage: PeriodUsage) -> PassedOn:
    """Returns the credit that a closed period passes on to the next one.

    A period without a start is before the first subscription. Its usage burns no credit.
    """
    burned = NOTHING if period.start is None else usage.consumed
    return passed_on(period.credit, burned, period.cut)


def _passing_entries(period: MeteredPeriod, passed: PassedOn) -> list[LedgerEntry]:
    """Returns the entries for credit that is passed on to a period."""
    return [
        *_entries(period, EntryKind.CARRIED_OVER, passed.carried),
        *_entries(period, EntryKind.REVOKE, passed.revoked.negative),
    ]


def _entries(period: MeteredPeriod, kind: EntryKind, units: Credit) -> list[LedgerEntry]:
    found = []
    if units.plain:
        found.append(LedgerEntry(period, kind, units.plain, is_rolling=False))
    if units.rolling:
        found.append(LedgerEntry(period, kind, units.rolling, is_rolling=True))
    return found
