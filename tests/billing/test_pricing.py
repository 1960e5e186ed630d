"""Metered prices: the vectors, and what holds for all of them."""

import json
import time
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.rating.conversion import Conversion, RoundingMode
from billing.rating.dimension_rates import DimensionRate
from billing.rating.pricing import NOTHING_BILLED, Rating, Tariff
from billing.rating.schemes import (
    Graduated,
    Package,
    PerUnit,
    Pricing,
    Tier,
    Tiered,
    Volume,
    scheme_class,
)
from models import exact_json
from tests.billing.reference_prices import rated

VECTORS = Path(__file__).parents[1] / "vectors"

units = st.decimals("0", "1e12", places=6)
unit_amounts = st.decimals("0", "1e6", places=12)
flat_amounts = st.integers(0, 10_000)


def tariff_from(price: dict[str, Any]) -> Tariff:
    """The tariff of a vector's price, whose fields are as prices are stored."""
    tiers = [
        {"upTo": None, "flatAmount": 0, **tier, "unitAmount": str(tier["unitAmount"])}
        for tier in price.get("tiers", [])
    ]
    scheme = scheme_class(Pricing(price["pricing"])).from_json({**price, "tiers": tiers})
    return Tariff(scheme, price.get("capAmount"))


@pytest.mark.parametrize(
    "case", json.loads((VECTORS / "prices.json").read_text()), ids=lambda case: str(case["units"])
)
def test_prices_of_the_vectors(case: dict[str, Any]) -> None:
    assert tariff_from(case["price"]).amount(Decimal(case["units"])) == case["amount"]


@st.composite
def tier_lists(draw: st.DrawFn) -> tuple[Tier, ...]:
    ends = sorted(draw(st.sets(st.decimals("0.000001", "1e9", places=6), max_size=5)))
    return tuple(Tier(end, draw(unit_amounts), draw(flat_amounts)) for end in (*ends, None))


limits = st.none() | st.integers(0, 10**9)
conversions = st.none() | st.builds(
    Conversion,
    st.decimals("0.001", "1e6", places=3),
    st.sampled_from(RoundingMode),
    st.integers(0, 12),
)
monotone_schemes = (
    st.builds(PerUnit, unit_amounts)
    | st.builds(Graduated, tier_lists(), st.booleans())
    | st.builds(Package, st.integers(0, 10**6), st.decimals("0.001", "1e6", places=3))
)


def tariffs(schemes: st.SearchStrategy[Any]) -> st.SearchStrategy[Tariff]:
    """Prices that may have limits, of which the minimum is not above the cap, and a conversion."""

    def tariff(scheme: Any, bounds: list[int | None], conversion: Conversion | None) -> Tariff:
        cap, minimum = bounds
        if cap is not None and minimum is not None:
            minimum, cap = sorted((cap, minimum))
        return Tariff(scheme, cap, minimum, conversion)

    return st.builds(tariff, schemes, st.lists(limits, min_size=2, max_size=2), conversions)


monotone_tariffs = tariffs(monotone_schemes)
all_tariffs = monotone_tariffs | tariffs(st.builds(Volume, tier_lists(), st.booleans()))


@pytest.mark.parametrize("pricing", Pricing)
def test_the_class_of_a_scheme_is_found_by_its_name(pricing: Pricing) -> None:
    assert scheme_class(pricing).pricing is pricing


@given(all_tariffs)
def test_a_stored_scheme_is_loaded_as_it_was(tariff: Tariff) -> None:
    stored = exact_json.loads(exact_json.dumps(tariff.scheme.to_json()))
    assert scheme_class(tariff.scheme.pricing).from_json(stored) == tariff.scheme


@given(monotone_tariffs, units, units)
def test_more_units_never_cost_less(tariff: Tariff, some: Decimal, more: Decimal) -> None:
    some, more = sorted((some, more))
    assert tariff.amount(some) <= tariff.amount(more)


@given(all_tariffs, units)
def test_an_amount_lies_between_the_minimum_and_the_cap(tariff: Tariff, used: Decimal) -> None:
    amount = tariff.amount(used)
    assert amount >= (tariff.minimum_amount or 0)
    assert tariff.cap_amount is None or amount <= tariff.cap_amount
    assert tariff.amount(-used) == tariff.amount(Decimal(0))


@given(all_tariffs)
def test_nothing_costs_the_minimum_or_a_flat_amount_that_is_due_without_usage(
    tariff: Tariff,
) -> None:
    flat = 0
    if isinstance(tariff.scheme, Tiered) and tariff.scheme.bills_flat_amount_at_zero:
        flat = tariff.scheme.tiers[0].flat_amount
    if tariff.cap_amount is not None:
        flat = min(flat, tariff.cap_amount)
    assert tariff.amount(Decimal(0)) == max(flat, tariff.minimum_amount or 0)


@given(all_tariffs, units, st.fractions(0, 1))
def test_a_part_of_a_period_costs_what_the_reference_says(
    tariff: Tariff, used: Decimal, share: Fraction
) -> None:
    expected = rated(tariff, share, used, Decimal(0))
    assert tariff.part(share).rate(used, Decimal(0)) == expected


