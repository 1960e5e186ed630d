"""The lines of invoices and estimates, which are computed in the same way. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import zip_longest
from uuid import UUID

from billing.numbers import LARGEST_AMOUNT, minus
from billing.periods.intervals import Period
from billing.periods.metered_periods import MeteredPeriod
from billing.periods.shares import share
from billing.rating.pricing import NOTHING_BILLED, Rating, Tariff
from billing.rating.steps import Step, amount_of, share_steps
from metering.usage.grouping import DimensionValue


class LineKind(StrEnum):
    """What a line charges for."""

    FIXED = "FIXED"
    METERED = "METERED"
    CORRECTION = "CORRECTION"
    BALANCE = "BALANCE"
    PRORATION = "PRORATION"
    MINIMUM = "MINIMUM"
    DISCOUNT = "DISCOUNT"


@dataclass(frozen=True, slots=True)
class FixedPrice:
    """A price that is charged in advance. `amount` is in minor units."""

    id: UUID
    amount: int


@dataclass(frozen=True, slots=True)
class MeteredPrice:
    """A price that is charged in arrears for the units that a meter counted."""

    id: UUID
    meter_id: UUID
    tariff: Tariff

    @property
    def rate_values(self) -> tuple[tuple[DimensionValue, ...], ...]:
        """The values of each of its rates."""
        return tuple(rate.values for rate in self.tariff.scheme.rates)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an invoice. `amount` is in minor units.

    A line for the whole invoice, such as BALANCE, has the price of the invoice's first line.
    A line that is not about the units of a meter has neither `rating` nor `metered_period`. The
    `rating` of a CORRECTION is the difference from what was billed. `converted` are its billable
    units in the units of the price, if it has a conversion. `rate` is the number of the price's
    rate that it charges. `rated` is all that its metered period costs now. `steps` are how the
    amount comes about, and add up to it; a BALANCE has none.
    """

    kind: LineKind
    description: str
    price_id: UUID
    period: Period
    amount: int
    rating: Rating | None = None
    metered_period: MeteredPeriod | None = None
    converted: Decimal | None = None
    rate: int | None = None
    rated: Rating | None = None
    steps: Sequence[Step] = field(default=(), compare=False)


def rating_of(period: MeteredPeriod, price: MeteredPrice) -> Rating:
    """Rates the usage of a closed period, less its credit. In a trial, it costs nothing."""
    if period.usage is None:
        raise ValueError("an open period has no usage to rate")
    tariff = price.tariff.part(period.share)
    usage = period.usage
    units = [piece.units for piece in usage.pieces] or [usage.by_rate or (usage.consumed,)]
    rating = tariff.rate_pieces(list(zip(units, period.burning.available, strict=True)))
    return rating.free if period.is_trial else rating


@dataclass(frozen=True, slots=True)
class Plan:
    """What a subscription pays for in advance: `quantity` times the fixed prices of a product."""

    product: str
    prices: Sequence[FixedPrice]
    quantity: int

    @property
    def name(self) -> str:
        """The product and the quantity, for people."""
        return self.product if self.quantity == 1 else f"{self.product} × {self.quantity:,}"  # noqa: RUF001  # a multiplication sign

    @property
    def amount(self) -> int:
        """What a whole period costs in advance."""
        return sum(price.amount for price in self.prices) * self.quantity


def fixed_lines(plan: Plan, period: Period, of: Fraction) -> list[Line]:
    """Returns a line for each price that a period costs in advance: its share of a whole one."""
    return _lines(LineKind.FIXED, plan.name, plan, period, of)


def returning_lines(plan: Plan, unused: Period, whole: Period) -> list[Line]:
    """Returns the lines that give back what was paid for the unused end of a period."""
    name = f"Unused time of {plan.name}"
    return _lines(LineKind.PRORATION, name, plan, unused, -share(unused, whole))


