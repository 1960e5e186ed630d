"""The parts of a customer's time in the reference, and what each costs or grants by its share."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from billing.periods.intervals import Period, Recurrence, index_at, period_at
from billing.rating.pricing import Tariff
from tests.billing.calendars import calendar_period

ALWAYS = datetime(1, 1, 1, tzinfo=UTC)
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
WHOLE = Fraction(1)

Place = tuple[int, int | None]
"""A subscription, counted from 0, and a part of it; None: the time after its end."""

BEFORE: Place = (-1, None)

Charge = tuple[str, int, Period]
"""The kind of a line that does not depend on usage, its amount, and its period."""


@dataclass(eq=False)
class Terms:
    """How long the units of a plan that expire last, if that is not until the end of the period.

    And how many of those that roll over are carried over, and their priority. With `per_quantity`,
    the plan has its units for each one that the subscription is for.
    """

    days: int | None = None
    limit: int | None = None
    priority: int = 50
    per_quantity: bool = False

    def units(self, plan: "Plan", quantity: int) -> tuple[Decimal, Decimal]:
        """What the plan grants for a whole usage period: units that expire, and that roll over."""
        times = quantity if self.per_quantity else 1
        return plan.plain * times, plan.rolling * times


@dataclass
class Plan:
    """A product: a fixed price, the tariff of the meter, and the units that expire or roll over.

    The price is paid by `interval`; usage is billed and units are granted by `usage`. `terms` are
    those of the units, and other ones are of other benefits.
    """

    fixed: int
    tariff: Tariff
    interval: Recurrence
    usage: Recurrence
    plain: Decimal = Decimal(0)
    rolling: Decimal = Decimal(0)
    minimum: int | None = None
    terms: Terms = field(default_factory=Terms)


@dataclass(eq=False)
class Given:
    """Units that were granted; `taken` are debits, by where they were.

    `age` is less the older it is. `limited` is what the limit holds for together. `whole` is what
    is granted for a whole period.
    """

    units: Decimal
    begins: datetime | None
    ends: datetime | None
    age: tuple[int, int, int]
    priority: int = 50
    ends_with_period: bool = False
    whole: Decimal | None = None
    limited: Terms | None = None
    taken: dict[Place, Decimal] = field(default_factory=dict)

    def overlaps(self, during: Period) -> bool:
        begins, ends = self.begins or ALWAYS, self.ends or NEVER
        return begins < during.end and ends > during.start and begins < ends


@dataclass(frozen=True)
class Stretch:
    """A piece of a span, with what is consumed in it and the credit that there is."""

    during: Period
    consumed: Decimal
    credit: Decimal


@dataclass(frozen=True)
class Off:
    """What is taken off invoices: a percentage, or an amount."""

    percent: Fraction | None = None
    amount: Fraction = Fraction(0)

    def of(self, charged: int, share: Fraction = WHOLE) -> int:
        """What is taken off a charge, by the share of a period."""
        if self.percent is None:
            return min(half_away(self.amount * share), max(0, charged))
        return half_away(self.percent * max(0, charged) / 100)


NOTHING_OFF = Off()


@dataclass(eq=False)
class Part:
    """A part of a whole usage period, in which a subscription is for one plan and one quantity.

    It is in the period `paid`, itself a part of the whole period `paid_whole`. `plain` and
    `rolling` are what the plan grants for a whole usage period. `cut` is the share of that which
    was left when a change ended the part. `charges` go with its usage.
    """

    plan: Plan
    quantity: int
    start: datetime
    end: datetime
    whole: Period
    paid: Period
    paid_whole: Period
    plain: Decimal
    rolling: Decimal
    terms: Terms
    is_trial: bool = False
    cut: Fraction | None = None
    charges: list[Charge] = field(default_factory=list)
    off: Off = NOTHING_OFF
    off_share: Fraction = WHOLE

    @property
    def share(self) -> Fraction:
        """The share of the whole usage period that it was meant to last, or lasted until a cut."""
        return share_of(Period(self.start, self.end), self.whole)


@dataclass
class Subscribed:
    """A subscription. `ended` is None as long as it runs."""

    anchor: datetime
    parts: list[Part]
    first_charges: list[Charge]
    pending: tuple[Plan, int] | None = None
    cancels: bool = False
    ended: datetime | None = None
    granted: dict[int, Fraction] = field(default_factory=dict)
    off: Off = NOTHING_OFF
    off_periods: int | None = None
    paid_off: Off = NOTHING_OFF

    def bill(self, part: Part, *, rest: Fraction | None = None, goes_on: bool = False) -> None:
        """A part ends: it is invoiced with the discount, which may end with the period.

        With `rest`, the period goes on for that share of it.
        """
        part.off, part.off_share = self.off, WHOLE if rest is None else rest
        if not goes_on and not (part.is_trial and rest is not None):
            self.paid_off = self.off
        if self.off_periods is not None and rest is None and not goes_on:
            self.off_periods -= 1
            if self.off_periods == 0:
                self.off, self.off_periods = NOTHING_OFF, None

    def give_back(self, part: Part, rest: Period) -> None:
        """The rest of what was paid in advance is given back, less its discount."""
        left = share_of(rest, part.paid_whole)
        amount = half_away(part.plan.fixed * part.quantity * left)
        part.charges.append(("PRORATION", -amount, rest))
        kept = self.paid_off.of(amount, left)
        if kept:
            part.charges.append(("DISCOUNT", kept, rest))


@dataclass
class Span:
    """A stretch of a customer's time, with what is granted and credited in it."""

    place: Place
    during: Period
    given: list[Given] = field(default_factory=list)
    part: Part | None = None


