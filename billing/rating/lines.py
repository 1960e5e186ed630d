"""The lines of an invoice. Pure, and the same for an invoice and for its estimate."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from billing.periods.intervals import Period
from billing.periods.metered_periods import Link
from billing.rating.pricing import NOTHING_BILLED, MeteredTerms, Rating, rate

LARGEST_AMOUNT = 2**53 - 1
"""Minor units. JavaScript, and many who read JSON, round integers beyond that."""


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
    terms: MeteredTerms


@dataclass(frozen=True, slots=True)
class Line:
    """A line, with the link that it bills; `rating` and `link` are None of a FIXED one.

    `amount` is in minor units. `rating` is what the line says: of a CORRECTION, the difference to
    what was billed.
    """

    kind: LineKind
    description: str
    price_id: UUID
    period: Period
    amount: int
    rating: Rating | None = None
    link: Link | None = None


def rating_of(link: Link, price: MeteredPrice) -> Rating:
    """A link's usage against its credit, in money."""
    if link.usage is None:
        raise ValueError("an open period has no usage to rate")
    return rate(price.terms, link.usage.consumed, link.credit.credited)


def fixed_lines(product: str, prices: Iterable[FixedPrice], period: Period) -> list[Line]:
    """What a period costs in advance."""
    return [Line(LineKind.FIXED, product, price.id, period, price.amount) for price in prices]


def metered_lines(
    links: Iterable[Link],
    prices: Mapping[UUID, MeteredPrice],
    meter_names: Mapping[UUID, str],
) -> list[Line]:
    """What closed links say that no invoice has said yet.

    A METERED line of one that was never billed, a CORRECTION of one that was billed otherwise,
    nothing of any other.
    """
    lines: list[Line] = []
    for link in links:
        if link.price_id is None or link.start is None or link.end is None:
            continue
        price = prices[link.price_id]
        rating = rating_of(link, price)
        if rating == link.billed:
            continue
        billed = NOTHING_BILLED if link.billed is None else link.billed
        name = meter_names[link.meter_id]
        lines.append(
            Line(
                kind=LineKind.METERED if link.billed is None else LineKind.CORRECTION,
                description=name if link.billed is None else f"Late usage of {name}",
                price_id=price.id,
                period=Period(link.start, link.end),
                amount=rating.amount - billed.amount,
                rating=rating.less(billed),
                link=link,
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
