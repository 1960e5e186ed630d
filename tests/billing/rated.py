"""Prices with rates by dimension, as tests sell them."""

from decimal import Decimal
from typing import Any

from billing.catalog.prices import MeteredDraft
from billing.rating.dimension_rates import DimensionRate
from metering.usage.grouping import DimensionValue
from models import Meter


def rate(amount: str | int, **values: str | None) -> DimensionRate:
    named = tuple(DimensionValue(name, value) for name, value in values.items())
    return DimensionRate(named, Decimal(amount))


RATES = (rate(8, model="large", kind="output"), rate(2, model="large"), rate("0.5", model=None))


def by_model(meter: Meter, *rates: DimensionRate, **limits: Any) -> MeteredDraft:
    """A cent a unit, unless a rate matches."""
    parameters = {"unit_amount": Decimal(1), "rates": rates or RATES}
    return MeteredDraft("USD", meter.id, parameters=parameters, **limits)