def granted(part: Part, number: int, share: Fraction, *, adds_up: bool) -> list[Given]:
    """What benefits grant for a share of a whole usage period."""
    terms, found = part.terms, []
    if part.plain:
        days = terms.days if adds_up else None
        ends = None if days is None else part.start + timedelta(days=days)
        units = units_of(part.plain, share)
        plain = Given(units, part.start, ends, (number, 0, 0), whole=part.plain)
        plain.ends_with_period = days is None
        found.append(plain)
    if part.rolling:
        units = units_of(part.rolling, share)
        rolling = Given(units, part.start, None, (number, 0, 1), terms.priority, whole=part.rolling)
        rolling.limited = terms if terms.limit is not None else None
        found.append(rolling)
    return [one for one in found if one.units]


def trial_of(plan: Plan, quantity: int, trial: Period) -> Part:
    """The trial is one usage period."""
    return Part(
        *(plan, quantity, trial.start, trial.end, trial, trial, trial),
        *(*plan.terms.units(plan, quantity), plan.terms),
        is_trial=True,
    )


def begun(plan: Plan, quantity: int, anchor: datetime, start: datetime) -> Part:
    """The first part of a period that begins by itself.

    The first period of the calendar may be shorter than a whole one.
    """
    whole = whole_around(plan.interval, anchor, start)
    return next_usage(plan, quantity, anchor, Period(start, whole.end), whole, start)


def next_usage(
    plan: Plan, quantity: int, anchor: datetime, paid: Period, paid_whole: Period, start: datetime
) -> Part:
    """The part of a paid period that begins at an instant and lasts until its usage is billed."""
    whole = paid_whole if plan.usage == plan.interval else whole_around(plan.usage, anchor, start)
    return Part(
        *(plan, quantity, start, whole.end, whole, paid, paid_whole),
        *(*plan.terms.units(plan, quantity), plan.terms),
    )


def whole_around(every: Recurrence, anchor: datetime, instant: datetime) -> Period:
    """The whole period that an instant is in."""
    if every.zone is not None:
        return calendar_period(every, instant)
    return period_at(anchor, every, index_at(anchor, every, instant))


def in_advance(part: Part) -> Charge:
    """What a period that begins by itself costs in advance: its share of a whole one."""
    amount = half_away(part.plan.fixed * part.quantity * share_of(part.paid, part.paid_whole))
    return "FIXED", amount, part.paid


def share_of(part: Period, whole: Period) -> Fraction:
    microsecond = timedelta(microseconds=1)
    return Fraction(
        (part.end - part.start) // microsecond, (whole.end - whole.start) // microsecond
    )


def half_away(value: Fraction) -> int:
    whole, rest = divmod(abs(value), 1)
    rounded = int(whole) + (1 if rest >= Fraction(1, 2) else 0)
    return rounded if value >= 0 else -rounded


def units_of(units: Decimal, share: Fraction) -> Decimal:
    if share == WHOLE:
        return units
    return Decimal(half_away(Fraction(units) * share * 10**6)) / 10**6
