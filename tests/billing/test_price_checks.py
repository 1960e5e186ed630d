"""Prices that make no sense are refused at their paths, and so are currencies out of use."""

from decimal import Decimal
from uuid import UUID

import pytest

from billing.catalog.prices import FixedDraft, MeteredDraft, PriceDraft, check_prices
from billing.numbers import CURRENCIES
from billing.rating.conversion import Conversion, RoundingMode
from billing.rating.schemes import Pricing, Tier

METER, OTHER = UUID(int=1), UUID(int=2)
HALF = Decimal("0.5")
OPEN = Tier(None, HALF)


def metered(
    pricing: Pricing = Pricing.PER_UNIT,
    *,
    currency: str = "USD",
    meter_id: UUID = METER,
    unit_amount: Decimal | None = None,
    tiers: list[Tier] | None = None,
    package_amount: int | None = None,
    package_size: Decimal | None = None,
    cap_amount: int | None = None,
    minimum_amount: int | None = None,
    conversion: Conversion | None = None,
    flat_at_zero: bool | None = None,
) -> MeteredDraft:
    parameters = {
        "unit_amount": unit_amount,
        "tiers": tiers,
        "package_amount": package_amount,
        "package_size": package_size,
        "bills_flat_amount_at_zero": flat_at_zero,
    }
    limits = (cap_amount, minimum_amount)
    return MeteredDraft(currency, meter_id, pricing, parameters, *limits, conversion)


def per_unit(amount: Decimal = HALF, meter_id: UUID = METER, currency: str = "USD") -> MeteredDraft:
    return metered(unit_amount=amount, meter_id=meter_id, currency=currency)


def ending(*ends: str | None) -> list[Tier]:
    return [Tier(None if end is None else Decimal(end), HALF) for end in ends]


GRADUATED, VOLUME, PACKAGE = Pricing.GRADUATED, Pricing.VOLUME, Pricing.PACKAGE


@pytest.mark.parametrize(
    "prices",
    [
        [FixedDraft("USD", 0)],
        [FixedDraft("EUR", 2000), per_unit(currency="EUR")],
        [per_unit(), per_unit(meter_id=OTHER)],
        [per_unit(Decimal("0.000000000001"))],
        [per_unit(Decimal("1.5000000000000000"))],
        [metered(GRADUATED, tiers=ending("10", "20.5", None), cap_amount=100)],
        [metered(VOLUME, tiers=[OPEN])],
        [metered(PACKAGE, package_amount=250, package_size=Decimal(1000))],
        [metered(GRADUATED, tiers=[OPEN], flat_at_zero=True, cap_amount=5, minimum_amount=5)],
        [metered(unit_amount=HALF, conversion=Conversion(Decimal("0.001"), RoundingMode.UP, 12))],
    ],
)
def test_sensible_prices_pass(prices: list[PriceDraft]) -> None:
    assert check_prices(prices) == ()


