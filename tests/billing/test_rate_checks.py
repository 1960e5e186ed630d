"""Rates that make no sense are refused, and so are changes of a meter that its rates rule out."""

import pytest

from billing.catalog.price_meters import needs_of_rates
from billing.catalog.products import ProductDraft, create_product
from billing.periods.intervals import RecurringInterval
from billing.rating.dimension_rates import DimensionRate
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.meters import MeterChanges, update_meter
from metering.problems import RefusedError
from models import Meter
from tests.billing.rated import by_model, rate
from tests.billing.world import World


@pytest.fixture
async def meter(world: World) -> Meter:
    return await world.meter(dimensions=["model", "kind"])


async def test_a_dimension_that_a_rate_uses_cannot_be_removed(world: World, meter: Meter) -> None:
    await world.product(by_model(meter))
    with pytest.raises(RefusedError, match="uses a dimension that would be removed") as refused:
        await update_meter(world.id, meter.id, MeterChanges(dimensions=("kind",)), needs_of_rates)
    assert [(one.code, one.path) for one in refused.value.problems] == [("IN_USE", ("dimensions",))]
    maximum = Aggregation(AggregationFunction.MAXIMUM, "tokens")
    with pytest.raises(RefusedError, match="need COUNT or SUM"):
        await update_meter(world.id, meter.id, MeterChanges(aggregation=maximum), needs_of_rates)
    added = MeterChanges(dimensions=("region", "metadata.model", "kind"))
    await update_meter(world.id, meter.id, added, needs_of_rates)


@pytest.mark.parametrize(
    ("rates", "path"),
    [
        ((rate(-1, model="a"),), "rates.0.unitAmount"),
        ((rate(1),), "rates.0.values"),
        ((rate(1, model="a"), rate(2, model="a", kind="b")), "rates.1.values"),
        ((rate(1, region="a"),), "rates.0.values.0.property"),
        ((rate(1, model="a\0"),), "rates.0.values.0.value"),
        (tuple(rate(1, model=str(number)) for number in range(101)), "rates"),
    ],
)
async def test_impossible_rates_are_refused_at_their_path(
    world: World, meter: Meter, rates: tuple[DimensionRate, ...], path: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        await world.product(by_model(meter, *rates))
    assert [".".join(map(str, one.path)) for one in refused.value.problems] == [
        f"prices.0.metered.{path}"
    ]


async def test_rates_need_a_meter_that_adds_up(world: World) -> None:
    meter = await world.meter(AggregationFunction.MAXIMUM, dimensions=["model", "kind"])
    draft = ProductDraft("Plan", None, RecurringInterval.MONTH, [by_model(meter)])
    with pytest.raises(RefusedError, match="COUNT or SUM"):
        await create_product(world.id, draft)
