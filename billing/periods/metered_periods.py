"""A customer's consecutive periods on a meter: closing, opening and rerating them. Pure.

Each period passes credit on to the next one, so a change can reach as far as the open period.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from uuid import UUID

from billing.numbers import plus, times
from billing.periods.grants import (
    DEFAULT_PRIORITY,
    NOTHING,
    Burning,
    CreditGrant,
    Holding,
    Piece,
    burn,
    cuts_within,
    passed_on,
)
from billing.periods.intervals import Period
from billing.periods.shares import WHOLE, share_of_units
from billing.rating.pricing import Rating
from models.identifiers import new_id


@dataclass(frozen=True, slots=True)
class Grant:
    """Units that a benefit grants at the start of a period.

    They end with the period, unless they roll over or have a time of their own. `whole_units` are
    those of a whole period. `per_quantity`: the units are for each one that a subscription is for.
    """

    benefit_id: UUID
    units: Decimal
    whole_units: Decimal
    rollover: bool
    priority: int = DEFAULT_PRIORITY
    expires_after: timedelta | None = None
    rollover_limit: Decimal | None = None
    per_quantity: bool = False

    def times(self, quantity: int) -> "Grant":
        """Returns the grant of a subscription to so many."""
        if not self.per_quantity:
            return self
        return replace(
            self, units=times(self.units, quantity), whole_units=times(self.whole_units, quantity)
        )

    def part(self, share: Fraction) -> "Grant":
        """Returns the grant for a part of a period."""
        return replace(self, units=share_of_units(self.units, share))

    def at(self, start: datetime) -> CreditGrant:
        """Returns the credit of a period that begins at `start`."""
        return CreditGrant(
            id=new_id(),
            units=self.units,
            is_rolling=self.rollover or self.expires_after is not None,
            begins=start,
            ends=None if self.expires_after is None else start + self.expires_after,
            priority=self.priority,
            benefit_id=self.benefit_id,
            whole_units=self.whole_units,
            rollover_limit=self.rollover_limit,
        )


@dataclass(frozen=True, slots=True)
class PieceUsage:
    """Units consumed in the piece of a period that begins at `start`, by rate if there are any."""

    start: datetime
    units: tuple[Decimal, ...]

    @property
    def consumed(self) -> Decimal:
        """All units of the piece."""
        return reduce(plus, self.units)


@dataclass(frozen=True, slots=True)
class PeriodUsage:
    """Units consumed in a period, by the events up to `position`.

    `is_behind`: the log had more events, which the meter had not counted yet. `by_rate` is the
    usage of each rate of the price, and of all other units, if it has rates. `pieces` is the usage
    of each piece, if grants cut the period.
    """

    consumed: Decimal
    position: int
    is_behind: bool
    by_rate: tuple[Decimal, ...] = ()
    pieces: tuple[PieceUsage, ...] = ()


@dataclass(frozen=True, slots=True)
class MeteredPeriod:
    """A period [start, end) of a customer on a meter; see models.MeteredPeriod.

    `holdings` are the grants in it, by id. Only a closed period has `usage`. `is_cut`: a change of
    the subscription ended it early. `share` is the part of a whole period that it covers. `billed`
    is the sum of its invoice lines, those of voided invoices left out. `is_voided`: it was billed,
    and all of that was voided.
    """

    id: UUID
    customer_id: UUID
    meter_id: UUID
    subscription_id: UUID | None
    price_id: UUID | None
    start: datetime | None
    end: datetime | None
    holdings: tuple[Holding, ...] = ()
    is_trial: bool = False
    share: Fraction = WHOLE
    is_cut: bool = False
    usage: PeriodUsage | None = None
    billed: Rating | None = None
    is_voided: bool = False

    @property
    def cuts(self) -> tuple[datetime, ...]:
        """The instants within the period where a grant begins or ends."""
        return cuts_within(self.holdings, self.start, self.end)

    @property
    def pieces(self) -> list[Piece]:
        """The pieces of a closed period, with their usage.

        A period without a start is before the first subscription. Its usage burns no credit.
        """
        if self.usage is None:
            raise ValueError("an open period has no usage")
        if self.start is None or not self.usage.pieces:
            burning = NOTHING if self.start is None else self.usage.consumed
            return [Piece(self.start, self.end, burning)]
        ends = [*(piece.start for piece in self.usage.pieces[1:]), self.end]
        return [
            Piece(piece.start, end, piece.consumed)
            for piece, end in zip(self.usage.pieces, ends, strict=True)
        ]

    @property
    def burning(self) -> Burning:
        """What the usage of a closed period burned."""
        return burn(self.holdings, self.pieces, self.end)


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
    remaining: Fraction | None = None,
) -> MeteredPeriod:
    """Closes a period at `at`.

    Args:
        period: an open period.
        at: its end.
        usage: its usage.
        share: the part of a whole period that it covers, if that has changed.
        remaining: if a change of the subscription ends the period early, the part of a whole period
            that is not served. This part of what benefits granted is taken back.
    """
    holdings = period.holdings
    if remaining is not None:
        holdings = tuple(one.cut(remaining) for one in holdings)
    return replace(
        period,
        end=at,
        usage=usage,
        holdings=holdings,
        share=period.share if share is None else share,
        is_cut=remaining is not None,
    )


def begin(following: NextPeriod, previous: MeteredPeriod | None) -> MeteredPeriod:
    """Opens a period. `previous` is the closed one before it, if there is one."""
    holdings = [] if previous is None else _passed_on(previous)
    granted = [grant.at(following.start) for grant in following.grants if grant.units]
    holdings += (Holding(grant, grant.units, is_new=True) for grant in granted)
    return MeteredPeriod(
        id=new_id(),
        customer_id=following.customer_id,
        meter_id=following.meter_id,
        subscription_id=following.subscription_id,
        price_id=following.price_id,
        start=following.start,
        end=following.end,
        holdings=by_id(holdings),
        is_trial=following.is_trial,
        share=following.share,
    )


def by_id(holdings: Sequence[Holding]) -> tuple[Holding, ...]:
    """Returns the grants of a period in the order in which they are kept."""
    return tuple(sorted(holdings, key=lambda one: one.grant.id.bytes))


def rerated(
    periods: Sequence[MeteredPeriod], usages: Mapping[UUID, PeriodUsage]
) -> list[MeteredPeriod]:
    """Gives periods their current usage, and the credit that follows from it.

    Args:
        periods: consecutive periods of a customer on a meter, up to the open one.
        usages: the current usage, by the period's id. Other closed periods keep theirs.
    """
    result: list[MeteredPeriod] = []
    for period in periods:
        current = period
        if result:
            current = replace(period, holdings=_received(period, _passed_on(result[-1])))
        if period.usage is not None:
            current = replace(current, usage=usages.get(period.id, period.usage))
        result.append(current)
    return result


def _passed_on(period: MeteredPeriod) -> list[Holding]:
    if period.end is None:
        raise ValueError("a period that has no end passes nothing on")
    return passed_on(period.holdings, period.burning.left, period.end, is_cut=period.is_cut)


def _received(period: MeteredPeriod, passed: Sequence[Holding]) -> tuple[Holding, ...]:
    """Returns the grants of a period that gets these from the one before it.

    What was taken by hand stays taken.
    """
    found = {one.grant.id: one for one in passed}
    for one in period.holdings:
        if one.is_new:
            found[one.grant.id] = one
        elif one.grant.id in found:
            found[one.grant.id] = replace(found[one.grant.id], taken=one.taken)
        else:
            found[one.grant.id] = replace(one, brought=NOTHING, revoked=NOTHING)
    return by_id(list(found.values()))