@pytest.mark.parametrize(
    ("rounding", "decimals", "shown", "amount"),
    [
        (RoundingMode.NONE, 0, "0.416666666667", 42),
        (RoundingMode.UP, 0, "1", 100),
        (RoundingMode.DOWN, 0, "0", 0),
        (RoundingMode.HALF_UP, 0, "0", 0),
        (RoundingMode.HALF_UP, 1, "0.4", 40),
        (RoundingMode.UP, 2, "0.42", 42),
        (RoundingMode.DOWN, 2, "0.41", 41),
    ],
)
def test_units_are_converted_and_rounded_before_they_are_priced(
    rounding: RoundingMode, decimals: int, shown: str, amount: int
) -> None:
    hours = Conversion(Decimal(3600), rounding, decimals)
    tariff = Tariff(PerUnit(Decimal(100)), conversion=hours)
    assert tariff.amount(Decimal(1500)) == amount
    assert tariff.converted(Decimal(1500)) == Decimal(shown)


def test_tiers_are_in_converted_units() -> None:
    tiers = (Tier(Decimal(1), Decimal(0), 500), Tier(None, Decimal(100)))
    tariff = Tariff(Graduated(tiers), conversion=Conversion(Decimal(1000), RoundingMode.UP))
    assert [tariff.amount(Decimal(units)) for units in (0, 1, 1000, 1001)] == [0, 500, 500, 600]


def rounded(exact: Fraction) -> int:
    """Half away from zero, by integers."""
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)


@given(tier_lists(), units)
def test_graduated_is_the_sum_over_every_tier(tiers: tuple[Tier, ...], used: Decimal) -> None:
    exact, below = Fraction(0), Fraction(0)
    for tier in tiers:
        top = Fraction(used) if tier.up_to is None else min(Fraction(used), Fraction(tier.up_to))
        if used > below:
            exact += (top - below) * Fraction(tier.unit_amount) + tier.flat_amount
        below = max(below, top)
    assert Tariff(Graduated(tiers)).amount(used) == rounded(exact)


@given(tier_lists(), units.filter(bool))
def test_volume_prices_all_units_by_one_tier(tiers: tuple[Tier, ...], used: Decimal) -> None:
    reached = min(
        (tier for tier in tiers if tier.up_to is None or used <= tier.up_to),
        key=lambda tier: (tier.up_to is None, tier.up_to or 0),
    )
    exact = Fraction(used) * Fraction(reached.unit_amount) + reached.flat_amount
    assert Tariff(Volume(tiers)).amount(used) == rounded(exact)


def test_one_tier_without_end_is_per_unit() -> None:
    tiers = (Tier(None, Decimal("0.004")),)
    for scheme in (Graduated(tiers), Volume(tiers)):
        assert Tariff(scheme).amount(Decimal(1_000_125)) == 4_001


def test_digits_beyond_any_float_are_kept() -> None:
    tariff = Tariff(PerUnit(Decimal("0.999999999999")))
    used = Decimal(10**40 + 1)
    assert tariff.amount(used) == 10**40 + 1 - 10**28


def test_a_rating_sets_no_more_credit_than_is_consumed() -> None:
    tariff = Tariff(PerUnit(Decimal(2)))
    assert tariff.rate(Decimal(30), Decimal(100)).credited == 30
    over = tariff.rate(Decimal(130), Decimal(100))
    assert over == Rating(Decimal(130), Decimal(100), Decimal(30), 60)


def test_usage_below_zero_is_shown_and_billed_as_nothing() -> None:
    rating = Tariff(PerUnit(Decimal(2))).rate(Decimal(-5), Decimal(3))
    assert rating == Rating(Decimal(-5), Decimal(0), Decimal(0), 0)


def test_credit_below_zero_makes_no_charge() -> None:
    rating = Tariff(PerUnit(Decimal(2))).rate(Decimal(10), Decimal(-4))
    assert rating == Rating(Decimal(10), Decimal(0), Decimal(10), 20)


quantities = st.decimals("-1e9", "1e9", places=4)


@given(all_tariffs, quantities, quantities)
def test_a_line_adds_up(tariff: Tariff, consumed: Decimal, credited: Decimal) -> None:
    rating = tariff.rate(consumed, credited)
    assert rating.billable == max(Decimal(0), consumed - max(Decimal(0), credited))
    assert rating.billable == max(Decimal(0), rating.consumed - rating.credited)


@given(all_tariffs, st.lists(st.tuples(quantities, quantities), min_size=1, max_size=6))
def test_corrections_add_up_to_the_last_rating(
    tariff: Tariff, history: list[tuple[Decimal, Decimal]]
) -> None:
    ratings = [tariff.rate(consumed, credited) for consumed, credited in history]
    lines = [now.less(before) for before, now in pairwise([NOTHING_BILLED, *ratings])]
    assert sum(line.amount for line in lines) == ratings[-1].amount
    for units in ("consumed", "credited", "billable"):
        summed = sum(Fraction(getattr(line, units)) for line in lines)
        assert summed == Fraction(getattr(ratings[-1], units))


def test_rates_without_usage_take_no_time_in_any_piece() -> None:
    """It took half a second, in which a process answered no other request."""
    tariff = Tariff(PerUnit(Decimal(2), tuple(DimensionRate((), Decimal(3)) for _ in range(100))))
    nothing = (Decimal(0),) * 101
    used = (Decimal(4), *nothing[1:])
    pieces = [*[(nothing, Decimal(1))] * 1_999, (used, Decimal(1))]
    taken = []
    for _ in range(5):  # of this thread's own time, and again if it was interrupted
        begun = time.thread_time()
        rating = tariff.rate_pieces(pieces)
        taken.append(time.thread_time() - begun)
    units = (rating.consumed, rating.credited, rating.billable)
    assert (units, rating.amount) == ((Decimal(4), Decimal(1), Decimal(3)), 9)
    assert min(taken) < 0.2
