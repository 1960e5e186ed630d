"""The lines of an invoice. Pure, and the same for an invoice and for its estimate."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from billing.numbers import LARGEST_AMOUNT
from billing.periods.intervals import Period
from billing.periods.metered_periods import MeteredPeriod
from billing.rating.pricing import NOTHING_BILLED, Rating, Tariff


class LineKind(StrEnum):
    """What a line charges for."""

    FIXED = "FIXED"
    METERED = "METERED"
    CORRECTION = "CORRECTION"


@dataclass(frozen=True, slots=True)
class FixedPrice:
    """Charged in advance; `amount` in minor units."""

    id: UUID
    amount: int


@dataclass(frozen=True, slots=True)
class MeteredPrice:
    """Charged in arrears on what a meter counted."""

    id: UUID
    meter_id: UUID
    tariff: Tariff


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an invoice; a FIXED one has neither `rating` nor `metered_period`.

    `amount` is in minor units. `rating` is what the line says: of a CORRECTION, the difference to
    what was billed.
    """

    kind: LineKind
    description: str
    price_id: UUID
    period: Period
    amount: int
    rating: Rating | None = None
    metered_period: MeteredPeriod | None = None


def rating_of(period: MeteredPeriod, price: MeteredPrice) -> Rating:
    """A period's usage against its credit, in money."""
    if period.usage is None:
        raise ValueError("an open period has no usage to rate")
    return price.tariff.rate(period.usage.consumed, period.credit.credited)


def fixed_lines(product: str, prices: Iterable[FixedPrice], period: Period) -> list[Line]:
    """What a period costs in advance."""
    return [Line(LineKind.FIXED, product, price.id, period, price.amount) for price in prices]


def metered_lines(
    periods: Iterable[MeteredPeriod],
    prices: Mapping[UUID, MeteredPrice],
    meter_names: Mapping[UUID, str],
) -> list[Line]:
    """The lines for usage that invoices do not show yet.

    A METERED line for each that was never billed, and a CORRECTION for each that was billed
    otherwise.
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
        lines.append(
            Line(
                kind=LineKind.METERED if period.billed is None else LineKind.CORRECTION,
                description=name if period.billed is None else f"Late usage of {name}",
                price_id=price.id,
                period=Period(period.start, period.end),
                amount=rating.amount - billed.amount,
                rating=rating.less(billed),
                metered_period=period,
            )
        )
    # What is billed for the first time first; among the corrections, the oldest.
    return sorted(lines, key=_place)


def _place(line: Line) -> tuple[bool, datetime, UUID]:
    return line.kind is LineKind.CORRECTION, line.period.start, line.price_id


def total(lines: Iterable[Line]) -> int:
    """The total in minor units."""
    return sum(line.amount for line in lines)


def amount_problem(lines: Sequence[Line]) -> str | None:
    """Why these lines cannot be invoiced; None where every client reads their amounts exactly."""
    for line in lines:
        if abs(line.amount) > LARGEST_AMOUNT:
            return f"{line.description}: {line.amount:,} is beyond ±{LARGEST_AMOUNT:,} minor units."
    if abs(total(lines)) > LARGEST_AMOUNT:
        return f"The total, {total(lines):,}, is beyond ±{LARGEST_AMOUNT:,} minor units."
    return None
