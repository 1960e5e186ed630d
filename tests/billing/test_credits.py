"""Meter credits: the vectors, and what holds for all of them."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.periods.grants import CreditGrant, Holding, Piece, burn, passed_on
from models.identifiers import new_id
from tests.billing.world import instant

VECTORS = Path(__file__).parents[1] / "vectors"
START = instant("2026-01-01")
END = START + timedelta(days=31)


def carried_over(plain: Decimal, rolling: Decimal, consumed: Decimal) -> Decimal:
    """What is left at the end of a period of units that end with it, and of units that roll."""
    holdings = [
        Holding(CreditGrant(new_id(), units, is_rolling, START), units, is_new=True)
        for units, is_rolling in ((plain, False), (rolling, True))
    ]
    left = burn(holdings, [Piece(START, END, consumed)], END).left
    passed = passed_on(holdings, left, END, is_cut=False)
    assert all(one.grant.is_rolling for one in passed)
    return sum((one.units for one in passed), Decimal(0))


@pytest.mark.parametrize("case", json.loads((VECTORS / "credits.json").read_text()))
def test_carry_over_of_the_vectors(case: dict[str, str]) -> None:
    plain, rolling, consumed = (Decimal(case[key]) for key in ("plain", "rolling", "consumed"))
    assert carried_over(plain, rolling, consumed) == Decimal(case["carriedOver"])


credit_units = st.decimals("0", "1e9", places=6)
consumptions = st.decimals("-1e9", "1e9", places=6)


@given(credit_units, credit_units, consumptions)
def test_never_more_than_rolls_nor_than_is_left(
    plain: Decimal, rolling: Decimal, consumed: Decimal
) -> None:
    carried = carried_over(plain, rolling, consumed)
    assert 0 <= carried <= rolling
    assert carried <= max(Decimal(0), plain + rolling - consumed)


@given(credit_units, credit_units, consumptions, credit_units)
def test_more_consumption_never_carries_more(
    plain: Decimal, rolling: Decimal, consumed: Decimal, more: Decimal
) -> None:
    carried = carried_over(plain, rolling, consumed)
    assert carried_over(plain, rolling, consumed + more) <= carried


@given(credit_units, credit_units, st.lists(credit_units, max_size=12))
def test_no_unit_of_rolling_credit_is_used_twice(
    plain: Decimal, rolling: Decimal, usage: list[Decimal]
) -> None:
    left, covered_by_rolling = rolling, Decimal(0)
    for consumed in usage:
        covered_by_rolling += min(left, max(Decimal(0), consumed - plain))
        left = carried_over(plain, left, consumed)
    assert covered_by_rolling + left == rolling
