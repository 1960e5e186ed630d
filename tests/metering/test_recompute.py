"""Recomputing cached usage from the raw events finds, reports and repairs drift."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.audit.recompute import Recomputed, recompute_customer_meter
from metering.language.aggregations import AggregationFunction
from models import (
    ALL_CUSTOMERS,
    CustomerMeter,
    CustomerMeterValue,
    Meter,
    Organization,
    UsageBucket,
    UsageDrift,
    UsageValue,
)
from tests.ingesting import NOON, drain, meter_of, send, usages

CHANGING = {"id", "revision", "updated_at"}
VALUES = [20, 10, 10, "0.5", 0, True, None]
CORRUPTIONS: dict[AggregationFunction, dict[str, Any]] = {
    AggregationFunction.COUNT: {"count": 99},
    AggregationFunction.SUM: {"sum": Decimal("1000.5")},
    AggregationFunction.AVERAGE: {"sum": Decimal(7), "count": 4},
    AggregationFunction.MINIMUM: {"minimum": Decimal(-5)},
    AggregationFunction.MAXIMUM: {"maximum": Decimal(500)},
    AggregationFunction.LATEST: {"latest_value": Decimal(8)},
    AggregationFunction.UNIQUE: {"count": 0},
    AggregationFunction.TIME_WEIGHTED: {"value_seconds": Decimal(36)},
}


async def cached(meter: Meter) -> dict[str, list[dict[str, Any]]]:
    """Everything that is kept of a meter, but for when it changed."""
    kept: dict[str, list[dict[str, Any]]] = {
        table.__name__: [
            {name: value for name, value in row.items() if name not in CHANGING}
            for row in await table.filter(meter_id=meter.id).values()
        ]
        for table in (UsageBucket, UsageValue, CustomerMeter, CustomerMeterValue)
    }
    for rows in kept.values():
        rows.sort(key=lambda row: sorted((name, str(value)) for name, value in row.items()))
    return kept


async def counted(
    organization: Organization, function: AggregationFunction
) -> tuple[Meter, CustomerMeter]:
    """A meter that has counted events of two customers, and the row of the first."""
    meter = await meter_of(organization.id, function)
    for customer in ("c1", "c2"):
        events = [{**event, "externalCustomerId": customer} for event in usages(VALUES)]
        await send(organization.id, *events)
    await drain(organization.id)
    rows = await CustomerMeter.filter(meter_id=meter.id).order_by("customer_id")
    return meter, rows[0]


async def recomputed_of(row: CustomerMeter) -> Recomputed:
    recomputed = await recompute_customer_meter(row.organization_id, row.id)
    assert recomputed is not None
    return recomputed


@pytest.mark.parametrize("function", AggregationFunction)
async def test_corrupt_buckets_and_customer_meters_are_found_and_repaired(
    organization: Organization, function: AggregationFunction
) -> None:
    meter, row = await counted(organization, function)
    before = await cached(meter)
    noon: dict[str, Any] = {"meter_id": meter.id, "customer_id": row.customer_id, "bucket": NOON}
    changed = CORRUPTIONS[function]
    await UsageBucket.filter(**noon).update(**changed)
    await UsageBucket.filter(**{**noon, "customer_id": ALL_CUSTOMERS}).update(**changed)
    await UsageValue.filter(**noon).delete()
    await CustomerMeterValue.filter(meter_id=meter.id, customer_id=row.customer_id).delete()
    await CustomerMeter.filter(id=row.id).update(
        **changed, consumed=row.consumed + 5, unique_count=0
    )

    recomputed = await recomputed_of(row)

    assert recomputed.drift == -5
    assert await cached(meter) == before
    found = {
        (drift.customer_id, drift.bucket): drift
        for drift in await UsageDrift.filter(meter_id=meter.id)
    }
    assert set(found) == {(row.customer_id, NOON), (ALL_CUSTOMERS, NOON), (row.customer_id, None)}
    of_period = found[row.customer_id, None]
    assert (of_period.cached, of_period.recomputed) == (row.consumed + 5, row.consumed)
    assert found[row.customer_id, NOON].differences.keys() >= changed.keys()
    after = await CustomerMeter.get(id=row.id)
    assert after.revision > row.revision

    again = await recomputed_of(row)
    assert again.drifts == ()


async def test_missing_and_invented_buckets_are_found(
    database: BaseDBAsyncClient, organization: Organization
) -> None:
    meter, row = await counted(organization, AggregationFunction.SUM)
    before = await cached(meter)
    (first, *_), invented = (
        await UsageBucket.filter(meter_id=meter.id, customer_id=row.customer_id).order_by("bucket"),
        NOON - timedelta(days=3_650),
    )
    await UsageBucket.filter(
        meter_id=meter.id, customer_id=row.customer_id, bucket=first.bucket
    ).delete()
    await database.execute_query_dict(
        """
        INSERT INTO usage_bucket (
            organization_id, meter_id, customer_id, bucket, count, skipped, sum
        )
        VALUES ($1, $2, $3, $4, 1, 0, 7) RETURNING 1
        """,
        [organization.id, meter.id, row.customer_id, invented],
    )

    recomputed = await recomputed_of(row)

    assert {(drift.bucket, drift.cached, drift.recomputed) for drift in recomputed.drifts} == {
        (first.bucket, None, first.sum),
        (invented, 7, None),
    }
    assert await cached(meter) == before


async def test_a_foreign_customer_meter_is_not_found(
    organization: Organization, other_organization: Organization
) -> None:
    _, row = await counted(organization, AggregationFunction.SUM)
    assert await recompute_customer_meter(other_organization.id, row.id) is None
