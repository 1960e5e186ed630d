"""What usage costs, computed once more from a price: by fractions, and by every tier."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from billing.rating.conversion import Conversion, RoundingMode
from billing.rating.pricing import Rating, Tariff
from billing.rating.schemes import Graduated, Package, PerUnit, Volume
from tests.billing.reference_parts import half_away


def rated(
    tariff: Tariff,
    share: Fraction,
    consumed: Decimal,
    credited: Decimal,
    by_rate: Sequence[tuple[Decimal, Decimal]] = (),
) -> Rating:
    """A period of such a share, with its usage and its credit; or those of each rate."""
    if by_rate:
        return rated_each(tariff, share, by_rate)
    covered = max(Decimal(0), min(consumed, credited))
    billable = max(Decimal(0), consumed - covered)
    amount = half_away(cost(tariff, converted(tariff.conversion, Fraction(billable))))
    if tariff.cap_amount is not None:
        amount = min(amount, half_away(tariff.cap_amount * share))
    if tariff.minimum_amount is not None:
        amount = max(amount, half_away(tariff.minimum_amount * share))
    return Rating(consumed, covered, billable, amount)


def rated_each(
    tariff: Tariff, share: Fraction, by_rate: Sequence[tuple[Decimal, Decimal]]
) -> Rating:
    """Each rate by itself; they share the cap and the minimum."""
    parts: list[Rating] = []
    room = None
    if tariff.cap_amount is not None:
        room = half_away(tariff.cap_amount * share)
    prices = [*(one.unit_amount for one in tariff.scheme.rates), tariff.scheme.unit_amount]  # type: ignore[attr-defined]  # only PerUnit has rates
    for (consumed, credit), price in zip(by_rate, prices, strict=True):
        part = rated(Tariff(PerUnit(price), conversion=tariff.conversion), share, consumed, credit)
        if room is not None:
            part = replace(part, amount=min(part.amount, room))
            room -= part.amount
        parts.append(part)
    lacking = half_away((tariff.minimum_amount or 0) * share) - sum(one.amount for one in parts)
    parts[-1] = replace(parts[-1], amount=parts[-1].amount + max(0, lacking))
    return Rating(
        sum((one.consumed for one in parts), Decimal(0)),
        sum((one.credited for one in parts), Decimal(0)),
        sum((one.billable for one in parts), Decimal(0)),
        sum(one.amount for one in parts),
        tuple(parts),
    )


def rate_of(tariff: Tariff, metadata: Mapping[str, Any]) -> int:
    """The number of the first rate that an event matches; of no rate, the one after all."""
    for number, rate in enumerate(tariff.scheme.rates):
        if all(metadata.get(one.property) == one.value for one in rate.values):
            return number
    return len(tariff.scheme.rates)


def converted(conversion: Conversion | None, units: Fraction) -> Fraction:
    """The units that are priced."""
    if conversion is None:
        return units
    units /= Fraction(conversion.divide_by)
    step = Fraction(1, 10**conversion.decimals)
    below = units // step * step
    match conversion.rounding:
        case RoundingMode.NONE:
            return units
        case RoundingMode.DOWN:
            return below
        case RoundingMode.UP:
            return below if below == units else below + step
        case RoundingMode.HALF_UP:
            return below + step if units - below >= step / 2 else below


def cost(tariff: Tariff, units: Fraction) -> Fraction:
    """The exact price of units in minor units."""
    match tariff.scheme:
        case PerUnit(unit_amount=unit_amount):
            return units * Fraction(unit_amount)
        case Package(amount, size):
            return -(-units // Fraction(size)) * Fraction(amount)
        case Volume(tiers) | Graduated(tiers) if units == 0:
            return Fraction(tiers[0].flat_amount * tariff.scheme.bills_flat_amount_at_zero)
        case Volume(tiers):
            (reached, *_) = (one for one in tiers if one.up_to is None or units <= one.up_to)
            return units * Fraction(reached.unit_amount) + reached.flat_amount
        case Graduated(tiers):
            total, below = Fraction(0), Fraction(0)
            for tier in tiers:
                top = units if tier.up_to is None else min(units, Fraction(tier.up_to))
                if units > below:
                    total += (top - below) * Fraction(tier.unit_amount) + tier.flat_amount
                below = max(below, top)
            return total
    raise AssertionError(tariff.scheme)