@pytest.mark.parametrize(
    ("prices", "path"),
    [
        ([], "prices"),
        ([FixedDraft("USD", 1)] * 101, "prices"),
        ([FixedDraft("USD", -1)], "prices.0.fixed.amount"),
        ([FixedDraft("USD", 10**15 + 1)], "prices.0.fixed.amount"),
        ([FixedDraft("USD", 10**15), FixedDraft("USD", 1)], "prices"),
        ([FixedDraft("USD", 1), per_unit(currency="EUR")], "prices.1.metered.currency"),
        ([per_unit(), FixedDraft("EUR", 1)], "prices.1.fixed.currency"),
        ([per_unit(), per_unit()], "prices.1.metered.meterId"),
        ([metered()], "prices.0.metered.unitAmount"),
        ([per_unit(Decimal(-1))], "prices.0.metered.unitAmount"),
        ([per_unit(Decimal("0.0000000000001"))], "prices.0.metered.unitAmount"),
        ([per_unit(Decimal("1e16"))], "prices.0.metered.unitAmount"),
        ([metered(unit_amount=HALF, tiers=[OPEN])], "prices.0.metered.tiers"),
        ([metered(unit_amount=HALF, package_amount=1)], "prices.0.metered.packageAmount"),
        ([metered(unit_amount=HALF, package_size=HALF)], "prices.0.metered.packageSize"),
        ([metered(unit_amount=HALF, cap_amount=-1)], "prices.0.metered.capAmount"),
        ([metered(unit_amount=HALF, minimum_amount=-1)], "prices.0.metered.minimumAmount"),
        (
            [metered(unit_amount=HALF, minimum_amount=2, cap_amount=1)],
            "prices.0.metered.minimumAmount",
        ),
        (
            [metered(unit_amount=HALF, flat_at_zero=True)],
            "prices.0.metered.billsFlatAmountAtZero",
        ),
        (
            [metered(unit_amount=HALF, conversion=Conversion(Decimal(0)))],
            "prices.0.metered.conversion.divideBy",
        ),
        (
            [metered(unit_amount=HALF, conversion=Conversion(Decimal("1e31")))],
            "prices.0.metered.conversion.divideBy",
        ),
        (
            [metered(unit_amount=HALF, conversion=Conversion(Decimal(1), decimals=13))],
            "prices.0.metered.conversion.decimals",
        ),
        ([metered(GRADUATED)], "prices.0.metered.tiers"),
        ([metered(GRADUATED, tiers=[])], "prices.0.metered.tiers"),
        ([metered(VOLUME, tiers=[OPEN], unit_amount=HALF)], "prices.0.metered.unitAmount"),
        ([metered(VOLUME, tiers=ending("10"))], "prices.0.metered.tiers.0.upTo"),
        ([metered(VOLUME, tiers=ending("10", "20"))], "prices.0.metered.tiers.1.upTo"),
        ([metered(VOLUME, tiers=ending(None, None))], "prices.0.metered.tiers.0.upTo"),
        ([metered(VOLUME, tiers=ending("10", "10", None))], "prices.0.metered.tiers.1.upTo"),
        ([metered(VOLUME, tiers=ending("20", "10", None))], "prices.0.metered.tiers.1.upTo"),
        ([metered(VOLUME, tiers=ending("0", None))], "prices.0.metered.tiers.0.upTo"),
        ([metered(VOLUME, tiers=ending("1e-13", None))], "prices.0.metered.tiers.0.upTo"),
        ([metered(VOLUME, tiers=[Tier(None, -HALF)])], "prices.0.metered.tiers.0.unitAmount"),
        ([metered(VOLUME, tiers=[Tier(None, HALF, -1)])], "prices.0.metered.tiers.0.flatAmount"),
        ([metered(VOLUME, tiers=[OPEN] * 101)], "prices.0.metered.tiers"),
        ([metered(PACKAGE, package_amount=1)], "prices.0.metered.packageSize"),
        ([metered(PACKAGE, package_size=HALF)], "prices.0.metered.packageAmount"),
        (
            [metered(PACKAGE, package_amount=1, package_size=Decimal(0))],
            "prices.0.metered.packageSize",
        ),
        (
            [metered(PACKAGE, package_amount=-1, package_size=HALF)],
            "prices.0.metered.packageAmount",
        ),
    ],
)
def test_invalid_prices_are_refused_at_their_path(prices: list[PriceDraft], path: str) -> None:
    assert [".".join(problem.path) for problem in check_prices(prices)] == [path]


def test_all_mistakes_are_reported_at_once() -> None:
    found = check_prices([per_unit(Decimal(-1)), metered(cap_amount=-1, currency="EUR")])
    assert [".".join(problem.path) for problem in found] == [
        "prices.0.metered.unitAmount",
        "prices.1.metered.currency",
        "prices.1.metered.unitAmount",
        "prices.1.metered.capAmount",
        "prices.1.metered.meterId",
    ]


@pytest.mark.parametrize("code", ["USD", "EUR", "JPY", "KWD", "XOF", "XCG", "ZWG", "VES"])
def test_current_currencies_are_accepted(code: str) -> None:
    assert code in CURRENCIES


@pytest.mark.parametrize(
    "code",
    # Nothing; for tests, without a currency, gold, drawing rights; funds; former ones; indices.
    ["", "ZZZ", "XTS", "XXX", "XAU", "XDR", "USN", "CLF", "DEM", "HRK", "UYW", "XAD"],
)
def test_other_codes_are_refused(code: str) -> None:
    assert code not in CURRENCIES


def test_the_list_is_whole() -> None:
    assert 150 <= len(CURRENCIES) <= 165
    assert all(len(code) == 3 and code.isalpha() and code.isupper() for code in CURRENCIES)
