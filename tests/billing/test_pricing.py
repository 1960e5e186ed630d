"""Metered prices: the vectors, and what holds for all of them."""

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.catalog.price_checks import MeteredDraft, terms_of
from billing.rating.pricing import (
    NOTHING_BILLED,
    Graduated,
    MeteredTerms,
    Package,
    PerUnit,
    Pricing,
    Rating,
    Tier,
    Volume,
    price_units,
    rate,
)

VECTORS = Path(__file__).parents[1] / "vectors"

units = st.decimals("0", "1e12", places=6)
unit_amounts = st.decimals("0", "1e6", places=12)
flat_amounts = st.integers(0, 10_000)


def terms_from(price: dict[str, Any]) -> MeteredTerms:
    """The terms of a vector's price."""

    def decimal(name: str, of: dict[str, Any] = price) -> Decimal | None:
        return None if of.get(name) is None else Decimal(of[name])

    tiers = [
        Tier(decimal("upTo", tier), Decimal(tier["unitAmount"]), tier.get("flatAmount", 0))
        for tier in price.get("tiers", [])
    ]
    return terms_of(
        MeteredDraft(
            currency="USD",
            meter_id=None,
            pricing=Pricing(price["pricing"]),
            unit_amount=decimal("unitAmount"),
            tiers=tiers or None,
            package_amount=price.get("packageAmount"),
            package_size=decimal("packageSize"),
            cap_amount=price.get("capAmount"),
        )
    )


@pytest.mark.parametrize(
    "case", json.loads((VECTORS / "prices.json").read_text()), ids=lambda case: str(case["units"])
)
def test_prices_of_the_vectors(case: dict[str, Any]) -> None:
    assert price_units(terms_from(case["price"]), Decimal(case["units"])) == case["amount"]


@st.composite
def tier_lists(draw: st.DrawFn) -> tuple[Tier, ...]:
    ends = sorted(draw(st.sets(st.decimals("0.000001", "1e9", places=6), max_size=5)))
    return tuple(Tier(end, draw(unit_amounts), draw(flat_amounts)) for end in (*ends, None))


caps = st.none() | st.integers(0, 10**9)
monotone_terms = st.builds(
    MeteredTerms,
    st.builds(PerUnit, unit_amounts)
    | st.builds(Graduated, tier_lists())
    | st.builds(Package, st.decimals("0.001", "1e6", places=3), st.integers(0, 10**6)),
    caps,
)
all_terms = monotone_terms | st.builds(MeteredTerms, st.builds(Volume, tier_lists()), caps)


@given(monotone_terms, units, units)
def test_more_units_never_cost_less(terms: MeteredTerms, some: Decimal, more: Decimal) -> None:
    some, more = sorted((some, more))
    assert price_units(terms, some) <= price_units(terms, more)


@given(all_terms, units)
def test_an_amount_lies_between_nothing_and_the_cap(terms: MeteredTerms, used: Decimal) -> None:
    amount = price_units(terms, used)
    assert amount >= 0
    assert terms.cap_amount is None or amount <= terms.cap_amount
    assert price_units(terms, Decimal(0)) == 0
    assert price_units(terms, -used) == 0


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
    assert price_units(MeteredTerms(Graduated(tiers)), used) == rounded(exact)


@given(tier_lists(), units.filter(bool))
def test_volume_prices_all_units_by_one_tier(tiers: tuple[Tier, ...], used: Decimal) -> None:
    reached = min(
        (tier for tier in tiers if tier.up_to is None or used <= tier.up_to),
        key=lambda tier: (tier.up_to is None, tier.up_to or 0),
    )
    exact = Fraction(used) * Fraction(reached.unit_amount) + reached.flat_amount
    assert price_units(MeteredTerms(Volume(tiers)), used) == rounded(exact)


def test_one_tier_without_end_is_per_unit() -> None:
    tiers = (Tier(None, Decimal("0.004")),)
    for scheme in (Graduated(tiers), Volume(tiers)):
        assert price_units(MeteredTerms(scheme), Decimal(1_000_125)) == 4_001


def test_digits_beyond_any_float_are_kept() -> None:
    terms = MeteredTerms(PerUnit(Decimal("0.999999999999")))
    used = Decimal(10**40 + 1)
    assert price_units(terms, used) == 10**40 + 1 - 10**28


def test_a_rating_sets_no_more_credit_than_is_consumed() -> None:
    terms = MeteredTerms(PerUnit(Decimal(2)))
    assert rate(terms, Decimal(30), Decimal(100)).credited == 30
    over = rate(terms, Decimal(130), Decimal(100))
    assert over == Rating(Decimal(130), Decimal(100), Decimal(30), 60)


def test_usage_below_zero_is_shown_and_billed_as_nothing() -> None:
    rating = rate(MeteredTerms(PerUnit(Decimal(2))), Decimal(-5), Decimal(3))
    assert rating == Rating(Decimal(-5), Decimal(0), Decimal(0), 0)


def test_credit_below_zero_makes_no_charge() -> None:
    rating = rate(MeteredTerms(PerUnit(Decimal(2))), Decimal(10), Decimal(-4))
    assert rating == Rating(Decimal(10), Decimal(0), Decimal(10), 20)


quantities = st.decimals("-1e9", "1e9", places=4)


@given(all_terms, quantities, quantities)
def test_a_line_adds_up(terms: MeteredTerms, consumed: Decimal, credited: Decimal) -> None:
    rating = rate(terms, consumed, credited)
    assert rating.billable == max(Decimal(0), consumed - max(Decimal(0), credited))
    assert rating.billable == max(Decimal(0), rating.consumed - rating.credited)


@given(all_terms, st.lists(st.tuples(quantities, quantities), min_size=1, max_size=6))
def test_corrections_add_up_to_the_last_rating(
    terms: MeteredTerms, history: list[tuple[Decimal, Decimal]]
) -> None:
    billed = NOTHING_BILLED
    for consumed, credited in history:
        rating = rate(terms, consumed, credited)
        billed = billed.plus(rating.less(billed))
        assert billed == rating