def remaining_lines(plan: Plan, remaining: Period, whole: Period) -> list[Line]:
    """Returns the lines that charge for the remaining end of a period."""
    name = f"Remaining time of {plan.name}"
    return _lines(LineKind.PRORATION, name, plan, remaining, share(remaining, whole))


def _lines(
    kind: LineKind, description: str, plan: Plan, period: Period, of: Fraction
) -> list[Line]:
    lines = []
    for price in plan.prices:
        steps = share_steps(price.amount, plan.quantity, of)
        lines.append(Line(kind, description, price.id, period, amount_of(steps), steps=steps))
    return lines


def metered_lines(
    periods: Iterable[MeteredPeriod],
    prices: Mapping[UUID, MeteredPrice],
    meter_names: Mapping[UUID, str],
) -> list[Line]:
    """Returns the lines for usage that is not on an invoice yet.

    A period that was never billed gets a METERED line, and one that was billed for something else
    gets a CORRECTION.
    """
    lines: list[Line] = []
    for period in periods:
        if period.price_id is None or period.start is None or period.end is None:
            continue
        price = prices[period.price_id]
        rating = rating_of(period, price)
        if rating == period.billed:
            continue
        billed = NOTHING_BILLED if period.billed is None else period.billed
        name = meter_names[period.meter_id]
        for rate, now, before in _parts(rating, billed):
            said = f"{name}, {_rate_name(price, rate)}" if rating.rates else name
            is_rate = rate is not None and rate < len(price.tariff.scheme.rates)
            difference = now.less(before)
            lines.append(
                Line(
                    kind=LineKind.METERED if period.billed is None else LineKind.CORRECTION,
                    description=said if period.billed is None else f"Late usage of {said}",
                    price_id=price.id,
                    period=Period(period.start, period.end),
                    amount=difference.amount,
                    rating=difference,
                    metered_period=period,
                    converted=_converted(price.tariff, now, before),
                    rate=rate if is_rate else None,
                    rated=rating,
                    steps=difference.steps,
                )
            )
    # METERED lines come before corrections, and older periods before newer ones.
    return sorted(lines, key=_place)


def _parts(rating: Rating, billed: Rating) -> list[tuple[int | None, Rating, Rating]]:
    """Returns what differs from what was billed: the whole, or each rate that has units."""
    if not rating.rates:
        return [(None, rating, billed)]
    pairs = zip_longest(rating.rates, billed.rates, fillvalue=NOTHING_BILLED)
    parts: list[tuple[int | None, Rating, Rating]] = [
        (number, now, before) for number, (now, before) in enumerate(pairs)
    ]
    # Without any usage, a line says so.
    return [part for part in parts if part[1] != part[2]] or parts[-1:]


def _rate_name(price: MeteredPrice, number: int | None) -> str:
    rates = price.tariff.scheme.rates
    return "all other" if number is None or number >= len(rates) else rates[number].name


def _converted(tariff: Tariff, rating: Rating, billed: Rating) -> Decimal | None:
    """Returns the billable units of a line in the units of its price, if these differ."""
    now, before = tariff.converted(rating.billable), tariff.converted(billed.billable)
    return None if now is None or before is None else minus(now, before)


def _place(line: Line) -> tuple[bool, datetime, UUID]:
    # Lines of one price stay in the order of its rates.
    return line.kind is LineKind.CORRECTION, line.period.start, line.price_id


def total(lines: Iterable[Line]) -> int:
    """Returns the total in minor units."""
    return sum(line.amount for line in lines)


def amount_problem(lines: Sequence[Line]) -> str | None:
    """Returns why these lines cannot be invoiced; None if clients read their amounts exactly."""
    for line in lines:
        if abs(line.amount) > LARGEST_AMOUNT:
            return f"{line.description}: {line.amount:,} is beyond ±{LARGEST_AMOUNT:,} minor units."
    if abs(total(lines)) > LARGEST_AMOUNT:
        return f"The total, {total(lines):,}, is beyond ±{LARGEST_AMOUNT:,} minor units."
    return None
