"""What is sold in random histories: prices, and periods of several shapes."""

from decimal import Decimal
from typing import Any

from billing.periods.intervals import BillingPeriods, RecurringInterval
from billing.rating.conversion import Conversion, RoundingMode
from billing.rating.dimension_rates import DimensionRate
from billing.rating.schemes import Pricing, Tier
from metering.usage.grouping import DimensionValue

FIXED_AMOUNTS = (500, 1249)
WEEK, MONTH, YEAR = RecurringInterval.WEEK, RecurringInterval.MONTH, RecurringInterval.YEAR
FROM_START, CALENDAR = BillingPeriods.FROM_START, BillingPeriods.CALENDAR
Shape = tuple[RecurringInterval, int, BillingPeriods, RecurringInterval | None]
SHAPES: tuple[Shape, ...] = (
    (MONTH, 1, FROM_START, None),
    (YEAR, 1, FROM_START, None),
    (YEAR, 1, FROM_START, MONTH),
    (MONTH, 3, FROM_START, None),
    (MONTH, 3, FROM_START, MONTH),
    (WEEK, 2, FROM_START, None),
    (WEEK, 2, FROM_START, WEEK),
    (MONTH, 1, CALENDAR, None),
    (MONTH, 3, CALENDAR, None),
    (MONTH, 3, CALENDAR, MONTH),
    (WEEK, 1, CALENDAR, None),
    (YEAR, 1, CALENDAR, MONTH),
)
# The second one changes its clocks by half an hour.
ZONES = ("Europe/Berlin", "Australia/Lord_Howe")

PRICES: dict[str, dict[str, Any]] = {
    "per unit": {"parameters": {"unit_amount": Decimal("1.5")}},
    "capped": {"parameters": {"unit_amount": Decimal(2)}, "cap_amount": 40},
    "at least": {"parameters": {"unit_amount": Decimal(2)}, "minimum_amount": 31},
    "within limits": {
        "parameters": {"unit_amount": Decimal(3)},
        "cap_amount": 55,
        "minimum_amount": 21,
    },
    "by the dozen": {
        "parameters": {"unit_amount": Decimal(17)},
        "conversion": Conversion(Decimal(12), RoundingMode.UP, 1),
    },
    "by thirds": {
        "pricing": Pricing.VOLUME,
        "parameters": {
            "tiers": [Tier(Decimal(2), Decimal("0.7"), 9), Tier(None, Decimal(1))],
            "bills_flat_amount_at_zero": True,
        },
        "conversion": Conversion(Decimal(3)),
    },
    "flat": {
        "pricing": Pricing.GRADUATED,
        "parameters": {
            "tiers": [Tier(Decimal(4), Decimal(0), 13), Tier(None, Decimal("1.5"), 6)],
            "bills_flat_amount_at_zero": True,
        },
    },
    "graduated": {
        "pricing": Pricing.GRADUATED,
        "parameters": {"tiers": [Tier(Decimal(10), Decimal(3), 7), Tier(None, Decimal("0.25"))]},
    },
    "volume": {
        "pricing": Pricing.VOLUME,
        "parameters": {"tiers": [Tier(Decimal(5), Decimal(3)), Tier(None, Decimal(1), 2)]},
    },
    "by model": {
        "parameters": {
            "unit_amount": Decimal("1.5"),
            "rates": [
                DimensionRate((DimensionValue("model", "large"),), Decimal("7.3")),
                DimensionRate((DimensionValue("model", None),), Decimal("0.4")),
            ],
        },
        "cap_amount": 70,
        "minimum_amount": 6,
    },
    "package": {
        "pricing": Pricing.PACKAGE,
        "parameters": {"package_amount": 11, "package_size": Decimal("2.5")},
    },
}
