"""Which currencies prices may be in."""

import pytest

from billing.catalog.currencies import CURRENCIES


@pytest.mark.parametrize("code", ["USD", "EUR", "JPY", "KWD", "XOF", "XCG", "ZWG", "VES"])
def test_money_that_people_pay_with(code: str) -> None:
    assert code in CURRENCIES


@pytest.mark.parametrize(
    "code",
    # Nothing; for tests, without a currency, gold, drawing rights; funds; former ones; indices.
    ["", "ZZZ", "XTS", "XXX", "XAU", "XDR", "USN", "CLF", "DEM", "HRK", "UYW", "XAD"],
)
def test_codes_that_nobody_pays_with(code: str) -> None:
    assert code not in CURRENCIES


def test_the_list_is_whole() -> None:
    assert 150 <= len(CURRENCIES) <= 165
    assert all(len(code) == 3 and code.isalpha() and code.isupper() for code in CURRENCIES)
