"""Meter credits: the vectors, and what holds for all of them."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.periods.credit import Credit, carried_over

VECTORS = Path(__file__).parents[1] / "vectors"


@pytest.mark.parametrize("case", json.loads((VECTORS / "credits.json").read_text()))
def test_carry_over_of_the_vectors(case: dict[str, str]) -> None:
    credit = Credit(plain=Decimal(case["plain"]), rolling=Decimal(case["rolling"]))
    assert carried_over(credit, Decimal(case["consumed"])) == Decimal(case["carriedOver"])


credit_units = st.decimals("0", "1e9", places=6)
rolling_units = st.decimals("-1e9", "1e9", places=6)
consumptions = st.decimals("-1e9", "1e9", places=6)


@given(credit_units, rolling_units, consumptions)
def test_never_more_than_rolls_nor_than_is_left(
    plain: Decimal, rolling: Decimal, consumed: Decimal
) -> None:
    carried = carried_over(Credit(plain, rolling), consumed)
    assert 0 <= carried <= max(Decimal(0), rolling)
    assert carried <= max(Decimal(0), plain + rolling - consumed)


@given(credit_units, rolling_units, consumptions, credit_units)
def test_more_consumption_never_carries_more(
    plain: Decimal, rolling: Decimal, consumed: Decimal, more: Decimal
) -> None:
    credit = Credit(plain, rolling)
    assert carried_over(credit, consumed + more) <= carried_over(credit, consumed)


@given(credit_units, credit_units, st.lists(credit_units, max_size=12))
def test_no_unit_of_rolling_credit_is_used_twice(
    plain: Decimal, rolling: Decimal, usage: list[Decimal]
) -> None:
    left, covered_by_rolling = rolling, Decimal(0)
    for consumed in usage:
        covered_by_rolling += min(left, max(Decimal(0), consumed - plain))
        left = carried_over(Credit(plain, left), consumed)
    assert covered_by_rolling + left == rolling
