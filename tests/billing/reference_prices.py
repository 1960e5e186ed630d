"""What usage costs, computed once more from a price: by fractions, and by every tier."""

from decimal import Decimal
from fractions import Fraction

from billing.rating.conversion import Conversion, RoundingMode
from billing.rating.pricing import Rating, Tariff
from billing.rating.schemes import Graduated, Package, PerUnit, Volume
from tests.billing.reference_parts import half_away


def rated(tariff: Tariff, share: Fraction, consumed: Decimal, credited: Decimal) -> Rating:
    """A period of such a share, with its usage and its credit."""
    covered = max(Decimal(0), min(consumed, credited))
    billable = max(Decimal(0), consumed - covered)
    amount = half_away(cost(tariff, converted(tariff.conversion, Fraction(billable))))
    if tariff.cap_amount is not None:
        amount = min(amount, half_away(tariff.cap_amount * share))
    if tariff.minimum_amount is not None:
        amount = max(amount, half_away(tariff.minimum_amount * share))
    return Rating(consumed, covered, billable, amount)


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
        case PerUnit(unit_amount):
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
