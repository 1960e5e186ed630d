"""Usage by dimension that is wrong is found and repaired, and days are read by six hours."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.audit.recompute import recompute_customer_meter
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.usage.grouping import Grouping
from metering.usage.groups import grouped_usage
from metering.usage.windows import Window
from models import (
    ALL_CUSTOMERS,
    CustomerMeter,
    DimensionBucket,
    DimensionValue,
    Organization,
    UsageDrift,
)
from models.dimension import QUARTER_DAYS
from tests.ingesting import NOON, definition_of, drain
from tests.metering.dimensions import drifts, meter_by, totals, use
from tests.metering.stored import WITH_DIMENSIONS


@pytest.mark.parametrize("function", WITH_DIMENSIONS)
async def test_wrong_usage_by_dimension_is_found_and_repaired(
    database: BaseDBAsyncClient, organization: Organization, function: AggregationFunction
) -> None:
    aggregation = Aggregation(function, None if function == "COUNT" else "tokens")
    meter = await meter_by(organization, "model", aggregation=aggregation)
    await use(organization)
    await drain(organization.id)
    before = await totals(database, meter, "model")
    first: Sequence[DimensionBucket] = (
        await DimensionBucket.filter(meter_id=meter.id).order_by("bucket", "combination").limit(2)
    )
    where = {"meter_id": meter.id, "bucket": first[0].bucket}
    await DimensionBucket.filter(**where).update(count=9, sum=9, minimum=9, latest_value=9)
    await DimensionBucket.filter(meter_id=meter.id, bucket__gt=first[0].bucket).delete()
    await DimensionValue.filter(**where).delete()
    row = await CustomerMeter.get(meter_id=meter.id)

    recomputed = await recompute_customer_meter(organization.id, row.id)

    assert recomputed is not None
    assert recomputed.drift == 0
    assert await totals(database, meter, "model") == before
    found = await UsageDrift.filter(meter_id=meter.id)
    assert all(drift.combination is not None for drift in found)
    assert {drift.customer_id for drift in found} == {ALL_CUSTOMERS, row.customer_id}
    assert await drifts(organization) == 0


@pytest.mark.parametrize("function", WITH_DIMENSIONS)
async def test_six_hours_of_all_customers_that_differ_from_their_hours_are_repaired(
    database: BaseDBAsyncClient, organization: Organization, function: AggregationFunction
) -> None:
    aggregation = Aggregation(function, None if function == "COUNT" else "tokens")
    meter = await meter_by(organization, "model", aggregation=aggregation)
    await use(organization)
    await use(organization, 20)
    await drain(organization.id)
    before = await totals(database, meter, "model")
    assert await drifts(organization) == 0
    where = {"meter_id": meter.id, "customer_id": QUARTER_DAYS}
    first, *others = await DimensionBucket.filter(**where).order_by("bucket", "combination")
    assert {row.bucket for row in (first, *others)} == {NOON, NOON + timedelta(hours=6)}
    of_first = {**where, "bucket": NOON, "combination": first.combination}
    await DimensionBucket.filter(**of_first).update(count=9, sum=9, minimum=9, latest_value=9)
    await DimensionBucket.filter(**where, bucket__gt=NOON).delete()

    assert await drifts(organization) == 4

    assert await totals(database, meter, "model") == before
    assert await drifts(organization) == 0
    found = await UsageDrift.filter(meter_id=meter.id)
    assert {drift.customer_id for drift in found} == {QUARTER_DAYS}


async def test_days_of_all_customers_are_read_by_six_hours(
    database: BaseDBAsyncClient, organization: Organization
) -> None:
    meter = await meter_by(organization, "model")
    await use(organization)
    await drain(organization.id)
    hours = DimensionBucket.filter(meter_id=meter.id, customer_id=ALL_CUSTOMERS)
    assert await hours.delete() == 6

    # Here, the day begins and ends where six hours do.
    day = Window(NOON, NOON + timedelta(days=1))
    found = await grouped_usage(database, await definition_of(meter), [day], Grouping(("model",)))

    assert [group.usage.total.quantity for group in found.groups] == [7, 5, 3]
